//! A savepoint of rusqlite that takes its patterns with it when it rolls back.

use std::fmt;
use std::ops::{Deref, DerefMut};

use ::rusqlite::Error;
use cache_runtime::{Invalidations, Transactional};

use super::Transaction;

/// A part of a transaction that can be rolled back alone. Created by [`Transaction::savepoint`].
///
/// It dereferences to its [`Transaction`], so a function that takes `&Transaction<'_>` takes
/// `&savepoint`, and `savepoint.savepoint()` nests. Dropped, it is rolled back, and the patterns
/// that were collected in it are forgotten.
///
/// ```
/// # use cache_runtime::{Cache, Transactional};
/// # use cache_sql::rusqlite::Db;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cache = Cache::builder().build()?;
/// # let db = Db::new(&cache);
/// # let mut connection = rusqlite::Connection::open_in_memory()?;
/// let mut tx = db.begin(&mut connection)?;
/// let mut savepoint = tx.savepoint()?;
/// savepoint.invalidations().add("posts:a:*");
/// drop(savepoint.savepoint()?);
/// savepoint.commit()?;
/// assert_eq!(tx.invalidations().patterns(), ["posts:a:*"]);
/// # Ok(())
/// # }
/// ```
pub struct Savepoint<'t, 'c> {
    outer: &'t mut Transaction<'c>,
    name: String,
    /// The collector's state when this began.
    point: cache_runtime::Savepoint,
    is_open: bool,
}

impl<'t, 'c> Savepoint<'t, 'c> {
    // By statements instead of rusqlite's own savepoint, which would borrow the transaction that
    // this dereferences to.
    pub(super) fn begin(outer: &'t mut Transaction<'c>) -> Result<Self, Error> {
        outer.savepoints += 1;
        let name = format!("cache_sql_{}", outer.savepoints);
        outer.execute_batch(&format!("SAVEPOINT {name}"))?;
        let point = outer.invalidations().savepoint();
        Ok(Self {
            outer,
            name,
            point,
            is_open: true,
        })
    }

    /// Keep the changes, as a part of the transaction around this: RELEASE. The patterns are
    /// invalidated when that commits.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::rusqlite::Db;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache);
    /// # let mut connection = rusqlite::Connection::open_in_memory()?;
    /// let mut tx = db.begin(&mut connection)?;
    /// let savepoint = tx.savepoint()?;
    /// savepoint.invalidations().add("posts:b:*");
    /// savepoint.commit()?;
    /// assert_eq!(tx.invalidations().patterns(), ["posts:b:*"]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of RELEASE. The changes and their patterns stay in the transaction.
    pub fn commit(mut self) -> Result<(), Error> {
        self.is_open = false;
        self.outer.execute_batch(&format!("RELEASE {}", self.name))
    }

    /// Undo the changes: ROLLBACK TO, then RELEASE. The patterns that were collected in this
    /// savepoint are forgotten.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::rusqlite::Db;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache);
    /// # let mut connection = rusqlite::Connection::open_in_memory()?;
    /// let mut tx = db.begin(&mut connection)?;
    /// let savepoint = tx.savepoint()?;
    /// savepoint.invalidations().add("posts:b:*");
    /// savepoint.rollback()?;
    /// assert!(tx.invalidations().is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of ROLLBACK TO: the changes and their patterns stay in the transaction.
    pub fn rollback(mut self) -> Result<(), Error> {
        self.undo()
    }

    fn undo(&mut self) -> Result<(), Error> {
        self.is_open = false;
        let name = &self.name;
        self.outer.execute_batch(&format!("ROLLBACK TO {name}"))?;
        self.invalidations().rollback_to(self.point);
        self.outer.execute_batch(&format!("RELEASE {name}"))
    }
}

impl Drop for Savepoint<'_, '_> {
    fn drop(&mut self) {
        if self.is_open {
            // If it fails, the changes and their patterns stay in the transaction.
            let _ = self.undo();
        }
    }
}

impl Transactional for Savepoint<'_, '_> {
    fn invalidations(&self) -> &Invalidations {
        self.outer.invalidations()
    }
}

impl<'c> Deref for Savepoint<'_, 'c> {
    type Target = Transaction<'c>;

    fn deref(&self) -> &Self::Target {
        self.outer
    }
}

impl DerefMut for Savepoint<'_, '_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.outer
    }
}

impl fmt::Debug for Savepoint<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Savepoint")
            .field("invalidations", self.invalidations())
            .finish_non_exhaustive()
    }
}
