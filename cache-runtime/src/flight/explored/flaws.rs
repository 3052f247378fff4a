//! Flaws built in on purpose, which the exploration must find: proof that its passing elsewhere is
//! meaningful.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;
use crate::pattern::Pattern;

/// Explore a scenario that must fail, and return its failure.
fn failure_of(scenario: impl Fn() + Send + Sync + 'static) -> String {
    let explored = catch_unwind(AssertUnwindSafe(|| {
        explore(RandomScheduler::new(4_000), scenario);
    }));
    let panic = explored.expect_err("the flaw wasn't found");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast::<&str>().expect("a message").to_string(),
    }
}

/// The same scenario that passes elsewhere.
fn readers_and(invalidate: fn(&FlightWorld)) {
    stale::readers_against(PATIENT, &[invalidate]);
}

/// Guard that enables a flaw on this thread until dropped.
struct FillsBlindly;

impl FillsBlindly {
    fn new() -> Self {
        FILLS_BLINDLY.set(true);
        Self
    }
}

impl Drop for FillsBlindly {
    fn drop(&mut self) {
        FILLS_BLINDLY.set(false);
    }
}

#[test]
fn finds_a_fill_that_does_not_check_that_its_flight_is_in_the_table() {
    let flawed = FillsBlindly::new();
    let by_key = failure_of(|| readers_and(FlightWorld::delete));
    assert!(by_key.contains("stale"), "{by_key}");
    let by_pattern = failure_of(|| readers_and(|world| world.delete_pattern("posts:*")));
    assert!(by_pattern.contains("stale"), "{by_pattern}");
    let by_set = failure_of(|| readers_and(FlightWorld::set));
    assert!(by_set.contains("stale"), "{by_set}");
    drop(flawed);
}

/// An entry filled between the two steps stays.
#[test]
fn finds_an_invalidation_that_empties_the_store_before_the_table() {
    let found = failure_of(|| {
        readers_and(|world| {
            let inner = world.cache.inner();
            let (store, pattern) = (inner.store.memory(), Pattern::new("posts:*"));
            world.history.voiding(|| {
                store.map(|store| store.remove_matching(&pattern, inner.clock.now()));
                inner.flights.invalidate_matching(&pattern);
            });
        });
    });
    assert!(found.contains("stale"), "{found}");
}

/// A caller that joins a flight from before the invalidation gets its value afterwards.
#[test]
fn finds_an_invalidation_that_leaves_flights_in_the_table() {
    let found = failure_of(|| {
        readers_and(|world| {
            let inner = world.cache.inner();
            let store = inner.store.memory();
            world.history.voiding(|| store.map(|store| store.take(KEY)));
        });
    });
    assert!(found.contains("stale"), "{found}");
}

#[test]
fn finds_a_leader_that_never_completes() {
    let found = failure_of(|| {
        let world = FlightWorld::new(PATIENT);
        let flights = &world.cache.inner().flights;
        std::mem::forget(flights.supersede(&KEY.into(), false));
        world.read_blocking(false);
    });
    assert!(found.contains("deadlock"), "{found}");
}
