//! Redis Sentinel: a real failover, and sentinels that are wrong, silent or down.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cache_runtime::{Cache, CacheBuilder, CacheError, cacheable, invalidate, write_through};
use redis::Commands;
use tests::{FakeSentinel, PATIENCE, RedisServer, Sentinels, until, until_blocking, until_well};

/// A row of a database: its version.
#[derive(Clone, Default)]
struct Row(Arc<AtomicU32>);

#[cacheable(key = "rows:<<id>>", skip(row))]
async fn read_row(row: &Row, id: u32) -> u32 {
    row.0.load(Ordering::SeqCst)
}

#[invalidate(patterns = ["rows:<<id>>:*"])]
async fn update_row(row: &Row, id: u32) -> Result<u32, String> {
    let _ = id;
    Ok(row.0.fetch_add(1, Ordering::SeqCst) + 1)
}

#[write_through(key = "rows:<<id>>")]
async fn write_row_through(row: &Row, id: u32) -> Result<u32, String> {
    Ok(row.0.fetch_add(1, Ordering::SeqCst) + 1)
}

fn cache_through<S: Into<String>>(sentinels: impl IntoIterator<Item = S>) -> CacheBuilder {
    Cache::builder()
        .prefix("app")
        .redis_sentinel(sentinels, Sentinels::MASTER)
        .response_timeout(PATIENCE)
}

fn admin(server: &RedisServer, command: &[&str]) {
    let mut request = redis::cmd(command[0]);
    request.arg(&command[1..]);
    request.query::<()>(&mut server.connect()).unwrap();
}

fn says_of_replication(server: &RedisServer, line: &str) -> bool {
    let info: String = redis::cmd("INFO")
        .arg("replication")
        .query(&mut server.connect())
        .unwrap();
    info.lines().any(|found| found.trim() == line)
}

fn holds(server: &RedisServer, key: &str) -> bool {
    server.connect().exists(key).unwrap()
}

fn replica_of(master: &RedisServer) -> RedisServer {
    let port = master.port().to_string();
    let replica = RedisServer::start_with(&["--replicaof", "127.0.0.1", &port]);
    until_blocking("the replica has its copy", || {
        says_of_replication(&replica, "master_link_status:up")
    });
    replica
}

/// Disconnect the replica from its master for good. It keeps its data.
fn cut_off(replica: &RedisServer, master: &RedisServer) {
    admin(master, &["ACL", "SETUSER", "default", "-psync", "-sync"]);
    admin(master, &["CLIENT", "KILL", "TYPE", "replica"]);
    until_blocking("the replica has lost its master", || {
        says_of_replication(replica, "master_link_status:down")
    });
}

/// Call until the row is cached again. No read returns an old row.
async fn until_cached_again(cache: &Cache, row: &Row, id: u32) {
    until("the row is cached again", || async {
        let version = row.0.load(Ordering::SeqCst);
        assert_eq!(cache.scope(read_row(row, id)).await, version);
        let found = cache.get::<u32>(&format!("rows:{id}")).await;
        found.is_ok_and(|found| found == Some(version))
    })
    .await;
}

/// The master dies before its replica receives a delete, so the new master has the old row.
#[tokio::test(flavor = "multi_thread")]
async fn no_read_is_stale_after_a_failover_to_a_replica_that_missed_an_invalidation() {
    fails_over(0, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_read_is_stale_with_a_near_cache_after_a_failover_to_an_outdated_replica() {
    fails_over(1 << 20, false).await;
}

/// The replica has missed the lease and the fill.
#[tokio::test(flavor = "multi_thread")]
async fn no_read_is_stale_after_a_failover_to_a_replica_that_missed_a_write_through() {
    fails_over(0, true).await;
}

async fn fails_over(near: usize, through: bool) {
    // The master starts the copy at once instead of waiting for further replicas.
    let mut master = RedisServer::start_with(&["--repl-diskless-sync-delay", "0"]);
    let replica = replica_of(&master);
    let sentinels = Sentinels::three(master.port());
    let cache = cache_through(sentinels.urls())
        .response_timeout(Duration::from_secs(1))
        .near_cache(near)
        .build()
        .unwrap();
    let row = Row::default();
    until_cached_again(&cache, &row, 1).await;
    until_blocking("the replica has the row", || holds(&replica, "app:rows:1"));

    cut_off(&replica, &master);
    match through {
        true => assert_eq!(cache.scope(write_row_through(&row, 1)).await, Ok(1)),
        false => assert_eq!(cache.scope(update_row(&row, 1)).await, Ok(1)),
    }
    let acknowledged = holds(&master, "app:rows:1") == through;
    assert!(acknowledged, "the master has acknowledged");
    master.kill();
    assert!(holds(&replica, "app:rows:1"), "the replica has the old row");

    // While there is no master, reads and writes return their values.
    assert_eq!(cache.scope(read_row(&row, 1)).await, 1);
    assert_eq!(cache.scope(update_row(&row, 2)).await, Ok(2));
    until_cached_again(&cache, &row, 1).await;
    assert!(says_of_replication(&replica, "role:master"));
    assert!(holds(&replica, "app:rows:1"), "cached by the new master");
    assert_eq!(cache.scope(update_row(&row, 1)).await, Ok(3));
    until_cached_again(&cache, &row, 1).await;

    // The old master comes back as a master, and is not used.
    master.restart();
    admin(&replica, &["CLIENT", "KILL", "TYPE", "normal"]);
    until_cached_again(&cache, &row, 7).await;
    assert!(holds(&replica, "app:rows:7") && !holds(&master, "app:rows:7"));

    let unknown = Cache::builder()
        .redis_sentinel(sentinels.urls(), "unknown")
        .build()
        .unwrap();
    assert_eq!(unknown.scope(read_row(&row, 1)).await, 3);
    let error = unknown.health_check().await.unwrap_err().to_string();
    assert!(error.contains("No such master"), "{error}");
}

#[tokio::test]
async fn the_sentinel_with_the_later_configuration_epoch_names_the_master() {
    let (old, new) = (RedisServer::start(), RedisServer::start());
    let behind = FakeSentinel::naming(old.port(), 1);
    let ahead = FakeSentinel::naming(new.port(), 2).late(Duration::from_millis(50));
    let cache = cache_through([behind.url(), ahead.url()]).build().unwrap();
    assert!(cache.health_check().await.is_ok());
    cache.set("rows:1", &1_u32, 60).await.unwrap();
    assert!(holds(&new, "app:rows:1") && !holds(&old, "app:rows:1"));
}

#[tokio::test]
async fn one_sentinel_that_answers_is_enough() {
    let server = RedisServer::start();
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let refusing = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let at = |listener: &TcpListener| {
        let port = listener.local_addr().unwrap().port();
        format!("redis://127.0.0.1:{port}")
    };
    let (silent_url, refusing_url) = (at(&silent), at(&refusing));
    drop(refusing);
    let sentinel = FakeSentinel::naming(server.port(), 1);
    // The cache waits a quarter of the timeout for the silent one.
    let cache = cache_through([silent_url.clone(), refusing_url.clone(), sentinel.url()])
        .response_timeout(Duration::from_secs(2))
        .build()
        .unwrap();
    assert_eq!(cache.scope(read_row(&Row::default(), 1)).await, 0);
    until_well(&cache).await;
    cache.set("rows:2", &1_u32, 60).await.unwrap();
    assert!(holds(&server, "app:rows:2"));

    let cache = cache_through([refusing_url.clone()]).build().unwrap();
    assert_eq!(cache.scope(read_row(&Row::default(), 1)).await, 0);
    let error = cache.health_check().await.unwrap_err().to_string();
    let port = refusing_url.rsplit(':').next().unwrap();
    assert!(
        error.contains("the sentinel at") && error.contains(port),
        "{error}"
    );
}

#[tokio::test]
async fn a_replica_that_a_sentinel_names_as_master_is_not_used() {
    let master = RedisServer::start_with(&["--repl-diskless-sync-delay", "0"]);
    let replica = replica_of(&master);
    let _: () = master.connect().set("app:rows:1", "theirs").unwrap();
    until_blocking("the replica has the key", || holds(&replica, "app:rows:1"));
    let sentinel = FakeSentinel::naming(replica.port(), 1);
    let cache = cache_through([sentinel.url()]).build().unwrap();
    let row = Row::default();
    assert_eq!(cache.scope(read_row(&row, 1)).await, 0);
    let error = cache.health_check().await.unwrap_err().to_string();
    assert!(error.contains("reports the role `slave`"), "{error}");
    // The replica is not used until the sentinel names the master.
    sentinel.name(master.port(), 2);
    until_cached_again(&cache, &row, 1).await;
}

/// The connection stays open and reads work. Only `READONLY` shows the demotion.
#[tokio::test]
async fn a_demoted_master_is_an_outage_until_sentinel_names_the_new_one() {
    for near in [0, 1 << 20] {
        leaves_a_demoted_master(near).await;
    }
}

async fn leaves_a_demoted_master(near: usize) {
    let (old, new) = (RedisServer::start(), RedisServer::start());
    let sentinel = FakeSentinel::naming(old.port(), 1);
    let cache = cache_through([sentinel.url()])
        .near_cache(near)
        .build()
        .unwrap();
    let row = Row::default();
    until_cached_again(&cache, &row, 1).await;
    // It keeps its data, because it never reaches its new master.
    admin(&old, &["REPLICAOF", "127.0.0.1", "1"]);
    // A miss can't take its lease, so the breaker opens and reads are refused from then on.
    assert_eq!(cache.scope(read_row(&row, 2)).await, 0);
    let error = cache.get::<u32>("rows:1").await.unwrap_err();
    assert!(matches!(error, CacheError::Unavailable { .. }), "{error}");
    assert_eq!(cache.scope(update_row(&row, 1)).await, Ok(1));
    assert!(
        holds(&old, "app:rows:1"),
        "the demoted master refuses the delete"
    );
    assert_eq!(cache.scope(read_row(&row, 1)).await, 1);
    let error = cache.health_check().await.unwrap_err();
    assert!(matches!(error, CacheError::Unavailable { .. }), "{error}");
    sentinel.name(new.port(), 2);
    until_cached_again(&cache, &row, 1).await;
    assert!(holds(&new, "app:rows:1"));
}

#[tokio::test]
async fn sentinels_and_the_master_have_separate_passwords() {
    let server = RedisServer::start_with(&["--requirepass", "of-the-master"]);
    let sentinels = Sentinels::one(
        server.port(),
        "requirepass of-the-sentinel\nsentinel auth-pass mymaster of-the-master\n",
    );
    let with_password: Vec<String> = sentinels
        .urls()
        .iter()
        .map(|url| url.replace("redis://", "redis://:of-the-sentinel@"))
        .collect();
    let cache = cache_through(with_password.clone())
        .master_login("default", "of-the-master")
        .master_database(2)
        .build()
        .unwrap();
    assert_eq!(cache.scope(read_row(&Row::default(), 1)).await, 0);
    assert!(cache.health_check().await.is_ok());
    let url = format!("redis://:of-the-master@127.0.0.1:{}/2", server.port());
    let mut direct = redis::Client::open(url).unwrap().get_connection().unwrap();
    assert!(direct.exists::<_, bool>("app:rows:1").unwrap());

    for (urls, password, whose) in [
        (with_password, "of-the-sentinel", "the master mymaster at"),
        (sentinels.urls(), "of-the-master", "the sentinel at"),
    ] {
        let cache = cache_through(urls)
            .master_login("default", password)
            .build()
            .unwrap();
        assert_eq!(cache.scope(read_row(&Row::default(), 1)).await, 0);
        let error = cache.health_check().await.unwrap_err();
        let shown = format!("{error} {error:?} {cache:?}");
        assert!(shown.contains(whose), "{shown}");
        assert!(!shown.contains("of-the-"), "{shown}");
    }
}
