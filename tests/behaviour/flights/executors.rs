//! Callers on other executors, several runtimes and plain threads, and tasks without budget.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use cache_runtime::{Cache, cacheable, invalidate};
use tests::{Gate, Stores, on_both_stores, soon};

use crate::common::Runs;

#[cacheable(key = "executors:<<id>>", skip(runs))]
async fn count(runs: &Runs, id: u32) -> u32 {
    runs.next();
    id
}

#[cacheable(key = "executors:sync:<<id>>", skip(runs))]
fn count_sync(runs: &Runs, id: u32) -> u32 {
    runs.next();
    id
}

#[invalidate(patterns = ["executors:<<id>>"])]
async fn forget(id: u32) {}

#[invalidate(patterns = ["executors:sync:<<id>>"])]
fn forget_sync(id: u32) {}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Run a future on a minimal executor.
fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

async fn read_write_read(cache: &Cache) {
    let runs = Runs::default();
    assert_eq!(count(&runs, 1).await, 1);
    assert_eq!(count(&runs, 1).await, 1);
    assert_eq!(runs.count(), 1);
    forget(1).await;
    assert_eq!(count(&runs, 1).await, 1);
    assert_eq!(runs.count(), 2);
    assert_eq!(cache.clear().await.unwrap(), 1);
}

#[test]
fn executors_other_than_tokio_run_cached_functions() {
    let stores = Stores::new();
    for (_, cache) in &stores.caches {
        block_on(cache.scope(read_write_read(cache)));
        futures_executor::block_on(cache.scope(read_write_read(cache)));
    }
}

type Block = fn(Pin<Box<dyn Future<Output = u32>>>) -> u32;

#[test]
fn single_flight_works_without_a_runtime() {
    threads_share_one_run(futures_executor::block_on);
}

#[test]
fn single_flight_works_on_a_minimal_executor() {
    threads_share_one_run(block_on);
}

fn threads_share_one_run(block: Block) {
    let stores = Stores::new();
    for (name, cache) in &stores.caches {
        let gate = Gate::new();
        let call = || {
            let (cache, gate) = (cache.clone(), gate.clone());
            thread::spawn(move || {
                block(Box::pin(async move {
                    cache.get_or_set("crowd", 60, || gate.pass()).await
                }))
            })
        };
        let threads: Vec<_> = (0..20).map(|_| call()).collect();
        futures_executor::block_on(gate.reached_by_untimed(1));
        gate.open();
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 1, "{name}");
        }
        assert_eq!(gate.count(), 1, "{name}");
    }
}

#[test]
fn two_runtimes_and_plain_threads_share_one_cache() {
    let stores = Stores::new();
    let runtimes: Vec<_> = (0..2)
        .map(|_| tokio::runtime::Runtime::new().unwrap())
        .collect();
    for (name, cache) in &stores.caches {
        let gate = Gate::new();
        let call = || {
            let (cache, gate) = (cache.clone(), gate.clone());
            async move { cache.get_or_set("shared", 60, || gate.pass()).await }
        };
        let tasks: Vec<_> = (0..100)
            .map(|number| runtimes[number % 2].spawn(call()))
            .collect();
        let threads: Vec<_> = (0..10)
            .map(|_| {
                let (blocking, gate) = (cache.blocking(), gate.clone());
                thread::spawn(move || blocking.get_or_set("shared", 60, || gate.pass_blocking()))
            })
            .collect();
        runtimes[0].block_on(gate.reached_by(1));
        gate.open();
        for task in tasks {
            assert_eq!(runtimes[0].block_on(soon(task)).unwrap(), 1, "{name}");
        }
        for thread in threads {
            assert_eq!(thread.join().unwrap(), 1, "{name}");
        }
        assert_eq!(gate.count(), 1, "{name}");
    }
}

/// A tokio task has a budget until it yields. A blocking call in it can't yield, and must complete
/// nevertheless.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocking_calls_complete_in_a_task_without_budget() {
    on_both_stores(|cache| async move {
        let task = tokio::spawn(async move {
            cache.scope_sync(|| {
                let runs = Runs::default();
                for id in 0..300 {
                    assert_eq!(count_sync(&runs, id), id);
                    assert_eq!(count_sync(&runs, id), id);
                    if id % 10 == 0 {
                        forget_sync(id);
                    }
                }
                runs.count()
            })
        });
        assert_eq!(soon(task).await.unwrap(), 300);
    })
    .await;
}
