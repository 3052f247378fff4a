//! Running a body between lookup and fill. Code that depends on the body's type is compiled once
//! for each annotated function, so there is little of it, and the async part is a hand-written
//! future. The rest is compiled once for each return type.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::entry::CachedValue;
use crate::flight::EnteredFlight;
use crate::read::computation::{Computation, Resolved};
use crate::read::fill::FillFuture;
use crate::read::lookup::{Lookup, LookupState, rebuild};
use crate::ttl::IntoTtl;
use crate::value::Storable;
use crate::value::shape::Cached;

/// Progress of an async read. Large or rare parts are boxed, since every caller's future carries
/// this.
enum ReadStage<T> {
    Lookup(LookupState<T>),
    /// Waiting for another caller or for Redis.
    Waiting(Pin<Box<dyn Future<Output = Resolved<T>> + Send>>),
    Body(Option<Box<Computation>>),
    Filling(CachedValue<Arc<T>>, FillFuture),
    Done,
}

impl<T> ReadStage<T> {
    /// Return the computation whose body is running.
    fn leading(&self) -> Option<&Computation> {
        match self {
            Self::Body(leading) => leading.as_deref(),
            _ => None,
        }
    }
}

impl<T: Storable> ReadStage<T> {
    /// Poll the lookup. `None`: run the body.
    fn poll_lookup(
        &mut self,
        none: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Option<CachedValue<Arc<T>>>> {
        if let Self::Lookup(_) = self
            && let Self::Lookup(state) = std::mem::replace(self, Self::Done)
        {
            *self = match state.resolve_now(none) {
                Ok(Resolved::Found(found)) => return Poll::Ready(Some(found)),
                Ok(Resolved::Body(leading)) => Self::Body(leading),
                Err(call) => Self::Waiting(Box::pin(call.resolve(none))),
            };
        }
        if let Self::Waiting(waiting) = self {
            match ready!(waiting.as_mut().poll(cx)) {
                Resolved::Found(found) => {
                    *self = Self::Done;
                    return Poll::Ready(Some(found));
                }
                Resolved::Body(leading) => *self = Self::Body(leading),
            }
        }
        Poll::Ready(None)
    }

    /// Take the computation whose body has returned.
    fn take_computation(&mut self) -> Option<Box<Computation>> {
        match std::mem::replace(self, Self::Done) {
            Self::Body(leading) => leading,
            _ => None,
        }
    }

    /// Wait for the fill.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<CachedValue<Arc<T>>> {
        if let Self::Filling(_, filling) = self {
            ready!(filling.as_mut().poll(cx));
        }
        match std::mem::replace(self, Self::Done) {
            Self::Filling(shared, _) => Poll::Ready(shared),
            _ => unreachable!("a future was polled after its completion"),
        }
    }
}

/// The part of an async read around its body.
pub(crate) trait Around {
    /// The return type.
    type Returned;
    /// Return the computation whose body is running.
    fn leading(&self) -> Option<&Computation>;
    /// Poll the lookup. `None`: run the body.
    fn poll_lookup(&mut self, cx: &mut Context<'_>) -> Poll<Option<Self::Returned>>;
    /// Take the value that the body returned, or return it if there is no fill to wait for.
    /// `entered` ends when the value is out of its wrapper.
    fn computed(
        &mut self,
        value: Self::Returned,
        entered: Option<EnteredFlight>,
    ) -> Option<Self::Returned>;
    /// Wait for the fill.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Self::Returned>;
}

/// The part of an async read around its body, with the closures that inspect the value. It holds no
/// `R`: an `R` that isn't `Send` would make the future not `Send` either.
pub(crate) struct AsyncRead<T, R, S, V, U> {
    stage: ReadStage<T>,
    on_value: Option<(V, U)>,
    returns: PhantomData<fn() -> (R, S)>,
}

impl<R: Cached<S>, S, V, U> AsyncRead<R::Stored, R, S, V, U> {
    pub(crate) fn new(lookup: Lookup<R, S>, value_ttl: V, unless: U) -> Self {
        Self {
            stage: ReadStage::Lookup(lookup.state),
            on_value: Some((value_ttl, unless)),
            returns: PhantomData,
        }
    }
}

impl<T, R, S, V, D, U> Around for AsyncRead<T, R, S, V, U>
where
    R: Cached<S, Stored = T>,
    T: Storable,
    V: FnOnce(&T) -> D,
    D: IntoTtl,
    U: FnOnce(&T) -> bool,
{
    type Returned = R;

    fn leading(&self) -> Option<&Computation> {
        self.stage.leading()
    }

    fn poll_lookup(&mut self, cx: &mut Context<'_>) -> Poll<Option<R>> {
        let found = ready!(self.stage.poll_lookup(R::none().is_some(), cx));
        Poll::Ready(found.and_then(rebuild))
    }

    fn computed(&mut self, value: R, entered: Option<EnteredFlight>) -> Option<R> {
        let (Some(leading), Some((value_ttl, unless))) =
            (self.stage.take_computation(), self.on_value.take())
        else {
            return Some(value);
        };
        let opened = value.open();
        drop(entered);
        match leading.conclude::<R, S, D>(&opened, value_ttl, unless) {
            Some((shared, filling)) => {
                self.stage = ReadStage::Filling(shared, filling);
                None
            }
            None => Some(R::close(opened)),
        }
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<R> {
        match rebuild(ready!(self.stage.poll_fill(cx))) {
            Some(value) => Poll::Ready(value),
            None => unreachable!("a `None` was stored for a type without `None`"),
        }
    }
}

pin_project! {
    /// The future of an async read.
    pub(crate) struct ReadFuture<A: Around, B> {
        // Declared before the body: a future dropped while it waits for a leader then leaves the
        // flight before the arguments are dropped.
        read: A,
        // `None` once it has returned.
        #[pin]
        body: Option<B>,
    }

    impl<A: Around, B> PinnedDrop for ReadFuture<A, B> {
        // Values that the body owns may call the cache when they are dropped, and are still within
        // the flight then.
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if let Some(leading) = this.read.leading() {
                let _entered = leading.enter();
                this.body.set(None);
            }
        }
    }
}

impl<A: Around, B> ReadFuture<A, B> {
    pub(crate) fn new(read: A, body: B) -> Self {
        Self {
            read,
            body: Some(body),
        }
    }
}

impl<A: Around, B: Future<Output = A::Returned>> Future for ReadFuture<A, B> {
    type Output = A::Returned;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<A::Returned> {
        let mut this = self.project();
        if let Some(body) = this.body.as_mut().as_pin_mut() {
            if let Some(value) = ready!(this.read.poll_lookup(cx)) {
                return Poll::Ready(value);
            }
            let entered = this.read.leading().map(|leading| leading.enter_poll(cx));
            let value = ready!(body.poll(cx));
            this.body.set(None);
            if let Some(value) = this.read.computed(value, entered) {
                return Poll::Ready(value);
            }
        }
        this.read.poll_fill(cx)
    }
}
