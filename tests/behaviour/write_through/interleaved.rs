//! Reads, invalidations and other operations while a write-through is under way.

use cache_runtime::{Cache, write_through};
use tests::{Gate, begin, on_both_stores, soon};

use super::{Source, number, write_then_wait};

#[tokio::test]
async fn a_read_during_the_write_runs_the_body_and_stores_nothing() {
    on_both_stores(|cache| async move {
        let (source, gate) = (Source::default(), Gate::new());
        cache.set("numbers:1", &0, 60).await.unwrap();
        let writing = {
            let (source, gate) = (source.clone(), gate.clone());
            async move { write_then_wait(source, &gate, 1, 5).await }
        };
        let writer = begin(&cache, writing).await;
        gate.reached_by(1).await;
        assert!(!cache.exists("numbers:1").await.unwrap());
        for reads in 1..=3 {
            soon(cache.scope(number(&source, 1))).await;
            assert_eq!(source.reads(), reads);
        }
        assert!(
            !cache.exists("numbers:1").await.unwrap(),
            "nothing is stored"
        );
        // As one of many.
        let computed = cache.get_or_set_many(["numbers:1"], 60, |keys: Vec<&str>| async move {
            keys.into_iter().map(|key| (key, 6)).collect::<Vec<_>>()
        });
        assert_eq!(soon(computed).await.len(), 1);
        assert!(!cache.exists("numbers:1").await.unwrap());
        gate.open();
        writer.await.unwrap().unwrap();
        assert_eq!(cache.scope(number(&source, 1)).await, 5);
        assert_eq!(source.reads(), 3, "a hit");
    })
    .await;
}

#[tokio::test]
async fn a_reader_that_began_before_the_write_stores_nothing_after_it() {
    on_both_stores(|cache| async move {
        let (source, gate) = (Source::default(), Gate::new());
        let reading = {
            let (cache, gate) = (cache.clone(), gate.clone());
            async move { cache.get_or_set("numbers:1", 60, || gate.pass()).await }
        };
        let reader = begin(&cache, reading).await;
        gate.reached_by(1).await;
        cache.scope(super::write(&source, 1, 5)).await.unwrap();
        gate.open();
        assert_eq!(reader.await.unwrap(), 1);
        assert_eq!(cache.get::<u32>("numbers:1").await.unwrap(), Some(5));
    })
    .await;
}

/// Run something while a write-through is under way, and return the value that is cached
/// afterwards.
async fn meanwhile(cache: &Cache, act: impl AsyncFnOnce(&Cache)) -> Option<u32> {
    let (source, gate) = (Source::default(), Gate::new());
    let writing = {
        let gate = gate.clone();
        async move { write_then_wait(source, &gate, 1, 5).await }
    };
    let writer = begin(cache, writing).await;
    gate.reached_by(1).await;
    act(cache).await;
    gate.open();
    assert_eq!(writer.await.unwrap(), Ok(5));
    cache.get("numbers:1").await.unwrap()
}

#[tokio::test]
async fn an_invalidation_during_the_write_wins() {
    on_both_stores(|cache| async move {
        let nothing = meanwhile(&cache, async |_| {}).await;
        assert_eq!(nothing, Some(5));
        let deleted = meanwhile(&cache, async |cache| {
            cache.delete("numbers:1").await.unwrap();
        });
        assert_eq!(deleted.await, None);
        let by_pattern = meanwhile(&cache, async |cache| {
            cache.delete_pattern("numbers:*").await.unwrap();
        });
        assert_eq!(by_pattern.await, None);
        let other = meanwhile(&cache, async |cache| {
            cache.delete_pattern("numbers:2*").await.unwrap();
        });
        assert_eq!(other.await, Some(5));
    })
    .await;
}

#[tokio::test]
async fn a_value_from_before_the_commit_does_not_outlive_the_write() {
    on_both_stores(|cache| async move {
        // Taken over while the body runs: the values may be older than the commit.
        let set = meanwhile(&cache, async |cache| {
            cache.set("numbers:1", &1, 60).await.unwrap();
        });
        assert_eq!(set.await, None);
        let refilled = meanwhile(&cache, async |cache| {
            cache.delete("numbers:1").await.unwrap();
            let old = cache.get_or_set("numbers:1", 60, || async { 1_u32 }).await;
            assert_eq!(old, 1);
            assert!(cache.exists("numbers:1").await.unwrap());
        });
        assert_eq!(refilled.await, None);
    })
    .await;
}

#[write_through(key = "numbers:<<id>>", ttl = 60)]
async fn write_and_read(source: &Source, id: u32) -> u32 {
    source.write(5);
    number(source, id).await
}

#[tokio::test]
async fn the_body_may_call_the_function_that_reads() {
    on_both_stores(|cache| async move {
        let source = Source::default();
        assert_eq!(soon(cache.scope(write_and_read(&source, 1))).await, 5);
        assert_eq!(cache.scope(number(&source, 1)).await, 5);
        assert_eq!(source.reads(), 1);
    })
    .await;
}

#[tokio::test]
async fn code_that_runs_uncached_stores_nothing() {
    on_both_stores(|cache| async move {
        let source = Source::default();
        let written = Cache::uncached(super::write(&source, 1, 5));
        cache.scope(written).await.unwrap();
        assert!(!cache.exists("numbers:1").await.unwrap());
    })
    .await;
}
