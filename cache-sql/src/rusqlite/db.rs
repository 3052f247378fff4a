//! A database of rusqlite whose transactions invalidate.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use ::rusqlite::{Connection, DropBehavior, TransactionBehavior};
use cache_runtime::Cache;

use super::Transaction;
use crate::commit::{BeforeCommitBlocking, Config};
use crate::settle::Settle;

/// A cache, for transactions of rusqlite that invalidate after COMMIT. A clone costs some reference
/// counts, and one serves any number of connections of one database, such as those of a pool.
///
/// ```
/// use cache_runtime::{Cache, Transactional};
/// use cache_sql::rusqlite::Db;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cache = Cache::builder().build()?;
/// let db = Db::new(&cache);
/// let mut connection = rusqlite::Connection::open_in_memory()?;
/// let tx = db.begin(&mut connection)?;
/// tx.invalidations().add("posts:*");
/// tx.commit()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Db {
    pub(super) config: Config,
    pub(super) hook: Option<Hook>,
}

/// Work in front of each COMMIT.
pub(crate) type Hook = Arc<dyn BeforeCommitBlocking<Connection, ::rusqlite::Error>>;

impl Db {
    /// Let transactions invalidate in this cache.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::rusqlite::Db;
    /// let cache = Cache::builder().prefix("blog").build()?;
    /// assert_eq!(Db::new(&cache).cache().prefix(), "blog");
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn new(cache: &Cache) -> Self {
        Self {
            config: Config::new(cache),
            hook: None,
        }
    }

    /// Invalidate the patterns of each commit once more, this long after it, in the background, for
    /// readers of replicas that lag. The second invalidation comes at most a sixteenth of the time
    /// late. It is kept in memory only: a process that ends before loses it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// # use cache_sql::rusqlite::Db;
    /// # let cache = Cache::builder().build()?;
    /// let db = Db::new(&cache).settle(Duration::from_secs(5));
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn settle(mut self, after: Duration) -> Self {
        self.config.settle = Some(Arc::new(Settle::new(after)));
        self
    }

    /// Return the cache.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::rusqlite::Db;
    /// # let cache = Cache::builder().build()?;
    /// let db = Db::new(&cache);
    /// db.cache().blocking().delete_pattern("posts:*")?;
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn cache(&self) -> &Cache {
        &self.config.cache
    }

    /// Begin a transaction, like [`Connection::transaction`].
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
    /// tx.invalidations().add("posts:a:*"); // or a function with #[invalidate(.., tx = tx)]
    /// tx.commit()?;
    /// assert!(!cache.blocking().exists("posts:a")?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Connection::transaction`].
    pub fn begin<'c>(&self, connection: &'c mut Connection) -> ::rusqlite::Result<Transaction<'c>> {
        Ok(self.wrap(connection.transaction()?))
    }

    /// Begin a transaction that takes its locks now or later, like
    /// [`Connection::transaction_with_behavior`].
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::rusqlite::Db;
    /// use rusqlite::TransactionBehavior;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache);
    /// # let mut connection = rusqlite::Connection::open_in_memory()?;
    /// let tx = db.begin_with_behavior(&mut connection, TransactionBehavior::Immediate)?;
    /// tx.rollback()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Connection::transaction_with_behavior`].
    pub fn begin_with_behavior<'c>(
        &self,
        connection: &'c mut Connection,
        behavior: TransactionBehavior,
    ) -> ::rusqlite::Result<Transaction<'c>> {
        Ok(self.wrap(connection.transaction_with_behavior(behavior)?))
    }

    /// Wrap a transaction that was begun elsewhere. Dropped, it is rolled back, whatever its
    /// [`DropBehavior`] was.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::rusqlite::Db;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache);
    /// # let connection = rusqlite::Connection::open_in_memory()?;
    /// db.wrap(connection.unchecked_transaction()?).commit()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wrap<'c>(&self, mut begun: ::rusqlite::Transaction<'c>) -> Transaction<'c> {
        // One that is committed when dropped would invalidate nothing.
        begun.set_drop_behavior(DropBehavior::Rollback);
        Transaction::new(begun, &self.config, self.hook.clone())
    }

    /// Run the closure in a transaction: commit if it returns `Ok`, and roll back if it returns
    /// `Err` or panics. Cached functions that it calls run uncached, as in
    /// [`Cache::uncached_sync`], since the rows that they see may never be committed.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::rusqlite::Db;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache);
    /// # let mut connection = rusqlite::Connection::open_in_memory()?;
    /// # connection.execute_batch("CREATE TABLE posts (slug TEXT)")?;
    /// let inserted = db.transaction(&mut connection, |tx| {
    ///     tx.invalidations().add("posts:*"); // or a function with #[invalidate(.., tx = tx)]
    ///     tx.execute("INSERT INTO posts VALUES ('a')", [])
    /// })?;
    /// assert_eq!(inserted, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The closure's error, after a rollback. An error of BEGIN or COMMIT, converted to the same
    /// type; see [`Transaction::commit`].
    pub fn transaction<T, E>(
        &self,
        connection: &mut Connection,
        run: impl FnOnce(&mut Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<::rusqlite::Error>,
    {
        let mut tx = self.begin(connection)?;
        // An error drops the transaction, which rolls it back.
        let value = Cache::uncached_sync(|| run(&mut tx))?;
        tx.commit()?;
        Ok(value)
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("cache", &self.config.cache)
            .finish_non_exhaustive()
    }
}
