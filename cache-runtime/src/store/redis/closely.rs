//! What a call does with an entry in Redis that outlives its lifetime, or may be computed before that ends. The claim
//! stands in the entry's header.

use std::sync::Arc;

use super::approach::{Met, Search};
use super::claim::{Claimed, Holder, header_of};
use super::{Lease, Left, RedisStore, Seen};
use crate::call::{Accept, Call, Lead, Step};
use crate::entry::Header;
use crate::error::CacheError;
use crate::flight::{Boarding, leased, nesting};
use crate::refresh::{Age, Reason, Standing, early};
use crate::value::payload::Payload;

/// By how many nanoseconds an entry's end may seem later in Redis than near, where ticks and the reply's way are taken off it.
const LAG: u64 = 200_000_000;

impl Call {
    /// Like the way of other calls, but each look shows how long the entry still lives.
    pub(super) async fn approach_closely(
        &self,
        store: &RedisStore,
        accept: &mut Accept<'_>,
    ) -> Result<Step, CacheError> {
        let mut search = Search::new(self.cache.inner().flight_limit);
        // The dice are thrown once for each call and entry.
        let mut thrown = None;
        loop {
            let mut look = store.look_closely(&self.key, self.options.near).await?;
            let left = look.left.flatten();
            if let Some(header) = header_of(&look.seen) {
                let standing = self.standing_of(&header, left, &mut thrown);
                let met = self
                    .meet_value(
                        store,
                        &look.seen,
                        standing,
                        &header,
                        left,
                        &mut search,
                        accept,
                    )
                    .await?;
                match met {
                    Met::Done(Step::Taken) if standing == Standing::Fresh => {
                        return Ok(look.arrival().map_or(Step::Taken, Step::Arrived));
                    }
                    Met::Done(step) => return Ok(step),
                    Met::LookAgain => continue,
                    Met::Junk => {}
                }
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

    fn standing_of(
        &self,
        header: &Header,
        left: Left,
        thrown: &mut Option<(u64, bool)>,
    ) -> Standing {
        let age = left.map_or(Age::Fresh(std::time::Duration::MAX), |left| {
            Age::of(left, header.grace)
        });
        let compute = std::time::Duration::from_micros(header.compute_micros.into());
        self.options.standing(age, |fresh| {
            if let Some((token, due)) = *thrown
                && token == header.token
            {
                return due;
            }
            // Where the entry was seen near, the dice have been thrown for it.
            let end = self.cache.inner().clock.deadline(fresh);
            let was_due = self.due.is_some_and(|due| end <= due.saturating_add(LAG));
            let due = was_due || early::is_due(fresh, compute);
            *thrown = Some((header.token, due));
            due
        })
    }

    /// Takes the value, claims it, or waits for who has claimed it. [`Met::Junk`]: it is of no use, and is overwritten.
    #[expect(
        clippy::too_many_arguments,
        reason = "one look, and what is known of it"
    )]
    async fn meet_value(
        &self,
        store: &RedisStore,
        seen: &Seen,
        standing: Standing,
        header: &Header,
        left: Left,
        search: &mut Search,
        accept: &mut Accept<'_>,
    ) -> Result<Met, CacheError> {
        let Seen::Entry(bytes) = seen else {
            return Ok(Met::Junk);
        };
        if standing != Standing::Gone && !accept(&Payload::Encoded(Arc::clone(bytes)), self.version)
        {
            return Ok(Met::Junk);
        }
        let holder = match Holder::of(header, left) {
            Holder::Claim(claim) if store.is_orphan(claim) => Holder::Nobody,
            holder => holder,
        };
        match (standing, holder) {
            (Standing::Fresh, _) => {
                self.hit();
                Ok(Met::Done(Step::Taken))
            }
            (Standing::Due(reason), Holder::Pause) => Ok(Met::Done(self.taken(reason))),
            (Standing::Due(reason @ (Reason::Early | Reason::Stale)), Holder::Claim(_)) => {
                Ok(Met::Done(self.taken(reason)))
            }
            // What comes of a claim on a value that this call can't serve is waited for, as for a lease.
            (Standing::Due(Reason::Expired) | Standing::Gone, Holder::Claim(claim)) => {
                Ok(self.await_claim(claim, search, accept).await)
            }
            (Standing::Due(reason), Holder::Nobody) => {
                self.claim(store, reason, header, search, accept).await
            }
            (Standing::Gone, Holder::Nobody | Holder::Pause) => Ok(Met::Junk),
        }
    }

    async fn await_claim(&self, claim: u64, search: &mut Search, accept: &mut Accept<'_>) -> Met {
        if nesting::holds(claim) {
            return Met::Done(Step::Run);
        }
        if let Some(flight) = leased::find(claim) {
            let waited = self.wait(flight, &mut search.limit, accept).await;
            return waited.map_or(Met::LookAgain, Met::Done);
        }
        search.pause(claim).await
    }

    /// Claims the value, unless somebody in this process is about to. Whoever comes too late for the claim has seen the
    /// value that it is on, and takes it.
    async fn claim(
        &self,
        store: &RedisStore,
        reason: Reason,
        header: &Header,
        search: &mut Search,
        accept: &mut Accept<'_>,
    ) -> Result<Met, CacheError> {
        let may_serve = reason != Reason::Expired;
        let leader = match self.take_off(search) {
            Boarding::Join(_) | Boarding::Nested if may_serve => {
                return Ok(Met::Done(self.taken(reason)));
            }
            Boarding::Join(flight) => {
                let waited = self.wait(flight, &mut search.limit, accept).await;
                return Ok(waited.map_or(Met::LookAgain, Met::Done));
            }
            Boarding::Nested | Boarding::Found(()) => return Ok(Met::Done(Step::Run)),
            Boarding::LookAgain => return Ok(Met::LookAgain),
            Boarding::Lead(leader) => leader,
        };
        let lease = Lease::new(Arc::clone(store.commands()), Arc::clone(&self.key));
        leader.seeks(lease.token());
        match leader.attend(store.claim(lease, header.token)).await {
            Ok(Claimed::Granted(lease)) => {
                let lead = Lead::with_lease(leader, lease);
                Ok(Met::Done(Step::Refresh(lead, reason)))
            }
            Ok(Claimed::Taken) if may_serve => Ok(Met::Done(self.taken(reason))),
            // By one who was quicker, or by one who is gone and could not give it back.
            Ok(Claimed::Taken) => Ok(search.pause(header.token).await),
            Ok(Claimed::Changed) => Ok(Met::LookAgain),
            Err(error) if may_serve => {
                self.store_failed(store, &error);
                Ok(Met::Done(self.taken(reason)))
            }
            Err(error) => Err(error),
        }
    }
}
