#![allow(clippy::unwrap_used)]

use sea_orm::{ConnectionTrait, DatabaseConnection};
use support::hits_and_misses;

use super::{edit, hand_over, note, notes_of, open};

async fn texts(db: &DatabaseConnection, owner: &str, text: &str) -> Vec<String> {
    let notes = notes_of(db, owner, text).await.unwrap();
    notes.into_iter().map(|note| note.text).collect()
}

async fn text(db: &DatabaseConnection, id: i32) -> String {
    note(db, id).await.unwrap().unwrap().text
}

#[tokio::test]
async fn the_second_read_is_a_hit() {
    let (cache, db) = (support::cache("sea-orm-a").unwrap(), open().await.unwrap());
    cache
        .scope(async {
            let first = note(&db, 1).await.unwrap();
            assert_eq!(first.as_ref().unwrap().text, "Weave algebra.");
            // A change that the cache isn't told of: only a hit returns the old text.
            db.execute_unprepared("UPDATE notes SET text = ''")
                .await
                .unwrap();
            assert_eq!(note(&db, 1).await.unwrap(), first);
        })
        .await;
    assert_eq!(hits_and_misses(&cache, "note"), (1, 1));
}

#[tokio::test]
async fn each_user_and_each_text_has_a_list() {
    let (cache, db) = (support::cache("sea-orm-b").unwrap(), open().await.unwrap());
    cache
        .scope(async {
            for _ in 0..2 {
                assert_eq!(texts(&db, "ada", "algebra").await, ["Weave algebra."]);
                assert_eq!(texts(&db, "ada", "punch").await, ["Buy punch cards."]);
                assert!(texts(&db, "grace", "algebra").await.is_empty());
                assert_eq!(texts(&db, "grace", "moth").await, ["Look for moths."]);
            }
        })
        .await;
    assert_eq!(hits_and_misses(&cache, "notes_of"), (4, 4));
}

#[tokio::test]
async fn a_write_removes_what_it_changes_and_nothing_else() {
    let (cache, db) = (support::cache("sea-orm-c").unwrap(), open().await.unwrap());
    cache
        .scope(async {
            for id in [1, 2] {
                text(&db, id).await;
            }
            texts(&db, "ada", "").await;
            edit(&db, 1, "Weave flowers.".to_owned()).await.unwrap();
            assert_eq!(text(&db, 1).await, "Weave flowers.");
            assert_eq!(text(&db, 2).await, "Buy punch cards.");
            let expected = ["Weave flowers.", "Buy punch cards."];
            assert_eq!(texts(&db, "ada", "").await, expected);
        })
        .await;
    assert_eq!(hits_and_misses(&cache, "note"), (1, 3));
    assert_eq!(hits_and_misses(&cache, "notes_of"), (0, 2));
}

#[tokio::test]
async fn a_transaction_invalidates_if_it_commits() {
    let (cache, db) = (support::cache("sea-orm-d").unwrap(), open().await.unwrap());
    let owner = async || note(&db, 1).await.unwrap().unwrap().owner;
    cache
        .scope(async {
            assert_eq!(owner().await, "ada");
            hand_over(&db, "nobody", "grace").await.unwrap_err();
            assert_eq!(owner().await, "ada");
            assert_eq!(hits_and_misses(&cache, "note"), (1, 1));
            assert_eq!(hand_over(&db, "ada", "grace").await, Ok(2));
            assert_eq!(owner().await, "grace");
            assert_eq!(hits_and_misses(&cache, "note"), (1, 2));
        })
        .await;
}

#[tokio::test]
async fn neither_an_error_nor_a_missing_note_is_cached() {
    let (cache, db) = (support::cache("sea-orm-e").unwrap(), open().await.unwrap());
    cache
        .scope(async {
            db.execute_unprepared("ALTER TABLE notes RENAME TO away")
                .await
                .unwrap();
            note(&db, 1).await.unwrap_err();
            db.execute_unprepared("ALTER TABLE away RENAME TO notes")
                .await
                .unwrap();
            assert!(note(&db, 1).await.unwrap().is_some());
            for _ in 0..2 {
                assert!(note(&db, 99).await.unwrap().is_none());
            }
        })
        .await;
    assert_eq!(hits_and_misses(&cache, "note"), (0, 4));
}
