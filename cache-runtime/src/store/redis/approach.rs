//! What a call does with an entry in Redis: look, wait, or take the lease.

use std::sync::Arc;
use std::time::Duration;

use super::{Lease, RedisStore, Seen};
use crate::background;
use crate::call::{Accept, Call, Filling, Lead, Limit, Step};
use crate::error::CacheError;
use crate::flight::Boarding;
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
                // An outage is logged once, where it is noticed.
                self.count(crate::stats::Counter::Errors);
                tracing::debug!(target: "cache", function = self.origin.function, op = "error", "[Cache] {error}");
                Step::Run
            }
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
        let mut limit = Limit::new(self.cache.inner().flight_limit);
        let mut pause = FIRST_LOOK;
        loop {
            let mut seen = store.look(&self.key).await?;
            if let Seen::Entry(bytes) = &seen
                && accept(&Payload::Encoded(Arc::clone(bytes)), self.version)
            {
                self.hit();
                return Ok(Step::Taken);
            }
            if let Seen::Lease(token, bytes) = &seen {
                match self
                    .cache
                    .inner()
                    .flights
                    .find(&self.key)
                    .filter(|flight| flight.token() == Some(*token))
                {
                    Some(flight) if flight.is_ours() => return Ok(Step::Run),
                    Some(flight) => match self.wait(flight, &mut limit, accept).await {
                        Some(step) => return Ok(step),
                        None => continue,
                    },
                    None if store.is_eternal(&self.key).await? => {
                        seen = Seen::Entry(Arc::clone(bytes))
                    }
                    None if limit.left().is_zero() => return Ok(Step::Run),
                    None => {
                        background::sleep(jittered(pause, *token)).await;
                        pause = (pause * 3 / 2).min(SLOWEST_LOOK);
                        continue;
                    }
                }
            }
            if let Some(step) = self.board(store, seen, &mut limit, accept).await? {
                return Ok(step);
            }
        }
    }

    /// Leads, or joins whoever in this process is about to: a flight that has no lease yet computes after this
    /// call began. `None`: the lease went to another process, look again.
    async fn board(
        &self,
        store: &RedisStore,
        seen: Seen,
        limit: &mut Limit,
        accept: &mut Accept<'_>,
    ) -> Result<Option<Step>, CacheError> {
        let flights = &self.cache.inner().flights;
        let boarding = flights.board(
            &self.key,
            !self.blocking,
            |flight| flight.token().is_none(),
            || None::<()>,
        );
        let leader = match boarding {
            Boarding::Join(flight) => return Ok(self.wait(flight, limit, accept).await),
            Boarding::Nested | Boarding::Found(()) => return Ok(Some(Step::Run)),
            Boarding::Lead(leader) => leader,
        };
        let mut lease = Lease::new(Arc::clone(&store.commands), Arc::clone(&self.key));
        if !store.take(&lease, seen).await? {
            lease.is_over();
            return Ok(None);
        }
        lease.granted();
        leader.holds(lease.token());
        Ok(Some(Step::Lead(Lead {
            leader,
            lease: Some(lease),
        })))
    }

    async fn take_over(&self, store: &RedisStore) -> Result<Step, CacheError> {
        let leader = self
            .cache
            .inner()
            .flights
            .supersede(&self.key, !self.blocking);
        let mut lease = Lease::new(Arc::clone(&store.commands), Arc::clone(&self.key));
        store.take_over(&lease).await?;
        lease.granted();
        leader.holds(lease.token());
        Ok(Step::Lead(Lead {
            leader,
            lease: Some(lease),
        }))
    }

    /// Hands the value to those who wait, then fills if the lease still stands. The fill and the end of the
    /// flight don't need the caller.
    pub(crate) fn land_in_redis(
        &self,
        mut lead: Lead,
        payload: Payload,
        ttl: Duration,
        entry: Vec<u8>,
    ) -> Option<Filling> {
        lead.leader.announce(payload);
        let mut lease = lead.lease.take()?;
        let call = self.clone();
        let underway = background::spawn(async move {
            match lease.fill(&entry, ttl).await {
                Ok(true) => call.filled(ttl),
                // An invalidation came between.
                Ok(false) => {}
                Err(error) => call.failed(&error),
            }
            lease.is_over();
            drop(lead);
        });
        let underway = underway.ok()?;
        Some(Box::pin(async move { drop(underway.await) }))
    }
}

/// Three quarters to five quarters of the pause, so that those who wait don't all look at once.
fn jittered(pause: Duration, seed: u64) -> Duration {
    let noise = std::hash::BuildHasher::hash_one(&foldhash::fast::RandomState::default(), seed);
    pause * 3 / 4 + pause / 2 * u32::from(noise as u8) / 255
}
