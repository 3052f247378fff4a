//! A database whose transactions invalidate.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::Cache;
use sqlx::{Database, Pool, SqlSafeStr};

use crate::Transaction;
use crate::commit::{BeforeCommit, Config};
use crate::settle::Settle;

/// A pool of sqlx and a cache: its transactions invalidate after COMMIT. A clone is the same
/// database, and costs some reference counts.
///
/// ```
/// use cache_runtime::Cache;
/// use cache_sql::Db;
/// use sqlx::sqlite::SqlitePoolOptions;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cache = Cache::builder().build()?;
/// // An SQLite in memory is its connection's.
/// let pool = SqlitePoolOptions::new().max_connections(1).connect("sqlite::memory:").await?;
/// sqlx::query("CREATE TABLE posts (slug TEXT, title TEXT)").execute(&pool).await?;
///
/// let db = Db::new(&cache, pool.clone());
/// let mut tx = db.begin().await?;
/// sqlx::query("INSERT INTO posts VALUES ('a', 'A')").execute(&mut **tx).await?;
/// tx.commit().await?;
/// # Ok(())
/// # }
/// ```
pub struct Db<DB: Database> {
    pub(crate) pool: Pool<DB>,
    pub(crate) config: Config,
    pub(crate) hook: Option<Hook<DB>>,
}

/// Work in front of each COMMIT.
pub(crate) type Hook<DB> = Arc<dyn BeforeCommit<<DB as Database>::Connection, sqlx::Error>>;

impl<DB: Database> Db<DB> {
    /// Let the transactions of this pool invalidate in this cache.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cache = Cache::builder().prefix("blog").build()?;
    /// let db = Db::new(&cache, sqlx::SqlitePool::connect("sqlite::memory:").await?);
    /// assert_eq!(db.cache().prefix(), "blog");
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(cache: &Cache, pool: Pool<DB>) -> Self {
        Self {
            pool,
            config: Config::new(cache),
            hook: None,
        }
    }

    /// Invalidate the patterns of each commit once more, this long after it, in the background.
    ///
    /// For cached functions that read from a replica: one that starts after the invalidation may
    /// read the state from before the commit, and cache it, as long as the replica lags. Choose a
    /// time that the lag stays below. The second invalidation comes at most a sixteenth of the time
    /// late. It is kept in memory only: a process that ends before loses it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let pool = sqlx::SqlitePool::connect("sqlite::memory:").await?;
    /// let db = Db::new(&cache, pool).settle(Duration::from_secs(5));
    /// # Ok(())
    /// # }
    /// ```
    pub fn settle(mut self, after: Duration) -> Self {
        self.config.settle = Some(Arc::new(Settle::new(after)));
        self
    }

    /// Return the pool.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// let db = Db::new(&cache, sqlx::SqlitePool::connect("sqlite::memory:").await?);
    /// let one: i64 = sqlx::query_scalar("SELECT 1").fetch_one(db.pool()).await?;
    /// assert_eq!(one, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn pool(&self) -> &Pool<DB> {
        &self.pool
    }

    /// Return the cache.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// let db = Db::new(&cache, sqlx::SqlitePool::connect("sqlite::memory:").await?);
    /// db.cache().delete_pattern("posts:*").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn cache(&self) -> &Cache {
        &self.config.cache
    }

    /// Begin a transaction, like [`Pool::begin`].
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
    /// tx.invalidations().add("posts:a:*"); // or a function with #[invalidate(.., tx = tx)]
    /// tx.commit().await?;
    /// assert!(!cache.exists("posts:a").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Pool::begin`].
    ///
    /// # Cancel safety
    ///
    /// A transaction that was begun is rolled back.
    pub async fn begin(&self) -> Result<Transaction<'static, DB>, sqlx::Error> {
        Ok(self.wrap(self.pool.begin().await?))
    }

    /// Begin a transaction with a statement, like [`Pool::begin_with`].
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sqlx::SqlitePool::connect("sqlite::memory:").await?);
    /// let tx = db.begin_with("BEGIN IMMEDIATE").await?;
    /// tx.rollback().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Pool::begin_with`].
    ///
    /// # Cancel safety
    ///
    /// A transaction that was begun is rolled back.
    pub async fn begin_with(
        &self,
        statement: impl SqlSafeStr,
    ) -> Result<Transaction<'static, DB>, sqlx::Error> {
        Ok(self.wrap(self.pool.begin_with(statement).await?))
    }

    /// Wrap a transaction that was begun elsewhere, in the database of this pool.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sqlx::SqlitePool::connect("sqlite::memory:").await?);
    /// if let Some(begun) = db.pool().try_begin().await? {
    ///     db.wrap(begun).commit().await?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn wrap(&self, begun: sqlx::Transaction<'static, DB>) -> Transaction<'static, DB> {
        Transaction::new(begun, &self.config, self.hook.clone())
    }

    /// Run the closure in a transaction: commit if it returns `Ok`, and roll back if it returns
    /// `Err`, panics or is dropped. Cached functions that it calls run uncached, as in
    /// [`Cache::uncached`], since the rows that they see may never be committed.
    ///
    /// The returned future is `Send` if the closure's is, so handlers of web frameworks can await
    /// it.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::{Db, Transaction};
    /// use sqlx::Sqlite;
    ///
    /// async fn publish(tx: &mut Transaction<'_, Sqlite>, slug: &str) -> Result<u64, sqlx::Error> {
    ///     tx.invalidations().add("posts:*"); // or #[invalidate(.., tx = tx)]
    ///     let update = sqlx::query("UPDATE posts SET public = 1 WHERE slug = ?").bind(slug);
    ///     Ok(update.execute(tx.as_mut()).await?.rows_affected())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    /// # let db = Db::new(&cache, options.connect("sqlite::memory:").await?);
    /// # sqlx::query("CREATE TABLE posts (slug TEXT, public INT)").execute(db.pool()).await?;
    /// # sqlx::query("INSERT INTO posts VALUES ('a', 0)").execute(db.pool()).await?;
    /// let published = db.transaction(async |tx| publish(tx, "a").await).await?;
    /// assert_eq!(published, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The closure's error, after a rollback. An error of BEGIN or COMMIT, converted to the same
    /// type; see [`Transaction::commit`].
    ///
    /// # Cancel safety
    ///
    /// Dropped in the closure, the transaction is rolled back. Dropped later, the commit and its
    /// invalidation finish without the caller.
    // Two lifetimes, although every transaction here is `'static`: a closure that holds for all of
    // them is one that the compiler finds to be `Send`.
    pub async fn transaction<T, E, F>(&self, run: F) -> Result<T, E>
    where
        F: for<'t, 'c> AsyncFnOnce(&'t mut Transaction<'c, DB>) -> Result<T, E>,
        E: From<sqlx::Error>,
    {
        let mut tx = self.begin().await?;
        match Cache::uncached(run(&mut tx)).await {
            Ok(value) => {
                tx.commit().await?;
                Ok(value)
            }
            Err(error) => {
                // A rollback fails if the connection is broken, and then the server rolls back.
                let _ = tx.rollback().await;
                Err(error)
            }
        }
    }
}

impl<DB: Database> Clone for Db<DB> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
            config: self.config.clone(),
            hook: self.hook.clone(),
        }
    }
}

impl<DB: Database> fmt::Debug for Db<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db")
            .field("cache", &self.config.cache)
            .field("pool", &self.pool)
            .finish_non_exhaustive()
    }
}
