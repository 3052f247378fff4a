//! Storing a computed value in Redis.

use std::time::Duration;

use super::FillFuture;
use crate::entry::payload::Payload;
use crate::read::call::Call;
use crate::read::decision::Lead;
use crate::runtime;
use crate::store::redis::NearCopy;

/// Hand the value to waiting callers, then fill if the lease still exists. The fill and the end
/// of the flight don't need the caller.
pub(crate) fn fill(
    call: &Call,
    mut lead: Lead,
    payload: Payload,
    ttl: Duration,
    entry: Vec<u8>,
    near: Option<NearCopy>,
) -> Option<FillFuture> {
    lead.leader.announce(payload, call.version);
    let mut lease = lead.lease.take()?;
    let call = call.clone();
    let underway = runtime::spawn_telling(async move {
        let kept_for = ttl.saturating_add(call.grace());
        match lease.fill(&entry, kept_for, near).await {
            Ok(filled) => {
                lease.mark_over();
                // Otherwise an invalidation has deleted the lease.
                if filled {
                    call.filled(ttl);
                }
            }
            // The fill was refused (out of memory) or got no answer: the lease, if it still
            // exists, is given back.
            Err(error) => call.store_failed(&lease.store(), &error),
        }
        drop(lease);
        drop(lead);
    });
    let underway = underway.ok()?;
    Some(Box::pin(async move { drop(underway.await) }))
}
