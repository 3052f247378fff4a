//! Storing a computed value in Redis.

use std::time::Duration;

use futures_util::future::join_all;

use super::FillFuture;
use crate::entry::payload::Payload;
use crate::read::call::Call;
use crate::read::decision::Lead;
use crate::runtime;
use crate::stats::Counter;
use crate::store::redis::{Lease, NearCopy};

/// Number of entries filled in one batch. An entry behind too many others would exceed the response
/// timeout and look like an outage.
const BATCH: usize = 500;

/// Hand the value to waiting callers, then fill if the lease still exists. The fill and the end
/// of the flight don't need the caller.
pub(crate) fn fill(
    call: &Call,
    lead: Lead,
    payload: Payload,
    ttl: Duration,
    entry: Vec<u8>,
    near: Option<NearCopy>,
) -> Option<FillFuture> {
    let filling = RedisFill::announced(call.clone(), lead, payload, ttl, entry, near)?;
    let underway = runtime::spawn_telling(filling.run()).ok()?;
    Some(Box::pin(async move { drop(underway.await) }))
}

/// A fill whose value the waiting callers have.
pub(crate) struct RedisFill {
    /// Declared before the lead, so that the caller that takes over finds the lease gone.
    lease: Lease,
    lead: Lead,
    call: Call,
    ttl: Duration,
    entry: Vec<u8>,
    near: Option<NearCopy>,
}

impl RedisFill {
    /// Hand the value to waiting callers.
    pub(crate) fn announced(
        call: Call,
        mut lead: Lead,
        payload: Payload,
        ttl: Duration,
        entry: Vec<u8>,
        near: Option<NearCopy>,
    ) -> Option<Self> {
        lead.leader.announce(payload, call.version);
        Some(Self {
            lease: lead.lease.take()?,
            lead,
            call,
            ttl,
            entry,
            near,
        })
    }

    async fn run(self) {
        let Self {
            mut lease,
            lead,
            call,
            ttl,
            mut entry,
            near,
        } = self;
        if let Some(owner) = &lease.owner {
            crate::entry::set_owner(&mut entry, owner);
        }
        let kept_for = ttl.saturating_add(call.grace());
        match lease.fill(&entry, kept_for, near).await {
            Ok(filled) => {
                lease.mark_over();
                match filled {
                    true => call.filled(ttl),
                    // An invalidation has deleted the lease.
                    false => call.count(Counter::Overtaken),
                }
            }
            // The fill was refused (out of memory) or got no answer: the lease, if it still
            // exists, is given back.
            Err(error) => {
                call.count(Counter::Unfilled);
                call.store_failed(&lease.store(), &error);
            }
        }
        drop(lease);
        drop(lead);
    }
}

/// Fill many entries, in one round trip for each [`BATCH`].
pub(crate) fn fill_many(fills: Vec<RedisFill>) -> Option<FillFuture> {
    if fills.is_empty() {
        return None;
    }
    let underway = runtime::spawn_telling(async move {
        let mut fills = fills.into_iter().peekable();
        while fills.peek().is_some() {
            join_all(fills.by_ref().take(BATCH).map(RedisFill::run)).await;
        }
    });
    let underway = underway.ok()?;
    Some(Box::pin(async move { drop(underway.await) }))
}
