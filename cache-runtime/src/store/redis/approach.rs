//! What a call does with an entry in Redis: look, wait, or take the lease.

use std::sync::Arc;
use std::time::Duration;

use super::{Kept, Lease, RedisStore, Seen, look};
use crate::background;
use crate::call::{Accept, Call, Filling, Lead, Limit, Step};
use crate::error::CacheError;
use crate::flight::{Boarding, Flight, Leader, Stance, leased, nesting};
use crate::store::near::NearStore;
use crate::value::payload::Payload;

/// Pauses between looks at another process's lease: the first, and the longest.
const FIRST_LOOK: Duration = Duration::from_millis(1);
const SLOWEST_LOOK: Duration = Duration::from_millis(50);

impl Call {
    /// One look with a plain `GET` first: a hit costs nothing more, and a flight of this process is joined only
    /// if its lease was standing after this call began. An invalidation, whoever's, that returned before has
    /// deleted that lease.
    pub(crate) async fn approach_redis(&self, store: &RedisStore, accept: &mut Accept<'_>) -> Step {
        match self.try_approach(store, accept).await {
            Ok(step) => step,
            Err(error) => {
                self.store_failed(store, &error);
                Step::Run
            }
        }
    }

    /// Counts a failure of the store and logs it; that of an outage is logged once, where it is noticed.
    pub(super) fn store_failed(&self, store: &RedisStore, error: &CacheError) {
        // The breaker that refused this call may have closed since.
        if matches!(error, CacheError::Unavailable { .. }) || store.is_down() {
            self.count(crate::stats::Counter::Errors);
            tracing::debug!(target: "cache", function = self.origin.function, op = "error", "[Cache] {error}");
        } else {
            self.failed(error);
        }
    }

    async fn try_approach(
        &self,
        store: &RedisStore,
        accept: &mut Accept<'_>,
    ) -> Result<Step, CacheError> {
        if self.refresh {
            return self.take_over(store).await;
        }
        if self.options.refresh() {
            return Box::pin(self.approach_closely(store, accept)).await;
        }
        if self.is_near(store, accept) {
            return Ok(Step::Taken);
        }
        let mut search = Search::new(self.cache.inner().flight_limit);
        loop {
            let mut look = store.look(&self.key, self.options.near).await?;
            // Another function's, which outlives its lifetime.
            if look::may_be_stale(&look.seen) {
                return Box::pin(self.approach_closely(store, accept)).await;
            }
            if let Seen::Entry(bytes) = &look.seen
                && accept(&Payload::Encoded(Arc::clone(bytes)), self.version)
            {
                self.hit();
                return Ok(look.arrival().map_or(Step::Taken, Step::Arrived));
            }
            let mut seen = look.seen;
            if let Seen::Lease(token, bytes) = &seen {
                match self.meet_lease(store, *token, &mut search, accept).await? {
                    Met::Done(step) => return Ok(step),
                    Met::LookAgain => continue,
                    Met::Junk => seen = Seen::Entry(Arc::clone(bytes)),
                }
            }
            if let Some(step) = self.board(store, seen, &mut search, accept).await? {
                return Ok(step);
            }
        }
    }

    /// Whether the near store has it. Calls of annotated functions have looked there already; explicit ones come by here only.
    fn is_near(&self, store: &RedisStore, accept: &mut Accept<'_>) -> bool {
        let usable = store.near().filter(|_| self.options.near);
        let hit = usable
            .and_then(NearStore::usable)
            .and_then(|(entries, now)| entries.get(&self.key, now));
        let is_near = hit.is_some_and(|hit| accept(&hit.payload, hit.version));
        if is_near {
            self.hit();
        }
        is_near
    }

    /// Waits for the lease's holder: for its flight where it is in this process, else from look to look.
    pub(super) async fn meet_lease(
        &self,
        store: &RedisStore,
        token: u64,
        search: &mut Search,
        accept: &mut Accept<'_>,
    ) -> Result<Met, CacheError> {
        if nesting::holds(token) {
            return Ok(Met::Done(Step::Run));
        }
        if let Some(flight) = leased::find(token) {
            let waited = self.wait(flight, &mut search.limit, accept).await;
            return Ok(waited.map_or(Met::LookAgain, Met::Done));
        }
        if store.commands().orphans.hold(token) {
            return Ok(Met::Junk);
        }
        // Asked once for each lease: one that has a lifetime keeps it.
        if search.lasting != Some(token) && store.is_eternal(&self.key).await? {
            return Ok(Met::Junk);
        }
        search.lasting = Some(token);
        Ok(search.pause(token).await)
    }

    /// Leads, or joins whoever in this process is about to: a flight that has no lease yet computes after this
    /// call began. `None`: look again, since the lease went to someone else or what was seen may be older than
    /// the lease of a flight of this process.
    pub(super) async fn board(
        &self,
        store: &RedisStore,
        seen: Seen,
        search: &mut Search,
        accept: &mut Accept<'_>,
    ) -> Result<Option<Step>, CacheError> {
        let leader = match self.take_off(search) {
            Boarding::Join(flight) => {
                return Ok(self.wait(flight, &mut search.limit, accept).await);
            }
            Boarding::Nested | Boarding::Found(()) => return Ok(Some(Step::Run)),
            Boarding::LookAgain => return Ok(None),
            Boarding::Lead(leader) => leader,
        };
        let lease = Lease::new(Arc::clone(store.commands()), Arc::clone(&self.key));
        leader.seeks(lease.token());
        let taken = leader.attend(store.take(lease, seen)).await?;
        Ok(taken.map(|lease| Step::Lead(Lead::with_lease(leader, lease))))
    }

    /// Leads a flight of this process, unless one stands that computes after this call began.
    pub(super) fn take_off(&self, search: &mut Search) -> Boarding<()> {
        // A flight whose lease wasn't seen keeps its place until a look that began after the grant missed it
        // too: taken off the table, its body could not be told from another process's any more.
        let missed = &mut search.missed;
        let stance = |flight: &Flight| match flight.granted() {
            None => Stance::Join,
            Some(token) if missed.replace(token) == Some(token) => Stance::Replace,
            Some(_) => Stance::LookAgain,
        };
        let flights = &self.cache.inner().flights;
        flights.board(&self.key, !self.blocking, stance, || None)
    }

    async fn take_over(&self, store: &RedisStore) -> Result<Step, CacheError> {
        let flights = &self.cache.inner().flights;
        let leader = flights.supersede(&self.key, !self.blocking);
        let lease = Lease::new(Arc::clone(store.commands()), Arc::clone(&self.key));
        leader.seeks(lease.token());
        let lease = leader.attend(store.take_over(lease)).await?;
        Ok(Step::Lead(Lead::with_lease(leader, lease)))
    }

    /// Hands the value to those who wait, then fills if the lease still stands. The fill and the end of the
    /// flight don't need the caller.
    pub(crate) fn land_in_redis(
        &self,
        mut lead: Lead,
        payload: Payload,
        ttl: Duration,
        entry: Vec<u8>,
        near: Option<Kept>,
    ) -> Option<Filling> {
        lead.leader.announce(payload, self.version);
        let mut lease = lead.lease.take()?;
        let call = self.clone();
        let underway = background::spawn_telling(async move {
            let stands = ttl.saturating_add(call.grace());
            match lease.fill(&entry, stands, near).await {
                Ok(filled) => {
                    lease.is_over();
                    // If not, an invalidation came between.
                    if filled {
                        call.filled(ttl);
                    }
                }
                // Refused (out of memory) or unheard of: what stands of the lease is given back.
                Err(error) => call.store_failed(&lease.store(), &error),
            }
            drop(lease);
            drop(lead);
        });
        let underway = underway.ok()?;
        Some(Box::pin(async move { drop(underway.await) }))
    }
}

impl Lead {
    /// The store has granted the lease, so the body may run.
    pub(super) fn with_lease(leader: Leader, lease: Lease) -> Self {
        leader.granted();
        Self {
            lease: Some(lease),
            leader,
        }
    }
}

/// What one call knows from its looks so far.
pub(super) struct Search {
    pub(super) limit: Limit,
    /// How long it waits until it looks at another process's lease again.
    pause: Duration,
    /// The lease that is known to have a lifetime.
    lasting: Option<u64>,
    /// The lease of a flight of this process that a look didn't see.
    missed: Option<u64>,
}

impl Search {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            limit: Limit::new(limit),
            pause: FIRST_LOOK,
            lasting: None,
            missed: None,
        }
    }

    /// A pause before the next look at another process's lease, or claim.
    pub(super) async fn pause(&mut self, token: u64) -> Met {
        let left = self.limit.left();
        if left.is_zero() {
            return Met::Done(Step::Run);
        }
        background::sleep(jittered(self.pause, token).min(left)).await;
        self.pause = (self.pause * 3 / 2).min(SLOWEST_LOOK);
        Met::LookAgain
    }
}

/// What a call that saw a lease does next.
pub(super) enum Met {
    Done(Step),
    LookAgain,
    /// It never expires, so it is none; or its holder is gone.
    Junk,
}

/// Three quarters to five quarters of the pause, so that those who wait don't all look at once.
fn jittered(pause: Duration, seed: u64) -> Duration {
    let noise = std::hash::BuildHasher::hash_one(&foldhash::fast::RandomState::default(), seed);
    pause * 3 / 4 + pause / 2 * u32::from(noise as u8) / 255
}
