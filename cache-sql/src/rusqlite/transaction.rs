//! A transaction of rusqlite that collects invalidations.

use std::fmt;
use std::ops::Deref;

use ::rusqlite::Error;
use cache_runtime::{Invalidations, Transactional};

use super::Savepoint;
use super::db::Hook;
use crate::commit::{Collector, Config};
use crate::outcome::is_refusal_code;

/// A transaction of rusqlite. The patterns that are collected in it are invalidated after COMMIT,
/// each once. Dropped, it is rolled back and invalidates nothing.
///
/// It dereferences to [`rusqlite::Transaction`](::rusqlite::Transaction), and so to the connection.
/// `#[invalidate(.., tx = tx)]` collects in it, and `#[cacheable(.., tx = tx)]` runs uncached while
/// it is open. Functions take `&Transaction<'_>`, and then a [`Savepoint`], too.
///
/// ```
/// use cache_runtime::{Cache, Transactional};
/// use cache_sql::rusqlite::{Db, Transaction};
///
/// fn rename(tx: &Transaction<'_>, slug: &str) -> rusqlite::Result<()> {
///     tx.execute("UPDATE posts SET title = 'B' WHERE slug = ?", [slug])?;
///     tx.invalidations().add("posts:*"); // or #[invalidate(.., tx = tx)]
///     Ok(())
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cache = Cache::builder().build()?;
/// # let db = Db::new(&cache);
/// # let mut connection = rusqlite::Connection::open_in_memory()?;
/// # connection.execute_batch("CREATE TABLE posts (slug TEXT, title TEXT)")?;
/// let tx = db.begin(&mut connection)?;
/// rename(&tx, "a")?;
/// tx.commit()?; // COMMIT, then all patterns
/// # Ok(())
/// # }
/// ```
pub struct Transaction<'c> {
    inner: ::rusqlite::Transaction<'c>,
    collector: Collector,
    hook: Option<Hook>,
    /// The number of savepoints begun, for their names.
    pub(super) savepoints: u64,
}

impl<'c> Transaction<'c> {
    pub(super) fn new(
        inner: ::rusqlite::Transaction<'c>,
        config: &Config,
        hook: Option<Hook>,
    ) -> Self {
        Self {
            inner,
            collector: Collector::new(config),
            hook,
            savepoints: 0,
        }
    }

    /// Commit, then invalidate the collected patterns. Blocks for both.
    ///
    /// A failure of the cache isn't the caller's: the cache logs it and replays the invalidation.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::rusqlite::Db;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache);
    /// # let mut connection = rusqlite::Connection::open_in_memory()?;
    /// cache.blocking().set("posts:a", "old", 60)?;
    /// let tx = db.begin(&mut connection)?;
    /// tx.invalidations().add("posts:a:*");
    /// tx.commit()?;
    /// assert!(!cache.blocking().exists("posts:a")?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of COMMIT. If it proves that nothing was committed (a constraint, a busy database),
    /// nothing is invalidated. Otherwise, as after an I/O error, the outcome is unknown: the
    /// patterns are invalidated before this returns, and again after 1 and 10 seconds.
    pub fn commit(self) -> Result<(), Error> {
        let Self {
            inner,
            mut collector,
            hook,
            ..
        } = self;
        if collector.is_idle() {
            return inner.commit();
        }
        collector.before_commit_blocking(hook.as_deref(), &*inner)?;
        collector.commit_blocking(|| inner.commit(), is_refusal)
    }

    /// Roll back, and forget the collected patterns.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::rusqlite::Db;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache);
    /// # let mut connection = rusqlite::Connection::open_in_memory()?;
    /// cache.blocking().set("posts:a", "current", 60)?;
    /// let tx = db.begin(&mut connection)?;
    /// tx.invalidations().add("posts:a:*");
    /// tx.rollback()?;
    /// assert!(cache.blocking().exists("posts:a")?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of ROLLBACK.
    pub fn rollback(self) -> Result<(), Error> {
        self.inner.rollback()
    }

    /// Begin a savepoint: a part of the transaction that can be rolled back alone, with the patterns
    /// that were collected in it. Savepoints nest.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::rusqlite::Db;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache);
    /// # let mut connection = rusqlite::Connection::open_in_memory()?;
    /// let mut tx = db.begin(&mut connection)?;
    /// tx.invalidations().add("posts:a:*");
    /// let savepoint = tx.savepoint()?;
    /// savepoint.invalidations().add("posts:b:*");
    /// savepoint.rollback()?;
    /// assert_eq!(tx.invalidations().patterns(), ["posts:a:*"]);
    /// tx.commit()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of SAVEPOINT.
    pub fn savepoint(&mut self) -> Result<Savepoint<'_, 'c>, Error> {
        Savepoint::begin(self)
    }
}

/// Whether the error of COMMIT proves that nothing was committed.
fn is_refusal(error: &Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code.is_some_and(|code| is_refusal_code(&code.to_string()))
}

impl Transactional for Transaction<'_> {
    fn invalidations(&self) -> &Invalidations {
        self.collector.invalidations()
    }
}

impl<'c> Deref for Transaction<'c> {
    type Target = ::rusqlite::Transaction<'c>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("invalidations", self.collector.invalidations())
            .finish_non_exhaustive()
    }
}
