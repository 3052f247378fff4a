//! Reading an entry in memory: look it up, wait for another caller's flight, or lead one.

use std::sync::Arc;

use crate::flight::{Flight, JoinOutcome, Stance};
use crate::read::call::{Call, WaitBudget};
use crate::read::decision::{Accept, Decision, Lead};
use crate::store::memory::MemoryStore;

/// Read an entry, or wait for its computation, until the call has it or computes it.
pub(super) async fn read(call: &Call, store: &MemoryStore, accept: &mut Accept<'_>) -> Decision {
    let mut limit = None;
    let mut unusable = false;
    loop {
        let flight = match join_or_lead(call, store, &mut unusable, accept) {
            Ok(step) => return step,
            Err(flight) => flight,
        };
        let limit = limit.get_or_insert_with(|| WaitBudget::new(call.wait_limit()));
        if let Some(step) = call.wait(flight, limit, accept).await {
            return step;
        }
    }
}

/// Return the next step, or the flight to wait for. `unusable` records that the cached value
/// has another type or version: it is recomputed and overwritten.
pub(super) fn join_or_lead(
    call: &Call,
    store: &MemoryStore,
    unusable: &mut bool,
    accept: &mut Accept<'_>,
) -> Result<Decision, Arc<Flight>> {
    let inner = call.cache.inner();
    if call.refresh {
        let leader = inner.flights.supersede(&call.key, !call.blocking);
        return Ok(Decision::Compute(Lead::in_memory(leader)));
    }
    loop {
        // Nearly always there is no entry: `holds` then saves reading the clock for an expiry
        // check.
        let recheck = || {
            let may_exist = !*unusable && store.holds(&call.key);
            may_exist.then(|| store.get(&call.key, inner.clock.now()))?
        };
        match inner
            .flights
            .join_or_lead(&call.key, !call.blocking, |_| Stance::Join, recheck)
        {
            JoinOutcome::Found(hit) if accept(&hit.payload, hit.version) => {
                call.hit();
                return Ok(Decision::Hit);
            }
            JoinOutcome::Found(_) => *unusable = true,
            JoinOutcome::Nested | JoinOutcome::Writing => return Ok(Decision::Bypass),
            JoinOutcome::Lead(leader) => return Ok(Decision::Compute(Lead::in_memory(leader))),
            #[cfg(feature = "redis")]
            JoinOutcome::Retry => {}
            JoinOutcome::Join(flight) => return Err(flight),
        }
    }
}
