//! Writes that fail, panic, or lose their caller.

use std::panic::AssertUnwindSafe;

use std::time::Duration;

use cache_runtime::{Cache, write_through};
use futures_util::FutureExt as _;
use tests::{
    Gate, RedisServer, begin, begin_to_wait, on_both_stores, on_both_stores_with, until, until_well,
};

use crate::common::on_redis;

/// An error that isn't `Send`.
#[derive(Debug, PartialEq)]
struct Refused(std::rc::Rc<()>);

#[write_through(key = "outcomes:<<id>>", ttl = 60)]
async fn refused(id: u32) -> Result<u32, Refused> {
    Err(Refused(std::rc::Rc::default()))
}

#[write_through(key = "outcomes:<<id>>", ttl = 60)]
fn refused_blocking(id: u32) -> Result<u32, String> {
    Err("no".to_owned())
}

#[write_through(key = "outcomes:<<id>>", ttl = 60)]
async fn panics(id: u32) -> u32 {
    panic!("on purpose")
}

#[write_through(key = "outcomes:<<id>>", ttl = 60)]
fn panics_blocking(id: u32) -> u32 {
    panic!("on purpose")
}

#[write_through(key = "outcomes:<<id>>", ttl = 60)]
async fn waits(gate: &Gate, id: u32) -> u32 {
    gate.pass().await
}

async fn until_usable(cache: &Cache) {
    until("the key is free again", || async {
        cache.get_or_set("outcomes:1", 60, || async { 3_u32 }).await;
        cache.get::<u32>("outcomes:1").await.unwrap() == Some(3)
    })
    .await;
}

#[tokio::test]
async fn after_an_error_the_key_is_invalidated() {
    on_both_stores(|cache| async move {
        cache.set("outcomes:1", &1, 60).await.unwrap();
        assert!(cache.scope(refused(1)).await.is_err());
        assert!(!cache.exists("outcomes:1").await.unwrap());
        until_usable(&cache).await;
        cache.scope_sync(|| refused_blocking(1)).unwrap_err();
        assert!(!cache.exists("outcomes:1").await.unwrap());
        cache.get_or_set("outcomes:1", 60, || async { 3_u32 }).await;
        assert!(cache.exists("outcomes:1").await.unwrap(), "free at once");
    })
    .await;
}

#[tokio::test]
async fn the_future_is_send_although_the_error_is_not() {
    fn is_send<T: Send>(_: T) {}
    is_send(refused(1));
}

#[tokio::test]
async fn after_a_panic_the_key_is_invalidated() {
    on_both_stores(|cache| async move {
        cache.set("outcomes:1", &1, 60).await.unwrap();
        let panicked = AssertUnwindSafe(cache.scope(panics(1)))
            .catch_unwind()
            .await;
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"on purpose"));
        // Done before the panic resumed.
        cache.get_or_set("outcomes:1", 60, || async { 3_u32 }).await;
        assert!(cache.exists("outcomes:1").await.unwrap());
        let run = AssertUnwindSafe(|| cache.scope_sync(|| panics_blocking(1)));
        std::panic::catch_unwind(run).unwrap_err();
        assert!(!cache.exists("outcomes:1").await.unwrap());
        cache.get_or_set("outcomes:1", 60, || async { 3_u32 }).await;
        assert!(cache.exists("outcomes:1").await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_write_that_is_dropped_once_polled_invalidates() {
    on_both_stores(|cache| async move {
        cache.set("outcomes:1", &1, 60).await.unwrap();
        let gate = Gate::new();
        drop(waits(&gate, 1));
        assert!(cache.exists("outcomes:1").await.unwrap(), "never polled");
        let mut writing = Box::pin(waits(&gate, 1));
        begin_to_wait(&cache, &mut writing).await;
        drop(writing);
        until_usable(&cache).await;
    })
    .await;
}

/// The lease is lost to a reader, which stores a value of before the commit; then the write is
/// dropped.
#[tokio::test]
async fn a_dropped_write_removes_a_value_of_before_its_commit() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let mut writing = Box::pin(waits(&gate, 1));
        begin_to_wait(&cache, &mut writing).await;
        gate.reached_by(1).await;
        cache.delete("outcomes:1").await.unwrap();
        cache.get_or_set("outcomes:1", 60, || async { 1_u32 }).await;
        assert!(cache.exists("outcomes:1").await.unwrap());
        drop(writing);
        until("the old value is gone", || async {
            !cache.exists("outcomes:1").await.unwrap()
        })
        .await;
    })
    .await;
}

#[tokio::test]
async fn while_redis_is_away_the_write_succeeds_and_its_invalidation_is_queued() {
    let mut server = RedisServer::start();
    let cache = on_redis(&server, "away");
    cache.set("outcomes:1", &1, 600).await.unwrap();
    server.kill();
    let saved: Result<u32, String> = cache
        .write_through("outcomes:1", 60, || async { Ok(2) })
        .await;
    assert_eq!(saved, Ok(2));
    assert_eq!(cache.get_or_set("outcomes:1", 60, || async { 2 }).await, 2);
    server.restart();
    until_well(&cache).await;
    assert_eq!(cache.get::<u32>("outcomes:1").await.unwrap(), None);
}

#[tokio::test]
async fn a_write_beyond_the_time_limit_invalidates() {
    let limit = Duration::from_millis(60);
    on_both_stores_with(
        |builder| builder.wait_timeout(limit).lease_ttl(limit),
        |cache| async move {
            let gate = Gate::new();
            let writing = {
                let gate = gate.clone();
                async move { waits(&gate, 1).await }
            };
            let writer = begin(&cache, writing).await;
            gate.reached_by(1).await;
            until_usable(&cache).await;
            gate.open();
            writer.await.unwrap();
            assert_eq!(cache.get::<u32>("outcomes:1").await.unwrap(), None);
        },
    )
    .await;
}
