//! Servers without certain commands (`rename-command`), and users who may not run them: the
//! function returns its value, and the error names the command and the fix.

use cache_runtime::{Cache, CacheBuilder, cacheable, invalidate};
use tests::{PATIENCE, RedisServer, until};

const DOCS: &str = include_str!("../../docs/operations/redis.md");

#[cacheable(key = "doubled:<<id>>")]
async fn doubled(id: u32) -> u32 {
    id * 2
}

#[invalidate(patterns = ["doubled:<<id>>:*"])]
async fn change(id: u32) -> u32 {
    id
}

fn builder(url: String) -> CacheBuilder {
    Cache::builder()
        .prefix("app")
        .redis(url)
        .response_timeout(PATIENCE)
        .invalidation_timeout(PATIENCE)
}

/// Return the commands that the documented rights name, in order and without subcommands: those for
/// the server, and those for the near cache.
fn documented() -> [Vec<String>; 2] {
    let commands = |line: &str| {
        let rights = line.split(' ').filter_map(|word| word.strip_prefix('+'));
        let commands = rights.map(|right| right.split('|').next().unwrap_or_default());
        let mut commands: Vec<String> = commands.map(str::to_uppercase).collect();
        commands.dedup();
        commands
    };
    let mut lines = DOCS.lines().filter(|line| line.starts_with("ACL SETUSER "));
    [(); 2].map(|()| commands(lines.next().expect("two lines")))
}

/// Call and write. The values are right, cached or not.
async fn use_it(cache: &Cache) {
    for id in 0..5 {
        assert_eq!(cache.scope(doubled(id)).await, id * 2);
        assert_eq!(cache.scope(doubled(id)).await, id * 2);
        assert_eq!(cache.scope(change(id)).await, id);
    }
}

#[tokio::test]
async fn the_error_names_a_command_that_the_server_lacks_and_the_fix() {
    let [commands, _] = documented();
    assert!(commands.len() > 15, "{commands:?}");
    for command in commands.iter().filter(|command| *command != "INFO") {
        let server = RedisServer::start_with(&["--rename-command", command, ""]);
        let cache = builder(server.url()).build().unwrap();
        use_it(&cache).await;
        let error = cache.health_check().await.unwrap_err().to_string();
        assert!(error.contains(command), "{command}: {error}");
        assert!(error.contains("rename-command"), "{command}: {error}");
        assert!(
            error.contains("docs/operations/redis.md"),
            "{command}: {error}"
        );
    }
}

#[tokio::test]
async fn the_error_names_a_command_that_the_user_may_not_run_and_the_fix() {
    let [commands, _] = documented();
    let server = RedisServer::start();
    for command in commands.iter().filter(|command| *command != "INFO") {
        let mut admin = server.connect();
        let user = format!("without-{}", command.to_lowercase());
        let lacks = format!("-{}", command.to_lowercase());
        for rule in ["on", ">secret", "~app:*", "~app#*", "+@all", &lacks] {
            let mut request = redis::cmd("ACL");
            request.arg("SETUSER").arg(&user).arg(rule);
            request.exec(&mut admin).unwrap();
        }
        let url = format!("redis://{user}:secret@127.0.0.1:{}", server.port());
        let cache = builder(url).build().unwrap();
        use_it(&cache).await;
        let error = cache.health_check().await.unwrap_err().to_string();
        assert!(error.contains(command), "{command}: {error}");
        let right = format!("+{}", command.to_lowercase());
        assert!(error.contains(&right), "{command}: {error}");
        // With the right, the cache works.
        let mut request = redis::cmd("ACL");
        request.arg("SETUSER").arg(&user).arg(&right);
        request.exec(&mut admin).unwrap();
        until("the health check passes", || async {
            cache.health_check().await.is_ok()
        })
        .await;
    }
}

#[tokio::test]
async fn the_error_names_the_key_patterns_that_the_user_lacks() {
    let server = RedisServer::start();
    for (number, keys) in ["~other:*", "~app:*", "~app#*"].into_iter().enumerate() {
        let mut admin = server.connect();
        let user = format!("user-{number}");
        for rule in ["on", ">secret", keys, "+@all"] {
            let mut request = redis::cmd("ACL");
            request.arg("SETUSER").arg(&user).arg(rule);
            request.exec(&mut admin).unwrap();
        }
        let url = format!("redis://{user}:secret@127.0.0.1:{}", server.port());
        let cache = builder(url).build().unwrap();
        use_it(&cache).await;
        let error = cache.health_check().await.unwrap_err().to_string();
        assert!(error.contains("~app:* ~app#*"), "{keys}: {error}");
    }
}

/// Without `INFO` servers can't be told apart. Everything else works, also after a connection was
/// closed.
#[tokio::test]
async fn the_cache_works_without_info_on_a_single_server() {
    let renamed = RedisServer::start_with(&["--rename-command", "INFO", ""]);
    let forbidden = RedisServer::start();
    for rule in ["on", ">secret", "~app:*", "~app#*", "+@all", "-info"] {
        let mut request = redis::cmd("ACL");
        request.arg("SETUSER").arg("modest").arg(rule);
        request.exec(&mut forbidden.connect()).unwrap();
    }
    let url = format!("redis://modest:secret@127.0.0.1:{}", forbidden.port());
    for (server, url) in [(&renamed, renamed.url()), (&forbidden, url)] {
        let cache = builder(url).build().unwrap();
        for round in 0..5 {
            assert_eq!(cache.scope(doubled(1)).await, 2);
            cache.reset_stats();
            assert_eq!(cache.scope(doubled(1)).await, 2);
            assert_eq!(cache.stats().hits, 1);
            cache.scope(change(1)).await;
            let _: u32 = redis::cmd("CLIENT")
                .arg("KILL")
                .arg("TYPE")
                .arg("normal")
                .query(&mut server.connect())
                .unwrap();
            assert_eq!(cache.scope(doubled(1)).await, 2);
            assert_eq!(cache.stats().errors, 0, "round {round}");
        }
        cache.health_check().await.unwrap();
    }
}

/// The near cache needs further commands. Without them, the cache works without a near cache.
#[tokio::test]
async fn without_a_command_of_the_near_cache_the_cache_works() {
    let [_, commands] = documented();
    for command in &commands {
        let server = RedisServer::start_with(&["--rename-command", command, ""]);
        let cache = builder(server.url()).near_cache(1 << 20).build().unwrap();
        use_it(&cache).await;
        cache.health_check().await.unwrap();
        assert_eq!(cache.stats().errors, 0, "{command}");
    }
}
