//! Users with the least rights, as `docs/operations/redis.md` lists them.

use cache_runtime::{Cache, cacheable};
use redis::Client;
use tests::{
    PATIENCE, RedisServer, Sentinels, documented_users, refused_to, run_words, until, until_well,
};

use crate::all_operations::Pair;

const DOCS: &str = include_str!("../../docs/operations/redis.md");

/// The documented user under another name, which is also its prefix. Its rights in order: on the
/// server, for the near cache in addition, for owners in addition, on the sentinels.
fn documented(user: &str) -> [Vec<String>; 4] {
    let users = documented_users(DOCS, user);
    users.try_into().expect("the page has four users")
}

fn url_of(user: &str, server: &RedisServer) -> String {
    format!("redis://{user}:secret@127.0.0.1:{}", server.port())
}

#[tokio::test]
async fn the_documented_rights_are_enough_for_all_operations() {
    let server = RedisServer::start();
    let [line, ..] = documented("modest");
    run_words(&line, &mut server.connect());
    let pair = Pair::at(&url_of("modest", &server), "modest");
    for _ in 0..2 {
        for (what, done) in pair.perform_all(&server).await {
            done.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        pair.until_swept(&server).await;
        assert!(pair.caches().iter().all(|cache| cache.stats().errors == 0));
        pair.survive_outage(&server).await;
        for cache in pair.caches() {
            cache.reset_stats();
        }
    }
    assert_eq!(refused_to("modest", &server), [""; 0]);
}

#[tokio::test]
async fn each_documented_right_is_needed() {
    let server = RedisServer::start_with(&["--acllog-max-len", "10000"]);
    let [line, ..] = documented("user");
    let rights = line.iter().filter_map(|word| word.strip_prefix('+'));
    let rights: Vec<&str> = rights.collect();
    assert!(rights.len() > 10, "{rights:?}");
    for right in rights {
        let user = format!("without-{}", right.replace('|', "-"));
        let [line, ..] = documented(&user);
        let lesser: Vec<String> = line
            .into_iter()
            .filter(|word| word.strip_prefix('+') != Some(right))
            .collect();
        let mut admin = server.connect();
        run_words(&lesser, &mut admin);
        let pair = Pair::at(&url_of(&user, &server), &user);
        // Repeated, because a busy machine may renew no lease during the first run.
        until("the right is refused", || async {
            redis::cmd("SCRIPT")
                .arg("FLUSH")
                .exec(&mut server.connect())
                .unwrap();
            pair.perform_all(&server).await;
            let refused = refused_to(&user, &server);
            // Redis 6 doesn't name the subcommand.
            let command = right.split('|').next().unwrap();
            let is_refused = refused
                .iter()
                .any(|object| object == right || object == command);
            if !is_refused {
                println!("{right}: {refused:?}");
            }
            is_refused
        })
        .await;
        // With the right, the cache recovers.
        run_words(&documented(&user)[0], &mut admin);
        for cache in pair.caches() {
            until_well(cache).await;
        }
    }
}

/// Call until the entry is in the near cache.
async fn until_near(cache: &Cache) {
    until("an entry is in the near cache", || async {
        assert_eq!(cache.scope(doubled(1)).await, 2);
        cache.stats().entries > 0
    })
    .await;
}

#[tokio::test]
async fn the_documented_rights_for_the_near_cache_are_enough_for_it() {
    let server = RedisServer::start();
    let [first, second, ..] = documented("modest");
    run_words(&first, &mut server.connect());
    run_words(&second, &mut server.connect());
    let pair = Pair::with(&url_of("modest", &server), "modest", 1 << 20);
    for _ in 0..2 {
        for cache in pair.caches() {
            until_near(cache).await;
        }
        for (what, done) in pair.perform_all(&server).await {
            done.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
        assert!(pair.caches().iter().all(|cache| cache.stats().errors == 0));
        pair.survive_outage(&server).await;
        for cache in pair.caches() {
            cache.reset_stats();
        }
    }
    assert_eq!(refused_to("modest", &server), [""; 0]);
}

#[tokio::test]
async fn each_documented_right_for_the_near_cache_is_needed() {
    let server = RedisServer::start();
    let [first, second, ..] = documented("lesser");
    let rights = second.iter().filter_map(|word| word.strip_prefix('+'));
    for right in rights {
        let mut admin = server.connect();
        run_words(&first, &mut admin);
        run_words(&second, &mut admin);
        let mut lessen = redis::cmd("ACL");
        lessen.arg("SETUSER").arg("lesser").arg(format!("-{right}"));
        lessen.exec(&mut admin).unwrap();
        let cache = Cache::builder()
            .prefix("lesser")
            .redis(url_of("lesser", &server))
            .response_timeout(PATIENCE)
            .near_cache(1 << 20)
            .build()
            .unwrap();
        let next = std::sync::atomic::AtomicU32::new(1);
        until("the right is refused", || async {
            let id = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            assert_eq!(cache.scope(doubled(id)).await, id * 2);
            refused_to("lesser", &server)
                .iter()
                .any(|object| object == right)
        })
        .await;
    }
}

#[cacheable(key = "doubled:<<id>>")]
async fn doubled(id: u32) -> u32 {
    id * 2
}

#[tokio::test]
async fn the_documented_rights_are_enough_through_sentinels() {
    let server = RedisServer::start();
    let sentinels = Sentinels::one(server.port(), "");
    let [on_server, near, _, on_sentinel] = documented("modest");
    run_words(&on_server, &mut server.connect());
    run_words(&near, &mut server.connect());
    for url in sentinels.urls() {
        let mut sentinel = Client::open(url)
            .and_then(|client| client.get_connection())
            .unwrap();
        run_words(&on_sentinel, &mut sentinel);
    }
    let urls = sentinels.urls();
    let urls = urls
        .iter()
        .map(|url| url.replace("redis://", "redis://modest:secret@"));
    let cache = Cache::builder()
        .prefix("modest")
        .redis_sentinel(urls, Sentinels::MASTER)
        .master_login("modest", "secret")
        .response_timeout(PATIENCE)
        .near_cache(1 << 20)
        .build()
        .unwrap();
    until_near(&cache).await;
    cache.health_check().await.unwrap();
    assert_eq!(cache.stats().errors, 0);
    assert_eq!(refused_to("modest", &server), [""; 0]);
}
