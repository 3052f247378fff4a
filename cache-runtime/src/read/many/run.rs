//! Running the body of a call for many items: a loop over [`ManyRead::next`], the body, and
//! [`ManyRead::computed`]. The loop is in the caller, since a future that borrows from a closure
//! couldn't be `Send`.

use std::marker::PhantomData;

use super::Batch;
use super::round::{Round, Within};
use crate::flight::EnteredFlight;
use crate::read::fill::FillFuture;
use crate::read::lookup::rebuild;
use crate::value::shape::Cached;

/// A call for many items whose values are `R`s.
///
/// Cancel safety: dropped while it waits, it leaves no trace; dropped while the body runs, other
/// callers take over; dropped while it fills, the fills finish.
pub(crate) struct ManyRead<R: Cached<S>, S> {
    batch: Batch<R::Stored>,
    /// Whether it is stored that an item has no value.
    remembers: bool,
    /// The values that the body has returned, by place.
    values: Vec<Option<R>>,
    /// The items that the body computes, and their places.
    round: Round,
    places: Vec<usize>,
    returns: PhantomData<fn() -> S>,
}

impl<R: Cached<S>, S> ManyRead<R, S> {
    pub(crate) fn new(batch: Batch<R::Stored>, remembers: bool) -> Self {
        Self {
            remembers,
            values: (0..batch.len()).map(|_| None).collect(),
            batch,
            round: Round::default(),
            places: Vec::new(),
            returns: PhantomData,
        }
    }

    /// Return the places of the items to compute now; `None` when all are found or computed. There
    /// are further ones after the first time only if other callers have failed.
    pub(crate) async fn next(&mut self) -> Option<Vec<usize>> {
        self.round = self.batch.next().await;
        self.places = self.round.places();
        (!self.places.is_empty()).then(|| self.places.clone())
    }

    /// Run an async body within the flights of its items.
    pub(crate) fn within<F: Future>(&self, body: F) -> Within<'_, F> {
        self.round.within(body)
    }

    /// Mark this thread as running the body until the guards are dropped.
    pub(crate) fn enter(&self) -> Vec<EnteredFlight> {
        self.round.enter()
    }

    /// Give back what the body was to compute.
    pub(crate) fn abandon(&mut self) {
        self.round = Round::default();
        self.places.clear();
    }

    /// Pass on the values that the body returned, in the order of the places. Returns the fills
    /// that are still to be awaited.
    pub(crate) fn computed(&mut self, computed: Vec<Option<R>>) -> Option<FillFuture> {
        let round = std::mem::take(&mut self.round);
        let (computed, filling) = round.conclude::<R, S>(computed, self.remembers);
        for (place, value) in self.places.drain(..).zip(computed) {
            self.values[place] = value;
        }
        filling
    }

    /// Return all values, by place.
    pub(crate) fn finish(mut self) -> Vec<Option<R>> {
        for (place, found) in self.batch.into_found() {
            self.values[place] = rebuild(found);
        }
        self.values
    }
}
