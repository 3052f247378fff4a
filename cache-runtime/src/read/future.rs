//! How a body runs between what comes before it and what comes after. What depends on the body's type is compiled once for
//! each annotated function, so it is little, and the async one is a future by hand: the rest is compiled once for each
//! return type.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::clock::Stopwatch;
use crate::entry::CachedValue;
use crate::flight::Entered;
use crate::flight::Flight;
use crate::read::call::{Call, Lead};
use crate::read::fill::plan::FillFuture;
use crate::read::lookup::{Lookup, LookupState};
use crate::read::run::{finish, rebuild};
use crate::ttl::IntoTtl;
use crate::value::Storable;
use crate::value::shape::Cached;

/// A call whose body is about to run, or runs, for everyone who waits.
pub(crate) struct Computation {
    call: Box<Call>,
    lead: Lead,
    watch: Stopwatch,
}

impl Computation {
    /// In a box, since every caller's future carries it.
    pub(crate) fn new(call: Box<Call>, lead: Lead) -> Box<Self> {
        let watch = call.stopwatch();
        Box::new(Self { call, lead, watch })
    }

    /// What is shared with those who wait.
    pub(crate) fn flight(&self) -> Arc<Flight> {
        self.lead.leader.share()
    }

    pub(crate) fn call(&self) -> &Call {
        &self.call
    }

    /// Until the guard is dropped, what this thread runs is the body.
    pub(crate) fn enter(&self) -> Entered {
        self.lead.leader.enter()
    }

    /// The same for an async body that is about to be polled.
    fn polled(&self, cx: &Context<'_>) -> Entered {
        self.lead.leader.polled(cx.waker())
    }

    /// Hands on what the body returned. What is into_lookup back is what is stored, and a fill that is still to be waited for.
    pub(crate) fn conclude<R: Cached<S>, S, D: IntoTtl>(
        self,
        value: &R,
        value_ttl: impl FnOnce(&R::Stored) -> D,
        unless: impl FnOnce(&R::Stored) -> bool,
    ) -> Option<(CachedValue<Arc<R::Stored>>, FillFuture)> {
        let took = self.watch.elapsed();
        finish(&self.call, self.lead, value, value_ttl, unless, took)
    }
}

/// What is known before the body runs.
pub(crate) enum Resolved<T> {
    Found(CachedValue<Arc<T>>),
    /// The body runs, for everyone who waits or by itself.
    Body(Option<Box<Computation>>),
}

/// How far an async read is. What takes room, and isn't always there, is in boxes: every caller's future carries this.
enum Stage<T> {
    Begun(LookupState<T>),
    /// It waits, for another caller or for Redis.
    Asking(Pin<Box<dyn Future<Output = Resolved<T>> + Send>>),
    Body(Option<Box<Computation>>),
    FillFuture(CachedValue<Arc<T>>, FillFuture),
    Over,
}

impl<T: Storable> Stage<T> {
    /// `None`: the body's turn.
    fn poll_before(
        &mut self,
        none: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Option<CachedValue<Arc<T>>>> {
        if let Self::Begun(_) = self
            && let Self::Begun(state) = std::mem::replace(self, Self::Over)
        {
            *self = match state.resolve_now(none) {
                Ok(Resolved::Found(found)) => return Poll::Ready(Some(found)),
                Ok(Resolved::Body(leading)) => Self::Body(leading),
                Err(call) => Self::Asking(Box::pin(call.resolve(none))),
            };
        }
        if let Self::Asking(asking) = self {
            match ready!(asking.as_mut().poll(cx)) {
                Resolved::Found(found) => {
                    *self = Self::Over;
                    return Poll::Ready(Some(found));
                }
                Resolved::Body(leading) => *self = Self::Body(leading),
            }
        }
        Poll::Ready(None)
    }

    /// The leader whose body it is.
    fn leading(&self) -> Option<&Computation> {
        match self {
            Self::Body(leading) => leading.as_deref(),
            _ => None,
        }
    }

    /// The leader whose body has returned.
    fn led(&mut self) -> Option<Box<Computation>> {
        match std::mem::replace(self, Self::Over) {
            Self::Body(leading) => leading,
            _ => None,
        }
    }

    /// Waits for the fill.
    fn poll_filling(&mut self, cx: &mut Context<'_>) -> Poll<CachedValue<Arc<T>>> {
        if let Self::FillFuture(_, filling) = self {
            ready!(filling.as_mut().poll(cx));
        }
        match std::mem::replace(self, Self::Over) {
            Self::FillFuture(shared, _) => Poll::Ready(shared),
            _ => unreachable!("polled after it has returned"),
        }
    }
}

/// What an async read does around its body, and what is request of the value. It holds no `R`: one that isn't `Send` would make
/// the future so.
pub(crate) struct AsyncRead<T, R, S, V, U> {
    stage: Stage<T>,
    on_value: Option<(V, U)>,
    returns: PhantomData<fn() -> (R, S)>,
}

impl<R: Cached<S>, S, V, U> AsyncRead<R::Stored, R, S, V, U> {
    pub(crate) fn new(lookup: Lookup<R, S>, value_ttl: V, unless: U) -> Self {
        Self {
            stage: Stage::Begun(lookup.state),
            on_value: Some((value_ttl, unless)),
            returns: PhantomData,
        }
    }
}

/// What an async read does around its body.
pub(crate) trait Course {
    type Output;
    /// `None`: the body's turn.
    fn poll_before(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::Output>>;
    /// The leader whose body it is.
    fn leading(&self) -> Option<&Computation>;
    /// Takes what the body returned; gives it back if it is to be returned at once.
    fn computed(&mut self, value: Self::Output) -> Option<Self::Output>;
    /// Waits for the fill.
    fn poll_filling(&mut self, cx: &mut Context<'_>) -> Poll<Self::Output>;
}

impl<T, R, S, V, D, U> Course for AsyncRead<T, R, S, V, U>
where
    R: Cached<S, Stored = T>,
    T: Storable,
    V: FnOnce(&T) -> D,
    D: IntoTtl,
    U: FnOnce(&T) -> bool,
{
    type Output = R;

    fn poll_before(&mut self, cx: &mut Context<'_>) -> Poll<Option<R>> {
        let found = ready!(self.stage.poll_before(R::none().is_some(), cx));
        Poll::Ready(found.and_then(rebuild))
    }

    fn leading(&self) -> Option<&Computation> {
        self.stage.leading()
    }

    fn computed(&mut self, value: R) -> Option<R> {
        let (Some(leading), Some((value_ttl, unless))) = (self.stage.led(), self.on_value.take())
        else {
            return Some(value);
        };
        match leading.conclude(&value, value_ttl, unless) {
            Some((shared, filling)) => {
                self.stage = Stage::FillFuture(shared, filling);
                None
            }
            None => Some(value),
        }
    }

    fn poll_filling(&mut self, cx: &mut Context<'_>) -> Poll<R> {
        match rebuild(ready!(self.stage.poll_filling(cx))) {
            Some(value) => Poll::Ready(value),
            None => unreachable!("a `None` was stored of a type that has none"),
        }
    }
}

pin_project! {
    /// An async read.
    pub(crate) struct ReadFuture<C: Course, B> {
        // Resolved the body: whoever drops this while it waits for a leader leaves the flight before the arguments go.
        course: C,
        // `None` once it has returned.
        #[pin]
        body: Option<B>,
    }

    impl<C: Course, B> PinnedDrop for ReadFuture<C, B> {
        // What the body owns may call the cache when it is dropped, and is still within the flight then.
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(leading) = this.course.leading() {
                let _entered = leading.enter();
                this.body.set(None);
            }
        }
    }
}

impl<C: Course, B> ReadFuture<C, B> {
    pub(crate) fn new(course: C, body: B) -> Self {
        Self {
            course,
            body: Some(body),
        }
    }
}

impl<C: Course, B: Future<Output = C::Output>> Future for ReadFuture<C, B> {
    type Output = C::Output;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::Output> {
        let mut this = self.project();
        if let Some(body) = this.body.as_mut().as_pin_mut() {
            if let Some(value) = ready!(this.course.poll_before(cx)) {
                return Poll::Ready(value);
            }
            let entered = this.course.leading().map(|leading| leading.polled(cx));
            let value = ready!(body.poll(cx));
            this.body.set(None);
            drop(entered);
            if let Some(value) = this.course.computed(value) {
                return Poll::Ready(value);
            }
        }
        this.course.poll_filling(cx)
    }
}
