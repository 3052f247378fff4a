//! The outbox of `Db`, over sqlx.

use std::sync::Arc;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Database, Pool, SqlSafeStr};
use tokio::runtime::Handle;

use super::cleaner::Cleaner;
use super::failure::Failure;
use super::health::Health;
use super::store::{Row, Store};
use super::{patterns, statements};
use crate::commit::{BeforeCommit, BoxFuture, Receipt};
use crate::relay::{Relay, RelayError, Relaying};
use crate::{Db, Dialect};

/// A database of sqlx that can hold the outbox: Postgres, SQLite and MySQL, each with the feature of
/// its name. No other type can implement it.
pub trait OutboxDatabase: Database + sealed::Statements {}

mod sealed {
    use super::{BoxFuture, Database, Dialect};

    /// Statements of the outbox. A trait of concrete types, since bounds on executors and arguments
    /// can't be written for every database without repeating them at each use.
    pub trait Statements: Database {
        const DIALECT: Dialect;

        /// Insert a row and return its id.
        fn insert<'a>(
            connection: &'a mut Self::Connection,
            prefix: &'a str,
            patterns: String,
        ) -> BoxFuture<'a, Result<i64, sqlx::Error>>;

        /// Query ids and patterns.
        fn query(
            connection: &mut Self::Connection,
            sql: String,
        ) -> BoxFuture<'_, Result<Vec<(i64, String)>, sqlx::Error>>;

        /// Execute one statement or several, and return the number of affected rows.
        fn execute(
            connection: &mut Self::Connection,
            sql: String,
        ) -> BoxFuture<'_, Result<u64, sqlx::Error>>;
    }
}

impl<DB: OutboxDatabase> Db<DB> {
    /// Write the patterns of each commit into the table `cache_outbox`, in the same transaction, so
    /// that a process that dies between COMMIT and the invalidation leaves them to a relay.
    ///
    /// A commit that has patterns then costs one more INSERT. The row is deleted in the background
    /// once the invalidation has succeeded.
    ///
    /// Create the table with [`create_outbox`](Self::create_outbox), and run a relay somewhere, in
    /// this process or in others: [`spawn_relay`](Self::spawn_relay). If the table is missing, or
    /// the database refuses the row, the commit goes on without it, after one warning.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    /// # let pool = options.connect("sqlite::memory:").await?;
    /// let db = Db::new(&cache, pool).with_outbox();
    /// db.create_outbox().await?;
    /// let relay = db.spawn_relay();
    ///
    /// let tx = db.begin().await?;
    /// tx.invalidations().add("posts:a:*"); // or #[invalidate(.., tx = tx)]
    /// tx.commit().await?; // INSERT INTO cache_outbox, COMMIT, the invalidation
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_outbox(mut self) -> Self {
        let store = SqlxStore(self.pool.clone());
        self.hook = Some(Arc::new(Outbox {
            prefix: self.config.cache.prefix().to_owned(),
            health: Health::default(),
            cleaner: Arc::new(Cleaner::new(store)),
        }));
        self
    }

    /// Set how old a row is before a relay takes it: 2 seconds by default. Rows that triggers have
    /// written are taken at once.
    ///
    /// A write normally deletes its row within a fraction of a second. A shorter delay repairs the
    /// writes of a process that died sooner. It also makes relays repeat invalidations that are
    /// under way, which costs time and is harmless.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let pool = sqlx::SqlitePool::connect("sqlite::memory:").await?;
    /// let db = Db::new(&cache, pool).with_outbox().outbox_delay(Duration::from_secs(5));
    /// # Ok(())
    /// # }
    /// ```
    pub fn outbox_delay(mut self, delay: Duration) -> Self {
        self.config.outbox_delay = delay;
        self
    }

    /// Create the outbox's table if it doesn't exist. [`schema`](crate::schema) returns the
    /// statement, for those who migrate by hand.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    /// # let db = Db::new(&cache, options.connect("sqlite::memory:").await?);
    /// db.create_outbox().await?;
    /// let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM cache_outbox")
    ///     .fetch_one(db.pool())
    ///     .await?;
    /// assert_eq!(rows, 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// That of the statement, such as a missing privilege.
    ///
    /// # Cancel safety
    ///
    /// The table may have been created.
    pub async fn create_outbox(&self) -> Result<(), sqlx::Error> {
        let create = || async {
            let mut connection = self.pool.acquire().await?;
            DB::execute(&mut connection, super::schema(DB::DIALECT)).await
        };
        let created = match create().await {
            // Two processes that create it at once: Postgres fails the second one.
            Err(error) if error.as_database_error().is_some() => create().await,
            other => other,
        };
        created?;
        if let Some(hook) = &self.hook {
            hook.outbox_exists();
        }
        Ok(())
    }

    /// Invalidate the rows of the outbox that are older than
    /// [`outbox_delay`](Self::outbox_delay), delete them, and return their number. Rows of caches
    /// with another prefix are left alone.
    ///
    /// Any number of relays can run at once, in any number of processes: each takes rows that no
    /// other one has taken. While the circuit breaker of the cache is open, this does nothing.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().prefix("blog").build()?;
    /// # let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1);
    /// # let pool = options.connect("sqlite::memory:").await?;
    /// # let db = Db::new(&cache, pool).outbox_delay(Duration::ZERO);
    /// # db.create_outbox().await?;
    /// cache.set("posts:a", "old", 60).await?;
    /// // Left by a process that died after its COMMIT.
    /// sqlx::query("INSERT INTO cache_outbox (prefix, patterns) VALUES ('blog', 'posts:a:*')")
    ///     .execute(db.pool())
    ///     .await?;
    /// assert_eq!(db.relay_once().await?, 1);
    /// assert!(!cache.exists("posts:a").await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RelayError::Database`] if the table can't be read or written, or doesn't exist.
    /// [`RelayError::Cache`] if the invalidation fails. The rows then stay for another relay.
    ///
    /// # Cancel safety
    ///
    /// Rows that aren't deleted yet stay for another relay.
    pub async fn relay_once(&self) -> Result<u64, RelayError<sqlx::Error>> {
        self.relaying().once(&SqlxStore(self.pool.clone())).await
    }

    /// Spawn a task on the current Tokio runtime that calls [`relay_once`](Self::relay_once) every
    /// second, until the returned value is dropped. It logs a failure, and goes on.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let pool = sqlx::SqlitePool::connect("sqlite::memory:").await?;
    /// let db = Db::new(&cache, pool).with_outbox();
    /// let relay = db.spawn_relay(); // keep it while the program serves
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Outside of a Tokio runtime this logs an error, and no relay runs.
    pub fn spawn_relay(&self) -> Relay {
        Relay::spawn(SqlxStore(self.pool.clone()), self.relaying())
    }

    fn relaying(&self) -> Relaying {
        Relaying::new(&self.config)
    }
}

/// The outbox in front of COMMIT.
struct Outbox<DB: Database> {
    prefix: String,
    health: Health,
    cleaner: Arc<Cleaner<SqlxStore<DB>>>,
}

impl<DB: OutboxDatabase> BeforeCommit<DB::Connection, sqlx::Error> for Outbox<DB> {
    fn before_commit<'a>(
        &'a self,
        connection: &'a mut DB::Connection,
        patterns: &'a [String],
    ) -> BoxFuture<'a, Result<Option<Receipt>, sqlx::Error>> {
        Box::pin(async move {
            if patterns.is_empty() || !self.health.is_writable() {
                return Ok(None);
            }
            let patterns = patterns::join(patterns);
            let error = match DB::insert(connection, &self.prefix, patterns).await {
                Ok(id) => {
                    self.health.written();
                    return Ok(self.receipt(id));
                }
                Err(error) => error,
            };
            let code = error.as_database_error().and_then(|error| error.code());
            let failure = Failure::of(DB::DIALECT, code.as_deref(), &error.to_string());
            let Some(failure) = failure else {
                return Err(error);
            };
            self.health.failed(failure, &error);
            Ok(None)
        })
    }

    fn outbox_exists(&self) {
        self.health.written();
    }
}

impl<DB: OutboxDatabase> Outbox<DB> {
    /// Delete the row after the invalidation. Without a runtime, a relay does it.
    fn receipt(&self, id: i64) -> Option<Receipt> {
        let runtime = Handle::try_current().ok()?;
        let cleaner = Arc::clone(&self.cleaner);
        Some(Box::new(move || cleaner.delete(id, &runtime)))
    }
}

/// The outbox behind a pool.
struct SqlxStore<DB: Database>(Pool<DB>);

impl<DB: Database> Clone for SqlxStore<DB> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<DB: OutboxDatabase> Store for SqlxStore<DB> {
    type Error = sqlx::Error;
    type Transaction = sqlx::Transaction<'static, DB>;

    fn dialect(&self) -> Dialect {
        DB::DIALECT
    }

    async fn begin(&self) -> Result<Self::Transaction, sqlx::Error> {
        self.0.begin_with(statements::begin(DB::DIALECT)).await
    }

    async fn query(&self, sql: String) -> Result<Vec<Row>, sqlx::Error> {
        let mut connection = self.0.acquire().await?;
        DB::query(&mut connection, sql).await
    }

    async fn query_in(
        transaction: &mut Self::Transaction,
        sql: String,
    ) -> Result<Vec<Row>, sqlx::Error> {
        DB::query(transaction, sql).await
    }

    async fn execute(transaction: &mut Self::Transaction, sql: String) -> Result<u64, sqlx::Error> {
        DB::execute(transaction, sql).await
    }

    async fn commit(transaction: Self::Transaction) -> Result<(), sqlx::Error> {
        transaction.commit().await
    }
}

/// A statement whose text differs each time, so that preparing it would only fill the connection's
/// cache of prepared statements.
fn text(sql: String) -> sqlx::RawSql {
    sqlx::raw_sql(AssertSqlSafe(sql).into_sql_str())
}

macro_rules! statements {
    ($database:ty, $dialect:expr, $insert:path) => {
        impl OutboxDatabase for $database {}

        impl sealed::Statements for $database {
            const DIALECT: Dialect = $dialect;

            fn insert<'a>(
                connection: &'a mut Self::Connection,
                prefix: &'a str,
                patterns: String,
            ) -> BoxFuture<'a, Result<i64, sqlx::Error>> {
                Box::pin($insert(connection, prefix, patterns))
            }

            fn query(
                connection: &mut Self::Connection,
                sql: String,
            ) -> BoxFuture<'_, Result<Vec<(i64, String)>, sqlx::Error>> {
                use sqlx::Row as _;
                Box::pin(async move {
                    let rows = text(sql).fetch_all(connection).await?;
                    let read =
                        |row: <$database as Database>::Row| Ok((row.try_get(0)?, row.try_get(1)?));
                    rows.into_iter().map(read).collect()
                })
            }

            fn execute(
                connection: &mut Self::Connection,
                sql: String,
            ) -> BoxFuture<'_, Result<u64, sqlx::Error>> {
                Box::pin(async move { Ok(text(sql).execute(connection).await?.rows_affected()) })
            }
        }
    };
}

#[cfg(feature = "postgres")]
statements!(sqlx::Postgres, Dialect::Postgres, postgres::insert);
#[cfg(feature = "sqlite")]
statements!(sqlx::Sqlite, Dialect::Sqlite, sqlite::insert);
#[cfg(feature = "mysql")]
statements!(sqlx::MySql, Dialect::MySql, mysql::insert);

#[cfg(feature = "postgres")]
mod postgres {
    use sqlx::{PgConnection, Row};

    use super::{statements, text};

    const TRANSACTION_IS_ABORTED: &str = "25P02";

    /// Insert a row. A failed statement aborts a transaction of Postgres, hence a savepoint.
    pub(super) async fn insert(
        connection: &mut PgConnection,
        prefix: &str,
        patterns: String,
    ) -> Result<i64, sqlx::Error> {
        let insert = statements::insert_guarded(None, prefix, &patterns);
        let error = match text(insert).fetch_one(&mut *connection).await {
            Ok(row) => return row.try_get(0),
            Err(error) => error,
        };
        let code = error.as_database_error().and_then(|error| error.code());
        // Without a code the connection is broken. An aborted transaction has no savepoint.
        if code.is_some_and(|code| code != TRANSACTION_IS_ABORTED) {
            text(statements::undo_insert()).execute(connection).await?;
        }
        Err(error)
    }
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use sqlx::SqliteConnection;

    use super::statements;

    pub(super) async fn insert(
        connection: &mut SqliteConnection,
        prefix: &str,
        patterns: String,
    ) -> Result<i64, sqlx::Error> {
        let insert = sqlx::query(statements::INSERT).bind(prefix).bind(patterns);
        Ok(insert.execute(connection).await?.last_insert_rowid())
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use sqlx::MySqlConnection;

    use super::statements;

    pub(super) async fn insert(
        connection: &mut MySqlConnection,
        prefix: &str,
        patterns: String,
    ) -> Result<i64, sqlx::Error> {
        let insert = sqlx::query(statements::INSERT).bind(prefix).bind(patterns);
        let inserted = insert.execute(connection).await?;
        // The column is a BIGINT.
        Ok(inserted.last_insert_id().cast_signed())
    }
}
