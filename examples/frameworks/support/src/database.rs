use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

/// A note of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    pub id: u64,
    pub owner: String,
    pub text: String,
}

/// A stand-in for a database of notes. It counts its queries, and it can be down.
#[derive(Debug)]
pub struct Database {
    notes: Mutex<BTreeMap<u64, Note>>,
    queries: AtomicU64,
    down: AtomicBool,
}

/// The error of a query while the database is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Down;

impl fmt::Display for Down {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database is down")
    }
}

impl Error for Down {}

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
            down: AtomicBool::new(false),
        }
    }

    /// Find a note.
    ///
    /// # Errors
    ///
    /// [`Down`].
    pub async fn note(&self, id: u64) -> Result<Option<Note>, Down> {
        self.query(|notes| notes.get(&id).cloned()).await
    }

    /// List the notes of a user that contain a text.
    ///
    /// # Errors
    ///
    /// [`Down`].
    pub async fn notes_of(&self, owner: &str, text: &str) -> Result<Vec<Note>, Down> {
        let fits = |note: &&Note| note.owner == owner && note.text.contains(text);
        self.query(|notes| notes.values().filter(fits).cloned().collect())
            .await
    }

    /// Change the text of a note, and return the note.
    ///
    /// # Errors
    ///
    /// [`Down`].
    pub async fn edit(&self, id: u64, text: String) -> Result<Option<Note>, Down> {
        self.query(|notes| {
            let note = notes.get_mut(&id)?;
            note.text = text;
            Some(note.clone())
        })
        .await
    }

    /// Return the number of queries so far.
    pub fn queries(&self) -> u64 {
        self.queries.load(Ordering::SeqCst)
    }

    /// Let every query fail, or succeed again.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    async fn query<T>(&self, run: impl FnOnce(&mut BTreeMap<u64, Note>) -> T) -> Result<T, Down> {
        self.queries.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) {
            return Err(Down);
        }
        Ok(run(&mut self
            .notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)))
    }
}
