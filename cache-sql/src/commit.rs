//! From a transaction's first statement to the invalidation after its COMMIT, for every library.
//!
//! | at this await | dropped, or the task dies | the process dies |
//! |---|---|---|
//! | statements of the transaction | rolled back, nothing is invalidated | the same |
//! | [`before_commit`](Collector::before_commit) | rolled back, nothing is invalidated | the same |
//! | COMMIT | unknown: invalidated at once, and twice more later | the outbox's row, if it was committed |
//! | the invalidation | it finishes on the cache's thread | the outbox's row |
//!
//! The caller's future is none of these: [`detached`] runs all four in a task of its own, so that a
//! request that is cancelled can't leave a COMMIT in a buffer, to be sent by the next user of the
//! connection after the invalidation.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cache_runtime::{Cache, CacheError, Invalidations};

use crate::outbox;
use crate::settle::{self, Settle};

/// How long after the first invalidation the others follow if the outcome is unknown: the server
/// may still be about to commit when its connection breaks, and a reader in between would store the
/// old value again.
const UNKNOWN_AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(10)];

/// Configuration that all transactions of a `Db` share.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) cache: Cache,
    pub(crate) settle: Option<Arc<Settle>>,
    /// How old a row of the outbox is before a relay takes it.
    pub(crate) outbox_delay: Duration,
}

impl Config {
    pub(crate) fn new(cache: &Cache) -> Self {
        Self {
            cache: cache.clone(),
            settle: None,
            outbox_delay: outbox::DELAY,
        }
    }
}

/// To be called once the patterns of a commit have been invalidated. Dropped uncalled if they
/// haven't, or if the outcome of the commit is unknown.
pub(crate) type Receipt = Box<dyn FnOnce() + Send + Sync>;

/// A boxed future.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Work in front of COMMIT, in the same transaction, on a connection `C` with errors `E`.
pub(crate) trait BeforeCommit<C: ?Sized, E>: Send + Sync {
    /// Do the work. An error rolls the transaction back, and is the error of the commit.
    fn before_commit<'a>(
        &'a self,
        connection: &'a mut C,
        patterns: &'a [String],
    ) -> BoxFuture<'a, Result<Option<Receipt>, E>>;

    /// Note that the outbox's table exists.
    fn outbox_exists(&self);
}

/// [`BeforeCommit`] for blocking libraries.
pub(crate) trait BeforeCommitBlocking<C: ?Sized, E>: Send + Sync {
    /// See [`BeforeCommit::before_commit`].
    fn before_commit(&self, connection: &C, patterns: &[String]) -> Result<Option<Receipt>, E>;

    /// See [`BeforeCommit::outbox_exists`].
    fn outbox_exists(&self);
}

/// The invalidations of one transaction. Dropped while the transaction is open, it invalidates
/// nothing; dropped while the outcome isn't known, everything.
pub(crate) struct Collector {
    invalidations: Invalidations,
    settle: Option<Arc<Settle>>,
    stage: Stage,
    receipt: Option<Receipt>,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// Nothing of the transaction is committed.
    Open,
    /// Something of it may be committed.
    Unknown,
    /// The invalidations have begun, or there are none.
    Ended,
}

impl Collector {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            invalidations: config.cache.invalidations(),
            settle: config.settle.clone(),
            stage: Stage::Open,
            receipt: None,
        }
    }

    pub(crate) fn invalidations(&self) -> &Invalidations {
        &self.invalidations
    }

    /// Whether a commit needs nothing of this.
    pub(crate) fn is_idle(&self) -> bool {
        self.stage == Stage::Open && self.invalidations.is_empty()
    }

    /// Note that from now on, until [`still_open`](Self::still_open), the transaction may end
    /// without this noticing.
    pub(crate) fn may_end(&mut self) {
        self.stage = Stage::Unknown;
    }

    /// Note that the transaction is open.
    pub(crate) fn still_open(&mut self) {
        self.stage = Stage::Open;
    }

    /// Whether the transaction may have ended.
    pub(crate) fn is_in_doubt(&self) -> bool {
        self.stage != Stage::Open
    }

    /// Do the work in front of COMMIT.
    pub(crate) async fn before_commit<C: ?Sized, E>(
        &mut self,
        hook: Option<&dyn BeforeCommit<C, E>>,
        connection: &mut C,
    ) -> Result<(), E> {
        if let Some(hook) = hook {
            let patterns = self.invalidations.patterns();
            self.receipt = hook.before_commit(connection, &patterns).await?;
        }
        Ok(())
    }

    /// Do the work in front of COMMIT, on this thread.
    pub(crate) fn before_commit_blocking<C: ?Sized, E>(
        &mut self,
        hook: Option<&dyn BeforeCommitBlocking<C, E>>,
        connection: &C,
    ) -> Result<(), E> {
        if let Some(hook) = hook {
            let patterns = self.invalidations.patterns();
            self.receipt = hook.before_commit(connection, &patterns)?;
        }
        Ok(())
    }

    /// Await COMMIT, then the invalidation that its outcome asks for.
    pub(crate) async fn commit<E>(
        mut self,
        commit: impl Future<Output = Result<(), E>>,
        is_refusal: impl FnOnce(&E) -> bool,
    ) -> Result<(), E> {
        self.stage = Stage::Unknown;
        let outcome = commit.await;
        // The invalidation begins when it is called: a drop comes before or after it.
        if self.conclude(&outcome, is_refusal) {
            let invalidated = self.invalidations.commit().await;
            self.conclude_invalidation(invalidated);
        }
        outcome
    }

    /// COMMIT, then the invalidation that its outcome asks for, on this thread.
    pub(crate) fn commit_blocking<E>(
        mut self,
        commit: impl FnOnce() -> Result<(), E>,
        is_refusal: impl FnOnce(&E) -> bool,
    ) -> Result<(), E> {
        self.stage = Stage::Unknown;
        let outcome = commit();
        if self.conclude(&outcome, is_refusal) {
            let invalidated = self.invalidations.commit_blocking();
            self.conclude_invalidation(invalidated);
        }
        outcome
    }

    /// Learn the outcome of COMMIT. Return whether to invalidate now.
    fn conclude<E>(
        &mut self,
        outcome: &Result<(), E>,
        is_refusal: impl FnOnce(&E) -> bool,
    ) -> bool {
        self.stage = Stage::Ended;
        match outcome {
            Ok(()) => self.settle_later(),
            Err(error) if is_refusal(error) => {
                self.invalidations.rollback();
                return false;
            }
            Err(_) => self.doubt(),
        }
        true
    }

    fn conclude_invalidation(&mut self, invalidated: Result<u64, CacheError>) {
        match invalidated {
            Ok(_) => {
                if let Some(receipt) = self.receipt.take() {
                    receipt();
                }
            }
            Err(error @ CacheError::Background { .. }) => tracing::error!(
                target: "cache", op = "invalidate", %error,
                "[Cache] NOT INVALIDATED: after COMMIT: {error}; entries of the changed rows may \
                 be served until their TTL ends"
            ),
            // The cache has logged it, and replays the invalidation. The outbox's row stays, in
            // case this process ends before.
            Err(_) => {}
        }
    }

    fn settle_later(&self) {
        if let Some(settle) = &self.settle {
            settle.schedule(self.invalidations.cache(), &self.invalidations.patterns());
        }
    }

    /// The transaction may be committed later than the invalidation that follows.
    fn doubt(&mut self) {
        // The outbox's row stays for a relay: it exists exactly if the transaction was committed.
        self.receipt = None;
        // The database may lack what was written through.
        self.invalidations.mark_unknown();
        self.settle_later();
        let patterns = self.invalidations.patterns();
        for time in UNKNOWN_AGAIN {
            settle::invalidate_after(time, self.invalidations.cache(), &patterns);
        }
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        match self.stage {
            Stage::Open => self.invalidations.rollback(),
            Stage::Unknown => {
                self.doubt();
                // It has begun, and finishes without a caller.
                drop(self.invalidations.commit());
            }
            Stage::Ended => {}
        }
    }
}
