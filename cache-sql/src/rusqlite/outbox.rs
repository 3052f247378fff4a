//! The outbox of [`Db`], over rusqlite.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::rusqlite::{Connection, Error, TransactionBehavior};

use super::Db;
use crate::Dialect;
use crate::commit::{BeforeCommitBlocking, Receipt};
use crate::outbox::{self, Failure, Health, Row};
use crate::relay::{COUNTED_EVERY, Relay, RelayError, Relaying};

/// The most ids of rows that wait to be deleted. More are left to a relay.
const MAX_PENDING: usize = 512;

impl Db {
    /// Write the patterns of each commit into the table `cache_outbox`, in the same transaction, so
    /// that a process that dies between COMMIT and the invalidation leaves them to a relay.
    ///
    /// A commit that has patterns then costs one more INSERT. The row is deleted together with the
    /// insertion of a later one, since a connection is the caller's: without later commits a relay
    /// deletes it.
    ///
    /// ```
    /// # use cache_runtime::{Cache, Transactional};
    /// # use cache_sql::rusqlite::Db;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// let db = Db::new(&cache).with_outbox();
    /// let mut connection = rusqlite::Connection::open_in_memory()?;
    /// db.create_outbox(&connection)?;
    ///
    /// let tx = db.begin(&mut connection)?;
    /// tx.invalidations().add("posts:a:*"); // or #[invalidate(.., tx = tx)]
    /// tx.commit()?; // INSERT INTO cache_outbox, COMMIT, the invalidation
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_outbox(mut self) -> Self {
        self.hook = Some(Arc::new(Outbox {
            prefix: self.config.cache.prefix().to_owned(),
            health: Health::default(),
            done: Arc::default(),
        }));
        self
    }

    /// Set how old a row is before a relay takes it: 2 seconds by default. Rows that triggers have
    /// written are taken at once.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// # use cache_sql::rusqlite::Db;
    /// # let cache = Cache::builder().build()?;
    /// let db = Db::new(&cache).with_outbox().outbox_delay(Duration::from_secs(5));
    /// # Ok::<(), cache_runtime::CacheError>(())
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
    /// # use cache_sql::rusqlite::Db;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().build()?;
    /// let connection = rusqlite::Connection::open_in_memory()?;
    /// Db::new(&cache).with_outbox().create_outbox(&connection)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// That of the statement.
    pub fn create_outbox(&self, connection: &Connection) -> ::rusqlite::Result<()> {
        connection.execute_batch(&crate::schema(Dialect::Sqlite))?;
        if let Some(hook) = &self.hook {
            hook.outbox_exists();
        }
        Ok(())
    }

    /// Invalidate the rows of the outbox that are older than
    /// [`outbox_delay`](Self::outbox_delay), delete them, and return their number. Rows of caches
    /// with another prefix are left alone. Blocks for the invalidation.
    ///
    /// Any number of relays can run at once, in any number of processes. While the circuit breaker
    /// of the cache is open, this does nothing.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use cache_runtime::Cache;
    /// # use cache_sql::rusqlite::Db;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let cache = Cache::builder().prefix("blog").build()?;
    /// # let mut connection = rusqlite::Connection::open_in_memory()?;
    /// # let db = Db::new(&cache).outbox_delay(Duration::ZERO);
    /// # db.create_outbox(&connection)?;
    /// // Left by a process that died after its COMMIT.
    /// let left = "INSERT INTO cache_outbox (prefix, patterns) VALUES ('blog', 'posts:a:*')";
    /// connection.execute(left, [])?;
    /// assert_eq!(db.relay_once(&mut connection)?, 1);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RelayError::Database`] if the table can't be read or written, or doesn't exist.
    /// [`RelayError::Cache`] if the invalidation fails. The rows then stay for another relay.
    pub fn relay_once(&self, connection: &mut Connection) -> Result<u64, RelayError<Error>> {
        let relaying = Relaying::new(&self.config);
        let mut total = 0;
        while relaying.cache.is_available() {
            let (taken, deleted) = batch(&relaying, connection)?;
            total += deleted;
            if taken < outbox::BATCH {
                break;
            }
        }
        Ok(total)
    }

    /// Spawn a thread that opens a connection and calls [`relay_once`](Self::relay_once) every
    /// second, until the returned value is dropped. It logs a failure, and goes on.
    ///
    /// ```
    /// # use cache_runtime::Cache;
    /// # use cache_sql::rusqlite::Db;
    /// # let cache = Cache::builder().build()?;
    /// let db = Db::new(&cache).with_outbox();
    /// // Keep it while the program serves.
    /// let relay = db.spawn_relay(|| rusqlite::Connection::open_in_memory());
    /// # Ok::<(), cache_runtime::CacheError>(())
    /// ```
    pub fn spawn_relay(
        &self,
        open: impl Fn() -> ::rusqlite::Result<Connection> + Send + 'static,
    ) -> Relay {
        let db = self.clone();
        let mut connection = None;
        let mut pass = 0;
        Relay::spawn_thread(move || {
            let opened = match &mut connection {
                Some(opened) => opened,
                closed => closed.insert(open().map_err(RelayError::Database)?),
            };
            let outcome = db.relay_once(opened);
            if pass % COUNTED_EVERY == 0 {
                let relaying = Relaying::new(&db.config);
                // A failure is that of the next pass, too, which logs it.
                if let Ok(rows) = query(opened, &outbox::count(relaying.cache.prefix())) {
                    relaying.report(&rows);
                }
            }
            pass += 1;
            outcome
        })
    }
}

/// Relay one batch. Return how many rows it had, and how many of them this relay has deleted.
fn batch(
    relaying: &Relaying,
    connection: &mut Connection,
) -> Result<(usize, u64), RelayError<Error>> {
    let prefix = relaying.cache.prefix();
    let take = outbox::take(Dialect::Sqlite, prefix, relaying.delay);
    let rows = query(connection, &take).map_err(RelayError::Database)?;
    if rows.is_empty() {
        return Ok((0, 0));
    }
    // Not within a transaction, whose lock would stop every writer while Redis is waited for. A row
    // that two relays take is invalidated twice.
    relaying
        .invalidate_blocking(&rows)
        .map_err(RelayError::Cache)?;
    let deleted = delete(connection, rows.iter().map(|(id, _)| *id));
    Ok((rows.len(), deleted.map_err(RelayError::Database)?))
}

fn query(connection: &Connection, sql: &str) -> ::rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn delete(connection: &mut Connection, ids: impl Iterator<Item = i64>) -> ::rusqlite::Result<u64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let deleted = transaction.execute(&outbox::delete(Dialect::Sqlite, ids), [])?;
    transaction.commit()?;
    Ok(deleted as u64)
}

/// The outbox in front of COMMIT.
struct Outbox {
    prefix: String,
    health: Health,
    /// Rows whose invalidation has succeeded.
    done: Arc<Mutex<Vec<i64>>>,
}

impl BeforeCommitBlocking<Connection, Error> for Outbox {
    fn before_commit(
        &self,
        connection: &Connection,
        patterns: &[String],
    ) -> Result<Option<Receipt>, Error> {
        if patterns.is_empty() || !self.health.is_writable() {
            return Ok(None);
        }
        let patterns = outbox::join(patterns);
        let error = match self.insert(connection, &patterns) {
            Ok(id) => {
                self.health.written();
                let done = Arc::clone(&self.done);
                return Ok(Some(Box::new(move || note(&done, id))));
            }
            Err(error) => error,
        };
        let code = code(&error);
        let failure = Failure::of(Dialect::Sqlite, code.as_deref(), &error.to_string());
        let Some(failure) = failure else {
            return Err(error);
        };
        self.health.failed(failure, &error);
        Ok(None)
    }

    fn outbox_exists(&self) {
        self.health.written();
    }
}

impl Outbox {
    /// Insert a row, and delete those that are done. If the transaction is rolled back, these are
    /// left to a relay.
    fn insert(&self, connection: &Connection, patterns: &str) -> ::rusqlite::Result<i64> {
        let mut insert = connection.prepare(outbox::INSERT)?;
        let id = insert.insert([&self.prefix, patterns])?;
        let done = std::mem::take(&mut *lock(&self.done));
        if !done.is_empty() {
            connection.execute(&outbox::delete(Dialect::Sqlite, done), [])?;
        }
        Ok(id)
    }
}

fn note(done: &Mutex<Vec<i64>>, id: i64) {
    let mut done = lock(done);
    if done.len() < MAX_PENDING {
        done.push(id);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// SQLite's extended result code, in decimal.
fn code(error: &Error) -> Option<String> {
    let code = error.sqlite_error()?.extended_code;
    Some(code.to_string())
}
