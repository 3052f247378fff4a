//! A database of SeaORM whose transactions invalidate.

use std::sync::Arc;
use std::time::Duration;

use ::sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, TransactionOptions, TransactionTrait,
};
use cache_runtime::Cache;

use super::Transaction;
use crate::commit::{BeforeCommit, Config};
use crate::settle::Settle;

/// A connection of SeaORM and a cache: its transactions invalidate after COMMIT. A clone is the same
/// database, and costs some reference counts.
///
/// ```
/// use cache_runtime::{Cache, Transactional};
/// use cache_sql::sea_orm::Db;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cache = Cache::builder().build()?;
/// let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
/// let tx = db.begin().await?;
/// tx.invalidations().add("posts:*");
/// tx.commit().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Db {
    pub(super) connection: DatabaseConnection,
    pub(super) config: Config,
    pub(super) hook: Option<Hook>,
}

/// Work in front of each COMMIT.
pub(crate) type Hook = Arc<dyn BeforeCommit<DatabaseTransaction, DbErr>>;

impl Db {
    /// Let the transactions of this connection invalidate in this cache.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let cache = Cache::builder().prefix("blog").build()?;
    /// let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
    /// assert_eq!(db.cache().prefix(), "blog");
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(cache: &Cache, connection: DatabaseConnection) -> Self {
        Self {
            connection,
            config: Config::new(cache),
            hook: None,
        }
    }

    /// Invalidate the patterns of each commit once more, this long after it, in the background, for
    /// readers of replicas that lag. See `settle` of the `Db` for sqlx.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let connection = sea_orm::Database::connect("sqlite::memory:").await?;
    /// let db = Db::new(&cache, connection).settle(Duration::from_secs(5));
    /// # Ok(())
    /// # }
    /// ```
    pub fn settle(mut self, after: Duration) -> Self {
        self.config.settle = Some(Arc::new(Settle::new(after)));
        self
    }

    /// Return the connection.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
    /// db.connection().ping().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connection(&self) -> &DatabaseConnection {
        &self.connection
    }

    /// Return the cache.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
    /// db.cache().delete_pattern("posts:*").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn cache(&self) -> &Cache {
        &self.config.cache
    }

    /// Begin a transaction.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
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
    /// Those of SeaORM's `begin`.
    ///
    /// # Cancel safety
    ///
    /// A transaction that was begun is rolled back.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        Ok(self.wrap(self.connection.begin().await?))
    }

    /// Begin a transaction with an isolation level, an access mode, or a mode of SQLite.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::sea_orm::Db;
    /// use sea_orm::{SqliteTransactionMode, TransactionOptions};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
    /// let options = TransactionOptions {
    ///     sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
    ///     ..TransactionOptions::default()
    /// };
    /// db.begin_with_options(options).await?.commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of SeaORM's `begin_with_options`.
    ///
    /// # Cancel safety
    ///
    /// A transaction that was begun is rolled back.
    pub async fn begin_with_options(
        &self,
        options: TransactionOptions,
    ) -> Result<Transaction, DbErr> {
        Ok(self.wrap(self.connection.begin_with_options(options).await?))
    }

    /// Wrap a transaction that was begun elsewhere, in the database of this connection.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::sea_orm::Db;
    /// use sea_orm::TransactionTrait;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
    /// let begun = db.connection().begin().await?;
    /// db.wrap(begun).commit().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn wrap(&self, begun: DatabaseTransaction) -> Transaction {
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
    /// # use cache_sql::sea_orm::Db;
    /// use sea_orm::{ConnectionTrait, DbErr};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let db = Db::new(&cache, sea_orm::Database::connect("sqlite::memory:").await?);
    /// db.transaction(async |tx| {
    ///     tx.execute_unprepared("CREATE TABLE posts (slug TEXT)").await?;
    ///     tx.invalidations().add("posts:*"); // or a function with #[invalidate(.., tx = tx)]
    ///     Ok::<_, DbErr>(())
    /// })
    /// .await?;
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
    pub async fn transaction<T, E, F>(&self, run: F) -> Result<T, E>
    where
        F: for<'t> AsyncFnOnce(&'t mut Transaction) -> Result<T, E>,
        E: From<DbErr>,
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

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db")
            .field("cache", &self.config.cache)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}
