//! `tx`: invalidations that wait for the commit, and reads that run uncached until then.

mod collecting;
mod combined;
mod ended;
mod races;
mod uncached;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cache_runtime::{Cache, Invalidations, Transactional};

/// A database of one row.
#[derive(Clone, Debug)]
struct Database(Arc<AtomicU32>);

impl Database {
    fn holding(number: u32) -> Self {
        Self(Arc::new(AtomicU32::new(number)))
    }

    fn begin(&self, cache: &Cache) -> Transaction {
        Transaction {
            database: self.clone(),
            written: None,
            invalidations: cache.invalidations(),
        }
    }

    /// Return the committed number.
    fn number(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A user's own transaction.
#[derive(Debug)]
struct Transaction {
    database: Database,
    /// The number that only this transaction sees.
    written: Option<u32>,
    invalidations: Invalidations,
}

impl Transactional for Transaction {
    fn invalidations(&self) -> &Invalidations {
        &self.invalidations
    }
}

impl Transaction {
    fn number(&self) -> u32 {
        self.written.unwrap_or_else(|| self.database.number())
    }

    fn write(&mut self, number: u32) {
        self.written = Some(number);
    }

    async fn commit(mut self) -> u64 {
        if let Some(number) = self.written.take() {
            self.database.0.store(number, Ordering::SeqCst);
        }
        self.invalidations.commit().await.unwrap()
    }

    fn rollback(self) {
        self.invalidations.rollback();
    }
}
