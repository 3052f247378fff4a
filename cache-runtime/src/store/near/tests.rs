use super::*;
use crate::entry::{self, Facts};

const SILENCE: Duration = Duration::from_secs(60);

fn near() -> (Arc<NearCache>, u64) {
    let near = Arc::new(NearCache::new(1 << 20, Eviction::HitRatio));
    let term = near.begin();
    assert!(near.trust(term, near.now(), SILENCE));
    (near, term)
}

fn note(near: &Arc<NearCache>, key: &str, term: u64) -> Note {
    near.note(&key.into(), term).expect("the term lasts")
}

fn header(grace: u64) -> Header {
    let facts = Facts {
        grace,
        ..Facts::default()
    };
    let bytes = entry::encode(
        "value",
        &facts,
        &entry::Encoding::default(),
        entry::incomparable,
    )
    .expect("text is encoded");
    entry::inspect(&bytes.bytes).expect("it is an entry")
}

fn enter(note: Note) {
    note.enter(&header(0), 60_000, 10, Payload::Nothing);
}

/// Fill with a value of this size.
fn replace(note: Note, bytes: usize) {
    note.replace(&header(0), 60_000, bytes, Payload::Nothing);
}

fn weight(near: &NearCache) -> u64 {
    near.size().1
}

/// Return the weight of an entry of this size.
fn weight_of(key: &str, bytes: usize) -> u64 {
    let (alone, term) = near();
    note(&alone, key, term).enter(&header(0), 60_000, bytes, Payload::Nothing);
    weight(&alone)
}

fn holds(near: &NearCache, key: &str) -> bool {
    near.usable()
        .is_some_and(|(entries, now)| entries.get(key, now).is_some())
}

fn notes(near: &NearCache) -> usize {
    near.notes.iter().map(|shard| lock(shard).len()).sum()
}

#[test]
fn a_fetched_value_is_stored_and_its_note_is_removed() {
    let (near, term) = near();
    enter(note(&near, "a", term));
    assert!(holds(&near, "a"));
    assert_eq!(notes(&near), 0);
}

#[test]
fn a_push_cancels_a_running_fetch_and_removes_a_stored_entry() {
    let (near, term) = near();
    let (first, second) = (note(&near, "a", term), note(&near, "a", term));
    near.void("a");
    enter(first);
    assert!(!holds(&near, "a"), "the fetch may precede the change");
    let third = note(&near, "a", term);
    enter(second);
    assert!(!holds(&near, "a"), "a later fetch doesn't vouch for it");
    enter(third);
    assert!(holds(&near, "a"));
    near.void("a");
    assert!(!holds(&near, "a"));
    assert_eq!(notes(&near), 0);
}

#[test]
fn a_value_fetched_before_a_fill_does_not_replace_the_filled_one() {
    let (near, term) = near();
    let (fetch, fill) = (note(&near, "a", term), note(&near, "a", term));
    replace(fill, 2);
    fetch.enter(&header(0), 60_000, 10, Payload::Nothing);
    assert_eq!(weight(&near), weight_of("a", 2), "the fetch came late");
    // A fill that was voided before it was stored. The server sends no push about it, so it must
    // cancel fetches nevertheless.
    let fill = note(&near, "a", term);
    drop(near.void("a"));
    let fetch = note(&near, "a", term);
    replace(fill, 2);
    enter(fetch);
    assert!(!holds(&near, "a"));
    assert_eq!(notes(&near), 0);
}

#[test]
fn a_pattern_cancels_only_matching_fetches_and_entries() {
    let (near, term) = near();
    let (matched, other) = (note(&near, "posts:1", term), note(&near, "users:1", term));
    enter(note(&near, "posts:2", term));
    near.void_matching(&Pattern::new("posts:*"));
    enter(matched);
    enter(other);
    assert!(!holds(&near, "posts:1") && !holds(&near, "posts:2"));
    assert!(holds(&near, "users:1"));
}

#[test]
fn the_end_of_a_connections_term_empties_the_store_and_cancels_its_fetches() {
    let (near, term) = near();
    enter(note(&near, "a", term));
    let old = note(&near, "b", term);
    assert!(near.end(term).is_some());
    assert!(near.end(term).is_none(), "the term has ended already");
    assert!(near.usable().is_none());
    assert!(!near.trust(term, near.now(), SILENCE), "a late heartbeat");
    assert!(near.note(&"c".into(), term).is_none());
    let next = near.begin();
    assert!(
        near.usable().is_none(),
        "no heartbeat has been answered yet"
    );
    assert!(near.trust(next, near.now(), SILENCE));
    assert!(!holds(&near, "a"));
    let new = note(&near, "b", next);
    enter(old);
    assert!(!holds(&near, "b"));
    enter(new);
    assert!(holds(&near, "b"));
}

#[test]
fn trust_counts_from_when_the_heartbeat_was_sent() {
    let (near, term) = near();
    enter(note(&near, "a", term));
    // The heartbeat was sent long ago, so its reply proves nothing about the present.
    near.trust(term, 1, Duration::from_nanos(1));
    assert!(near.usable().is_none());
    near.trust(term, near.now(), SILENCE);
    assert!(holds(&near, "a"), "nothing was lost: no message was");
}

#[test]
fn an_entry_expires_when_it_does_in_redis_and_is_fresh_until_its_grace() {
    let (near, term) = near();
    note(&near, "short", term).enter(&header(0), 0, 10, Payload::Nothing);
    assert!(!holds(&near, "short"));
    note(&near, "stale", term).enter(&header(60_000), 60_000, 10, Payload::Nothing);
    assert!(!holds(&near, "stale"), "it is all grace");
    let (entries, now) = near.usable().expect("the near cache is trusted");
    assert!(entries.get_stale("stale", now).is_some());
}

#[test]
fn the_near_cache_is_bounded_by_bytes() {
    let (near, term) = near();
    for id in 0..10_000 {
        let note = note(&near, &format!("posts:{id}"), term);
        note.enter(&header(0), 60_000, 1_000, Payload::Nothing);
    }
    let (entries, bytes) = near.size();
    assert!(entries > 500 && bytes <= 1 << 20, "{entries} {bytes}");
}
