//! Reading an entry in Redis that outlives its TTL, or may be recomputed before the TTL ends. The
//! claim to recompute it is in the entry's header.

use std::sync::Arc;
use std::time::Duration;

use crate::entry::Header;
use crate::entry::age::Age;
use crate::entry::payload::Payload;
use crate::error::CacheError;
use crate::flight::JoinOutcome;
use crate::read::call::Call;
use crate::read::decision::{Accept, Decision, Lead};
use crate::read::freshness::{Freshness, Reason};
use crate::read::lease::{
    LeaseWait, Next, join_or_lead, request_lease, wait_for_claim, wait_or_lead,
};
use crate::read::refresh::early;
use crate::store::redis::{Claimed, Found, Holder, RedisStore, RemainingTtl, header_of};

/// The most nanoseconds by which an entry's end may appear later in Redis than in the near cache,
/// which subtracts clock ticks and the reply's latency.
const LAG: u64 = 200_000_000;

/// Read an entry as other calls do, except that each look returns the entry's remaining TTL.
pub(crate) async fn read(
    call: &Call,
    store: &RedisStore,
    wait: &mut LeaseWait,
    accept: &mut Accept<'_>,
) -> Result<Decision, CacheError> {
    // The random number is drawn once for each call and entry.
    let mut drawn = None;
    loop {
        let mut look = store.get_with_ttl(&call.key, call.options.near).await?;
        let left = look.left.flatten();
        if let Some(header) = header_of(&look.seen) {
            let freshness = freshness_of(call, &look.seen, &header, left, &mut drawn);
            let next = use_or_claim(
                call, store, &look.seen, freshness, &header, left, wait, accept,
            )
            .await?;
            match next {
                Next::Decided(Decision::Hit) if freshness == Freshness::Fresh => {
                    return Ok(look
                        .near_candidate()
                        .map_or(Decision::Hit, Decision::HitFromRedis));
                }
                Next::Decided(step) => return Ok(step),
                Next::Retry => continue,
                Next::Unusable => {}
            }
        }
        if let Some(step) = wait_or_lead(call, store, look.seen, wait, accept).await? {
            return Ok(step);
        }
    }
}

fn freshness_of(
    call: &Call,
    seen: &Found,
    header: &Header,
    left: RemainingTtl,
    drawn: &mut Option<(u64, bool)>,
) -> Freshness {
    let age = left.map_or(Age::Fresh(Duration::MAX), |left| {
        Age::of(left, header.grace)
    });
    let compute = Duration::from_micros(header.compute_micros.into());
    let Found::Entry(bytes) = seen else {
        return Freshness::Gone;
    };
    let payload = Payload::Encoded(Arc::clone(bytes));
    call.freshness(age, (&payload, header.version), |fresh| {
        if let Some((token, due)) = *drawn
            && token == header.token
        {
            return due;
        }
        // If the entry was seen in the near cache, the random number has been drawn for it.
        let end = call.cache.inner().clock.deadline(fresh);
        let was_due = call.due.is_some_and(|due| end <= due.saturating_add(LAG));
        let due = was_due || early::is_due(fresh, compute);
        *drawn = Some((header.token, due));
        due
    })
}

/// Take the value, claim it, or wait for the claim's holder. [`Next::Unusable`]: the value is
/// unusable, and is overwritten.
#[expect(
    clippy::too_many_arguments,
    reason = "one reading of the entry, with its parts"
)]
async fn use_or_claim(
    call: &Call,
    store: &RedisStore,
    seen: &Found,
    freshness: Freshness,
    header: &Header,
    left: RemainingTtl,
    wait: &mut LeaseWait,
    accept: &mut Accept<'_>,
) -> Result<Next, CacheError> {
    let Found::Entry(bytes) = seen else {
        return Ok(Next::Unusable);
    };
    if freshness != Freshness::Gone && !accept(&Payload::Encoded(Arc::clone(bytes)), call.version) {
        return Ok(Next::Unusable);
    }
    let holder = match Holder::of(header, left) {
        Holder::Claim(claim) if store.is_orphan(claim) => Holder::Free,
        holder => holder,
    };
    match (freshness, holder) {
        (Freshness::Fresh, _) => {
            call.saw_in_redis(bytes);
            call.hit();
            Ok(Next::Decided(Decision::Hit))
        }
        (Freshness::Due(reason), Holder::Pause) => Ok(Next::Decided(call.hit_meanwhile(reason))),
        (Freshness::Due(reason @ (Reason::Early | Reason::Stale)), Holder::Claim(_)) => {
            Ok(Next::Decided(call.hit_meanwhile(reason)))
        }
        // This call can't serve the claimed value, so it waits for the claim's result as for a
        // lease.
        (Freshness::Due(Reason::Expired) | Freshness::Gone, Holder::Claim(claim)) => {
            Ok(wait_for_claim(call, claim, wait, accept).await)
        }
        (Freshness::Due(reason), Holder::Free) => {
            claim(call, store, reason, header, wait, accept).await
        }
        (Freshness::Gone, Holder::Free | Holder::Pause) => Ok(Next::Unusable),
    }
}

/// Claim the value, unless another caller in this process is about to. A caller that comes too
/// late for the claim has seen the value that the claim is on, and takes it.
async fn claim(
    call: &Call,
    store: &RedisStore,
    reason: Reason,
    header: &Header,
    wait: &mut LeaseWait,
    accept: &mut Accept<'_>,
) -> Result<Next, CacheError> {
    let may_serve = reason != Reason::Expired;
    let leader = match join_or_lead(call, wait) {
        JoinOutcome::Join(_) | JoinOutcome::Nested if may_serve => {
            return Ok(Next::Decided(call.hit_meanwhile(reason)));
        }
        JoinOutcome::Join(flight) => {
            let waited = call.wait(flight, &mut wait.limit, accept).await;
            return Ok(waited.map_or(Next::Retry, Next::Decided));
        }
        JoinOutcome::Nested | JoinOutcome::Writing | JoinOutcome::Found(()) => {
            return Ok(Next::Decided(Decision::Bypass));
        }
        JoinOutcome::Retry => return Ok(Next::Retry),
        JoinOutcome::Lead(leader) => leader,
    };
    let lease = request_lease(call, store, &leader);
    match leader.drive(store.claim(lease, header.token)).await {
        Ok(Claimed::Granted(lease)) => {
            let lead = Lead::with_lease(leader, lease);
            Ok(Next::Decided(Decision::Refresh(lead, reason)))
        }
        Ok(Claimed::Taken) if may_serve => Ok(Next::Decided(call.hit_meanwhile(reason))),
        // By a faster caller, or by one that is gone and could not give the claim back.
        Ok(Claimed::Taken) => Ok(wait.pause(header.token).await),
        Ok(Claimed::Changed) => Ok(Next::Retry),
        Err(error) if may_serve => {
            call.store_failed(store, &error);
            Ok(Next::Decided(call.hit_meanwhile(reason)))
        }
        Err(error) => Err(error),
    }
}
