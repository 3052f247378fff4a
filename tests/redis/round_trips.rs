//! How many round trips a write takes.

use std::collections::HashMap;
use std::time::Duration;

use cache_runtime::{Cache, invalidate};
use tests::{Fault, Proxy, RedisServer};

const TTL: Duration = Duration::from_secs(600);

/// A write as services have it: the entry under its old and its new name, the lists, and the
/// author's page.
#[invalidate(patterns = ["posts:<<slug>>:*", "posts:<<result>>:*", "posts:list:*", "users:<<author>>:*"])]
async fn rename(slug: &str, to: &str, author: u32) -> Result<String, String> {
    Ok(to.to_owned())
}

struct Setup {
    cache: Cache,
    proxy: Proxy,
    server: RedisServer,
}

impl Setup {
    /// A cache that has completed its index, behind a proxy that counts round trips.
    async fn new() -> Self {
        let server = RedisServer::start();
        let proxy = Proxy::before(server.port());
        let cache = Cache::builder()
            .prefix("app")
            .redis(proxy.url())
            .publish_stats(false)
            .response_timeout(Duration::from_secs(5))
            .build()
            .unwrap();
        cache.set("posts:other", &1, TTL).await.unwrap();
        cache.set("users:other", &1, TTL).await.unwrap();
        cache.clear().await.unwrap();
        proxy.set(Fault::Delay(Duration::from_millis(20)));
        Self {
            cache,
            proxy,
            server,
        }
    }

    async fn round_trips(&self, write: impl Future<Output = ()>) -> u64 {
        let before = self.proxy.round_trips();
        self.cache.scope(write).await;
        self.proxy.round_trips() - before
    }

    fn scripts(&self) -> u64 {
        let info: String = redis::cmd("INFO")
            .arg("commandstats")
            .query(&mut self.server.connect())
            .unwrap();
        let line = info
            .lines()
            .find(|line| line.starts_with("cmdstat_evalsha:"));
        line.and_then(|line| line.split("calls=").nth(1)?.split(',').next()?.parse().ok())
            .unwrap_or(0)
    }
}

#[tokio::test]
async fn a_write_with_four_patterns_takes_two_round_trips() {
    let setup = Setup::new().await;
    let keys = [
        "posts:old",
        "posts:old:comments",
        "posts:new",
        "posts:list:1",
        "users:7:page",
    ];
    setup
        .cache
        .set_many(keys.map(|key| (key, 1)), TTL)
        .await
        .unwrap();
    let taken = setup
        .round_trips(async {
            rename("old", "new", 7).await.unwrap();
        })
        .await;
    assert_eq!(taken, 2, "one that finds the keys, one that deletes them");
    let found = setup.cache.get_many::<i32>(keys).await.unwrap();
    assert_eq!(found, [None; 5]);
    assert_eq!(
        setup.cache.stats().invalidated,
        5 + 2,
        "and two of the set-up"
    );
}

#[tokio::test]
async fn a_write_that_matches_nothing_takes_one_round_trip() {
    let setup = Setup::new().await;
    let taken = setup
        .round_trips(async {
            rename("old", "new", 7).await.unwrap();
        })
        .await;
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn all_ranges_of_one_set_are_read_by_one_script() {
    let setup = Setup::new().await;
    setup.cache.set("posts:same", &1, TTL).await.unwrap();
    let before = setup.scripts();
    setup
        .cache
        .scope(async { rename("same", "same", 7).await.unwrap() })
        .await;
    // The sets of `posts` and `users` are read, and one of them has a match.
    assert_eq!(setup.scripts() - before, 3);
    assert_eq!(setup.cache.stats().invalidated, 1 + 2);
}

#[tokio::test]
async fn many_keys_are_deleted_in_one_round_trip() {
    let setup = Setup::new().await;
    let keys: Vec<String> = (0..40).map(|id| format!("posts:{id}")).collect();
    setup
        .cache
        .set_many(keys.iter().map(|key| (key, 1)), TTL)
        .await
        .unwrap();
    let taken = setup
        .round_trips(async {
            let named = keys
                .iter()
                .map(String::as_str)
                .chain(["users:1", "posts:1"]);
            assert_eq!(setup.cache.delete_many(named).await.unwrap(), 40);
        })
        .await;
    assert_eq!(taken, 1);
}

#[tokio::test]
async fn a_hundred_missing_items_take_three_round_trips() {
    let setup = Setup::new().await;
    let read = async |from: u32| {
        let keys = (from..from + 100).map(|id| format!("items:{id}"));
        let computed = async |missing: Vec<String>| missing.into_iter().map(|key| (key, 1));
        let found: HashMap<String, i32> = setup.cache.get_or_set_many(keys, TTL, computed).await;
        assert_eq!(found.len(), 100);
    };
    // The set of `items` is completed.
    read(1_000).await;
    let taken = setup.round_trips(read(0)).await;
    assert_eq!(
        taken, 3,
        "one to look, one for all leases, one for all fills"
    );
    let taken = setup.round_trips(read(0)).await;
    assert_eq!(taken, 1, "all are cached");
    let taken = setup.round_trips(read(50)).await;
    assert_eq!(taken, 3);
    assert_eq!(setup.cache.stats().misses, 250);
}

#[tokio::test]
async fn a_pattern_with_thousands_of_matches_deletes_all_of_them() {
    let setup = Setup::new().await;
    setup.proxy.set(Fault::None);
    let entries = (0..2_345).map(|id| (format!("posts:list:{id}"), id));
    setup.cache.set_many(entries, TTL).await.unwrap();
    setup.cache.set("posts:old#variant", &1, TTL).await.unwrap();
    setup.cache.set("posts:listing", &1, TTL).await.unwrap();
    let before = setup.cache.stats().invalidated;
    setup
        .cache
        .scope(async { rename("old", "new", 7).await.unwrap() })
        .await;
    assert_eq!(setup.cache.stats().invalidated - before, 2_346);
    assert!(setup.cache.exists("posts:listing").await.unwrap());
}
