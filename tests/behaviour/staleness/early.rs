//! `early = true`: a hot key is recomputed before its TTL ends. The unit tests of `cache-runtime`
//! simulate many callers; these tests call functions.

use std::time::Duration;

use cache_runtime::{Cache, Clock, Stats, cacheable};
use tests::{Gate, PATIENCE, RedisServer, soon};

use crate::common::Runs;
use crate::staleness::support::until;

/// A body that takes a second of a manual clock. From the second run on, it stops at the gate.
#[derive(Clone)]
struct Slow {
    runs: Runs,
    gate: Gate,
    clock: Clock,
}

impl Slow {
    fn new() -> (Self, Cache) {
        let clock = Clock::manual();
        let cache = Cache::builder().clock(clock.clone()).build().unwrap();
        let (runs, gate) = (Runs::default(), Gate::new());
        (Self { runs, gate, clock }, cache)
    }

    async fn run(&self) -> u32 {
        let run = self.runs.next();
        self.clock.advance(Duration::from_secs(1));
        if run > 1 {
            self.gate.pass().await;
        }
        run
    }
}

#[cacheable(key = "hot", ttl = 600, early = true, skip(slow), companions = false)]
async fn hot(slow: Slow) -> u32 {
    slow.run().await
}

#[tokio::test]
async fn an_early_refresh_recomputes_a_hot_key_before_it_expires_and_no_caller_waits() {
    let (slow, cache) = Slow::new();
    let test = async {
        assert_eq!(hot(slow.clone()).await, 1);
        // An early refresh is never due sooner than 37 times the duration of the computation before
        // the end.
        slow.clock.advance(Duration::from_secs(560));
        for _ in 0..10_000 {
            assert_eq!(hot(slow.clone()).await, 1);
        }
        tokio::task::yield_now().await;
        let runs = slow.runs.count();
        assert_eq!(runs, 1, "an early refresh is not due yet");
        // At three times the duration before the end, one hit in twenty is due, and the first of
        // these refreshes.
        slow.clock.advance(Duration::from_secs(37));
        let mut calls = 0;
        while slow.gate.count() == 0 {
            assert_eq!(soon(hot(slow.clone())).await, 1);
            tokio::task::yield_now().await;
            calls += 1;
            assert!(calls < 10_000);
        }
        for _ in 0..1_000 {
            let value = soon(hot(slow.clone())).await;
            assert_eq!(value, 1, "the value is served during the refresh");
        }
        tokio::task::yield_now().await;
        assert_eq!(slow.runs.count(), 2, "no other call computes");
        slow.gate.open();
        until("the value is stored", || async {
            hot(slow.clone()).await == 2
        })
        .await;
    };
    cache.scope(test).await;
    let stats = cache.stats();
    assert_eq!(
        (stats.misses, stats.waits, stats.stale),
        (1, 0, 0),
        "all other calls were hits"
    );
}

#[tokio::test]
async fn without_early_all_callers_wait_when_a_hot_key_expires() {
    #[cacheable(key = "cold", ttl = 600, skip(slow), companions = false)]
    async fn cold(slow: Slow) -> u32 {
        slow.run().await
    }
    let (slow, cache) = Slow::new();
    cache.scope(cold(slow.clone())).await;
    slow.clock.advance(Duration::from_secs(600));
    let mut calls = Vec::new();
    for _ in 0..5 {
        calls.push(tests::begin(&cache, cold(slow.clone())).await);
    }
    slow.gate.open();
    tests::all(calls).await;
    assert_eq!(cache.stats().waits, 4, "all callers but the leader wait");
}

#[tokio::test]
async fn a_caller_that_runs_an_early_refresh_does_not_get_its_error() {
    #[cacheable(key = "paid", ttl = 600, early = true, skip(slow), companions = false)]
    async fn paid(slow: &Slow) -> Result<u32, String> {
        match slow.run().await {
            2 => Err("the second errs".to_owned()),
            run => Ok(run),
        }
    }
    let (slow, cache) = Slow::new();
    slow.gate.open();
    let test = async {
        assert_eq!(paid(&slow).await, Ok(1));
        slow.clock.advance(Duration::from_secs(598));
        let mut calls = 0;
        while slow.runs.count() == 1 {
            assert_eq!(paid(&slow).await, Ok(1), "the cached value is fresh");
            calls += 1;
            assert!(calls < 10_000);
        }
    };
    cache.scope(test).await;
}

#[tokio::test]
async fn a_sync_function_is_refreshed_early() {
    #[cacheable(key = "sync", ttl = 600, early, skip(slow), companions = false)]
    fn sync(slow: Slow) -> u32 {
        slow.clock.advance(Duration::from_secs(1));
        slow.runs.next()
    }
    let (slow, cache) = Slow::new();
    let work = slow.clone();
    let test = move || {
        cache.scope_sync(|| {
            assert_eq!(sync(slow.clone()), 1);
            slow.clock.advance(Duration::from_millis(599_500));
            let mut calls = 0;
            while sync(slow.clone()) == 1 {
                calls += 1;
                assert!(calls < 1_000_000, "an early refresh runs");
                std::thread::yield_now();
            }
        });
    };
    tokio::task::spawn_blocking(test).await.unwrap();
    assert_eq!(work.runs.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_redis_one_of_two_processes_refreshes_early() {
    /// A body that takes two of the TTL's twenty seconds, so that hits are due long before the end
    /// on any machine. Redis keeps its own time, so the time is real.
    #[cacheable(
        key = "hot",
        ttl = "20s",
        early = true,
        skip(runs, gate),
        companions = false
    )]
    async fn hot(runs: Runs, gate: Gate) -> u32 {
        match runs.next() {
            1 => tokio::time::sleep(Duration::from_secs(2)).await,
            _ => drop(gate.pass().await),
        }
        runs.count()
    }
    let server = RedisServer::start();
    let cache = || {
        let builder = Cache::builder().redis(server.url());
        builder.response_timeout(PATIENCE).build().unwrap()
    };
    let (caches, runs, gate) = ([cache(), cache()], Runs::default(), Gate::new());
    let call = |at: usize| caches[at % 2].scope(hot(runs.clone(), gate.clone()));
    assert_eq!(call(0).await, 1);
    let mut calls = 0;
    while runs.count() == 1 {
        assert_eq!(call(calls).await, 1);
        calls += 1;
    }
    // The gate is closed, so a call that waited for the refresh would hang.
    for at in 0..200 {
        assert_eq!(soon(call(at)).await, 1);
    }
    gate.open();
    until("the value is stored", || async { call(0).await == 2 }).await;
    assert_eq!(runs.count(), 2);
    let sum = |of: fn(&Stats) -> u64| caches.iter().map(|cache| of(&cache.stats())).sum::<u64>();
    // A fill is counted after the reply of Redis, and can be read shortly before that.
    until("both fills are counted", || async {
        sum(|stats| stats.fills) == 2
    })
    .await;
    assert_eq!(
        sum(|stats| stats.misses),
        1,
        "only the first call was a miss"
    );
    assert_eq!(sum(|stats| stats.waits + stats.stale), 0);
}

#[test]
fn a_caller_that_found_the_old_entry_due_does_not_refresh_the_new_one() {
    /// A body that takes a second at first and no time later, so the second value is never due.
    #[cacheable(
        key = "raced:<<id>>",
        ttl = 600,
        early,
        skip(clock, runs),
        companions = false
    )]
    fn raced(id: u32, clock: &Clock, runs: &Runs) -> u32 {
        let run = runs.next();
        if run == 1 {
            clock.advance(Duration::from_secs(1));
        }
        id
    }
    let clock = Clock::manual();
    let cache = Cache::builder().clock(clock.clone()).build().unwrap();
    let callers = 4;
    for id in 0..2_000 {
        let runs = Runs::default();
        cache.scope_sync(|| raced(id, &clock, &runs));
        clock.advance(Duration::from_millis(599_999));
        let start = std::sync::Barrier::new(callers);
        std::thread::scope(|threads| {
            for _ in 0..callers {
                threads.spawn(|| {
                    start.wait();
                    cache.scope_sync(|| raced(id, &clock, &runs));
                });
            }
        });
        assert!(runs.count() <= 2, "{} runs", runs.count());
    }
    assert_eq!(cache.stats().waits, 0);
}
