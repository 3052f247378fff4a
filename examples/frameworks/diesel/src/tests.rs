#![allow(clippy::unwrap_used)]

use diesel::prelude::*;
use support::hits_and_misses;

use super::{Note, edit, hand_over, note, notes_of, open};

fn texts(notes: Vec<Note>) -> Vec<String> {
    notes.into_iter().map(|note| note.text).collect()
}

#[test]
fn the_second_read_is_a_hit() {
    let (cache, connection) = (support::cache("diesel-a").unwrap(), &mut open().unwrap());
    cache.scope_sync(|| {
        let first = note(connection, 1).unwrap();
        assert_eq!(first.as_ref().unwrap().text, "Weave algebra.");
        // A change that the cache isn't told of: only a hit returns the old text.
        diesel::sql_query("UPDATE notes SET text = ''")
            .execute(connection)
            .unwrap();
        assert_eq!(note(connection, 1).unwrap(), first);
    });
    assert_eq!(hits_and_misses(&cache, "note"), (1, 1));
}

#[test]
fn each_user_and_each_text_has_a_list() {
    let (cache, connection) = (support::cache("diesel-b").unwrap(), &mut open().unwrap());
    cache.scope_sync(|| {
        for _ in 0..2 {
            for (owner, text, expected) in [
                ("ada", "algebra", vec!["Weave algebra."]),
                ("ada", "punch", vec!["Buy punch cards."]),
                ("grace", "algebra", vec![]),
                ("grace", "moth", vec!["Look for moths."]),
            ] {
                let found = notes_of(connection, owner, text).unwrap();
                assert_eq!(texts(found), expected);
            }
        }
    });
    assert_eq!(hits_and_misses(&cache, "notes_of"), (4, 4));
}

fn read(connection: &mut SqliteConnection) -> (String, String, Vec<String>) {
    let (one, two) = (note(connection, 1).unwrap(), note(connection, 2).unwrap());
    let of_ada = notes_of(connection, "ada", "").unwrap();
    (one.unwrap().text, two.unwrap().text, texts(of_ada))
}

#[test]
fn a_write_removes_what_it_changes_and_nothing_else() {
    let (cache, connection) = (support::cache("diesel-c").unwrap(), &mut open().unwrap());
    cache.scope_sync(|| {
        read(connection);
        edit(connection, 1, "Weave flowers.").unwrap().unwrap();
        let (one, two, of_ada) = read(connection);
        assert_eq!((&*one, &*two), ("Weave flowers.", "Buy punch cards."));
        assert_eq!(of_ada, ["Weave flowers.", "Buy punch cards."]);
    });
    assert_eq!(hits_and_misses(&cache, "note"), (1, 3));
    assert_eq!(hits_and_misses(&cache, "notes_of"), (0, 2));
}

#[test]
fn a_transaction_invalidates_if_it_commits() {
    let (cache, connection) = (support::cache("diesel-d").unwrap(), &mut open().unwrap());
    cache.scope_sync(|| {
        let owner =
            |connection: &mut SqliteConnection| note(connection, 1).unwrap().map(|note| note.owner);
        assert_eq!(owner(connection).as_deref(), Some("ada"));
        hand_over(connection, "nobody", "grace").unwrap_err();
        assert_eq!(owner(connection).as_deref(), Some("ada"));
        assert_eq!(hits_and_misses(&cache, "note"), (1, 1));
        assert_eq!(hand_over(connection, "ada", "grace"), Ok(2));
        assert_eq!(owner(connection).as_deref(), Some("grace"));
        assert_eq!(hits_and_misses(&cache, "note"), (1, 2));
    });
}

#[test]
fn neither_an_error_nor_a_missing_note_is_cached() {
    let (cache, connection) = (support::cache("diesel-e").unwrap(), &mut open().unwrap());
    cache.scope_sync(|| {
        diesel::sql_query("ALTER TABLE notes RENAME TO away")
            .execute(connection)
            .unwrap();
        note(connection, 1).unwrap_err();
        diesel::sql_query("ALTER TABLE away RENAME TO notes")
            .execute(connection)
            .unwrap();
        assert!(note(connection, 1).unwrap().is_some());
        assert!(note(connection, 99).unwrap().is_none());
        assert!(note(connection, 99).unwrap().is_none());
    });
    assert_eq!(hits_and_misses(&cache, "note"), (0, 4));
}
