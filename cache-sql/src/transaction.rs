//! A transaction of sqlx that collects invalidations.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use cache_runtime::{Invalidations, Transactional};
use sqlx::{Acquire, Database};
use sqlx_core::transaction::TransactionManager;

use crate::Savepoint;
use crate::commit::{BoxFuture, Collector, Config};
use crate::db::Hook;
use crate::detached::detached;
use crate::outcome::is_refusal;

/// A transaction of sqlx. The patterns that are collected in it are invalidated after COMMIT, each
/// once. Dropped, it is rolled back and invalidates nothing.
///
/// It dereferences to [`sqlx::Transaction`]: queries take `&mut **tx`, and `tx.as_mut()` where `tx`
/// is a reference. `#[invalidate(.., tx = tx)]` collects in it, and `#[cacheable(.., tx = tx)]` runs
/// uncached while it is open.
///
/// Functions take `&mut Transaction<'_, DB>`, and then a [`Savepoint`], too. The lifetime is that of
/// sqlx's transactions, so that signatures stay as they were; one of [`Db::begin`](crate::Db::begin)
/// is `'static`.
///
/// A statement that commits by itself, such as `CREATE TABLE` in MySQL, ends the transaction behind
/// the back of sqlx and of this type. If such a transaction is then rolled back, its patterns aren't
/// invalidated.
///
/// ```
/// use cache_runtime::{Cache, Transactional};
/// use cache_sql::{Db, Transaction};
/// use sqlx::Sqlite;
///
/// async fn rename(tx: &mut Transaction<'_, Sqlite>, slug: &str) -> Result<(), sqlx::Error> {
///     sqlx::query("UPDATE posts SET title = 'B' WHERE slug = ?")
///         .bind(slug)
///         .execute(tx.as_mut())
///         .await?;
///     tx.invalidations().add("posts:*"); // or #[invalidate(.., tx = tx)]
///     Ok(())
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cache = Cache::builder().build()?;
/// # let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
/// # let db = Db::new(&cache, options.connect("sqlite::memory:").await?);
/// # sqlx::query("CREATE TABLE posts (slug TEXT, title TEXT)").execute(db.pool()).await?;
/// let mut tx = db.begin().await?;
/// rename(&mut tx, "a").await?;
/// tx.commit().await?; // COMMIT, then all patterns
/// # Ok(())
/// # }
/// ```
pub struct Transaction<'c, DB: Database> {
    // A pooled connection, which is `'static`, so that a commit can finish without its caller.
    inner: sqlx::Transaction<'static, DB>,
    collector: Collector,
    hook: Option<Hook<DB>>,
    lifetime: PhantomData<&'c ()>,
}

impl<'c, DB: Database> Transaction<'c, DB> {
    pub(crate) fn new(
        inner: sqlx::Transaction<'static, DB>,
        config: &Config,
        hook: Option<Hook<DB>>,
    ) -> Self {
        Self {
            inner,
            collector: Collector::new(config),
            hook,
            lifetime: PhantomData,
        }
    }

    /// Commit, then invalidate the collected patterns, and wait for both.
    ///
    /// A failure of the cache isn't the caller's: the cache logs it and replays the invalidation.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sqlx::SqlitePool::connect("sqlite::memory:").await?);
    /// cache.set("posts:a", "old", 60).await?;
    /// let tx = db.begin().await?;
    /// tx.invalidations().add("posts:a:*");
    /// tx.commit().await?;
    /// assert!(!cache.exists("posts:a").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of COMMIT. If it proves that the database rolled back (a constraint, a
    /// serialization failure, a busy SQLite), nothing is invalidated. Otherwise, as when the
    /// connection breaks, the outcome is unknown: the patterns are invalidated before this returns,
    /// and again after 1 and 10 seconds, since the database may still be about to commit.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its first poll, the transaction is rolled back. Dropped after it, the commit
    /// and the invalidation finish without their caller. If the runtime shuts down during the
    /// commit, the outcome is unknown, and the patterns are invalidated.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        let Self {
            mut inner,
            mut collector,
            hook,
            ..
        } = self;
        if collector.is_idle() {
            return inner.commit().await;
        }
        let committed = detached(async move {
            if DB::TransactionManager::get_transaction_depth(&inner) == 0 {
                return Err(ended_early());
            }
            collector
                .before_commit(hook.as_deref(), &mut *inner)
                .await?;
            collector.commit(inner.commit(), is_refusal).await
        });
        let lost = |lost| Err(sqlx::Error::Io(io::Error::other(lost)));
        committed.await.unwrap_or_else(lost)
    }

    /// Roll back, and forget the collected patterns.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sqlx::SqlitePool::connect("sqlite::memory:").await?);
    /// cache.set("posts:a", "current", 60).await?;
    /// let tx = db.begin().await?;
    /// tx.invalidations().add("posts:a:*");
    /// tx.rollback().await?;
    /// assert!(cache.exists("posts:a").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of ROLLBACK. The transaction is rolled back all the same, when the server notices
    /// that the connection has ended.
    ///
    /// # Cancel safety
    ///
    /// The transaction is rolled back.
    pub async fn rollback(self) -> Result<(), sqlx::Error> {
        // The collector is dropped with this, at the end or when the future is dropped.
        let Self {
            inner, collector, ..
        } = self;
        let rolled_back = inner.rollback().await;
        drop(collector);
        rolled_back
    }

    /// Begin a savepoint: a part of the transaction that can be rolled back alone, with the patterns
    /// that were collected in it. Savepoints nest.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sqlx::SqlitePool::connect("sqlite::memory:").await?);
    /// let mut tx = db.begin().await?;
    /// tx.invalidations().add("posts:a:*");
    /// let savepoint = tx.savepoint().await?;
    /// savepoint.invalidations().add("posts:b:*");
    /// savepoint.rollback().await?;
    /// assert_eq!(tx.invalidations().patterns(), ["posts:a:*"]);
    /// tx.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error of SAVEPOINT.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: after a drop, roll the transaction back. sqlx may roll back all of it, and
    /// then a commit fails. Whatever it does, the patterns collected so far are invalidated when the
    /// transaction ends.
    pub async fn savepoint(&mut self) -> Result<Savepoint<'_, 'c, DB>, sqlx::Error> {
        let point = self.collector.invalidations().savepoint();
        // An error, or a drop at this await, lets sqlx's Postgres driver roll back the whole
        // transaction, and then each later statement commits by itself.
        self.collector.may_end();
        DB::TransactionManager::begin(&mut self.inner, None).await?;
        self.collector.still_open();
        Ok(Savepoint::new(self, point))
    }
}

/// The error of committing a transaction that no longer exists.
fn ended_early() -> sqlx::Error {
    sqlx::Error::Protocol(
        "the transaction has ended before its commit: beginning a savepoint in it failed, or its \
         future was dropped"
            .to_owned(),
    )
}

impl<DB: Database> Transactional for Transaction<'_, DB> {
    fn invalidations(&self) -> &Invalidations {
        self.collector.invalidations()
    }
}

impl<DB: Database> Deref for Transaction<'_, DB> {
    type Target = sqlx::Transaction<'static, DB>;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl<DB: Database> DerefMut for Transaction<'_, DB> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.inner
    }
}

/// The connection: an executor of queries.
impl<DB: Database> AsMut<DB::Connection> for Transaction<'_, DB> {
    fn as_mut(&mut self) -> &mut DB::Connection {
        &mut self.inner
    }
}

/// A savepoint that is begun through this trait is sqlx's own: if it rolls back, its patterns are
/// invalidated nevertheless.
impl<'t, DB: Database> Acquire<'t> for &'t mut Transaction<'_, DB> {
    type Database = DB;
    type Connection = &'t mut DB::Connection;

    fn acquire(self) -> BoxFuture<'t, Result<Self::Connection, sqlx::Error>> {
        (&mut self.inner).acquire()
    }

    fn begin(self) -> BoxFuture<'t, Result<sqlx::Transaction<'t, DB>, sqlx::Error>> {
        Acquire::begin(&mut self.inner)
    }
}

impl<DB: Database> fmt::Debug for Transaction<'_, DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("invalidations", self.collector.invalidations())
            .finish_non_exhaustive()
    }
}
