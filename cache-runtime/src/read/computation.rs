//! A call that runs its body, from the lead to the fill.

use std::sync::Arc;
use std::task::Context;

use crate::clock::Stopwatch;
use crate::entry::CachedValue;
use crate::entry::payload::Payload;
use crate::flight::EnteredFlight;
use crate::flight::Flight;
use crate::read::call::Call;
use crate::read::decision::Lead;
use crate::read::fill::FillFuture;
use crate::read::fill::conclude::{finish, plan};
use crate::read::fill::negative;
use crate::read::fill::plan::FillPlan;
use crate::ttl::{IntoTtl, Ttl};
use crate::value::Storable;
use crate::value::negative::StorableError;
use crate::value::shape::Cached;

/// A call that computes its entry, for itself and for every waiting caller.
pub(crate) struct Computation {
    call: Box<Call>,
    lead: Lead,
    watch: Stopwatch,
}

impl Computation {
    /// Boxed, since every caller's future carries it.
    pub(crate) fn new(call: Box<Call>, lead: Lead) -> Box<Self> {
        let watch = call.stopwatch();
        Box::new(Self { call, lead, watch })
    }

    /// Return the flight that waiting callers share.
    pub(crate) fn flight(&self) -> Arc<Flight> {
        self.lead.leader.share()
    }

    pub(crate) fn call(&self) -> &Call {
        &self.call
    }

    /// Mark this thread as running the body until the guard is dropped.
    pub(crate) fn enter(&self) -> EnteredFlight {
        self.lead.leader.enter()
    }

    /// Mark this thread as polling the async body until the guard is dropped.
    pub(crate) fn enter_poll(&self, cx: &Context<'_>) -> EnteredFlight {
        self.lead.leader.polled(cx.waker())
    }

    /// Run a closure of the attribute within the flight.
    pub(crate) fn within<T>(&self, closure: impl FnOnce() -> T) -> T {
        self.lead.leader.run(closure)
    }

    /// Pass on an error that is cached. Returns a fill that is still to be awaited.
    pub(crate) fn conclude_error<T: Storable, X: StorableError>(
        self,
        error: X,
        ttl: Ttl,
    ) -> Option<FillFuture> {
        let took = self.call.took(&self.watch);
        negative::finish::<T, X>(&self.call, self.lead, error, ttl, took)
    }

    /// Decide how the value that the body returned is passed on. With [`Call::fill_many`], the
    /// decisions of many calls are carried out together.
    ///
    /// `shared_by`: the number of values that the body has computed together. Each of them is
    /// recorded with its part of the time, so that their sum is the time that the body took.
    pub(crate) fn plan<R: Cached<S>, S>(
        self,
        opened: &R::Opened,
        shared_by: u32,
    ) -> (Call, Lead, FillPlan) {
        let took = self.watch.elapsed();
        self.call.computed(took / shared_by.max(1));
        let plan = plan::<R, S>(&self.call, &self.lead, opened, took);
        (*self.call, self.lead, plan)
    }

    /// Decide that there is no value: waiting callers learn that, and nothing is stored.
    pub(crate) fn plan_absent(self, shared_by: u32) -> (Call, Lead, FillPlan) {
        self.call.computed(self.watch.elapsed() / shared_by.max(1));
        (*self.call, self.lead, FillPlan::Share(Payload::Nothing))
    }

    /// Pass on the value that the body returned. Returns the stored value and a fill that is still
    /// to be awaited.
    pub(crate) fn conclude<R: Cached<S>, S, D: IntoTtl>(
        self,
        opened: &R::Opened,
        value_ttl: impl FnOnce(&R::Stored) -> D,
        unless: impl FnOnce(&R::Stored) -> bool,
    ) -> Option<(CachedValue<Arc<R::Stored>>, FillFuture)> {
        let took = self.call.took(&self.watch);
        finish::<R, S, D>(&self.call, self.lead, opened, value_ttl, unless, took)
    }
}

/// Result of a lookup, before the body runs.
pub(crate) enum Resolved<T> {
    Found(CachedValue<Arc<T>>),
    /// Run the body: as the leader of a flight, or without the cache.
    Body(Option<Box<Computation>>),
}
