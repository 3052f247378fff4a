//! The smallest cases, in every possible order.

use shuttle::scheduler::DfsScheduler;

use super::*;
use crate::flight::{Flights, JoinOutcome, Leader, Stance, Wait, WaitOutcome};
use crate::store::memory::{Entry, Eviction, MemoryStore};

/// Far more than the cases have, so that the search is never cut off: the number of orders is
/// asserted.
const MAX_SCHEDULES: usize = 500_000;

fn explore_all(scenario: impl Fn() + Send + Sync + 'static) {
    let orders = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&orders);
    explore(DfsScheduler::new(Some(MAX_SCHEDULES), false), move || {
        counted.fetch_add(1, Ordering::SeqCst);
        scenario();
    });
    let orders = orders.load(Ordering::SeqCst);
    assert!(
        (10..MAX_SCHEDULES as u64).contains(&orders),
        "{orders} orders"
    );
    println!("{orders} orders");
}

fn lead(flights: &Arc<Flights>) -> Leader {
    match flights.join_or_lead(&KEY.into(), true, |_| Stance::Join, || None::<()>) {
        JoinOutcome::Lead(leader) => leader,
        _ => panic!("there is no flight yet"),
    }
}

fn wait(flights: &Arc<Flights>) -> Wait {
    match flights.join_or_lead(&KEY.into(), true, |_| Stance::Join, || None::<()>) {
        JoinOutcome::Join(flight) => Wait::new(flight, PATIENT, false),
        _ => panic!("there is a flight"),
    }
}

fn entry() -> Entry {
    Entry {
        payload: Payload::Nothing,
        version: 0,
        fresh_until: crate::clock::NEVER,
        expires: crate::clock::NEVER,
        compute: Duration::ZERO,
        paused_until: 0,
        stored: 0,
        bytes: 0,
        owned: None,
    }
}

/// A waiter sees the outcome, whether it starts to wait before or after the flight ends.
#[test]
fn a_waiter_sees_the_completion_in_every_order() {
    explore_all(|| {
        let flights = Arc::new(Flights::new());
        let leader = lead(&flights);
        let waiting = wait(&flights);
        let completion = thread::spawn(move || leader.complete(Payload::Nothing, 0, |_, _| ()));
        assert!(matches!(block_on(waiting), WaitOutcome::Completed(..)));
        assert!(completion.join().expect("no panic").is_some());
    });
}

#[test]
fn a_waiter_sees_a_dropped_leader_in_every_order() {
    explore_all(|| {
        let flights = Arc::new(Flights::new());
        let leader = lead(&flights);
        let waiting = wait(&flights);
        let dropping = thread::spawn(move || drop(leader));
        assert!(matches!(block_on(waiting), WaitOutcome::Failed));
        // A waiter that sees the failure finds the table free.
        drop(lead(&flights));
        dropping.join().expect("no panic");
    });
}

/// A fill comes before the invalidation, which removes it, or not at all.
fn a_fill_and(invalidate: impl Fn(&Flights, &MemoryStore) + Send + Sync + 'static) {
    explore_all(move || {
        let flights = Arc::new(Flights::new());
        let store = Arc::new(MemoryStore::new(4 << 20, Eviction::HitRatio));
        let leader = lead(&flights);
        let filled = Arc::clone(&store);
        let completion = thread::spawn(move || {
            let fill = |key: &str, payload| {
                let entry = Entry { payload, ..entry() };
                filled.insert(key, entry, 0)
            };
            leader.complete(Payload::Nothing, 0, fill).is_some()
        });
        invalidate(&flights, &store);
        completion.join().expect("no panic");
        assert!(store.get(KEY, 0).is_none(), "stale");
        drop(lead(&flights));
    });
}

#[test]
fn an_invalidation_by_key_removes_or_prevents_a_fill_in_every_order() {
    a_fill_and(|flights, store| {
        flights.invalidate_key(KEY, || store.take(KEY));
    });
}

/// In the order of `Cache::invalidate`.
#[test]
fn an_invalidation_by_pattern_removes_or_prevents_a_fill_in_every_order() {
    let pattern = crate::pattern::Pattern::new("posts:*");
    a_fill_and(move |flights, store| {
        flights.invalidate_matching(&pattern);
        store.remove_matching(&pattern, 0);
    });
}
