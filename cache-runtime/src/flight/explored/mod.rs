//! Flights and the memory store under shuttle, a scheduler that explores many interleavings of
//! threads and tasks. Runs instead of the ordinary tests with
//! `RUSTFLAGS="--cfg shuttle" cargo test -p cache-runtime --lib --no-default-features flight::explored`.
//!
//! Values are timestamps: a computation returns the moment at which it began, so each value that a
//! caller gets tells whether promise 4 (no stale fill) was kept.

mod callers;
mod exhaustive;
mod failures;
mod flaws;
mod stale;

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shuttle::future::{block_on, yield_now};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

use crate::Cache;
use crate::entry::payload::Payload;
use crate::read::call::Call;
use crate::read::decision::{Decision, Lead};
use crate::read::fill::plan::FillPlan;
use crate::site::{Origin, ReadOptions};
use crate::sync::thread;

const KEY: &str = "posts:1";
const TTL: Duration = Duration::from_secs(3_600);
/// A limit of this length never ends, so a caller that isn't woken hangs.
const PATIENT: Duration = Duration::from_secs(86_400);
/// A limit of this length may end at any moment.
const IMPATIENT: Duration = Duration::from_secs(1_800);

std::thread_local! {
    static FILLS_BLINDLY: Cell<bool> = const { Cell::new(false) };
}

/// Whether a fill skips the check that its flight is still in the table.
pub(crate) fn fills_blindly() -> bool {
    FILLS_BLINDLY.get()
}

/// Run a scenario in schedules of the scheduler's choice, all on this thread.
fn explore(scheduler: impl Scheduler + 'static, scenario: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    // Encoding an explicit value takes more than shuttle's default in a debug build.
    config.stack_size = 1 << 18;
    // The warnings say that its atomics have no weak orderings, and how it treats lazy statics.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(scenario);
}

/// Explore at random, which finds most bugs, and with few context switches at arbitrary points, for
/// bugs that need one task to sleep long.
fn explore_widely(times: usize, scenario: impl Fn() + Send + Sync + Clone + 'static) {
    explore(RandomScheduler::new(times), scenario.clone());
    explore(PctScheduler::new(3, times), scenario);
}

/// A cache, and the facts known about the values that it may return.
#[derive(Clone)]
struct FlightWorld {
    cache: Cache,
    history: Arc<History>,
}

/// The test's own bookkeeping, which isn't explored: each access is atomic with the step before it.
#[derive(Default)]
struct History {
    clock: AtomicU64,
    /// The latest start of an invalidation that has returned: older computations are stale for all
    /// later calls.
    floor: AtomicU64,
    /// Explicitly set values, and when their `set` returned. Before that it is undecided whether an
    /// invalidation comes before it or after.
    sets: Mutex<HashMap<u64, u64>>,
    runs: AtomicU64,
}

impl History {
    fn tick(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::SeqCst) + 1
    }

    fn runs(&self) -> u64 {
        self.runs.load(Ordering::SeqCst)
    }

    fn floor(&self) -> u64 {
        self.floor.load(Ordering::SeqCst)
    }

    /// Record the start of a body's computation.
    fn begin(&self) -> u64 {
        self.runs.fetch_add(1, Ordering::SeqCst);
        self.tick()
    }

    /// Run an operation that makes earlier computations stale once it has returned.
    fn voiding<T>(&self, act: impl FnOnce() -> T) -> T {
        // Let it begin at any moment, not atomically with the thread's previous step.
        thread::yield_now();
        let began = self.tick();
        let done = act();
        self.floor.fetch_max(began, Ordering::SeqCst);
        done
    }

    #[track_caller]
    fn check(&self, floor: u64, value: u64) {
        let sets = self.sets.lock().expect("no panic under it");
        let latest = *sets.get(&value).unwrap_or(&value);
        assert!(latest >= floor, "stale: {value} after {floor}");
    }
}

impl FlightWorld {
    fn new(limit: Duration) -> Self {
        let cache = Cache::builder()
            .wait_timeout(limit)
            // One shard: fewer locks at which a schedule forks.
            .memory_capacity(4 << 20)
            .build()
            .expect("valid options");
        Self {
            cache,
            history: Arc::default(),
        }
    }

    /// Call asynchronously; other tasks may run at every await.
    async fn read(&self) -> u64 {
        let floor = self.history.floor();
        let body = || async {
            let began = self.history.begin();
            yield_now().await;
            began
        };
        let value = self.cache.get_or_set(KEY, TTL, body).await;
        self.history.check(floor, value);
        value
    }

    /// Call from a blocking thread.
    fn read_blocking(&self, refresh: bool) -> u64 {
        let floor = self.history.floor();
        let value = self.call_blocking(refresh, || {
            let began = self.history.begin();
            thread::yield_now();
            began
        });
        self.history.check(floor, value);
        value
    }

    /// Follow the steps of `read_sync`, whose `block_on` parks real threads.
    fn call_blocking(&self, refresh: bool, body: impl FnOnce() -> u64) -> u64 {
        let call = Call {
            cache: self.cache.clone(),
            origin: Origin::explicit("explored"),
            key: KEY.into(),
            version: 0,
            cache_none: true,
            options: ReadOptions::DEFAULT,
            owner: None,
            own_staleness: None,
            wait_limit: None,
            ttl: Some(TTL),
            refresh,
            due: None,
            audit: None,
            blocking: true,
        };
        let mut found = None;
        let decision = block_on(call.decide(&mut |payload, _| {
            found = payload.read::<u64>();
            found.is_some()
        }));
        match decision {
            Decision::Hit | Decision::Shared => found.expect("it was accepted"),
            Decision::Bypass => body(),
            Decision::Compute(lead) => lead_to_completion(&call, lead, body),
            _ => unreachable!("nothing is refreshed, and nothing is far"),
        }
    }

    /// Return the cached value, without computing it.
    fn look(&self) -> Option<u64> {
        let floor = self.history.floor();
        let value = block_on(self.cache.get::<u64>(KEY)).expect("memory can't fail");
        if let Some(value) = value {
            self.history.check(floor, value);
        }
        value
    }

    fn delete(&self) {
        self.history
            .voiding(|| block_on(self.cache.delete(KEY)).expect("memory can't fail"));
    }

    fn delete_pattern(&self, pattern: &str) {
        self.history
            .voiding(|| block_on(self.cache.delete_pattern(pattern)).expect("memory can't fail"));
    }

    fn set(&self) {
        self.history.voiding(|| {
            let value = self.history.tick();
            let note = |when| {
                let mut sets = self.history.sets.lock().expect("no panic under it");
                sets.insert(value, when);
            };
            note(u64::MAX);
            block_on(self.cache.set(KEY, &value, TTL)).expect("memory can't fail");
            note(self.history.tick());
        });
    }

    /// Check at the end that no stale value is left, and that the key is cached or can be computed.
    fn resolve(&self) {
        self.look();
        let value = self.read_blocking(false);
        assert_eq!(self.look(), Some(value));
        if let Some(store) = self.cache.inner().store.memory() {
            store.assert_consistent();
        }
    }
}

fn lead_to_completion(call: &Call, lead: Lead, body: impl FnOnce() -> u64) -> u64 {
    let value = lead.leader.run(body);
    let payload = Payload::typed(Arc::new(value));
    let plan = FillPlan::Memory {
        payload,
        ttl: TTL,
        took: Duration::ZERO,
        weight: 8,
    };
    let filling = call.fill(lead, plan);
    assert!(filling.is_none(), "memory fills at once");
    value
}

/// Run all closures concurrently, to the end.
fn together(threads: Vec<Box<dyn FnOnce() + Send>>) {
    let threads: Vec<_> = threads.into_iter().map(thread::spawn).collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
}

/// A thread's work on the world.
fn work(
    world: &FlightWorld,
    act: impl FnOnce(FlightWorld) + Send + 'static,
) -> Box<dyn FnOnce() + Send> {
    let world = world.clone();
    Box::new(move || act(world))
}

/// An async task's work, on shuttle's own scheduler for futures.
fn task<F: Future<Output = ()> + Send + 'static>(
    world: &FlightWorld,
    act: impl FnOnce(FlightWorld) -> F,
) -> shuttle::future::JoinHandle<()> {
    shuttle::future::spawn(act(world.clone()))
}
