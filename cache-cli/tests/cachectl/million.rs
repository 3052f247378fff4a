//! A million keys: a command costs as much as the entries that it concerns.

use std::collections::BTreeMap;

use cache_runtime::{Cache, CacheError};
use redis::Commands;
use tests::{RedisServer, monitored};

use crate::program::{Run, cachectl, service};

const KEYS: u64 = 1_000_000;
/// Entries of a group, which one pattern matches.
const MATCHES: u64 = 100;

/// Store a million entries: the first by the cache, and copies of it by a script on the server,
/// since the cache would take minutes in a debug build.
async fn fill(server: &RedisServer, cache: &Cache) -> Result<(), CacheError> {
    cache.set("posts:first", &1, 3600).await?;
    let mut redis = server.connect();
    let sets: Vec<String> = redis::cmd("KEYS")
        .arg("quickpost#index:*")
        .query(&mut redis)
        .expect("the server answers");
    let is_listed = |set: &String| -> bool {
        let score: Option<f64> = redis
            .zscore(set, "posts:first")
            .expect("it is a sorted set");
        score.is_some()
    };
    let set = sets
        .into_iter()
        .find(is_listed)
        .expect("the entry is listed");
    let copy = redis::Script::new(
        "local entry = redis.call('GET', KEYS[1])
        for id = tonumber(ARGV[1]), tonumber(ARGV[2]) - 1 do
            local path = 'posts:' .. math.floor(id / ARGV[3]) .. ':' .. id
            redis.call('SET', 'quickpost:' .. path, entry, 'EX', 3600)
            redis.call('ZADD', KEYS[2], 0, path)
        end",
    );
    for first in (0..KEYS).step_by(100_000) {
        let mut copy = copy.key("quickpost:posts:first");
        let copy = copy.key(&set).arg(first).arg(first + 100_000).arg(MATCHES);
        copy.invoke::<()>(&mut server.connect())
            .expect("the script runs");
    }
    Ok(())
}

/// Run the program, and return what the server ran meanwhile, by name.
async fn watched(server: &RedisServer, args: &[&str]) -> (Run, BTreeMap<String, usize>) {
    let mut run = None;
    let commands = monitored(server, async { run = Some(cachectl(server, args)) }).await;
    let mut counts = BTreeMap::new();
    for command in commands {
        *counts.entry(command.name).or_default() += 1;
    }
    (run.expect("it has run"), counts)
}

/// Assert that a command was no walk over the keyspace, and sent no more than a few commands beside
/// `per_match` for each match. The server runs those of scripts as well, which count here.
#[track_caller]
fn assert_cost(counts: &BTreeMap<String, usize>, matches: u64, per_match: u64) {
    // A new connection tries each command once that it may need, `SCAN` with one key.
    assert!(
        counts.get("SCAN").is_none_or(|scans| *scans == 1),
        "{counts:?}"
    );
    assert!(!counts.contains_key("KEYS"), "{counts:?}");
    let sent: usize = counts.values().sum();
    let allowed = 100 + matches * per_match;
    assert!(sent as u64 <= allowed, "{sent} > {allowed}: {counts:?}");
}

#[tokio::test]
async fn commands_cost_what_they_match_among_a_million_keys() -> Result<(), CacheError> {
    let server = RedisServer::start_with(&["--save", ""]);
    let cache = service(&server, |builder| builder);
    fill(&server, &cache).await?;

    let (shown, counts) =
        watched(&server, &["ls", "posts:77:*", "--limit", "1000", "--json"]).await;
    let entries = shown.json()["entries"].as_array().map(Vec::len);
    assert_eq!(entries, Some(MATCHES as usize), "{}", shown.err);
    assert_cost(&counts, MATCHES, 4);

    // The first ten of a million, whatever the pattern matches.
    let (shown, counts) = watched(&server, &["ls", "*", "--limit", "10", "--json"]).await;
    let entries = shown.json()["entries"].as_array().map(Vec::len);
    assert_eq!(entries, Some(10), "{}", shown.err);
    assert_cost(&counts, 10, 4);

    let clear = ["clear", "--pattern", "posts:77:*"];
    let (shown, counts) = watched(&server, &[&clear[..], &["--dry-run", "--json"]].concat()).await;
    assert_eq!(shown.json()["entries"], MATCHES, "{}", shown.err);
    assert_cost(&counts, MATCHES, 4);

    let (shown, counts) = watched(&server, &[&clear[..], &["--yes", "--json"]].concat()).await;
    assert_eq!(shown.json()["removed"], MATCHES, "{}", shown.err);
    assert_cost(&counts, MATCHES, 4);
    assert!(!cache.exists("posts:77:7700").await?);
    assert!(cache.exists("posts:78:7800").await?);

    let (shown, counts) = watched(&server, &["get", "posts:78:7800", "--json"]).await;
    assert_eq!(shown.code, 0, "{}", shown.err);
    assert_cost(&counts, 1, 4);
    Ok(())
}
