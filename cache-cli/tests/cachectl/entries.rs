//! `get` and `ls`.

use std::time::Duration;

use cache_runtime::{CacheError, Codec, cacheable};
use redis::Commands;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tests::{Gate, RedisServer, until};
use tokio::task::JoinHandle;

use crate::program::{assert_snapshot, cachectl, service};

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Post {
    title: String,
    tags: Vec<String>,
    likes: Option<u32>,
}

fn post() -> Post {
    Post {
        title: "Hello".to_owned(),
        tags: vec!["rust".to_owned()],
        likes: None,
    }
}

#[tokio::test]
async fn get_shows_the_facts_of_an_entry_and_a_value_that_describes_itself() {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder.codec(Codec::MessagePack));
    cache
        .set("posts:hello", &post(), 600)
        .await
        .expect("it is stored");
    let shown = cachectl(&server, &["get", "posts:hello"]);
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert_snapshot("get_messagepack", &shown.out);
    let by_full_key = cachectl(&server, &["get", "quickpost:posts:hello", "--json"]).json();
    assert_eq!(by_full_key["kind"], "value");
    assert_eq!(by_full_key["codec"], "messagepack");
    assert_eq!(by_full_key["intact"], true);
    assert_eq!(by_full_key["functions"], json!(null));
    let value = json!({"title": "Hello", "tags": ["rust"], "likes": null});
    assert_eq!(by_full_key["value"], value);
    let ttl = by_full_key["ttl"].as_f64().expect("it expires");
    assert!((500.0..=600.0).contains(&ttl), "{ttl}");
}

#[tokio::test]
async fn get_says_why_a_positional_value_is_not_shown_and_writes_its_bytes() {
    let server = RedisServer::start();
    let cache = service(&server, |builder| {
        builder.codec(Codec::Postcard).publish_stats(false)
    });
    cache.set("text", "hello", 600).await.expect("it is stored");
    assert_snapshot("get_postcard", &cachectl(&server, &["get", "text"]).out);
    let raw = cachectl(&server, &["get", "text", "--raw"]);
    assert_eq!((raw.code, &raw.bytes[..]), (0, &b"\x05hello"[..]));
}

#[tokio::test]
async fn get_shows_the_type_of_a_positional_value() {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder);
    cache
        .set("posts:hello", &post(), 600)
        .await
        .expect("it is stored");
    let mut redis = server.connect();
    until("the shapes are published", || {
        let there: bool = redis.exists("quickpost#shapes").expect("a reply");
        async move { there }
    })
    .await;
    let shown = cachectl(&server, &["get", "posts:hello"]);
    assert_snapshot("get_bincode", &shown.out);
    let shown = cachectl(&server, &["get", "posts:hello", "--json"]).json();
    let shape = "Post { title: string, tags: [string], likes: Option<u32> }";
    assert_eq!(
        (&shown["shape"], &shown["value"]),
        (&json!(shape), &json!(null))
    );
}

#[tokio::test]
async fn get_expands_a_compressed_value_and_names_its_compression() {
    let server = RedisServer::start();
    let cache = service(&server, |builder| {
        builder.codec(Codec::MessagePack).compress_over(100)
    });
    let text = "abc".repeat(1_000);
    cache
        .set("long", &text[..], 600)
        .await
        .expect("it is stored");
    let shown = cachectl(&server, &["get", "long", "--json"]).json();
    assert_eq!(shown["compression"], "zstd");
    assert_eq!(shown["expanded_bytes"], 3_003);
    assert!(shown["bytes"].as_u64().expect("a number") < 300);
    assert_eq!(shown["value"], text);
}

#[tokio::test]
async fn get_notices_damaged_bytes_and_foreign_ones() {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder);
    cache.set("text", "hello", 600).await.expect("it is stored");
    let mut redis = server.connect();
    redis::cmd("APPEND")
        .arg("quickpost:text")
        .arg("!")
        .exec(&mut redis)
        .expect("it appends");
    let shown = cachectl(&server, &["get", "text"]);
    assert!(shown.out.contains("checksum     wrong"), "{}", shown.out);
    assert_eq!(cachectl(&server, &["get", "text", "--raw"]).code, 1);
    redis::cmd("LPUSH")
        .arg("quickpost:list")
        .arg("x")
        .exec(&mut redis)
        .expect("it pushes");
    assert_eq!(
        cachectl(&server, &["get", "list", "--json"]).json()["kind"],
        "unknown"
    );
    redis::cmd("SET")
        .arg("quickpost:foreign")
        .arg("x")
        .exec(&mut redis)
        .expect("it sets");
    let foreign = cachectl(&server, &["get", "foreign"]);
    assert!(foreign.out.contains("never expires"), "{}", foreign.out);
}

#[tokio::test]
async fn get_of_nothing_fails() {
    let server = RedisServer::start();
    let missing = cachectl(&server, &["get", "posts:1"]);
    assert_eq!((missing.code, &missing.out[..]), (1, ""));
    assert_eq!(
        missing.err,
        "error: nothing is cached at quickpost:posts:1\n"
    );
    let missing = cachectl(&server, &["get", "posts:1", "--json"]);
    assert_eq!(missing.code, 1);
    assert_eq!(
        missing.err,
        "{\"error\":\"nothing is cached at quickpost:posts:1\"}\n"
    );
}

#[cacheable(key = "none", cache_none)]
async fn none() -> Option<u32> {
    None
}

#[cacheable(key = "failed", cache_err = |_| true, err_ttl = 60)]
async fn failed() -> Result<u32, String> {
    Err("no".to_owned())
}

#[cacheable(key = "slow:<<id>>", ttl = 600, version = 7, skip(gate))]
async fn slow(id: u32, gate: &Gate) -> u32 {
    gate.pass().await;
    id
}

#[cacheable(key = "brief", ttl = 1, stale = 600)]
async fn brief() -> u32 {
    1
}

#[tokio::test]
async fn every_kind_of_entry_is_told() {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder);
    let gate = Gate::new();
    cache
        .scope(async {
            assert_eq!(none().await, None);
            assert_eq!(failed().await, Err("no".to_owned()));
            assert_eq!(brief().await, 1);
        })
        .await;
    let running: JoinHandle<u32> = tokio::spawn({
        let (cache, gate) = (cache.clone(), gate.clone());
        async move { cache.scope(slow(1, &gate)).await }
    });
    gate.reached_by(1).await;
    let kind = |key: &str| cachectl(&server, &["get", key, "--json"]).json()["kind"].clone();
    assert_eq!(kind("none"), "none");
    assert_eq!(kind("failed"), "error");
    assert_eq!(kind("slow:1"), "lease");
    gate.open();
    assert_eq!(running.await.expect("it ends"), 1);
    let slow = cachectl(&server, &["get", "slow:1", "--json"]).json();
    assert_eq!(
        (&slow["kind"], &slow["version"]),
        (&json!("value"), &json!(7))
    );
    assert!(slow["compute"].as_f64().expect("it was computed") > 0.0);
    until("the value turns stale", || async {
        cachectl(&server, &["get", "brief", "--json"]).json()["stale"] == true
    })
    .await;
    assert_snapshot("ls_kinds", &cachectl(&server, &["ls"]).out);
}

/// The number of calls of each command so far.
fn calls(server: &RedisServer, command: &str) -> u64 {
    let stats: String = redis::cmd("INFO")
        .arg("commandstats")
        .query(&mut server.connect())
        .expect("the server tells");
    let line = stats
        .lines()
        .find(|line| line.starts_with(&format!("cmdstat_{command}:")));
    let calls = line.and_then(|line| line.split("calls=").nth(1)?.split(',').next());
    calls.map_or(0, |calls| calls.parse().expect("a number"))
}

#[tokio::test]
async fn ls_reads_the_index_alone_and_as_much_as_matches() -> Result<(), CacheError> {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder);
    let entries = (0..3_000).map(|id| (format!("posts:{id}"), id));
    cache.set_many(entries, 600).await?;
    cache
        .set_many([("users:1", 1), ("users:2", 2), ("users:1:posts", 3)], 600)
        .await?;
    until("the index is whole", || async {
        cache
            .diagnose()
            .await
            .is_ok_and(|diagnosis| diagnosis.incomplete_index_sets == 0)
    })
    .await;
    // A new connection tries each command once.
    let tries = {
        let before = calls(&server, "scan");
        assert_eq!(cachectl(&server, &["get", "users:1"]).code, 0);
        calls(&server, "scan") - before
    };
    let count = |command: &str| calls(&server, command);
    let before = (count("scan"), count("keys"), count("get"));
    let listed = cachectl(&server, &["ls", "users:*", "--json"]).json();
    let after = (count("scan"), count("keys"), count("get"));
    let paths: Vec<&str> = listed["entries"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entry| entry["path"].as_str())
        .collect();
    assert_eq!(paths, ["users:1", "users:1:posts", "users:2"]);
    assert_eq!(after.0 - before.0, tries, "SCAN");
    assert_eq!(after.1, before.1, "KEYS");
    assert!(
        after.2 - before.2 < 20,
        "{} reads for three matches",
        after.2 - before.2
    );

    let limited = cachectl(&server, &["ls", "posts:*", "--limit", "3"]);
    assert_eq!(limited.out.lines().count(), 5, "{}", limited.out);
    assert!(
        limited
            .out
            .ends_with("The first 3 entries; `--limit` shows more.\n")
    );
    let all = cachectl(&server, &["ls", "posts:*", "--limit", "5000", "--json"]).json();
    assert_eq!(all["entries"].as_array().expect("a list").len(), 3_000);
    assert_eq!(all["more"], false);
    Ok(())
}

#[tokio::test]
async fn ls_sorts_and_draws_a_tree() -> Result<(), CacheError> {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder.codec(Codec::Postcard));
    cache.set("posts:1", "a", 500).await?;
    cache
        .set("posts:1:comments", &"b".repeat(100)[..], 900)
        .await?;
    cache
        .set("users:7", &"c".repeat(50)[..], Duration::from_secs(700))
        .await?;
    let by_size = cachectl(&server, &["ls", "--sort", "size"]);
    assert_snapshot("ls_by_size", &by_size.out);
    let shortest = cachectl(&server, &["ls", "--sort", "ttl", "--limit", "1", "--json"]).json();
    assert_eq!(shortest["entries"][0]["path"], "posts:1");
    assert_eq!(shortest["more"], true);
    assert_snapshot("ls_tree", &cachectl(&server, &["ls", "--tree"]).out);
    let tree = cachectl(&server, &["ls", "--tree", "--json"]).json();
    assert_eq!(tree["below"]["posts"]["below"]["1"]["entries"], 2);
    Ok(())
}

#[tokio::test]
async fn a_key_cannot_steer_the_terminal() -> Result<(), CacheError> {
    let server = RedisServer::start();
    let cache = service(&server, |builder| builder);
    cache.set("a\x1b[2Jb", &1, 600).await?;
    let listed = cachectl(&server, &["ls"]).out;
    assert!(listed.contains("quickpost:a\\u{1b}[2Jb"), "{listed}");
    assert!(!listed.contains('\x1b'));
    Ok(())
}
