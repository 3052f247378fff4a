//! A write-through whose body has begun: its end decides whether the key is filled or invalidated.

use std::any::Any;
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::pattern::Pattern;
use crate::read::call::Call;
use crate::read::decision::Lead;
use crate::read::fill::FillFuture;
use crate::read::fill::plan::FillPlan;
#[cfg(feature = "redis")]
use crate::runtime;
#[cfg(feature = "redis")]
use crate::store::redis::{Lease, NearCopy};
use crate::transaction::{Added, Began, Invalidations, PendingFill};

/// The entries whose values a write makes old.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Extent {
    /// That of the call's key, which the new value replaces.
    Entry,
    /// All of the key's path, which one value can't replace.
    Path,
    /// Those that the call's key matches. It is a pattern, with `*` for each placeholder that
    /// couldn't be rendered.
    Pattern,
}

impl Extent {
    fn pattern(self, key: &str) -> Pattern {
        match self {
            Self::Entry | Self::Path => Pattern::of_path(key),
            Self::Pattern => Pattern::new(key),
        }
    }
}

/// A write whose body has begun. If it is dropped, its outcome is unknown, and the key is
/// invalidated.
pub(crate) struct Writing(Option<Open>);

struct Open {
    call: Box<Call>,
    extent: Extent,
    lead: Lead,
    /// Whether the lease has been taken, and wasn't contested then.
    may_fill: bool,
    transaction: Option<Box<(Invalidations, Began)>>,
    watch: Stopwatch,
}

impl Writing {
    pub(crate) fn new(
        (call, extent): (Box<Call>, Extent),
        (lead, may_fill): (Lead, bool),
        transaction: Option<Box<(Invalidations, Began)>>,
    ) -> Self {
        Self(Some(Open {
            watch: call.stopwatch(),
            call,
            extent,
            lead,
            may_fill,
            transaction,
        }))
    }

    /// Decide about the value that the body returned, with the call, its lead and how long it took.
    /// If `decide` panics, the outcome stays unknown.
    pub(crate) fn decide<T>(&self, decide: impl FnOnce(&Call, &Lead, Duration) -> T) -> Option<T> {
        let open = self.0.as_ref()?;
        let took = open.call.took(&open.watch);
        Some(decide(&open.call, &open.lead, took))
    }

    /// End a write that has succeeded. Return work that is still to be awaited, and finishes
    /// without its caller.
    pub(crate) fn succeed(mut self, plan: FillPlan) -> Option<FillFuture> {
        let open = self.0.take()?;
        // Without a key, a success ends as a failure does: nothing is stored.
        if open.extent == Extent::Pattern {
            return open.fail();
        }
        let Open {
            call,
            extent,
            lead,
            may_fill,
            transaction,
            ..
        } = open;
        let written = WrittenThrough {
            call,
            extent,
            lead,
            may_fill,
            plan,
        };
        let Some(transaction) = transaction else {
            return written.carry_out();
        };
        let (collector, began) = *transaction;
        let call = written.call.clone();
        let fill = Some(Box::new(written) as Box<dyn PendingFill>);
        match collector.add_written(began, call.origin, &call.key, fill) {
            Added::Waits | Added::RolledBack => None,
            Added::Committed(fill) => fill?.fill(),
            Added::Unclear(fill) => {
                drop(fill);
                invalidate(&call, extent)
            }
        }
    }

    /// End a write that has failed, or whose outcome is unknown. Return the invalidation, which has
    /// begun and finishes without its caller.
    pub(crate) fn fail(mut self) -> Option<FillFuture> {
        self.0.take()?.fail()
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(open) = self.0.take() {
            let _underway = open.fail();
        }
    }
}

impl Open {
    fn fail(self) -> Option<FillFuture> {
        let Self {
            call,
            extent,
            lead,
            transaction,
            ..
        } = self;
        if let Some(transaction) = transaction {
            let (collector, began) = *transaction;
            let is_left = match extent {
                Extent::Pattern => {
                    let patterns = vec![extent.pattern(&call.key)];
                    let committed = collector.add_since(began, call.origin, patterns);
                    committed.is_none()
                }
                // The lease is given back. A reader may store the value of before the commit
                // meanwhile, which the commit invalidates.
                Extent::Entry | Extent::Path => {
                    let added = collector.add_written(began, call.origin, &call.key, None);
                    matches!(added, Added::Waits | Added::RolledBack)
                }
            };
            if is_left {
                return None;
            }
        }
        end(lead);
        invalidate(&call, extent)
    }
}

/// A value that was written through, on its way to the store.
pub(crate) struct WrittenThrough {
    call: Box<Call>,
    extent: Extent,
    lead: Lead,
    may_fill: bool,
    plan: FillPlan,
}

impl WrittenThrough {
    /// Return the lead of a value that waits for its commit, for a later write of the same
    /// transaction.
    pub(crate) fn into_lead(pending: Box<dyn PendingFill>) -> Option<(Lead, bool)> {
        let pending: Box<dyn Any> = pending;
        let Self { lead, may_fill, .. } = *pending.downcast().ok()?;
        Some((lead, may_fill))
    }

    /// Fill, or invalidate if the value isn't to be stored, or the lease is gone.
    fn carry_out(self) -> Option<FillFuture> {
        let Self {
            call,
            extent,
            lead,
            may_fill,
            plan,
        } = self;
        match plan {
            FillPlan::Memory {
                payload,
                ttl,
                took,
                weight,
            } if may_fill => {
                let was_valid = call.fill_memory(lead.leader, payload, ttl, took, weight);
                match was_valid {
                    true => None,
                    false => invalidate(&call, extent),
                }
            }
            #[cfg(feature = "redis")]
            FillPlan::Redis {
                ttl, bytes, near, ..
            } if may_fill => fill_redis(call, lead, ttl, bytes, near),
            _ => {
                end(lead);
                invalidate(&call, extent)
            }
        }
    }
}

impl PendingFill for WrittenThrough {
    fn fill(self: Box<Self>) -> Option<FillFuture> {
        self.carry_out()
    }
}

/// Leave the lease to the invalidation that follows, which deletes it.
fn end(lead: Lead) {
    #[cfg(feature = "redis")]
    {
        let mut lead = lead;
        if let Some(lease) = &mut lead.lease {
            lease.mark_over();
        }
    }
    #[cfg(not(feature = "redis"))]
    drop(lead);
}

/// Begin to invalidate the key, or what it matches. `None` if that is done.
///
/// Failures are counted, logged and queued where they occur; the write itself has happened.
fn invalidate(call: &Call, extent: Extent) -> Option<FillFuture> {
    let pattern = extent.pattern(&call.key);
    let begun = call.cache.invalidate(call.origin, vec![pattern]);
    if call.cache.inner().store.memory().is_some() {
        return None;
    }
    Some(Box::pin(async move { drop(begun.await) }))
}

#[cfg(feature = "redis")]
fn fill_redis(
    call: Box<Call>,
    mut lead: Lead,
    ttl: Duration,
    entry: Vec<u8>,
    near: Option<NearCopy>,
) -> Option<FillFuture> {
    let lease = lead.lease.take();
    drop(lead);
    let (Some(lease), Ok(_)) = (lease, runtime::handle()) else {
        return invalidate(&call, Extent::Entry);
    };
    let underway = runtime::spawn_telling(filling(call, lease, ttl, entry, near)).ok()?;
    Some(Box::pin(async move { drop(underway.await) }))
}

/// Fill if the lease still exists. Otherwise another write of the key has come in between, and an
/// older value may have been stored since: the key is invalidated.
#[cfg(feature = "redis")]
async fn filling(
    call: Box<Call>,
    mut lease: Lease,
    ttl: Duration,
    entry: Vec<u8>,
    near: Option<NearCopy>,
) {
    let filled = lease.fill_write(&entry, ttl, near).await;
    lease.mark_over();
    match filled {
        Ok(true) => return call.filled(ttl),
        Ok(false) => {}
        Err(error) => call.store_failed(&lease.store(), &error),
    }
    if let Some(invalidation) = invalidate(&call, Extent::Entry) {
        invalidation.await;
    }
}
