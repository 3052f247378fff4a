//! The future of an async write-through.

use std::any::Any;
use std::future::Future;
use std::marker::PhantomData;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::read::fill::FillFuture;
use crate::write_through::plan::{TakingLease, WriteThrough};
use crate::write_through::writing::Writing;

/// How a write ends, by the value that its body returned.
pub(crate) trait Conclusion<R> {
    /// The value while the caller waits for the store. It has no `Err`: that may not be `Send`.
    type Held;
    /// End the write.
    fn conclude(self, writing: Writing, value: R) -> Concluded<Self::Held, R>;
    /// Restore the value.
    fn restore(held: Self::Held) -> R;
}

/// The end of a write.
pub(crate) enum Concluded<T, R> {
    /// The value, for a caller that waits for the store.
    Held(T, FillFuture),
    /// The value as it was returned, which may not be `Send`: an async caller can't hold it while
    /// it waits. The work finishes without it.
    Returned(R, Option<FillFuture>),
}

enum Stage<T> {
    Planned(WriteThrough),
    Taking(TakingLease),
    /// `None`: the body runs without the cache.
    Body(Option<Writing>),
    Ending(T, FillFuture),
    /// The body has panicked; the panic resumes when the invalidation is done.
    Panicked(Box<dyn Any + Send>, FillFuture),
    Done,
}

impl<T> Stage<T> {
    /// Take the lease.
    fn poll_lease(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Self::Planned(_) = self
            && let Self::Planned(plan) = mem::replace(self, Self::Done)
        {
            *self = match plan.begin() {
                Ok(writing) => Self::Body(writing),
                Err(taking) => Self::Taking(taking),
            };
        }
        if let Self::Taking(taking) = self {
            *self = Self::Body(Some(ready!(taking.as_mut().poll(cx))));
        }
        Poll::Ready(())
    }
}

pin_project! {
    /// The future of an async write-through. Hand-written, so that the body takes its space once.
    pub(crate) struct WriteThroughFuture<C: Conclusion<R>, R, B> {
        // Declared before the stage: a dropped write invalidates after its body is dropped. `None`
        // once it has returned.
        #[pin]
        body: Option<B>,
        stage: Stage<C::Held>,
        conclusion: Option<C>,
        // Holds no `R`: an error that isn't `Send` would make the future not `Send` either.
        returns: PhantomData<fn() -> R>,
    }
}

impl<C: Conclusion<R>, R, B> WriteThroughFuture<C, R, B> {
    pub(crate) fn new(plan: WriteThrough, conclusion: C, body: B) -> Self {
        Self {
            body: Some(body),
            stage: Stage::Planned(plan),
            conclusion: Some(conclusion),
            returns: PhantomData,
        }
    }
}

impl<C, R, B> Future for WriteThroughFuture<C, R, B>
where
    C: Conclusion<R>,
    B: Future<Output = R>,
{
    type Output = R;
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        let mut this = self.as_mut().project();
        if let Some(body) = this.body.as_mut().as_pin_mut() {
            ready!(this.stage.poll_lease(cx));
            let polled = catch_unwind(AssertUnwindSafe(|| body.poll(cx)));
            if let Ok(Poll::Pending) = polled {
                return Poll::Pending;
            }
            this.body.set(None);
            let Stage::Body(writing) = mem::replace(this.stage, Stage::Done) else {
                unreachable!("the body runs in its stage only");
            };
            let value = match polled {
                Ok(Poll::Ready(value)) => value,
                Ok(Poll::Pending) => return Poll::Pending,
                Err(panic) => match writing.and_then(failed) {
                    Some(invalidation) => {
                        *this.stage = Stage::Panicked(panic, invalidation);
                        return self.poll(cx);
                    }
                    None => resume_unwind(panic),
                },
            };
            let (Some(writing), Some(conclusion)) = (writing, this.conclusion.take()) else {
                return Poll::Ready(value);
            };
            match conclusion.conclude(writing, value) {
                Concluded::Held(held, ending) => *this.stage = Stage::Ending(held, ending),
                Concluded::Returned(value, _underway) => return Poll::Ready(value),
            }
        }
        match this.stage {
            Stage::Ending(_, filling) => ready!(filling.as_mut().poll(cx)),
            Stage::Panicked(_, invalidation) => {
                // A panic of a `tracing` subscriber must not replace this one.
                let poll = || invalidation.as_mut().poll(cx);
                if let Ok(Poll::Pending) = catch_unwind(AssertUnwindSafe(poll)) {
                    return Poll::Pending;
                }
            }
            _ => {}
        }
        match mem::replace(this.stage, Stage::Done) {
            Stage::Ending(held, _) => Poll::Ready(C::restore(held)),
            Stage::Panicked(panic, _) => resume_unwind(panic),
            _ => unreachable!("a future was polled after its completion"),
        }
    }
}

/// End the write of a body that has panicked. A panic of a `tracing` subscriber must not replace
/// the body's.
pub(crate) fn failed(writing: Writing) -> Option<FillFuture> {
    catch_unwind(AssertUnwindSafe(|| writing.fail()))
        .ok()
        .flatten()
}
