//! The items that one run of the body computes.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::flight::EnteredFlight;
use crate::read::call::Call;
use crate::read::computation::Computation;
use crate::read::decision::Lead;
use crate::read::fill::FillFuture;
use crate::value::shape::{Cached, InOption, Shape};

/// The items that one run of the body computes. Dropping it gives every lead back.
#[derive(Default)]
pub(crate) struct Round {
    own: Vec<Own>,
}

/// One of them.
pub(crate) struct Own {
    place: usize,
    /// `None`: nothing is stored.
    computation: Option<Box<Computation>>,
}

impl Own {
    pub(super) fn new(place: usize, call: Option<Box<Call>>, lead: Option<Lead>) -> Self {
        let leading = call.zip(lead);
        Self {
            place,
            computation: leading.map(|(call, lead)| Computation::new(call, lead)),
        }
    }
}

impl Round {
    pub(super) fn new(own: Vec<Own>) -> Self {
        Self { own }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// Return the places of the items in the call.
    pub(crate) fn places(&self) -> Vec<usize> {
        self.own.iter().map(|own| own.place).collect()
    }

    fn computations(&self) -> impl Iterator<Item = &Computation> {
        self.own.iter().filter_map(|own| own.computation.as_deref())
    }

    /// Mark this thread as running the body until the guards are dropped.
    pub(crate) fn enter(&self) -> Vec<EnteredFlight> {
        self.computations().map(Computation::enter).collect()
    }

    /// Run an async body within the flights of its items.
    pub(crate) fn within<F: Future>(&self, body: F) -> Within<'_, F> {
        Within {
            round: self,
            body: Some(body),
        }
    }

    /// Pass on the values that the body returned, in the order of the places. `remembers`: that an
    /// item has no value is stored too. The fills of all items go to the store together. The values
    /// are returned as well, since a value has to be opened if it is a wrapper.
    pub(crate) fn conclude<R: Cached<S>, S>(
        self,
        values: Vec<Option<R>>,
        remembers: bool,
    ) -> (Vec<Option<R>>, Option<FillFuture>) {
        let shared_by = u32::try_from(self.computations().count()).unwrap_or(u32::MAX);
        let mut own = self.own.into_iter();
        let mut planned = Vec::with_capacity(values.len());
        let conclude = |value: Option<R>| {
            let Some(computation) = own.next().and_then(|own| own.computation) else {
                return value;
            };
            let opened = <Option<R> as Shape<InOption<S>>>::open(value);
            planned.push(match &opened {
                Some(opened) => computation.plan::<R, S>(opened, shared_by),
                None if remembers => computation.plan::<Option<R>, InOption<S>>(&opened, shared_by),
                None => computation.plan_absent(shared_by),
            });
            <Option<R> as Shape<InOption<S>>>::close(opened)
        };
        let values = values.into_iter().map(conclude).collect();
        (values, Call::fill_many(planned))
    }
}

pin_project! {
    /// An async body. It is marked as running while it is polled and while it is dropped, since
    /// the values it owns may call the cache from their `Drop`.
    pub(crate) struct Within<'a, F> {
        round: &'a Round,
        // `None` once it has returned.
        #[pin]
        body: Option<F>,
    }

    impl<F> PinnedDrop for Within<'_, F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            let _entered = this.round.enter();
            this.body.set(None);
        }
    }
}

impl<F: Future> Future for Within<'_, F> {
    type Output = F::Output;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let polled = this.round.computations().map(|one| one.enter_poll(cx));
        let _entered: Vec<EnteredFlight> = polled.collect();
        let Some(body) = this.body.as_mut().as_pin_mut() else {
            unreachable!("a future was polled after its completion");
        };
        let value = std::task::ready!(body.poll(cx));
        this.body.set(None);
        Poll::Ready(value)
    }
}
