//! The outbox of [`Db`], over SeaORM.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ::sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    RuntimeErr, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait, Value,
};
use tokio::runtime::Handle;

use super::Db;
use crate::Dialect;
use crate::commit::{BeforeCommit, BoxFuture, Receipt};
use crate::outbox::{self, Cleaner, Failure, Health, Row, Store};
use crate::relay::{Relay, RelayError, Relaying};

impl Db {
    /// Write the patterns of each commit into the table `cache_outbox`, in the same transaction, so
    /// that a process that dies between COMMIT and the invalidation leaves them to a relay. See
    /// `with_outbox` of the `Db` for sqlx.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let connection = sea_orm::Database::connect("sqlite::memory:").await?;
    /// let db = Db::new(&cache, connection).with_outbox();
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
        let store = SeaOrmStore(self.connection.clone());
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
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let connection = sea_orm::Database::connect("sqlite::memory:").await?;
    /// let db = Db::new(&cache, connection).with_outbox().outbox_delay(Duration::from_secs(5));
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
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let connection = sea_orm::Database::connect("sqlite::memory:").await?;
    /// let db = Db::new(&cache, connection).with_outbox();
    /// db.create_outbox().await?;
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
    pub async fn create_outbox(&self) -> Result<(), DbErr> {
        let schema = crate::schema(dialect(&self.connection));
        if self.connection.execute_unprepared(&schema).await.is_err() {
            // Two processes that create it at once: Postgres fails the second one.
            self.connection.execute_unprepared(&schema).await?;
        }
        if let Some(hook) = &self.hook {
            hook.outbox_exists();
        }
        Ok(())
    }

    /// Invalidate the rows of the outbox that are older than
    /// [`outbox_delay`](Self::outbox_delay), delete them, and return their number. Rows of caches
    /// with another prefix are left alone.
    ///
    /// Any number of relays can run at once, in any number of processes. While the circuit breaker
    /// of the cache is open, this does nothing.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// # use cache_sql::sea_orm::Db;
    /// use sea_orm::ConnectionTrait;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().prefix("blog").build()?;
    /// # let connection = sea_orm::Database::connect("sqlite::memory:").await?;
    /// # let db = Db::new(&cache, connection).outbox_delay(Duration::ZERO);
    /// # db.create_outbox().await?;
    /// // Left by a process that died after its COMMIT.
    /// let left = "INSERT INTO cache_outbox (prefix, patterns) VALUES ('blog', 'posts:a:*')";
    /// db.connection().execute_unprepared(left).await?;
    /// assert_eq!(db.relay_once().await?, 1);
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
    pub async fn relay_once(&self) -> Result<u64, RelayError<DbErr>> {
        let store = SeaOrmStore(self.connection.clone());
        self.relaying().once(&store).await
    }

    /// Spawn a task on the current Tokio runtime that calls [`relay_once`](Self::relay_once) every
    /// second, until the returned value is dropped. It logs a failure, and goes on.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::sea_orm::Db;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// # let connection = sea_orm::Database::connect("sqlite::memory:").await?;
    /// let db = Db::new(&cache, connection).with_outbox();
    /// let relay = db.spawn_relay(); // keep it while the program serves
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Outside of a Tokio runtime this logs an error, and no relay runs.
    pub fn spawn_relay(&self) -> Relay {
        Relay::spawn(SeaOrmStore(self.connection.clone()), self.relaying())
    }

    fn relaying(&self) -> Relaying {
        Relaying::new(&self.config)
    }
}

/// The outbox in front of COMMIT.
struct Outbox {
    prefix: String,
    health: Health,
    cleaner: Arc<Cleaner<SeaOrmStore>>,
}

impl BeforeCommit<DatabaseTransaction, DbErr> for Outbox {
    fn before_commit<'a>(
        &'a self,
        transaction: &'a mut DatabaseTransaction,
        patterns: &'a [String],
    ) -> BoxFuture<'a, Result<Option<Receipt>, DbErr>> {
        Box::pin(async move {
            if patterns.is_empty() || !self.health.is_writable() {
                return Ok(None);
            }
            let patterns = outbox::join(patterns);
            let error = match insert(transaction, &self.prefix, patterns).await {
                Ok(id) => {
                    self.health.written();
                    return Ok(self.receipt(id));
                }
                Err(error) => error,
            };
            let code = code(&error);
            let failure = Failure::of(dialect(transaction), code.as_deref(), &error.to_string());
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

impl Outbox {
    /// Delete the row after the invalidation. Without a runtime, a relay does it.
    fn receipt(&self, id: i64) -> Option<Receipt> {
        let runtime = Handle::try_current().ok()?;
        let cleaner = Arc::clone(&self.cleaner);
        Some(Box::new(move || cleaner.delete(id, &runtime)))
    }
}

/// Insert a row and return its id.
async fn insert(
    transaction: &DatabaseTransaction,
    prefix: &str,
    patterns: String,
) -> Result<i64, DbErr> {
    if dialect(transaction) == Dialect::Postgres {
        return insert_into_postgres(transaction, prefix, &patterns).await;
    }
    let values: [Value; 2] = [prefix.into(), patterns.into()];
    let backend = transaction.get_database_backend();
    let insert = Statement::from_sql_and_values(backend, outbox::INSERT, values);
    let inserted = transaction.execute_raw(insert).await?;
    Ok(inserted.last_insert_id().cast_signed())
}

/// Insert a row within a savepoint, since a failed statement aborts a transaction of Postgres. SeaORM
/// returns no rows of several statements, so the id is chosen here.
async fn insert_into_postgres(
    transaction: &DatabaseTransaction,
    prefix: &str,
    patterns: &str,
) -> Result<i64, DbErr> {
    const TRANSACTION_IS_ABORTED: &str = "25P02";
    let id = random_id();
    let insert = outbox::insert_guarded(Some(id), prefix, patterns);
    let Err(error) = transaction.execute_unprepared(&insert).await else {
        return Ok(id);
    };
    // Without a code the connection is broken. An aborted transaction has no savepoint.
    if code(&error).is_some_and(|code| code != TRANSACTION_IS_ABORTED) {
        transaction
            .execute_unprepared(&outbox::undo_insert())
            .await?;
    }
    Err(error)
}

/// A negative number, which the database never gives to a row itself. The hasher's keys are random;
/// the process and the time tell the children of a fork apart, which have the same keys.
fn random_id() -> i64 {
    let hash = RandomState::new().hash_one((std::process::id(), SystemTime::now()));
    hash.cast_signed() | i64::MIN
}

fn dialect(connection: &impl ConnectionTrait) -> Dialect {
    match connection.get_database_backend() {
        DbBackend::MySql => Dialect::MySql,
        DbBackend::Postgres => Dialect::Postgres,
        _ => Dialect::Sqlite,
    }
}

/// The database's code for an error.
fn code(error: &DbErr) -> Option<String> {
    let (DbErr::Conn(error) | DbErr::Exec(error) | DbErr::Query(error)) = error else {
        return None;
    };
    match error {
        RuntimeErr::SqlxError(error) => Some(error.as_database_error()?.code()?.into_owned()),
        _ => None,
    }
}

/// The outbox behind a connection of SeaORM.
#[derive(Clone)]
struct SeaOrmStore(DatabaseConnection);

impl Store for SeaOrmStore {
    type Error = DbErr;
    type Transaction = DatabaseTransaction;

    fn dialect(&self) -> Dialect {
        dialect(&self.0)
    }

    async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let is_sqlite = self.dialect() == Dialect::Sqlite;
        let options = TransactionOptions {
            isolation_level: (!is_sqlite).then_some(IsolationLevel::ReadCommitted),
            access_mode: None,
            sqlite_transaction_mode: is_sqlite.then_some(SqliteTransactionMode::Immediate),
        };
        self.0.begin_with_options(options).await
    }

    async fn query(&self, sql: String) -> Result<Vec<Row>, DbErr> {
        query(&self.0, sql).await
    }

    async fn query_in(
        transaction: &mut DatabaseTransaction,
        sql: String,
    ) -> Result<Vec<Row>, DbErr> {
        query(transaction, sql).await
    }

    async fn execute(transaction: &mut DatabaseTransaction, sql: String) -> Result<u64, DbErr> {
        Ok(transaction.execute_unprepared(&sql).await?.rows_affected())
    }

    async fn commit(transaction: DatabaseTransaction) -> Result<(), DbErr> {
        transaction.commit().await
    }
}

async fn query(connection: &impl ConnectionTrait, sql: String) -> Result<Vec<Row>, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter()
        .map(|row| Ok((row.try_get_by_index(0)?, row.try_get_by_index(1)?)))
        .collect()
}
