//! How a body runs between what comes before it and what comes after. What depends on the body's type is compiled once for
//! each annotated function, so it is little, and the async one is a future by hand: the rest is compiled once for each
//! return type.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::call::{Call, Filling, Lead};
use crate::clock::Stopwatch;
use crate::entry::Found;
use crate::flight::Entered;
use crate::read::{hand_on, rebuild};
use crate::ttl::IntoTtl;
use crate::value::shape::Cached;

/// A call whose body is about to run, or runs, for everyone who waits.
pub(crate) struct Leading {
    call: Call,
    lead: Lead,
    watch: Stopwatch,
}

impl Leading {
    pub(crate) fn new((call, lead): (Call, Lead)) -> Self {
        let watch = call.stopwatch();
        Self { call, lead, watch }
    }

    /// Until the guard is dropped, what this thread runs is the body.
    pub(crate) fn enter(&self) -> Entered {
        self.lead.leader.enter()
    }

    /// The same for an async body that is about to be polled.
    fn polled(&self, cx: &Context<'_>) -> Entered {
        self.lead.leader.polled(cx.waker())
    }

    /// Hands on what the body returned. What is given back is what is stored, and a fill that is still to be waited for.
    pub(crate) fn conclude<R: Cached<S>, S, D: IntoTtl>(
        self,
        value: &R,
        value_ttl: impl FnOnce(&R::Stored) -> D,
        unless: impl FnOnce(&R::Stored) -> bool,
    ) -> Option<(Found<Arc<R::Stored>>, Filling)> {
        let took = self.watch.elapsed();
        hand_on(&self.call, self.lead, value, value_ttl, unless, took)
    }
}

/// What is known before the body runs: the value; or that the body runs, as a leader or by itself.
pub(crate) type Before<R> = Result<R, Option<Leading>>;

/// What an async read does around its body.
pub(crate) trait Course {
    type Output;
    /// `None`: the body's turn.
    fn poll_before(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Output>>;
    /// The leader whose body it is.
    fn leading(&self) -> Option<&Leading>;
    /// Takes what the body returned; gives it back if it is to be returned at once.
    fn computed(self: Pin<&mut Self>, value: Self::Output) -> Option<Self::Output>;
    /// Waits for the fill.
    fn poll_filling(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output>;
}

pin_project! {
    /// An async read.
    pub(crate) struct Reading<C: Course, B> {
        // Before the body: whoever drops this while it waits for a leader leaves the flight before the arguments go.
        #[pin]
        course: C,
        // `None` once it has returned.
        #[pin]
        body: Option<B>,
    }

    impl<C: Course, B> PinnedDrop for Reading<C, B> {
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

impl<C: Course, B> Reading<C, B> {
    pub(crate) fn new(course: C, body: B) -> Self {
        Self {
            course,
            body: Some(body),
        }
    }
}

impl<C: Course, B: Future<Output = C::Output>> Future for Reading<C, B> {
    type Output = C::Output;
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<C::Output> {
        let mut this = self.project();
        if let Some(body) = this.body.as_mut().as_pin_mut() {
            if let Some(value) = ready!(this.course.as_mut().poll_before(cx)) {
                return Poll::Ready(value);
            }
            let entered = this.course.leading().map(|leading| leading.polled(cx));
            let value = ready!(body.poll(cx));
            this.body.set(None);
            drop(entered);
            if let Some(value) = this.course.as_mut().computed(value) {
                return Poll::Ready(value);
            }
        }
        this.course.poll_filling(cx)
    }
}

pin_project! {
    /// The course of a call that returns an `R`. It holds none: one that isn't `Send` would make the future so.
    pub(crate) struct Around<P, T, R, S, V, U> {
        #[pin]
        before: P,
        stage: Stage<T>,
        on_value: Option<(V, U)>,
        returns: PhantomData<fn() -> (R, S)>,
    }
}

enum Stage<T> {
    Before,
    Body(Option<Leading>),
    Filling(Found<Arc<T>>, Filling),
    Over,
}

impl<P, T, R, S, V, U> Around<P, T, R, S, V, U> {
    pub(crate) fn new(before: P, value_ttl: V, unless: U) -> Self {
        Self {
            before,
            stage: Stage::Before,
            on_value: Some((value_ttl, unless)),
            returns: PhantomData,
        }
    }
}

impl<P, T, R, S, V, D, U> Course for Around<P, T, R, S, V, U>
where
    P: Future<Output = Before<R>>,
    R: Cached<S, Stored = T>,
    V: FnOnce(&T) -> D,
    D: IntoTtl,
    U: FnOnce(&T) -> bool,
{
    type Output = R;

    fn poll_before(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<R>> {
        let this = self.project();
        if let Stage::Before = this.stage {
            match ready!(this.before.poll(cx)) {
                Ok(value) => return Poll::Ready(Some(value)),
                Err(leading) => *this.stage = Stage::Body(leading),
            }
        }
        Poll::Ready(None)
    }

    fn leading(&self) -> Option<&Leading> {
        match &self.stage {
            Stage::Body(leading) => leading.as_ref(),
            _ => None,
        }
    }

    fn computed(self: Pin<&mut Self>, value: R) -> Option<R> {
        let this = self.project();
        let stage = std::mem::replace(this.stage, Stage::Over);
        let (Stage::Body(Some(leading)), Some((value_ttl, unless))) = (stage, this.on_value.take())
        else {
            return Some(value);
        };
        match leading.conclude(&value, value_ttl, unless) {
            Some((shared, filling)) => {
                *this.stage = Stage::Filling(shared, filling);
                None
            }
            None => Some(value),
        }
    }

    fn poll_filling(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let stage = self.project().stage;
        if let Stage::Filling(_, filling) = stage {
            ready!(filling.as_mut().poll(cx));
        }
        match std::mem::replace(stage, Stage::Over) {
            Stage::Filling(shared, _) => match rebuild(shared) {
                Some(value) => Poll::Ready(value),
                None => unreachable!("a `None` was stored of a type that has none"),
            },
            _ => unreachable!("polled after it has returned"),
        }
    }
}
