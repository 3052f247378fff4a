//! Invalidations and explicit sets at any point of a call: no value whose computation began before
//! one is in the store, or returned to a caller that called after it returned. The checks are in
//! `FlightWorld`.

use shuttle::scheduler::UncontrolledNondeterminismCheckScheduler;

use super::*;

/// Run readers of every kind, twice each, so that the second call meets the result of the first,
/// against `others`.
pub(super) fn readers_against(limit: Duration, others: &[fn(&FlightWorld)]) {
    let world = FlightWorld::new(limit);
    let reader = task(&world, |world| async move {
        world.read().await;
        world.look();
        world.read().await;
    });
    let mut threads = vec![work(&world, |world| {
        world.read_blocking(false);
        world.look();
        world.read_blocking(false);
    })];
    for &other in others {
        threads.push(work(&world, move |world| other(&world)));
    }
    together(threads);
    block_on(reader).expect("not aborted");
    world.resolve();
}

/// Only the scheduler decides the order, otherwise a failure couldn't be replayed.
#[test]
fn a_scenario_repeats_under_the_same_schedule() {
    let twice = UncontrolledNondeterminismCheckScheduler::new(RandomScheduler::new(300));
    explore(twice, || {
        readers_against(IMPATIENT, &[FlightWorld::delete, FlightWorld::set]);
    });
}

#[test]
fn no_value_is_stale_after_an_invalidation_by_key() {
    explore_widely(4_000, || readers_against(PATIENT, &[FlightWorld::delete]));
}

#[test]
fn no_value_is_stale_after_an_invalidation_by_pattern() {
    for pattern in [0, 1] {
        explore_widely(2_000, move || {
            let by: fn(&FlightWorld) = match pattern {
                0 => |world| world.delete_pattern("posts:1:*"),
                _ => |world| world.delete_pattern("*"),
            };
            readers_against(PATIENT, &[by]);
        });
    }
}

#[test]
fn no_value_is_stale_after_two_invalidations_and_a_set() {
    explore_widely(4_000, || {
        let by_pattern: fn(&FlightWorld) = |world| world.delete_pattern("posts:*");
        readers_against(
            PATIENT,
            &[FlightWorld::delete, by_pattern, FlightWorld::set],
        );
    });
}

#[test]
fn no_value_is_stale_after_two_sets_and_an_invalidation() {
    explore_widely(4_000, || {
        readers_against(
            PATIENT,
            &[FlightWorld::set, FlightWorld::delete, FlightWorld::set],
        );
    });
}

/// A refresh replaces a flight; a call made after it returned gets nothing older than it.
#[test]
fn no_value_is_stale_after_a_refresh_and_an_invalidation() {
    explore_widely(4_000, || {
        let refresh: fn(&FlightWorld) = |world| {
            world.history.voiding(|| world.read_blocking(true));
        };
        readers_against(PATIENT, &[refresh, FlightWorld::delete]);
    });
}

/// Of two refreshes the later one stores, so the earlier may return while the stored value is older
/// than both; but nothing outlives the invalidation.
#[test]
fn no_value_is_stale_after_two_refreshes_and_an_invalidation() {
    explore_widely(4_000, || {
        let refresh: fn(&FlightWorld) = |world| {
            world.read_blocking(true);
        };
        readers_against(PATIENT, &[refresh, FlightWorld::delete, refresh]);
    });
}

/// A waiter that gives up runs the body without touching the store.
#[test]
fn no_value_is_stale_if_waiters_time_out_during_invalidations() {
    explore(RandomScheduler::new(4_000), || {
        let by_pattern: fn(&FlightWorld) = |world| world.delete_pattern("posts:*");
        readers_against(IMPATIENT, &[FlightWorld::delete, by_pattern]);
    });
}

/// Dropped leaders leave nothing behind that would affect an invalidation or a later call.
#[test]
fn no_value_is_stale_if_leaders_are_dropped_during_an_invalidation() {
    explore_widely(4_000, || {
        let world = FlightWorld::new(PATIENT);
        let read = |world: FlightWorld| async move {
            world.read().await;
            world.read().await;
        };
        let (gone, stays) = (task(&world, read), task(&world, read));
        let deletes = work(&world, |world| world.delete());
        let aborts = Box::new(move || {
            gone.abort();
            let _ = block_on(gone);
        });
        together(vec![deletes, aborts]);
        block_on(stays).expect("not aborted");
        world.resolve();
    });
}
