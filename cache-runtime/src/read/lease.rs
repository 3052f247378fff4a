//! Waiting for a lease or a claim in Redis, and taking a lease: what reads with and without
//! staleness options have in common.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::entry::{self, Bytes};
use crate::error::CacheError;
use crate::flight::{Flight, JoinOutcome, Leader, Stance, leased, nesting};
use crate::read::call::{Call, WaitBudget};
use crate::read::decision::{Accept, Decision, Lead};
use crate::runtime;
use crate::store::redis::{Found, Lease, RedisStore};

/// The first and the longest pause between two looks at another process's lease.
const FIRST_POLL: Duration = Duration::from_millis(1);
const LONGEST_POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Wait for the lease that was seen, otherwise take one. `None`: look again. The lease has ended or
/// went to another process, or the entry that was seen may be older than the lease of a flight of
/// this process.
pub(crate) async fn wait_or_lead(
    call: &Call,
    store: &RedisStore,
    mut seen: Found,
    wait: &mut LeaseWait,
    accept: &mut Accept<'_>,
) -> Result<Option<Decision>, CacheError> {
    if let Found::Lease(token, bytes) = &seen {
        match wait_for_lease(call, store, (*token, bytes), wait, accept).await? {
            Next::Decided(step) => return Ok(Some(step)),
            Next::Retry => return Ok(None),
            Next::Unusable => seen = Found::Entry(Arc::clone(bytes)),
        }
    }
    lead(call, store, seen, wait, accept).await
}

/// Wait for the lease's holder: join its flight if it is in this process, otherwise poll the lease.
async fn wait_for_lease(
    call: &Call,
    store: &RedisStore,
    (token, bytes): (u64, &Bytes),
    wait: &mut LeaseWait,
    accept: &mut Accept<'_>,
) -> Result<Next, CacheError> {
    if let Some(next) = wait_in_process(call, token, wait, accept).await {
        return Ok(next);
    }
    if store.is_orphan(token) {
        return Ok(Next::Unusable);
    }
    // Asked once for each lease: a lease that has a TTL keeps it.
    if wait.known_to_expire != Some(token) && store.is_eternal(&call.key).await? {
        return Ok(Next::Unusable);
    }
    wait.known_to_expire = Some(token);
    // The value that this call computes may be from before the write's commit, so it isn't stored.
    // The write may be long, and may even contain this call, so it isn't waited for.
    if entry::is_write_lease(bytes) {
        return Ok(Next::Decided(Decision::Bypass));
    }
    Ok(wait.pause(token).await)
}

/// Wait for a claim's holder, as for a lease's. A claim is part of an entry, so it has a TTL.
pub(crate) async fn wait_for_claim(
    call: &Call,
    claim: u64,
    wait: &mut LeaseWait,
    accept: &mut Accept<'_>,
) -> Next {
    match wait_in_process(call, claim, wait, accept).await {
        Some(next) => next,
        None => wait.pause(claim).await,
    }
}

/// Wait for the flight that holds this lease or claim. `None`: it isn't a flight of this process.
async fn wait_in_process(
    call: &Call,
    token: u64,
    wait: &mut LeaseWait,
    accept: &mut Accept<'_>,
) -> Option<Next> {
    if nesting::holds(token) {
        return Some(Next::Decided(Decision::Bypass));
    }
    let flight = leased::find(token)?;
    let waited = call.wait(flight, &mut wait.limit, accept).await;
    Some(waited.map_or(Next::Retry, Next::Decided))
}

/// Lead, or join a caller of this process that is about to lead: a flight that has no lease yet
/// computes after this call began.
async fn lead(
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
        JoinOutcome::Nested | JoinOutcome::Writing | JoinOutcome::Found(()) => {
            return Ok(Some(Decision::Bypass));
        }
        JoinOutcome::Retry => return Ok(None),
        JoinOutcome::Lead(leader) => leader,
    };
    let lease = request_lease(call, store, &leader);
    let taken = leader.drive(store.take(lease, seen)).await?;
    Ok(taken.map(|lease| Decision::Compute(Lead::with_lease(leader, lease))))
}

/// Result of a look that takes the lease if there is nothing.
pub(crate) enum Looked {
    Decided(Decision),
    /// Content of the key.
    Found(Found),
    /// Only a look without a lease can tell.
    Unknown,
}

/// Look and take the lease in one round trip, for a call that probably misses. The lead comes first,
/// so the callers of this process share one look. If it finds a value, they look for themselves:
/// the value may be from before their calls.
pub(crate) async fn get_or_lead(
    call: &Call,
    store: &RedisStore,
    wait: &mut LeaseWait,
    accept: &mut Accept<'_>,
) -> Result<Looked, CacheError> {
    let leader = match join_or_lead(call, wait) {
        JoinOutcome::Join(flight) => {
            let waited = call.wait(flight, &mut wait.limit, accept).await;
            return Ok(waited.map_or(Looked::Unknown, Looked::Decided));
        }
        // A value may be cached, which this call can use.
        JoinOutcome::Nested
        | JoinOutcome::Writing
        | JoinOutcome::Found(())
        | JoinOutcome::Retry => return Ok(Looked::Unknown),
        JoinOutcome::Lead(leader) => leader,
    };
    let lease = request_lease(call, store, &leader);
    Ok(match leader.drive(store.get_or_take(lease)).await? {
        Ok(lease) => Looked::Decided(Decision::Compute(Lead::with_lease(leader, lease))),
        Err(found) => Looked::Found(found),
    })
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

/// Lead a flight that replaces any other, and take the lease from its holder.
pub(crate) async fn take_over(call: &Call, store: &RedisStore) -> Result<Decision, CacheError> {
    let flights = &call.cache.inner().flights;
    let leader = flights.supersede(&call.key, !call.blocking);
    let lease = request_lease(call, store, &leader);
    let lease = leader.drive(store.take_over(lease)).await?;
    Ok(Decision::Compute(Lead::with_lease(leader, lease)))
}

/// Return a lease to request for the leader. It is recorded before it is requested.
pub(crate) fn request_lease(call: &Call, store: &RedisStore, leader: &Leader) -> Lease {
    let mut lease = store.new_lease(Arc::clone(&call.key));
    lease.owner.clone_from(&call.owner);
    leader.record_request(lease.token());
    lease
}

/// State of one call across its looks at a lease.
pub(crate) struct LeaseWait {
    pub(crate) limit: WaitBudget,
    /// The pause before the next look at another process's lease.
    pause: Duration,
    /// The lease that is known to have a TTL.
    known_to_expire: Option<u64>,
    /// The lease of a flight of this process that a look didn't see.
    missed: Option<u64>,
    /// Time of the first pause.
    paused: Option<Instant>,
}

impl LeaseWait {
    pub(crate) fn new(limit: Duration) -> Self {
        Self {
            limit: WaitBudget::new(limit),
            pause: FIRST_POLL,
            known_to_expire: None,
            missed: None,
            paused: None,
        }
    }

    /// Record how long the call has waited for another process, if it has.
    pub(crate) fn record(&self, call: &Call) {
        if let Some(paused) = self.paused {
            call.waited(paused.elapsed());
        }
    }

    /// Whether this lease is known to have a TTL.
    pub(crate) fn is_known_to_expire(&self, token: u64) -> bool {
        self.known_to_expire == Some(token)
    }

    /// Note that this lease has a TTL.
    pub(crate) fn set_known_to_expire(&mut self, token: u64) {
        self.known_to_expire = Some(token);
    }

    /// Pause before the next look at another process's lease or claim.
    pub(crate) async fn pause(&mut self, token: u64) -> Next {
        let left = self.limit.left();
        if left.is_zero() {
            return Next::Decided(Decision::Bypass);
        }
        self.paused.get_or_insert_with(Instant::now);
        runtime::sleep(jittered(self.pause, token).min(left)).await;
        self.pause = (self.pause * 3 / 2).min(LONGEST_POLL_INTERVAL);
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
