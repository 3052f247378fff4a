//! Servers without client tracking, or users who may not use it.

use super::*;

/// Read and write. Each read comes from Redis.
async fn works_without(server: &RedisServer, cache: &Cache, rows: &Rows) {
    for round in 1..50 {
        assert_eq!(*cache.scope(row(rows, 1)).await, round - 1);
        cache.scope(update(rows, 1, round)).await;
        let before = asked(server);
        assert_eq!(*cache.scope(row(rows, 1)).await, round);
        assert_eq!(*cache.scope(row(rows, 1)).await, round);
        assert!(asked(server) > before);
    }
    let stats = cache.stats();
    assert_eq!((stats.errors, stats.entries), (0, 0), "{stats:?}");
}

#[tokio::test]
async fn without_resp3_the_cache_works_without_a_near_cache() {
    let server = RedisServer::start_with(&["--rename-command", "HELLO", ""]);
    let (cache, rows) = (cache(&server), Rows::default());
    works_without(&server, &cache, &rows).await;
}

/// The near cache is used as soon as the user is given the right.
#[tokio::test]
async fn without_the_rights_for_tracking_the_cache_works_without_a_near_cache() {
    let server = RedisServer::start();
    for right in ["client|tracking", "client|caching", "multi"] {
        let rows = Rows::default();
        let mut admin = server.connect();
        let mut acl = |rule: &str| {
            let mut user = redis::cmd("ACL");
            user.arg("SETUSER").arg("modest").arg(rule);
            user.exec(&mut admin).unwrap();
        };
        for rule in ["reset", "on", ">secret", "~*", "+@all"] {
            acl(rule);
        }
        acl(&format!("-{right}"));
        let url = format!("redis://modest:secret@127.0.0.1:{}", server.port());
        let cache = builder(url).build().unwrap();
        cache.clear().await.unwrap();
        works_without(&server, &cache, &rows).await;
        acl(&format!("+{right}"));
        until_near(&server, &cache, &rows, 1).await;
    }
}
