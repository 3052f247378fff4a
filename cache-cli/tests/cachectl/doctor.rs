//! `doctor`.

use cache_runtime::CacheError;
use serde_json::Value;
use tests::RedisServer;

use crate::program::{assert_snapshot, cachectl, service};

/// Return the finding of a check.
fn finding<'f>(findings: &'f Value, check: &str) -> &'f Value {
    let mut all = findings.as_array().expect("a list").iter();
    all.find(|finding| finding["check"] == check)
        .unwrap_or_else(|| panic!("no finding of {check}: {findings}"))
}

#[tokio::test]
async fn a_healthy_server_has_no_problems() -> Result<(), CacheError> {
    let server =
        RedisServer::start_with(&["--maxmemory", "200mb", "--maxmemory-policy", "volatile-lru"]);
    let cache = service(&server, |builder| builder.publish_stats(false));
    cache.set("a", &1, 60).await?;
    cache.delete_pattern("*").await?;
    let shown = cachectl(&server, &["doctor"]);
    assert_eq!(shown.code, 0, "{}", shown.out);
    assert_snapshot("doctor_healthy", &shown.out);
    Ok(())
}

#[tokio::test]
async fn a_server_that_may_evict_the_index_is_a_problem_with_a_fix() {
    let server =
        RedisServer::start_with(&["--maxmemory", "200mb", "--maxmemory-policy", "allkeys-lru"]);
    let shown = cachectl(&server, &["doctor", "--json"]);
    assert_eq!(shown.code, 1);
    let shown = shown.json();
    let eviction = finding(&shown, "eviction");
    assert_eq!(eviction["level"], "problem");
    assert_eq!(eviction["fix"], "CONFIG SET maxmemory-policy volatile-lru");
}

#[tokio::test]
async fn a_lost_index_set_is_a_problem_until_it_is_rebuilt() -> Result<(), CacheError> {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder);
    cache.set("a", &1, 60).await?;
    cache.delete_pattern("*").await?;
    redis::cmd("DEL")
        .arg("quickpost#index:3")
        .exec(&mut server.connect())
        .expect("it deletes");
    let shown = cachectl(&server, &["doctor", "--json"]);
    assert_eq!(shown.code, 1, "{}", shown.out);
    assert_eq!(finding(&shown.json(), "index")["level"], "problem");
    assert_eq!(cachectl(&server, &["ls"]).code, 0);
    let mended = cachectl(&server, &["doctor", "--json"]);
    assert_eq!(finding(&mended.json(), "index")["level"], "ok");
    Ok(())
}

#[test]
fn a_server_out_of_reach_is_a_problem() {
    let mut server = RedisServer::start();
    server.kill();
    let shown = cachectl(&server, &["doctor", "--json"]);
    assert_eq!(shown.code, 1);
    assert_eq!(finding(&shown.json(), "connection")["level"], "problem");
}

#[test]
fn rights_that_a_user_lacks_are_named() {
    let server = RedisServer::start();
    let page = include_str!("../../../docs/operations/redis.md");
    let user = tests::documented_users(page, "quickpost").swap_remove(0);
    let mut redis = server.connect();
    tests::run_words(&user, &mut redis);
    let words = "ACL SETUSER quickpost +acl|whoami +acl|dryrun -info";
    let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
    tests::run_words(&words, &mut redis);
    let url = format!("redis://quickpost:secret@127.0.0.1:{}", server.port());
    let shown = crate::program::bare(&[
        "doctor",
        "--json",
        "--redis-url",
        &url,
        "--prefix",
        "quickpost",
    ]);
    assert_eq!(shown.code, 0, "{}{}", shown.out, shown.err);
    let shown = shown.json();
    let rights = finding(&shown, "rights")["text"]
        .as_str()
        .expect("a text")
        .to_owned();
    assert!(
        rights.contains("+info for") && rights.contains("+client|tracking for"),
        "{rights}"
    );
    assert_eq!(finding(&shown, "version")["level"], "note");
    assert_eq!(finding(&shown, "tracking")["level"], "note");
}

#[tokio::test]
async fn entries_past_the_index_are_a_problem_until_it_is_rebuilt() -> Result<(), CacheError> {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder.publish_stats(false));
    cache
        .set_many([("posts:1", 1), ("posts:2", 2)], 600)
        .await?;
    cache.delete_pattern("none").await?;
    let mut redis = server.connect();
    for bucket in 0..16 {
        redis::cmd("ZREM")
            .arg(format!("quickpost#index:{bucket}"))
            .arg("posts:1")
            .exec(&mut redis)
            .expect("it removes");
    }
    let shown = cachectl(&server, &["doctor", "--json"]);
    assert_eq!(shown.code, 1, "{}", shown.out);
    let shown = shown.json();
    let text = finding(&shown, "indexed")["text"].to_string();
    assert!(text.contains("quickpost:posts:1"), "{text}");
    assert!(!text.contains("quickpost:posts:2"), "{text}");
    // The fix that it names.
    for bucket in 0..16 {
        redis::cmd("DEL")
            .arg(format!("quickpost#index:{bucket}"))
            .exec(&mut redis)
            .expect("it deletes");
    }
    assert_eq!(cachectl(&server, &["ls"]).code, 0);
    let mended = cachectl(&server, &["doctor", "--json"]);
    assert_eq!(finding(&mended.json(), "indexed")["level"], "ok");
    Ok(())
}

#[tokio::test]
async fn keys_that_are_no_entries_are_a_problem_and_large_ones_a_note() -> Result<(), CacheError> {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder.publish_stats(false));
    cache.set("large", &vec![7_u8; 2 << 20], 600).await?;
    redis::cmd("SET")
        .arg("quickpost:foreign")
        .arg("text")
        .exec(&mut server.connect())
        .expect("it sets");
    let shown = cachectl(&server, &["doctor", "--json"]);
    assert_eq!(shown.code, 1, "{}", shown.out);
    let shown = shown.json();
    let (format, size) = (finding(&shown, "format"), finding(&shown, "size"));
    assert_eq!(format["level"], "problem");
    let text = format["text"].to_string();
    assert!(text.contains("1 of all 2 keys"), "{text}");
    assert!(text.contains("quickpost:foreign"), "{text}");
    assert_eq!(size["level"], "note");
    let text = size["text"].to_string();
    assert!(text.contains("quickpost:large (2.0 MiB)"), "{text}");
    Ok(())
}

#[tokio::test]
async fn members_of_entries_that_are_gone_are_a_problem_where_no_process_drops_them()
-> Result<(), CacheError> {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder.publish_stats(false));
    let entries = (0..400).map(|number| (format!("k{number}"), number));
    cache
        .set_many(entries, std::time::Duration::from_millis(300))
        .await?;
    drop(cache);
    let mut redis = server.connect();
    tests::until_blocking("the entries expire", || {
        let keys = redis::cmd("KEYS").arg("quickpost:*").query(&mut redis);
        keys.is_ok_and(|keys: Vec<String>| keys.is_empty())
    });
    let shown = cachectl(&server, &["doctor", "--json"]);
    assert_eq!(shown.code, 1, "{}", shown.out);
    assert_eq!(finding(&shown.json(), "members")["level"], "problem");
    Ok(())
}

#[tokio::test]
async fn versions_that_differ_and_a_long_outbox_are_problems() -> Result<(), CacheError> {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder);
    cache.report_outbox_rows(5_000);
    cache.set("a", &1, 600).await?;
    let mut redis = server.connect();
    let mut published: Vec<String> = Vec::new();
    tests::until_blocking("the process has published its counters", || {
        let keys = redis::cmd("KEYS").arg("quickpost#app:*").query(&mut redis);
        published = keys.expect("it lists");
        !published.is_empty()
    });
    // Another process, of another release.
    let get = redis::cmd("GET").arg(&published[0]).query(&mut redis);
    let mut other: Vec<u8> = get.expect("it is there");
    let version = env!("CARGO_PKG_VERSION").as_bytes();
    let at = other
        .windows(version.len())
        .position(|bytes| bytes == version);
    let at = at.expect("it names its version");
    other[at..at + version.len()].fill(b'9');
    redis::cmd("SET")
        .arg("quickpost#app:other")
        .arg(other)
        .exec(&mut redis)
        .expect("it sets");
    redis::cmd("ZADD")
        .arg("quickpost#apps")
        .arg(0)
        .arg("other")
        .exec(&mut redis)
        .expect("it adds");
    let shown = cachectl(&server, &["doctor", "--json"]);
    assert_eq!(shown.code, 1, "{}", shown.out);
    let shown = shown.json();
    assert_eq!(finding(&shown, "fleet")["level"], "problem", "{shown}");
    assert_eq!(finding(&shown, "outbox")["level"], "problem", "{shown}");
    Ok(())
}

#[tokio::test]
async fn snapshots_tell_what_a_crash_brings_back() -> Result<(), CacheError> {
    let server = RedisServer::start_with(&["--save", "3600 1"]);
    let cache = service(&server, |builder| builder.publish_stats(false));
    cache.set("a", &1, 600).await?;
    let shown = cachectl(&server, &["doctor", "--json"]).json();
    let persistence = finding(&shown, "persistence");
    assert_eq!(persistence["level"], "note");
    let text = persistence["text"].to_string();
    assert!(text.contains("a crash now brings back"), "{text}");
    Ok(())
}
