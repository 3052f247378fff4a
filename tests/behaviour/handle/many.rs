//! `get_or_set_many` and `try_get_or_set_many`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use cache_runtime::Cache;
use redis::Commands;
use tests::{
    Gate, PATIENCE, RedisServer, begin, begin_to_wait, on_both_stores, on_both_stores_with, soon,
    until,
};

/// Items of each computation of a test.
#[derive(Clone, Debug, Default)]
struct Asked(Arc<Mutex<Vec<Vec<String>>>>);

impl Asked {
    fn note(&self, missing: &[String]) {
        let mut missing = missing.to_vec();
        missing.sort();
        self.0.lock().unwrap().push(missing);
    }

    fn all(&self) -> Vec<Vec<String>> {
        self.0.lock().unwrap().clone()
    }
}

fn keys(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

/// The length of each key.
async fn lengths(cache: &Cache, asked: &Asked, wanted: &[&str]) -> HashMap<String, usize> {
    cache
        .get_or_set_many(keys(wanted), 60, |missing| async move {
            asked.note(&missing);
            let pairs = missing.into_iter().map(|key| (key.clone(), key.len()));
            pairs.collect::<HashMap<_, _>>()
        })
        .await
}

/// The same, held at a gate.
async fn held(cache: &Cache, asked: &Asked, gate: &Gate, wanted: &[&str]) -> HashMap<String, u32> {
    cache
        .get_or_set_many(keys(wanted), 60, |missing| async move {
            asked.note(&missing);
            let number = gate.pass().await;
            missing.into_iter().map(move |key| (key, number))
        })
        .await
}

/// Start a call that is held at a gate.
fn start_held(
    cache: &Cache,
    asked: &Asked,
    gate: &Gate,
    wanted: &'static [&'static str],
) -> tokio::task::JoinHandle<HashMap<String, u32>> {
    let (cache, asked, gate) = (cache.clone(), asked.clone(), gate.clone());
    tokio::spawn(async move { held(&cache, &asked, &gate, wanted).await })
}

#[tokio::test]
async fn only_missing_keys_are_computed() {
    on_both_stores(|cache| async move {
        let asked = Asked::default();
        cache.set("bb", &20usize, 60).await.unwrap();
        let found = lengths(&cache, &asked, &["a", "bb", "ccc", "a"]).await;
        let expected = [("a", 1), ("bb", 20), ("ccc", 3)];
        assert_eq!(
            found,
            expected.map(|(key, len)| (key.to_owned(), len)).into()
        );
        lengths(&cache, &asked, &["ccc", "dddd", "a"]).await;
        lengths(&cache, &asked, &["a", "bb", "ccc", "dddd"]).await;
        assert_eq!(asked.all(), [keys(&["a", "ccc"]), keys(&["dddd"])]);
        assert_eq!(cache.get::<usize>("ccc").await.unwrap(), Some(3));
        let single: usize = cache.get_or_set("dddd", 60, || async { 0 }).await;
        assert_eq!(single, 4, "one entry for both operations");
        assert_eq!(cache.stats().misses, 3);
        assert_eq!(lengths(&cache, &asked, &[]).await, HashMap::new());
        assert_eq!(asked.all().len(), 2, "without keys nothing runs");
    })
    .await;
}

#[tokio::test]
async fn a_key_without_a_value_stays_uncached() {
    on_both_stores(|cache| async move {
        for run in 1..=2 {
            let found: HashMap<&str, u32> = cache
                .get_or_set_many(["there", "absent"], 60, |missing| async move {
                    assert_eq!(missing.contains(&"there"), run == 1);
                    assert!(missing.contains(&"absent"));
                    // A key that nobody asked for is ignored.
                    vec![("there", 1), ("other", 2)]
                })
                .await;
            assert_eq!(found, HashMap::from([("there", 1)]));
        }
        assert!(!cache.exists("absent").await.unwrap());
        assert!(!cache.exists("other").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_path_and_its_full_key_are_one_entry() {
    on_both_stores(|cache| async move {
        let asked = Asked::default();
        let found = lengths(&cache, &asked, &["a", "quickpost:a"]).await;
        assert_eq!(
            found,
            HashMap::from([("a".to_owned(), 1), ("quickpost:a".to_owned(), 1)])
        );
        assert_eq!(asked.all(), [keys(&["a"])]);
    })
    .await;
}

#[tokio::test]
async fn an_error_stores_nothing() {
    on_both_stores(|cache| async move {
        cache.set("a", &1, 60).await.unwrap();
        let failed: Result<HashMap<&str, i32>, String> = cache
            .try_get_or_set_many(["a", "b"], 60, |missing| async move {
                assert_eq!(missing, ["b"]);
                Err::<Vec<(&str, i32)>, _>("offline".to_owned())
            })
            .await;
        assert_eq!(failed, Err("offline".to_owned()));
        let computed: Result<HashMap<&str, i32>, String> = cache
            .try_get_or_set_many(["a", "b"], 60, |_| async { Ok([("b", 2)]) })
            .await;
        assert_eq!(computed, Ok(HashMap::from([("a", 1), ("b", 2)])));
    })
    .await;
}

#[tokio::test]
async fn overlapping_batches_share_computations_in_either_order() {
    on_both_stores(|cache| async move {
        for (first, second) in [
            (&["a", "b", "c"][..], &["c", "b", "d"][..]),
            (&["c", "b", "a"][..], &["d", "b", "c"][..]),
        ] {
            let (asked, gate) = (Asked::default(), Gate::new());
            let one = start_held(&cache, &asked, &gate, first);
            gate.reached_by(1).await;
            let two = start_held(&cache, &asked, &gate, second);
            gate.reached_by(2).await;
            gate.open();
            let (one, two) = soon(async { (one.await.unwrap(), two.await.unwrap()) }).await;
            assert_eq!(asked.all(), [keys(&["a", "b", "c"]), keys(&["d"])]);
            assert_eq!((one["b"], two["b"], two["d"]), (1, 1, 2));
            cache.clear().await.unwrap();
        }
    })
    .await;
}

#[tokio::test]
async fn a_batch_shares_a_computation_with_a_single_call() {
    on_both_stores(|cache| async move {
        let (asked, gate) = (Asked::default(), Gate::new());
        let single = {
            let (cache, gate) = (cache.clone(), gate.clone());
            tokio::spawn(async move { cache.get_or_set("a", 60, || gate.pass()).await })
        };
        gate.reached_by(1).await;
        let batch = start_held(&cache, &asked, &gate, &["a", "b"]);
        gate.reached_by(2).await;
        let waiting_gate = gate.clone();
        let waiting = begin(&cache, async move {
            Cache::current()
                .get_or_set("b", 60, || waiting_gate.pass())
                .await
        })
        .await;
        gate.open();
        assert_eq!(soon(single).await.unwrap(), 1);
        let batch = soon(batch).await.unwrap();
        assert_eq!((batch["a"], batch["b"]), (1, 2));
        assert_eq!(soon(waiting).await.unwrap(), 2);
        assert_eq!(asked.all(), [keys(&["b"])]);
    })
    .await;
}

/// The keys that a dropped batch led go to the one that waits for them. On Redis it may see that one
/// lease is gone before the other is, and then it runs once for each.
#[tokio::test]
async fn a_waiting_batch_takes_over_from_a_dropped_one() {
    on_both_stores(|cache| async move {
        let (asked, gate) = (Asked::default(), Gate::new());
        let mut dropped = Box::pin(held(&cache, &asked, &gate, &["a", "b"]));
        begin_to_wait(&cache, &mut dropped).await;
        gate.reached_by(1).await;
        let second = Gate::new();
        let taking = start_held(&cache, &asked, &second, &["a", "b", "c"]);
        second.reached_by(1).await;
        second.open();
        // It has computed its own key, and waits.
        until("the own key is filled", || async {
            cache.exists("c").await.unwrap()
        })
        .await;
        drop(dropped);
        let taken = soon(taking).await.unwrap();
        assert!(taken["c"] == 1 && taken["a"] > 1 && taken["b"] > 1);
        let runs = asked.all();
        assert_eq!(runs[..2], [keys(&["a", "b"]), keys(&["c"])]);
        let mut taken_over = runs[2..].concat();
        taken_over.sort_unstable();
        assert_eq!(taken_over, keys(&["a", "b"]), "each of them once");
        assert_eq!(cache.get("a").await.unwrap(), Some(taken["a"]));
    })
    .await;
}

#[tokio::test]
async fn what_is_invalidated_meanwhile_is_returned_and_not_stored() {
    on_both_stores(|cache| async move {
        let (asked, gate) = (Asked::default(), Gate::new());
        let batch = start_held(&cache, &asked, &gate, &["posts:1", "posts:2", "users:1"]);
        gate.reached_by(1).await;
        cache.delete_pattern("posts:*").await.unwrap();
        gate.open();
        assert_eq!(soon(batch).await.unwrap().len(), 3);
        let stored = cache
            .get_many::<u32>(["posts:1", "posts:2", "users:1"])
            .await;
        assert_eq!(stored.unwrap(), [None, None, Some(1)]);
    })
    .await;
}

#[tokio::test]
async fn a_batch_within_its_own_computation_does_not_wait_for_itself() {
    on_both_stores(|cache| async move {
        let inner = &cache;
        let found: HashMap<&str, u32> =
            soon(cache.get_or_set_many(["a", "b"], 60, |_| async move {
                let nested: HashMap<&str, u32> = inner
                    .get_or_set_many(["b", "c"], 60, |missing| async move {
                        missing.into_iter().map(|key| (key, 1))
                    })
                    .await;
                [("a", nested["b"] + nested["c"]), ("b", 5)]
            }))
            .await;
        assert_eq!(found, HashMap::from([("a", 2), ("b", 5)]));
        let stored = cache.get_many::<u32>(["a", "b", "c"]).await.unwrap();
        assert_eq!(stored, [Some(2), Some(5), Some(1)]);
    })
    .await;
}

#[tokio::test]
async fn blocking_batches() {
    on_both_stores(|cache| async move {
        let work = move || {
            let cache = cache.blocking();
            cache.set("a", &7usize, 60).unwrap();
            let found: HashMap<&str, usize> = cache.get_or_set_many(["a", "bb"], 60, |missing| {
                assert_eq!(missing, ["bb"]);
                [("bb", 2)]
            });
            assert_eq!(found, HashMap::from([("a", 7), ("bb", 2)]));
            let failed: Result<HashMap<&str, usize>, &str> =
                cache.try_get_or_set_many(["a", "c"], 60, |_| Err::<Vec<_>, _>("offline"));
            assert_eq!(failed, Err("offline"));
            assert_eq!(
                cache.get_many::<usize>(["a", "bb", "c"]).unwrap(),
                [Some(7), Some(2), None]
            );
        };
        tokio::task::spawn_blocking(work).await.unwrap();
    })
    .await;
}

/// More than one batch of Redis, and values that memory keeps as bytes.
#[tokio::test]
async fn thousands_of_keys() {
    on_both_stores_with(
        |builder| builder.memory_as_bytes(true),
        |cache| async move {
            let wanted = || (0..1_234).map(|id| format!("items:{id}"));
            for _ in 0..2 {
                let found: HashMap<String, String> = cache
                    .get_or_set_many(wanted(), 60, |missing| async move {
                        missing.into_iter().map(|key| (key.clone(), key))
                    })
                    .await;
                assert!(found.len() == 1_234 && found["items:7"] == "items:7");
            }
            assert_eq!(cache.stats().misses, 1_234);
            assert_eq!(cache.delete_pattern("items:*").await.unwrap(), 1_234);
        },
    )
    .await;
}

/// The bytes of the lease at this key while it is computed.
async fn lease_of(cache: &Cache, server: &RedisServer, key: &'static str) -> Vec<u8> {
    let (asked, gate) = (Asked::default(), Gate::new());
    let mut computing = Box::pin(held(cache, &asked, &gate, std::slice::from_ref(&key)));
    begin_to_wait(cache, &mut computing).await;
    let lease: Vec<u8> = server.connect().get(format!("quickpost:{key}")).unwrap();
    gate.open();
    computing.await;
    cache.delete(key).await.unwrap();
    lease
}

/// A lease of another process is polled after the own keys are computed. Once it is gone, the batch
/// computes that key too.
#[tokio::test]
async fn a_batch_waits_for_another_process() {
    let server = RedisServer::start();
    let builder = Cache::builder().prefix("quickpost").redis(server.url());
    let cache = builder.response_timeout(PATIENCE).build().unwrap();
    // Leases differ in their tokens only.
    let mut lease = lease_of(&cache, &server, "a").await;
    let other = lease_of(&cache, &server, "b").await;
    let differing = lease
        .iter()
        .zip(&other)
        .position(|(one, other)| one != other);
    lease[differing.unwrap()] ^= 0x5a;
    let put = |key: &str| {
        let key = format!("quickpost:{key}");
        let () = server
            .connect()
            .pset_ex(key, lease.clone(), 600_000)
            .unwrap();
    };
    put("a");
    put("b");
    let asked = Asked::default();
    let batch = {
        let (cache, asked) = (cache.clone(), asked.clone());
        tokio::spawn(async move { lengths(&cache, &asked, &["a", "b", "ccc"]).await })
    };
    until("the own key is filled", || async {
        cache.exists("ccc").await.unwrap()
    })
    .await;
    assert!(!batch.is_finished());
    // The other process fills one of them and fails at the other.
    cache.set("b", &7usize, 60).await.unwrap();
    let () = server.connect().del("quickpost:a").unwrap();
    let found = soon(batch).await.unwrap();
    assert_eq!((found["a"], found["b"], found["ccc"]), (1, 7, 3));
    assert_eq!(asked.all(), [keys(&["ccc"]), keys(&["a"])]);
}

/// Two handles on one server.
#[tokio::test]
async fn two_caches_on_one_redis() {
    let server = RedisServer::start();
    let builder = || {
        Cache::builder()
            .prefix("quickpost")
            .response_timeout(PATIENCE)
    };
    let cache = || builder().redis(server.url()).build().unwrap();
    let (here, there) = (cache(), cache());
    let (asked, gate) = (Asked::default(), Gate::new());
    let one = start_held(&here, &asked, &gate, &["a", "b"]);
    gate.reached_by(1).await;
    let two = start_held(&there, &asked, &gate, &["b", "c"]);
    gate.reached_by(2).await;
    gate.open();
    let (one, two) = soon(async { (one.await.unwrap(), two.await.unwrap()) }).await;
    assert_eq!((one["b"], two["b"], two["c"]), (1, 1, 2));
    assert_eq!(asked.all(), [keys(&["a", "b"]), keys(&["c"])]);
    let gate = Gate::new();
    let batch = start_held(&here, &asked, &gate, &["x", "y"]);
    gate.reached_by(1).await;
    there.delete("x").await.unwrap();
    gate.open();
    assert_eq!(soon(batch).await.unwrap().len(), 2);
    assert_eq!(
        there.get_many::<u32>(["x", "y"]).await.unwrap(),
        [None, Some(1)]
    );
}

#[tokio::test]
async fn a_dead_redis_is_not_the_callers_error() {
    let server = RedisServer::start();
    let builder = Cache::builder().redis(server.url()).prefix("quickpost");
    let cache = builder.build().unwrap();
    let asked = Asked::default();
    lengths(&cache, &asked, &["a"]).await;
    drop(server);
    let found = lengths(&cache, &asked, &["a", "bb"]).await;
    assert_eq!(
        found,
        HashMap::from([("a".to_owned(), 1), ("bb".to_owned(), 2)])
    );
    assert_eq!(asked.all(), [keys(&["a"]), keys(&["a", "bb"])]);
}

#[test]
fn the_future_is_send() {
    fn send<T: Send>(_: T) {}
    let cache = Cache::builder().build().unwrap();
    let asked = Asked::default();
    send(lengths(&cache, &asked, &["a"]));
}
