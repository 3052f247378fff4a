//! Log lines of the near cache. The cache's own thread writes them, so the subscriber has to be
//! that of the process, and this binary has one test.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::Duration;

use cache_runtime::{Cache, cacheable};
use tests::{Fault, PATIENCE, Proxy, RedisServer, keep_operator_log, operator_log, until};
use tracing::Level;

fn logged() -> Vec<(Level, String)> {
    let about_near = |line: &&(Level, String)| line.1.contains("near cache");
    operator_log().iter().filter(about_near).cloned().collect()
}

#[cacheable(key = "rows:<<id>>")]
async fn row(id: u32) -> u32 {
    id
}

/// Call until the condition holds.
async fn call_until(cache: &Cache, what: &str, condition: impl Fn() -> bool) {
    until(what, || async {
        assert_eq!(cache.scope(row(1)).await, 1);
        condition()
    })
    .await;
}

/// Assert that the loss of the near cache and its return are logged once each, the first with the
/// cause.
async fn is_logged_once(cache: &Cache, cause: &str, begin: impl FnOnce(), end: impl FnOnce()) {
    call_until(cache, "the near cache is used", || {
        cache.stats().entries > 0
    })
    .await;
    operator_log().clear();
    begin();
    call_until(cache, "the loss is logged", || !logged().is_empty()).await;
    end();
    call_until(cache, "the return is logged", || logged().len() > 1).await;
    call_until(cache, "the near cache is used", || {
        cache.stats().entries > 0
    })
    .await;
    let (levels, lines): (Vec<Level>, Vec<String>) = logged().into_iter().unzip();
    assert_eq!(levels, [Level::WARN, Level::INFO], "{lines:?}");
    assert!(
        lines[0].contains("emptied and not used") && lines[0].contains(cause),
        "{lines:?}"
    );
    assert!(!lines[0].contains("sesame"), "{lines:?}");
    assert!(lines[1].contains("in use again"), "{lines:?}");
}

fn cache(url: &str) -> Cache {
    let url = url.replace("redis://", "redis://:sesame@");
    let cache = Cache::builder()
        .prefix("app")
        .redis(url)
        .near_cache(1 << 20);
    let cache = cache.near_max_silence(Duration::from_millis(400));
    cache.response_timeout(PATIENCE).build().unwrap()
}

#[tokio::test]
async fn an_outage_of_the_near_cache_and_its_end_are_each_logged_once() {
    keep_operator_log();
    let server = RedisServer::start_with(&["--requirepass", "sesame"]);
    let proxy = Proxy::before(server.port());
    let near = cache(&proxy.url());
    let admin = |command: &[&str]| {
        let url = server.url().replace("redis://", "redis://:sesame@");
        let mut admin = redis::Client::open(url).unwrap().get_connection().unwrap();
        let mut request = redis::cmd(command[0]);
        request.arg(&command[1..]).exec(&mut admin).unwrap();
    };
    call_until(&near, "the near cache is used", || near.stats().entries > 0).await;
    assert_eq!(logged(), [], "nothing is logged without an outage");
    let flush = || admin(&["FLUSHALL"]);
    is_logged_once(&near, "flushed", flush, || {}).await;
    let kill = || admin(&["CLIENT", "KILL", "TYPE", "normal"]);
    is_logged_once(&near, "connection was lost", kill, || {}).await;
    let silent = || proxy.set(Fault::Silent);
    is_logged_once(&near, "silent", silent, || proxy.set(Fault::None)).await;
    drop(near);

    // A server without client tracking is logged once, however often the cache connects.
    operator_log().clear();
    let old = RedisServer::start_with(&["--rename-command", "HELLO", ""]);
    let cache = Cache::builder()
        .prefix("app")
        .redis(old.url())
        .near_cache(1 << 20);
    let cache = cache.response_timeout(PATIENCE).build().unwrap();
    let tries = || {
        let info: String = redis::cmd("INFO")
            .arg("stats")
            .query(&mut old.connect())
            .unwrap();
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("total_connections_received:"));
        line.unwrap().trim().parse::<u64>().unwrap()
    };
    let before = tries();
    // Each check is a connection too.
    let checks = std::cell::Cell::new(0);
    call_until(&cache, "the cache connects again", || {
        checks.set(checks.get() + 1);
        tries() - before > checks.get() + 4
    })
    .await;
    let (levels, lines): (Vec<Level>, Vec<String>) = logged().into_iter().unzip();
    assert_eq!(levels, [Level::WARN], "{lines:?}");
    assert!(lines[0].contains("RESP3"), "{lines:?}");
}
