//! The rights that functions with `owner` need.

use tests::{RedisServer, documented_users, refused_to, run_words};

use crate::{builder, entries, fill};

const DOCS: &str = include_str!("../../docs/operations/redis.md");

/// The documented rights on the server, and those for owners.
fn documented(user: &str) -> [Vec<String>; 2] {
    let mut lines = documented_users(DOCS, user).into_iter();
    let on_server = lines.next().unwrap();
    let for_owners = lines.find(|line| line.iter().any(|word| word == "+hset"));
    [on_server, for_owners.unwrap()]
}

fn url_of(user: &str, server: &RedisServer) -> String {
    format!("redis://{user}:secret@127.0.0.1:{}", server.port())
}

#[tokio::test]
async fn the_documented_rights_for_owners_are_enough() {
    let server = RedisServer::start();
    for line in documented("app") {
        run_words(&line, &mut server.connect());
    }
    let cache = builder(url_of("app", &server))
        .owner_capacity(3_000)
        .build()
        .unwrap();
    for round in 0..3 {
        fill(&cache, 1, 0..5).await;
        assert_eq!(entries(&cache, 1).await, 2, "{round}");
        cache.delete_pattern("file:1:3").await.unwrap();
        assert_eq!(cache.invalidate_owner(1).await.unwrap(), 1);
        redis::cmd("DEL")
            .arg("app#owners")
            .exec(&mut server.connect())
            .unwrap();
    }
    assert_eq!(cache.stats().errors, 0);
    assert_eq!(refused_to("app", &server), [""; 0]);
}

/// The check of a new connection finds the missing right, and its error names it.
#[tokio::test]
async fn each_right_for_owners_is_needed_and_the_cause_names_it() {
    let server = RedisServer::start();
    let [_, line] = documented("app");
    let rights: Vec<&str> = line
        .iter()
        .filter_map(|word| word.strip_prefix('+'))
        .collect();
    assert!(rights.len() > 8, "{rights:?}");
    for right in rights {
        let user = format!("without-{right}");
        let [on_server, for_owners] = documented(&user);
        let is_other = |word: &String| word.strip_prefix('+') != Some(right);
        run_words(&on_server, &mut server.connect());
        let lesser: Vec<String> = for_owners.into_iter().filter(is_other).collect();
        run_words(&lesser, &mut server.connect());
        let builder = builder(url_of(&user, &server)).prefix(&user);
        let health = builder.build().unwrap().health_check().await;
        let error = health.unwrap_err().to_string().to_lowercase();
        assert!(error.contains(right), "{right}: {error}");
    }
}
