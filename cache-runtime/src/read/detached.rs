//! Computations that outlive their caller: `#[cacheable(.., detached = true)]`.
//!
//! While its caller waits, the body runs in the caller's task like any other: its value, its error
//! and its panic take the same path, and the option costs nothing. If the caller goes (a timeout, a
//! client that hung up), the future, as far as it has come, moves to a task of its own. That task
//! holds the flight and the lease which the caller held. So it fills and serves as the caller would
//! have, and an invalidation voids it like any other.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::events;
use crate::flight::Flight;
use crate::flight::nesting::EnclosingFlights;
use crate::read::call::Call;
use crate::read::lookup::{Lookup, LookupState};
use crate::read::refresh::{CallContext, is_err};
use crate::read::run::read_async_if;
use crate::runtime::sleep;
use crate::ttl::IntoTtl;
use crate::value::shape::Cached;

type Computing<R> = Pin<Box<dyn Future<Output = R> + Send>>;

/// A detached body, or a closure of its attribute.
#[diagnostic::on_unimplemented(
    message = "this function can't be `detached`: its body, or a closure of its attribute, isn't `Send + 'static`",
    label = "not `Send + 'static`",
    note = "remove `detached`: then a computation ends with its caller, and a waiting caller takes over"
)]
pub trait Detachable: Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Detachable for T {}

/// Finish a call that is resolved. The body runs detached if this call leads. It runs attached if
/// it bypasses the cache, since it fills nothing then.
pub(crate) async fn lead<R, S, D>(
    lookup: Lookup<R, S>,
    value_ttl: impl FnOnce(&R::Stored) -> D + Detachable,
    unless: impl FnOnce(&R::Stored) -> bool + Detachable,
    body: impl Future<Output = R> + Send + 'static,
) -> R
where
    R: Cached<S> + 'static,
    S: 'static,
    D: IntoTtl + 'static,
{
    let handover = match &lookup.state {
        LookupState::Computation(leading) => {
            Some(Handover::new(leading.flight(), leading.call().clone()))
        }
        _ => None,
    };
    let computing = read_async_if(lookup, value_ttl, unless, body);
    match handover {
        Some(handover) => Detached::new(handover, Box::pin(computing)).await,
        None => computing.await,
    }
}

/// A computation that its caller polls until the caller is dropped.
pub(crate) struct Detached<R: 'static> {
    /// `None` once it has returned or panicked.
    computing: Option<Computing<R>>,
    handover: Option<Box<Handover<R>>>,
}

/// The state that outlives the caller, beside the computation.
pub(crate) struct Handover<R> {
    flight: Arc<Flight>,
    call: Call,
    since: Instant,
    context: CallContext,
    around: EnclosingFlights,
    is_err: fn(R) -> bool,
}

impl<R> Handover<R> {
    pub(crate) fn new<S>(flight: Arc<Flight>, call: Call) -> Self
    where
        R: Cached<S>,
    {
        Self {
            flight,
            call,
            since: Instant::now(),
            context: CallContext::current(),
            around: EnclosingFlights::current(),
            is_err: |value| is_err::<R, S>(&value.open()),
        }
    }
}

impl<R: 'static> Detached<R> {
    pub(crate) fn new(handover: Handover<R>, computing: Computing<R>) -> Self {
        Self {
            computing: Some(computing),
            handover: Some(Box::new(handover)),
        }
    }
}

impl<R: 'static> Future for Detached<R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        // Taken while it is polled, so that a body that panics isn't carried on.
        let Some(mut computing) = self.computing.take() else {
            return Poll::Pending;
        };
        let polled = computing.as_mut().poll(cx);
        if polled.is_pending() {
            self.computing = Some(computing);
        }
        polled
    }
}

impl<R: 'static> Drop for Detached<R> {
    fn drop(&mut self) {
        if let (Some(computing), Some(handover)) = (self.computing.take(), self.handover.take()) {
            handover.carry_on(computing);
        }
    }
}

impl<R: 'static> Handover<R> {
    /// Give the computation a task of its own for the rest of `wait_timeout`. If that task can't
    /// run, or its runtime ends, the computation is dropped there: it gives its lease back, and a
    /// waiting caller takes over.
    fn carry_on(self: Box<Self>, computing: Computing<R>) {
        let Self {
            flight,
            call,
            since,
            context,
            around,
            is_err,
        } = *self;
        let limit = call.cache.inner().wait_timeout;
        let left = limit.saturating_sub(since.elapsed());
        if left.is_zero() {
            return;
        }
        // Otherwise callers that wait in the same task would take the leader for one that is no
        // longer polled.
        flight.leave();
        drop(flight);
        context.spawn(async move {
            let failed = match within(left, around, computing).await {
                Some(value) => {
                    if !is_err(value) {
                        return;
                    }
                    "the body of a detached computation returned `Err` after its caller was dropped"
                }
                None => {
                    "a detached computation was dropped because it took longer than `wait_timeout`"
                }
            };
            let key = call.cache.full_key(&call.key);
            events::error(call.origin.function, &key, &failed);
        });
    }
}

/// Return the computation's value if it completes in time. Otherwise drop the computation.
async fn within<R>(
    time: Duration,
    around: EnclosingFlights,
    mut computing: Computing<R>,
) -> Option<R> {
    let mut timer = None;
    poll_fn(|cx| {
        if let Poll::Ready(value) = around.run(|| computing.as_mut().poll(cx)) {
            return Poll::Ready(Some(value));
        }
        let timer = timer.get_or_insert_with(|| sleep(time));
        Pin::new(timer).poll(cx).map(|_| None)
    })
    .await
}
