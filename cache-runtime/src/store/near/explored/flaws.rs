//! Flaws built in on purpose, which the exploration must find: proof that its passing elsewhere is
//! meaningful.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::*;

/// Explore a scenario that must fail, and return its failure.
fn failure_of(acts: &'static [fn(&NearWorld)]) -> String {
    let explored = catch_unwind(AssertUnwindSafe(|| {
        explore(RandomScheduler::new(8_000), || together(acts));
    }));
    let panic = explored.expect_err("the flaw wasn't found");
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast::<&str>().expect("a message").to_string(),
    }
}

#[track_caller]
fn finds_staleness(acts: &'static [fn(&NearWorld)]) {
    let failure = failure_of(acts);
    assert!(failure.contains("stale"), "{failure}");
}

/// Store a value without checking its note.
#[test]
fn finds_an_entry_stored_without_checking_its_note() {
    fn blind(world: &NearWorld) {
        if let Some(note) = world.note() {
            let version = world.ask();
            let entry = note.entry(&HEADER, MILLIS, 8, payload(version));
            drop(note.insert(entry));
        }
    }
    finds_staleness(&[blind, elsewhere]);
    finds_staleness(&[blind, by_key]);
}

/// The push arrives before the note is made, and has nothing to cancel.
#[test]
fn finds_a_note_made_after_the_reply() {
    fn late(world: &NearWorld) {
        let version = world.ask();
        if let Some(note) = world.note() {
            note.enter(&HEADER, MILLIS, 8, payload(version));
        }
    }
    finds_staleness(&[late, elsewhere]);
}

/// An entry stored in between stays.
#[test]
fn finds_an_invalidation_that_voids_entries_before_notes() {
    fn backwards(world: &NearWorld) {
        world.invalidate(|near| {
            let pattern = Pattern::new("posts:*");
            near.entries.remove_matching(&pattern, near.now());
            for shard in &near.notes {
                lock(shard).retain(|key, _| !pattern.matches(key.as_bytes()));
            }
        });
    }
    finds_staleness(&[twice, backwards]);
}

/// A value fetched in between is stored.
#[test]
fn finds_an_invalidation_that_voids_before_the_servers_reply() {
    fn early(world: &NearWorld) {
        drop(world.near.void(KEY));
        let version = world.change();
        world.finds_nothing_older_than(version);
    }
    finds_staleness(&[NearWorld::fetch, early]);
}

/// The value of a fetch from before the fill is stored after it, and the server sends no push about
/// that.
#[test]
fn finds_a_fill_that_cancels_no_fetch() {
    fn gentle(world: &NearWorld) {
        let Some(note) = world.note() else {
            return;
        };
        let mut server = lock(&world.server);
        server.version += 1;
        server.tracked = true;
        let version = server.version;
        drop(server);
        note.enter(&HEADER, MILLIS, 8, payload(version));
    }
    finds_staleness(&[NearWorld::fetch, gentle]);
}

/// A value noted during the term is stored after its end.
#[test]
fn finds_an_end_of_a_term_that_keeps_its_notes() {
    fn half(world: &NearWorld) {
        let mut server = lock(&world.server);
        server.tracked = false;
        server.version += 1;
        drop(server);
        drop(world.near.entries.clear());
    }
    finds_staleness(&[NearWorld::fetch, half]);
}
