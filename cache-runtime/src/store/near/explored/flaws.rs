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

/// Enter a value whatever became of its note.
#[test]
fn an_entry_without_a_look_at_the_note() {
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

/// The push came before the note, and had nothing to cancel.
#[test]
fn a_note_that_is_made_when_the_reply_is_there() {
    fn late(world: &NearWorld) {
        let version = world.ask();
        if let Some(note) = world.note() {
            note.enter(&HEADER, MILLIS, 8, payload(version));
        }
    }
    finds_staleness(&[late, elsewhere]);
}

/// An entry added in between stays.
#[test]
fn an_invalidation_that_voids_entries_before_notes() {
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

/// A value fetched in between enters.
#[test]
fn an_invalidation_that_voids_before_the_server_has_answered() {
    fn early(world: &NearWorld) {
        drop(world.near.void(KEY));
        let version = world.change();
        world.finds_nothing_older_than(version);
    }
    finds_staleness(&[NearWorld::fetch, early]);
}

/// A fetch from before the fill enters after it, and the server sends no message about that.
#[test]
fn a_fill_that_cancels_no_fetch() {
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

/// A value noted in the term enters after its end.
#[test]
fn a_term_that_ends_with_its_entries_and_not_with_its_notes() {
    fn half(world: &NearWorld) {
        let mut server = lock(&world.server);
        server.tracked = false;
        server.version += 1;
        drop(server);
        drop(world.near.entries.clear());
    }
    finds_staleness(&[NearWorld::fetch, half]);
}
