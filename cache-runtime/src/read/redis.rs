//! Reading an entry in Redis: look it up, wait, or take the lease.

use std::sync::Arc;
use std::time::Duration;

use crate::error::CacheError;
use crate::flight::{Flight, JoinOutcome, Leader, Stance, leased, nesting};
use crate::read::call::{Call, WaitBudget};
use crate::read::decision::{Accept, Decision, Lead};
use crate::read::fill::plan::FillFuture;
use crate::read::redis_stale;
use crate::runtime;
use crate::store::near::NearStore;
use crate::store::redis::{Found, Lease, NearCopy, RedisStore, may_be_stale};
use crate::value::payload::Payload;

/// The first and the longest pause between two looks at another process's lease.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const SLOWEST_LOOK: Duration = Duration::from_millis(50);

/// Read an entry. The first look is a plain `GET`, so a hit costs nothing more. A flight of
/// this process is joined only if its lease was seen after this call began: an invalidation
/// that returned before, in any process, has deleted that lease.
pub(crate) async fn read(call: &Call, store: &RedisStore, accept: &mut Accept<'_>) -> Decision {
    match try_read(call, store, accept).await {
        Ok(step) => step,
        Err(error) => {
            store_failed(call, store, &error);
            Decision::Bypass
        }
    }
}

/// Count and log a failure of the store. A failure during an outage isn't logged as an error:
/// the outage is logged once, where it is noticed.
pub(crate) fn store_failed(call: &Call, store: &RedisStore, error: &CacheError) {
    // The breaker that refused this call may have closed since.
    if matches!(error, CacheError::Unavailable { .. }) || store.is_down() {
        call.count(crate::stats::Counter::Errors);
        tracing::debug!(target: "cache", function = call.origin.function, op = "error", "[Cache] ERROR: {}: {error}", call.cache.full_key(&call.key));
    } else {
        call.failed(error);
    }
}

async fn try_read(
    call: &Call,
    store: &RedisStore,
    accept: &mut Accept<'_>,
) -> Result<Decision, CacheError> {
    if call.refresh {
        return take_over(call, store).await;
    }
    if call.options.refresh() {
        return Box::pin(redis_stale::read(call, store, accept)).await;
    }
    if is_near(call, store, accept) {
        return Ok(Decision::Hit);
    }
    let mut wait = LeaseWait::new(call.cache.inner().wait_timeout);
    loop {
        let mut look = store.look(&call.key, call.options.near).await?;
        // An entry of another function that outlives its TTL.
        if may_be_stale(&look.seen) {
            return Box::pin(redis_stale::read(call, store, accept)).await;
        }
        if let Found::Entry(bytes) = &look.seen
            && accept(&Payload::Encoded(Arc::clone(bytes)), call.version)
        {
            call.hit();
            return Ok(look
                .near_candidate()
                .map_or(Decision::Hit, Decision::HitFromRedis));
        }
        let mut seen = look.seen;
        if let Found::Lease(token, bytes) = &seen {
            match wait_for_lease(call, store, *token, &mut wait, accept).await? {
                Next::Decided(step) => return Ok(step),
                Next::Retry => continue,
                Next::Unusable => seen = Found::Entry(Arc::clone(bytes)),
            }
        }
        if let Some(step) = lead(call, store, seen, &mut wait, accept).await? {
            return Ok(step);
        }
    }
}

/// Whether the near cache answers the call. Calls of annotated functions have looked there
/// already, so only explicit operations get a hit here.
fn is_near(call: &Call, store: &RedisStore, accept: &mut Accept<'_>) -> bool {
    let usable = store.near().filter(|_| call.options.near);
    let hit = usable
        .and_then(NearStore::usable)
        .and_then(|(entries, now)| entries.get(&call.key, now));
    let is_near = hit.is_some_and(|hit| accept(&hit.payload, hit.version));
    if is_near {
        call.hit();
    }
    is_near
}

/// Wait for the lease's holder: join its flight if it is in this process, otherwise poll the lease.
pub(crate) async fn wait_for_lease(
    call: &Call,
    store: &RedisStore,
    token: u64,
    wait: &mut LeaseWait,
    accept: &mut Accept<'_>,
) -> Result<Next, CacheError> {
    if nesting::holds(token) {
        return Ok(Next::Decided(Decision::Bypass));
    }
    if let Some(flight) = leased::find(token) {
        let waited = call.wait(flight, &mut wait.limit, accept).await;
        return Ok(waited.map_or(Next::Retry, Next::Decided));
    }
    if store.is_orphan(token) {
        return Ok(Next::Unusable);
    }
    // Asked once for each lease: a lease that has a TTL keeps it.
    if wait.lasting != Some(token) && store.is_eternal(&call.key).await? {
        return Ok(Next::Unusable);
    }
    wait.lasting = Some(token);
    Ok(wait.pause(token).await)
}

/// Lead, or join a caller of this process that is about to lead: a flight that has no lease yet
/// computes after this call began. `None`: look again. The lease went to another process, or
/// the entry that was seen may be older than the lease of a flight of this process.
pub(crate) async fn lead(
    call: &Call,
    store: &RedisStore,
    seen: Found,
    wait: &mut LeaseWait,
    accept: &mut Accept<'_>,
) -> Result<Option<Decision>, CacheError> {
    let leader = match join_or_lead(call, wait) {
        JoinOutcome::Join(flight) => {
            return Ok(call.wait(flight, &mut wait.limit, accept).await);
        }
        JoinOutcome::Nested | JoinOutcome::Found(()) => return Ok(Some(Decision::Bypass)),
        JoinOutcome::Retry => return Ok(None),
        JoinOutcome::Lead(leader) => leader,
    };
    let lease = store.new_lease(Arc::clone(&call.key));
    leader.seeks(lease.token());
    let taken = leader.attend(store.take(lease, seen)).await?;
    Ok(taken.map(|lease| Decision::Compute(Lead::with_lease(leader, lease))))
}

/// Lead a flight of this process, unless there is one that computes after this call began.
pub(crate) fn join_or_lead(call: &Call, wait: &mut LeaseWait) -> JoinOutcome<()> {
    // A flight whose lease wasn't seen keeps its place until a look that began after the grant has
    // missed the lease too. Off the table, its body could no longer be told from another process's.
    let missed = &mut wait.missed;
    let stance = |flight: &Flight| match flight.granted() {
        None => Stance::Join,
        Some(token) if missed.replace(token) == Some(token) => Stance::Replace,
        Some(_) => Stance::Retry,
    };
    let flights = &call.cache.inner().flights;
    flights.join_or_lead(&call.key, !call.blocking, stance, || None)
}

async fn take_over(call: &Call, store: &RedisStore) -> Result<Decision, CacheError> {
    let flights = &call.cache.inner().flights;
    let leader = flights.supersede(&call.key, !call.blocking);
    let lease = store.new_lease(Arc::clone(&call.key));
    leader.seeks(lease.token());
    let lease = leader.attend(store.take_over(lease)).await?;
    Ok(Decision::Compute(Lead::with_lease(leader, lease)))
}

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
                lease.is_over();
                // Otherwise an invalidation has deleted the lease.
                if filled {
                    call.filled(ttl);
                }
            }
            // The fill was refused (out of memory) or got no answer: the lease, if it still
            // exists, is given back.
            Err(error) => store_failed(&call, &lease.store(), &error),
        }
        drop(lease);
        drop(lead);
    });
    let underway = underway.ok()?;
    Some(Box::pin(async move { drop(underway.await) }))
}

impl Lead {
    /// The store has granted the lease, so the body may run.
    pub(crate) fn with_lease(leader: Leader, lease: Lease) -> Self {
        leader.granted();
        Self {
            lease: Some(lease),
            leader,
        }
    }
}

/// State of one call across its looks at a lease.
pub(crate) struct LeaseWait {
    pub(crate) limit: WaitBudget,
    /// The pause before the next look at another process's lease.
    pause: Duration,
    /// The lease that is known to have a TTL.
    lasting: Option<u64>,
    /// The lease of a flight of this process that a look didn't see.
    missed: Option<u64>,
}

impl LeaseWait {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit: WaitBudget::new(limit),
            pause: FIRST_LOOK,
            lasting: None,
            missed: None,
        }
    }

    /// Pause before the next look at another process's lease or claim.
    pub(crate) async fn pause(&mut self, token: u64) -> Next {
        let left = self.limit.left();
        if left.is_zero() {
            return Next::Decided(Decision::Bypass);
        }
        runtime::sleep(jittered(self.pause, token).min(left)).await;
        self.pause = (self.pause * 3 / 2).min(SLOWEST_LOOK);
        Next::Retry
    }
}

/// The next step of a call that saw a lease.
pub(crate) enum Next {
    Decided(Decision),
    Retry,
    /// It never expires, so it isn't a lease; or its holder is gone.
    Unusable,
}

/// Return 75 % to 125 % of the pause, so that waiting callers don't all look at once.
fn jittered(pause: Duration, seed: u64) -> Duration {
    let noise = std::hash::BuildHasher::hash_one(&foldhash::fast::RandomState::default(), seed);
    pause * 3 / 4 + pause / 2 * u32::from(noise as u8) / 255
}
