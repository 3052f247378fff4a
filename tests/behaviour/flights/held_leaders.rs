//! Leaders that their own task or thread holds without polling them: a call there runs the body
//! instead of waiting.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cache_runtime::Cache;
use futures_util::future::join;
use futures_util::{FutureExt, StreamExt, poll, stream};
use tests::{Gate, begin_to_wait, on_both_stores, soon};

/// How the leader is held.
#[derive(Clone, Copy, Debug)]
enum Waits {
    /// Wait at a closed gate: nothing wakes the task.
    Silently,
    /// Wake the task all the time.
    Noisily,
}

async fn wake_forever() {
    loop {
        tokio::task::yield_now().await;
    }
}

async fn held_then_called_again(cache: &Cache, waits: Waits) {
    let gate = Gate::new();
    let body = async {
        match waits {
            Waits::Silently => gate.pass().await,
            Waits::Noisily => join(gate.pass(), wake_forever()).await.0,
        }
    };
    let mut leader = pin!(cache.get_or_set("held", 60, || body));
    tokio::select! {
        biased;
        _ = &mut leader => unreachable!("the gate is closed"),
        () = gate.reached_by(1) => {}
    }
    let again = cache.get_or_set("held", 60, async || 7);
    assert_eq!(soon(again).await, 7, "{waits:?}");
    drop(cache.delete("held").await);
}

#[tokio::test]
async fn a_held_leader_is_not_waited_for_in_the_root_task() {
    on_both_stores(|cache| async move {
        held_then_called_again(&cache, Waits::Silently).await;
        held_then_called_again(&cache, Waits::Noisily).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_leader_is_not_waited_for_in_a_spawned_task() {
    on_both_stores(|cache| async move {
        let task = tokio::spawn(async move {
            held_then_called_again(&cache, Waits::Silently).await;
            held_then_called_again(&cache, Waits::Noisily).await;
        });
        soon(task).await.unwrap();
    })
    .await;
}

/// After one poll, the leader has not taken its lease yet.
#[tokio::test]
async fn a_held_leader_that_was_polled_once_is_not_waited_for() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let mut leader = pin!(cache.get_or_set("held", 60, || gate.pass()));
        assert!(poll!(&mut leader).is_pending());
        assert_eq!(soon(cache.get_or_set("held", 60, async || 7)).await, 7);
    })
    .await;
}

/// Polled again after the store's first reply, the leader has requested the lease and has no reply.
#[tokio::test]
async fn a_held_leader_that_has_requested_its_lease_is_not_waited_for() {
    on_both_stores(|cache| async move {
        for pauses in 1..4 {
            let key = format!("held:{pauses}");
            let gate = Gate::new();
            let mut leader = pin!(cache.get_or_set(&key, 60, || gate.pass()));
            for _ in 0..pauses {
                assert!(poll!(&mut leader).is_pending());
                cache.get::<u32>("a barrier").await.unwrap();
            }
            assert_eq!(soon(cache.get_or_set(&key, 60, async || 7)).await, 7);
            let blocking = cache.blocking();
            assert_eq!(
                blocking.get_or_set(&key, 60, || 8) | 15,
                15,
                "the call returns"
            );
        }
    })
    .await;
}

/// A stream of concurrent calls holds them while the loop's body runs. Each has a waker of its own.
#[tokio::test]
async fn a_leader_held_by_a_stream_is_not_waited_for() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let (cache, gate) = (&cache, &gate);
        let calls = (0..4).map(|id| async move {
            let key = format!("stream:{id}");
            let body = async move || if id == 0 { id } else { gate.pass().await };
            cache.get_or_set(&key, 60, body).await
        });
        let mut computed = stream::iter(calls).buffer_unordered(4);
        assert_eq!(soon(computed.next()).await, Some(0));
        // On Redis, the other calls have begun or will begin. Neither may block this one.
        for id in 1..4 {
            let key = format!("stream:{id}");
            assert_eq!(
                soon(cache.get_or_set(&key, 60, async || 70 + id)).await,
                70 + id
            );
        }
    })
    .await;
}

/// Both calls are polled first, as in a `join!`. Then only the waiter is, and nothing wakes the
/// leader's task.
#[tokio::test]
async fn a_waiter_notices_that_its_leader_is_no_longer_polled() {
    on_both_stores(|cache| async move {
        let gate = Gate::new();
        let mut leader = Box::pin(cache.get_or_set("later", 60, || gate.pass()));
        begin_to_wait(&cache, &mut leader).await;
        let mut waiter = Box::pin(cache.get_or_set("later", 60, async || 7));
        let mut both = join(leader.as_mut(), waiter.as_mut());
        begin_to_wait(&cache, &mut both).await;
        drop(both);
        assert_eq!(soon(waiter).await, 7);
    })
    .await;
}

#[test]
fn a_blocking_call_never_waits_for_an_async_leader_on_its_thread() {
    // In either flavor of runtime, and without one.
    let current = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let several = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let stores = tests::Stores::new();
    for (name, cache) in &stores.caches {
        for times in [1, 2, 3, 50] {
            let test = async {
                let gate = Gate::new();
                let key = format!("blocked:{times}");
                let mut leader = pin!(cache.get_or_set(&key, 60, || gate.pass()));
                for _ in 0..times {
                    assert!(poll!(&mut leader).is_pending());
                    // The store has replied to the leader when it replies to this call.
                    cache.get::<u32>("any").await.unwrap();
                }
                let begun = std::time::Instant::now();
                let value = cache.blocking().get_or_set(&key, 60, || 7);
                let waited = begun.elapsed();
                assert!(waited < Duration::from_secs(3), "{name}: {waited:?}");
                assert_eq!(value, 7, "{name}");
                cache.delete(&key).await.unwrap();
            };
            current.block_on(test);
        }
        several.block_on(async {
            let gate = Gate::new();
            let mut leader = pin!(cache.get_or_set("blocked", 60, || gate.pass()));
            assert!(poll!(&mut leader).is_pending());
            assert_eq!(cache.blocking().get_or_set("blocked", 60, || 7), 7);
        });
        let gate = Gate::new();
        let mut leader = Box::pin(cache.get_or_set("bare", 60, || gate.pass()));
        for _ in 0..50 {
            assert!(poll_once(leader.as_mut()).is_pending());
            cache.blocking().get::<u32>("any").unwrap();
        }
        assert_eq!(cache.blocking().get_or_set("bare", 60, || 7), 7, "{name}");
    }
}

fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The locals of the body call the cache when they are dropped on another thread.
#[test]
fn a_body_dropped_on_another_thread_can_call_its_own_key() {
    struct Calls(Cache);
    impl Drop for Calls {
        fn drop(&mut self) {
            assert_eq!(self.0.blocking().get_or_set("dropped", 60, || 7), 7);
        }
    }
    let cache = Cache::builder().build().unwrap();
    let owner = Calls(cache.clone());
    let body = cache.get_or_set("dropped", 60, || async move {
        let _owner = owner;
        std::future::pending::<u32>().await
    });
    let mut body = body.boxed();
    assert!(poll_once(body.as_mut()).is_pending());
    let begun = std::time::Instant::now();
    std::thread::scope(|threads| drop(threads.spawn(|| drop(body))));
    assert!(begun.elapsed() < Duration::from_secs(10));
}
