//! An async wrapper around SQLite: queries run on a blocking thread, one at a time.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cache_runtime::Cache;
use cache_sql::rusqlite::Transaction;
use rusqlite::{Connection, TransactionBehavior};
use tokio::task::spawn_blocking;

use crate::error::ApiError;

/// A database in memory or in a file, filled with the sample data.
#[derive(Clone)]
pub struct Db {
    connection: Arc<Mutex<Connection>>,
    latency: Duration,
}

impl Db {
    /// Open a new database. Each query waits for `latency` first, as if the database were across a
    /// network.
    pub fn open(latency: Duration) -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(include_str!("schema.sql"))?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            latency,
        })
    }

    /// Open the database of a file, which other processes may have open too. A new one is filled
    /// with the sample data.
    pub fn open_file(path: &Path) -> rusqlite::Result<Self> {
        let mut connection = Connection::open(path)?;
        // In this mode a writer and the readers of other processes don't wait for each other.
        connection.execute_batch(
            "PRAGMA journal_mode = wal; PRAGMA synchronous = normal; PRAGMA foreign_keys = ON;",
        )?;
        let transaction = begin(&mut connection)?;
        if !transaction.table_exists(None, "posts")? {
            transaction.execute_batch(include_str!("schema.sql"))?;
        }
        transaction.commit()?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            latency: Duration::ZERO,
        })
    }

    /// Run a query.
    pub async fn read<T, F>(&self, query: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, ApiError> + Send + 'static,
    {
        tokio::time::sleep(self.latency).await;
        let connection = Arc::clone(&self.connection);
        on_blocking_thread(move || query(&lock(&connection))).await
    }

    /// Run a change in a transaction: all of it happens, or nothing. After COMMIT, the patterns that
    /// it collected are invalidated.
    ///
    /// Both happen on a blocking thread, which goes on when its caller is dropped because the client
    /// hung up.
    pub async fn write<T, F>(&self, change: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T, ApiError> + Send + 'static,
    {
        tokio::time::sleep(self.latency).await;
        let connection = Arc::clone(&self.connection);
        let transactions = cache_sql::rusqlite::Db::new(&Cache::current());
        on_blocking_thread(move || {
            let mut connection = lock(&connection);
            let transaction = transactions.wrap(begin(&mut connection)?);
            let value = change(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })
        .await
    }
}

/// Begin a transaction that may write. It takes the lock at once: a transaction that has only read
/// can't take it after another process has written.
fn begin(connection: &mut Connection) -> rusqlite::Result<rusqlite::Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}

async fn on_blocking_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    spawn_blocking(work).await.unwrap_or(Err(ApiError::Crashed))
}

/// Lock, even after a panic: the transaction of a query that panicked was rolled back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use cache_runtime::Transactional as _;

    use super::*;

    fn count_likes(db: &Connection) -> Result<i64, ApiError> {
        Ok(db.query_row("SELECT COUNT(*) FROM likes", [], |row| row.get(0))?)
    }

    #[tokio::test]
    async fn a_write_whose_caller_is_gone_still_invalidates() {
        let db = Db::open(Duration::ZERO).expect("a database");
        let cache = Cache::builder().build().expect("a cache");
        cache.set("likes", &5, 60).await.expect("stored");
        let (started, has_started) = tokio::sync::oneshot::channel();
        let (go_on, may_go_on) = mpsc::channel();
        let write = cache.scope(db.write(move |transaction| {
            transaction.execute("DELETE FROM likes", [])?;
            transaction.invalidations().add("likes");
            let _ = started.send(());
            let _ = may_go_on.recv();
            Ok(())
        }));
        tokio::select! {
            _ = write => panic!("it can't end before it may go on"),
            _ = has_started => {}
        }
        // The `select!` has dropped the write; its thread is still running.
        assert!(
            cache.exists("likes").await.expect("an answer"),
            "COMMIT is still to come"
        );
        go_on.send(()).expect("the write goes on");
        // The connection is free when the commit has invalidated.
        assert_eq!(db.read(count_likes).await.expect("a count"), 0);
        assert!(!cache.exists("likes").await.expect("an answer"));
    }

    #[tokio::test]
    async fn a_write_that_errs_changes_nothing() {
        let db = Db::open(Duration::ZERO).expect("a database");
        let cache = Cache::builder().build().expect("a cache");
        cache.set("likes", &5, 60).await.expect("stored");
        let write = cache.scope(db.write(|transaction| {
            transaction.execute("DELETE FROM likes", [])?;
            transaction.invalidations().add("likes");
            Err::<(), _>(ApiError::Forbidden)
        }));
        assert!(matches!(write.await, Err(ApiError::Forbidden)));
        assert_eq!(db.read(count_likes).await.expect("a count"), 5);
        assert!(cache.exists("likes").await.expect("an answer"));
    }
}
