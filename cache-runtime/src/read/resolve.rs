//! Resolving a call that missed: a value, or the lead for computing it.

use std::sync::Arc;

use crate::entry::CachedValue;
use crate::entry::payload::Payload;
use crate::events;
use crate::read::call::Call;
use crate::read::computation::{Computation, Resolved};
use crate::read::decision::{Accept, Decision};
#[cfg(feature = "redis")]
use crate::read::fill::conclude::weight;
use crate::read::lookup::{LookupState, fits};
#[cfg(feature = "redis")]
use crate::read::redis;
use crate::read::{memory, memory_stale};
use crate::stats::Counter;
use crate::store::Store;
use crate::tally;
use crate::value::Storable;

/// Compiled once for each stored type.
impl<T: Storable> LookupState<T> {
    /// Resolve the call where that needs no waiting.
    pub(crate) fn resolve_now(self, none: bool) -> Result<Resolved<T>, Box<Call>> {
        let call = match self {
            Self::Hit(found) => return Ok(Resolved::Found(found)),
            Self::Bypass => return Ok(Resolved::Body(None)),
            Self::Computation(leading) => return Ok(Resolved::Body(Some(leading))),
            Self::Pending(call) => call,
        };
        let mut found = None;
        let step = call.decide_now(&mut call.accept(none, &mut found));
        match step {
            Some(step) => Ok(call.into_resolved(step, found)),
            None => Err(call),
        }
    }
}

impl Call {
    /// Find the value or the lead; with neither, the body runs without the cache. `none`: a `None`
    /// is a value too.
    ///
    /// Cancel safe: a flight or lease that was begun is given back on drop.
    pub(crate) async fn resolve<T: Storable>(self: Box<Self>, none: bool) -> Resolved<T> {
        let mut found = None;
        let step = self.decide_for(none, &mut found).await;
        self.into_resolved(step, found)
    }

    fn into_resolved<T>(
        self: Box<Self>,
        step: Decision,
        found: Option<CachedValue<Arc<T>>>,
    ) -> Resolved<T> {
        match step {
            Decision::Compute(lead) => Resolved::Body(Some(Computation::new(self, lead))),
            // `Refresh` occurs only for functions that name one, which don't come here.
            _ => found.map_or(Resolved::Body(None), Resolved::Found),
        }
    }

    /// Return the [`Accept`] of a function that stores a `T`.
    pub(crate) fn accept<T: Storable>(
        &self,
        none: bool,
        found: &mut Option<CachedValue<Arc<T>>>,
    ) -> impl FnMut(&Payload, u32) -> bool + Send {
        move |payload, entry_version| {
            *found = payload
                .share(entry_version, self.version)
                .filter(|found| fits(found, none));
            found.is_some()
        }
    }

    /// Decide the next step of a call that stores a `T`.
    pub(crate) async fn decide_for<T: Storable>(
        &self,
        none: bool,
        found: &mut Option<CachedValue<Arc<T>>>,
    ) -> Decision {
        self.decide_for_with(none, found, |_| {}).await
    }

    /// Do the same, and show each payload that is accepted.
    pub(crate) async fn decide_for_with<T: Storable>(
        &self,
        none: bool,
        found: &mut Option<CachedValue<Arc<T>>>,
        mut show: impl FnMut(&Payload) + Send,
    ) -> Decision {
        let step = {
            let mut accept = self.accept(none, found);
            let mut accept = |payload: &Payload, version| {
                let is_accepted = accept(payload, version);
                if is_accepted {
                    show(payload);
                }
                is_accepted
            };
            self.decide(&mut accept).await
        };
        #[cfg(feature = "redis")]
        if let Decision::HitFromRedis(near_candidate) = step {
            match &*found {
                Some(CachedValue::Value(value)) => {
                    near_candidate.enter(Payload::typed(Arc::clone(value)), weight(&**value));
                }
                _ => near_candidate.enter(Payload::Nothing, 0),
            }
            return Decision::Hit;
        }
        step
    }
}

/// The part that isn't generic: one copy serves all annotated functions.
impl Call {
    /// Decide the next step. Cancel safe: a flight or lease that was begun is given back on drop.
    pub(crate) async fn decide(&self, accept: &mut Accept<'_>) -> Decision {
        let step = match &self.cache.inner().store {
            Store::Memory(store) if self.may_refresh() && !self.refresh => {
                memory_stale::read(self, store, accept).await
            }
            Store::Memory(store) => memory::read(self, store, accept).await,
            #[cfg(feature = "redis")]
            Store::Redis(store) => redis::read(self, store, accept).await,
        };
        self.count_miss(&step);
        step
    }

    /// Decide the next step where that needs no waiting. In memory only a call that joins another
    /// caller's flight waits, so few misses there become a future that has to be polled.
    fn decide_now(&self, accept: &mut Accept<'_>) -> Option<Decision> {
        match &self.cache.inner().store {
            Store::Memory(store) if !self.may_refresh() || self.refresh => {
                let step = memory::join_or_lead(self, store, &mut false, accept).ok()?;
                self.count_miss(&step);
                Some(step)
            }
            _ => None,
        }
    }

    pub(crate) fn count_miss(&self, step: &Decision) {
        match step {
            Decision::Compute(_) => self.missed(),
            Decision::Bypass => {
                tally::uncached();
                self.count(Counter::Bypasses);
                self.event(events::bypass);
            }
            _ => {}
        }
    }
}
