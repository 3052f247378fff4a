//! Relays: invalidating the rows that are left in the outbox.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, CacheError};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tracing::Instrument;
use tracing::instrument::WithSubscriber;

use crate::Dialect;
use crate::outbox::{self, Row, Store};
use crate::settle::Settle;

/// Pause between two passes of a spawned relay.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long a transaction stays open while Redis is waited for: the time that an invalidation has by
/// default. If it takes longer, the rows are unlocked, and deleted once it has succeeded.
const HOLD: Duration = Duration::from_secs(2);
/// The same on SQLite, whose lock stops every writer.
const HOLD_SQLITE: Duration = Duration::from_millis(100);

/// Error of a relay. `E` is the error of the database's library.
#[derive(Debug)]
#[non_exhaustive]
pub enum RelayError<E> {
    /// The database failed. Rows whose invalidation succeeded may still be in the outbox, and are
    /// invalidated again.
    Database(E),
    /// The cache failed. The rows stay in the outbox.
    Cache(CacheError),
}

impl<E: fmt::Display> fmt::Display for RelayError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(error) => write!(f, "the outbox can't be read or written: {error}"),
            Self::Cache(error) => write!(f, "rows of the outbox can't be invalidated: {error}"),
        }
    }
}

impl<E: Error + 'static> Error for RelayError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Database(error) => Some(error),
            Self::Cache(error) => Some(error),
        }
    }
}

/// What a relay needs beside the database.
#[derive(Clone)]
pub(crate) struct Relaying {
    pub(crate) cache: Cache,
    pub(crate) delay: Duration,
    pub(crate) settle: Option<Arc<Settle>>,
}

/// A relay in the background. It ends when this is dropped.
///
/// ```
/// # use cache_runtime::Cache;
/// # use cache_sql::Db;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let cache = Cache::builder().build()?;
/// # let db = Db::new(&cache, sqlx::SqlitePool::connect("sqlite::memory:").await?);
/// let relay = db.spawn_relay();
/// // .. serve ..
/// drop(relay);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the relay ends when this is dropped"]
pub struct Relay {
    task: Option<AbortHandle>,
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Relay {
    /// Spawn a relay on the current runtime.
    pub(crate) fn spawn<S: Store>(store: S, relaying: Relaying) -> Self {
        let Ok(runtime) = Handle::try_current() else {
            tracing::error!(
                target: "cache", op = "relay",
                "[Cache] RELAY: `spawn_relay` was called outside of a Tokio runtime, so no relay \
                 runs; call it within the runtime"
            );
            return Self { task: None };
        };
        let relay = repeat(store, relaying).in_current_span();
        let task = runtime.spawn(relay.with_current_subscriber());
        Self {
            task: Some(task.abort_handle()),
        }
    }
}

async fn repeat<S: Store>(store: S, relaying: Relaying) {
    let mut has_failed = false;
    loop {
        match relaying.once(&store).await {
            Ok(_) => has_failed = false,
            Err(error) => {
                // Once per outage, not once per second.
                if !std::mem::replace(&mut has_failed, true) {
                    tracing::warn!(
                        target: "cache", op = "relay", %error,
                        "[Cache] RELAY: {error}; it is tried again every {INTERVAL:?}"
                    );
                }
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

impl Relaying {
    /// Invalidate and delete the rows that are due, and return their number.
    pub(crate) async fn once<S: Store>(&self, store: &S) -> Result<u64, RelayError<S::Error>> {
        let mut total = 0;
        // While the breaker is open, each row would fail, and be locked meanwhile.
        while self.cache.is_available() {
            let (taken, deleted) = self.batch(store).await?;
            total += deleted;
            if taken < outbox::BATCH {
                break;
            }
        }
        Ok(total)
    }

    /// Relay one batch. Return how many rows it had, and how many of them this relay has deleted.
    ///
    /// At each await this may be dropped, or the process may die: the transaction is then rolled
    /// back, the rows stay, and another relay takes them.
    async fn batch<S: Store>(&self, store: &S) -> Result<(usize, u64), RelayError<S::Error>> {
        let (dialect, prefix) = (store.dialect(), self.cache.prefix());
        let database = RelayError::Database;
        // Usually there are no rows, and then no writer of SQLite needs to wait for this.
        if dialect == Dialect::Sqlite {
            let look = outbox::look(dialect, prefix, self.delay);
            if store.query(look).await.map_err(database)?.is_empty() {
                return Ok((0, 0));
            }
        }
        let mut transaction = store.begin().await.map_err(database)?;
        let take = outbox::take(dialect, prefix, self.delay);
        let rows = S::query_in(&mut transaction, take).await;
        let rows = rows.map_err(database)?;
        if rows.is_empty() {
            S::commit(transaction).await.map_err(database)?;
            return Ok((0, 0));
        }
        // Held so that no other relay takes the same rows. Correctness doesn't need it.
        let mut invalidated = pin!(self.invalidate(&rows));
        let hold = if dialect == Dialect::Sqlite { HOLD_SQLITE } else { HOLD };
        let transaction = match timeout(hold, &mut invalidated).await {
            Ok(outcome) => {
                outcome.map_err(RelayError::Cache)?;
                transaction
            }
            Err(_) => {
                drop(transaction);
                invalidated.await.map_err(RelayError::Cache)?;
                store.begin().await.map_err(database)?
            }
        };
        let deleted = Self::delete(store, transaction, &rows).await;
        Ok((rows.len(), deleted.map_err(database)?))
    }

    /// Invalidate what the rows say. Begins when it is called.
    fn invalidate(&self, rows: &[Row]) -> impl Future<Output = Result<u64, CacheError>> + Send + use<> {
        let invalidations = self.cache.invalidations();
        for pattern in rows.iter().flat_map(|row| outbox::split(&row.patterns)) {
            invalidations.add(pattern);
        }
        if let Some(settle) = &self.settle {
            settle.schedule(&self.cache, &invalidations.patterns());
        }
        invalidations.commit()
    }

    async fn delete<S: Store>(
        _: &S,
        mut transaction: S::Transaction,
        rows: &[Row],
    ) -> Result<u64, S::Error> {
        let delete = outbox::delete(rows.iter().map(|row| row.id));
        let deleted = S::execute(&mut transaction, delete).await?;
        S::commit(transaction).await?;
        Ok(deleted)
    }
}
