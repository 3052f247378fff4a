//! The future of an annotated function.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::entry::Found;
use crate::lookup::{Lookup, State};
use crate::read::rebuild;
use crate::value::shape::Cached;

/// A hit, or all the rest in a box: what a call may do that missed takes some kilobytes, which a hit would move about, and
/// every caller's future would carry.
pub(crate) struct Answer<R: Cached<S>, S, F> {
    way: Way<R::Stored, F>,
    /// Holds no `R`: see [`Lookup`].
    returns: PhantomData<fn() -> (R, S)>,
}

enum Way<T, F> {
    Known(Option<Found<Arc<T>>>),
    Asked(Pin<Box<F>>),
}

impl<R: Cached<S>, S, F> Answer<R, S, F> {
    /// Gives what was found, or goes on by `rest`, which is dropped where it isn't needed, and the body with it.
    #[inline]
    pub(crate) fn of(lookup: Lookup<R, S>, rest: impl FnOnce(Lookup<R, S>) -> F) -> Self {
        let way = match lookup.state {
            State::Hit(found) => Way::Known(Some(found)),
            _ => Way::Asked(Box::pin(rest(lookup))),
        };
        Self {
            way,
            returns: PhantomData,
        }
    }
}

impl<R: Cached<S>, S, F: Future<Output = R>> Future for Answer<R, S, F> {
    type Output = R;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        match &mut self.get_mut().way {
            Way::Known(found) => match found.take().and_then(rebuild) {
                Some(value) => Poll::Ready(value),
                None => unreachable!("polled after it was ready, or a hit that doesn't fit"),
            },
            Way::Asked(rest) => rest.as_mut().poll(cx),
        }
    }
}
