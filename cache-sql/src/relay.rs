//! Relays: invalidating the rows that are left in the outbox.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use cache_runtime::{Cache, CacheError, Invalidations};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use tracing::Instrument;
use tracing::instrument::WithSubscriber;

use crate::Dialect;
use crate::commit::Config;
use crate::outbox::{self, Row, Store};
use crate::settle::Settle;

/// Pause between two passes of a spawned relay.
const INTERVAL: Duration = Duration::from_secs(1);
/// Number of passes after which the outbox is counted, for the metric `cache_outbox_rows`.
pub(crate) const COUNTED_EVERY: u64 = 5;

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

/// Configuration of a relay, apart from the database.
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
    running: Running,
}

#[derive(Debug)]
enum Running {
    Task(AbortHandle),
    /// A thread, which ends when this is dropped.
    Thread {
        _stop: Sender<()>,
    },
    Nothing,
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Running::Task(task) = &self.running {
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
            return Self {
                running: Running::Nothing,
            };
        };
        let relay = repeat(store, relaying).in_current_span();
        let task = runtime.spawn(relay.with_current_subscriber());
        Self {
            running: Running::Task(task.abort_handle()),
        }
    }

    /// Spawn a relay on a thread of its own.
    pub(crate) fn spawn_thread<E: fmt::Display>(
        mut once: impl FnMut() -> Result<u64, RelayError<E>> + Send + 'static,
    ) -> Self {
        let (stop, stopped) = channel();
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let run = move || {
            let _subscriber = tracing::dispatcher::set_default(&dispatch);
            let mut log = FailureLog::default();
            loop {
                log.note(once());
                if stopped.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().name("cache-sql-relay".to_owned());
        if let Err(error) = thread.spawn(run) {
            tracing::error!(
                target: "cache", op = "relay", %error,
                "[Cache] RELAY: its thread can't start, so no relay runs: {error}"
            );
        }
        Self {
            running: Running::Thread { _stop: stop },
        }
    }
}

async fn repeat<S: Store>(store: S, relaying: Relaying) {
    let mut log = FailureLog::default();
    for pass in 0_u64.. {
        log.note(relaying.once(&store).await);
        if pass % COUNTED_EVERY == 0 {
            relaying.count(&store).await;
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Logs the first failure of several in a row, not one per second.
#[derive(Default)]
struct FailureLog {
    has_failed: bool,
}

impl FailureLog {
    fn note<E: fmt::Display>(&mut self, outcome: Result<u64, RelayError<E>>) {
        let Err(error) = outcome else {
            self.has_failed = false;
            return;
        };
        if !std::mem::replace(&mut self.has_failed, true) {
            tracing::warn!(
                target: "cache", op = "relay", %error,
                "[Cache] RELAY: {error}; it is tried again every {INTERVAL:?}"
            );
        }
    }
}

impl Relaying {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            cache: config.cache.clone(),
            delay: config.outbox_delay,
            settle: config.settle.clone(),
        }
    }

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

    /// Count the rows, and tell the cache. A failure is that of the next pass, too, which logs it.
    async fn count<S: Store>(&self, store: &S) {
        let count = outbox::count(self.cache.prefix());
        if let Ok(rows) = store.query(count).await {
            self.report(&rows);
        }
    }

    /// Tell the cache the result of a count.
    pub(crate) fn report(&self, rows: &[Row]) {
        if let [(rows, _)] = rows {
            self.cache.report_outbox_rows(rows.unsigned_abs());
        }
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
        let hold = if dialect == Dialect::Sqlite {
            HOLD_SQLITE
        } else {
            HOLD
        };
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
    fn invalidate(
        &self,
        rows: &[Row],
    ) -> impl Future<Output = Result<u64, CacheError>> + Send + use<> {
        self.collect(rows).commit()
    }

    /// [`invalidate`](Self::invalidate) for blocking code.
    pub(crate) fn invalidate_blocking(&self, rows: &[Row]) -> Result<u64, CacheError> {
        self.collect(rows).commit_blocking()
    }

    fn collect(&self, rows: &[Row]) -> Invalidations {
        let invalidations = self.cache.invalidations();
        for (_, patterns) in rows {
            outbox::split(patterns).for_each(|pattern| invalidations.add(pattern));
        }
        if let Some(settle) = &self.settle {
            settle.schedule(&self.cache, &invalidations.patterns());
        }
        invalidations
    }

    async fn delete<S: Store>(
        store: &S,
        mut transaction: S::Transaction,
        rows: &[Row],
    ) -> Result<u64, S::Error> {
        let delete = outbox::delete(store.dialect(), rows.iter().map(|(id, _)| *id));
        let deleted = S::execute(&mut transaction, delete).await?;
        S::commit(transaction).await?;
        Ok(deleted)
    }
}
