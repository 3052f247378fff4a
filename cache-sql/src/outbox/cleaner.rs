//! Deleting the rows of invalidations that have succeeded, in the background.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;

use super::statements::delete;
use super::store::Store;

/// How long the ids of rows are collected before they are deleted together. Well below the delay of
/// a relay, which would otherwise invalidate again.
const PAUSE: Duration = Duration::from_millis(50);
/// The number of rows that one statement deletes.
const BATCH: usize = 512;

/// Deletes rows in batches, off the path of the callers. A row that it can't delete is left to a
/// relay.
#[derive(Debug)]
pub(crate) struct Cleaner<S> {
    store: S,
    pending: Mutex<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    ids: Vec<i64>,
    /// Whether a task will delete them.
    is_scheduled: bool,
}

impl<S: Store> Cleaner<S> {
    pub(crate) fn new(store: S) -> Self {
        Self {
            store,
            pending: Mutex::default(),
        }
    }

    /// Delete a row soon, in a task of this runtime.
    pub(crate) fn delete(self: &Arc<Self>, id: i64, runtime: &Handle) {
        let mut pending = self.lock();
        pending.ids.push(id);
        if std::mem::replace(&mut pending.is_scheduled, true) {
            return;
        }
        drop(pending);
        let scheduled = Scheduled(Arc::clone(self));
        runtime.spawn(async move {
            while !scheduled.0.is_done() {
                tokio::time::sleep(PAUSE).await;
                scheduled.0.delete_pending().await;
            }
        });
    }

    async fn delete_pending(&self) {
        let ids = std::mem::take(&mut self.lock().ids);
        for batch in ids.chunks(BATCH) {
            if let Err(error) = self.delete_batch(batch).await {
                tracing::debug!(
                    target: "cache", op = "outbox", %error,
                    "[Cache] OUTBOX: {} rows are left to a relay: {error}", batch.len()
                );
            }
        }
    }

    async fn delete_batch(&self, ids: &[i64]) -> Result<(), S::Error> {
        let mut transaction = self.store.begin().await?;
        let delete = delete(self.store.dialect(), ids.iter().copied());
        S::execute(&mut transaction, delete).await?;
        S::commit(transaction).await
    }

    /// Whether nothing is left to delete. The next row then needs a new task.
    fn is_done(&self) -> bool {
        let mut pending = self.lock();
        pending.is_scheduled = !pending.ids.is_empty();
        !pending.is_scheduled
    }
}

impl<S> Cleaner<S> {
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that deletes. Its runtime may drop it at any time; the next row then needs a new one,
/// which deletes these rows, too.
struct Scheduled<S>(Arc<Cleaner<S>>);

impl<S> Drop for Scheduled<S> {
    fn drop(&mut self) {
        self.0.lock().is_scheduled = false;
    }
}
