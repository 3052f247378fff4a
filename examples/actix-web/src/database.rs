//! A stand-in for a database of notes, which counts its queries.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use actix_web::ResponseError;
use actix_web::http::StatusCode;
use actix_web::rt::task::yield_now;
use serde::{Deserialize, Serialize};

/// A note of a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Note {
    pub(crate) id: u64,
    pub(crate) owner: String,
    pub(crate) text: String,
}

/// The notes. A query can be slow, or fail.
#[derive(Debug)]
pub struct Database {
    notes: Mutex<BTreeMap<u64, Note>>,
    queries: AtomicU64,
    is_down: AtomicBool,
    is_held: AtomicBool,
}

/// The error of a query while the database is down. Answers 503.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Down;

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database is down")
    }
}

impl ResponseError for Down {
    fn status_code(&self) -> StatusCode {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

impl Database {
    /// Open a database with three notes: two of ada and one of grace.
    pub fn open() -> Self {
        let rows = [
            (1, "ada", "Weave algebra."),
            (2, "ada", "Buy punch cards."),
            (3, "grace", "Look for moths."),
        ];
        let note = |(id, owner, text): (u64, &str, &str)| {
            let (owner, text) = (owner.to_owned(), text.to_owned());
            (id, Note { id, owner, text })
        };
        Self {
            notes: Mutex::new(rows.map(note).into()),
            queries: AtomicU64::new(0),
            is_down: AtomicBool::new(false),
            is_held: AtomicBool::new(false),
        }
    }

    /// Return the number of queries so far.
    pub fn queries(&self) -> u64 {
        self.queries.load(Ordering::SeqCst)
    }

    /// Let every query fail, or succeed again.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Let no query end, or let all go on.
    pub fn hold(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::SeqCst);
    }

    pub(crate) async fn note(&self, id: u64) -> Result<Option<Note>, Down> {
        self.query(|notes| notes.get(&id).cloned()).await
    }

    /// List the notes of a user that contain a text.
    pub(crate) async fn notes_of(&self, owner: &str, text: &str) -> Result<Vec<Note>, Down> {
        let fits = |note: &&Note| note.owner == owner && note.text.contains(text);
        self.query(|notes| notes.values().filter(fits).cloned().collect())
            .await
    }

    /// Change the text of a note, and return the note.
    pub(crate) async fn edit(&self, id: u64, text: String) -> Result<Option<Note>, Down> {
        self.query(|notes| {
            let note = notes.get_mut(&id)?;
            note.text = text;
            Some(note.clone())
        })
        .await
    }

    async fn query<T>(&self, run: impl FnOnce(&mut BTreeMap<u64, Note>) -> T) -> Result<T, Down> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        while self.is_held.load(Ordering::SeqCst) {
            yield_now().await;
        }
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Down);
        }
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(run(&mut notes))
    }
}
