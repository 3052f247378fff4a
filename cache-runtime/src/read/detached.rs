//! Computations that outlive their caller: `#[cacheable(.., detached = true)]`.
//!
//! While its caller waits, a body runs in the caller's task like any other: its value, its error and
//! its panic take the same way, and nothing is paid for the option. A caller that goes (a timeout, a
//! client that hung up) leaves the future, as far as it has come, to a task of its own. That task
//! holds the flight and the lease which the caller held, so it fills and serves like the caller
//! would have, and an invalidation voids it like any other.

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
use crate::read::refresh::{Resolution, Surroundings, is_err};
use crate::read::run::read_async_if;
use crate::runtime::sleep;
use crate::ttl::IntoTtl;
use crate::value::shape::Cached;

type Computing<R> = Pin<Box<dyn Future<Output = R> + Send>>;

/// What a detached body, or a closure of its attribute, must be.
#[diagnostic::on_unimplemented(
    message = "this function can't be `detached`: its body, or a closure of its attribute, isn't `Send + 'static`",
    label = "not `Send + 'static`",
    note = "take `detached` away: then a computation ends with its caller, and a caller that waits takes over"
)]
pub trait Detachable: Send + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Send + 'static> Detachable for T {}

/// Answers an async call like [`read_async_if`](crate::__private::read_async_if), by a body that
/// outlives it.
///
/// Cancel safety: dropped while it waits, it leaves no trace; dropped while it computes, the
/// computation goes on in a task of its own, until the cache's `wait_timeout` at most.
pub fn read_detached<R, S, V, D, U, B>(
    lookup: Lookup<R, S>,
    value_ttl: V,
    unless: U,
    body: B,
) -> impl Future<Output = R>
where
    R: Cached<S> + 'static,
    S: 'static,
    V: FnOnce(&R::Stored) -> D + Detachable,
    D: IntoTtl + 'static,
    U: FnOnce(&R::Stored) -> bool + Detachable,
    B: Future<Output = R> + Send + 'static, // otherwise take `detached` away
{
    // In a box: only a call that isn't answered at once comes here, and every caller's future would
    // carry it.
    Box::pin(async move {
        match lookup.resolve(false).await {
            Resolution::Plain(lookup) => lead(lookup, value_ttl, unless, body).await,
            // For functions that name a refresh, whose way is another.
            Resolution::Refresh(refresh) => refresh.pay_detached(value_ttl, unless, body).await,
        }
    })
}

/// Runs what is left of a call that is resolve_blocking: the body detached if it leads, attached if it runs
/// by itself, since it fills nothing then.
pub(crate) async fn lead<R, S, V, D, U, B>(
    lookup: Lookup<R, S>,
    value_ttl: V,
    unless: U,
    body: B,
) -> R
where
    R: Cached<S> + 'static,
    S: 'static,
    V: FnOnce(&R::Stored) -> D + Detachable,
    D: IntoTtl + 'static,
    U: FnOnce(&R::Stored) -> bool + Detachable,
    B: Future<Output = R> + Send + 'static,
{
    let leading = match &lookup.state {
        LookupState::Computation(leading) => Some((leading.flight(), leading.call().clone())),
        _ => None,
    };
    let computing = read_async_if(lookup, value_ttl, unless, body);
    match leading {
        Some((flight, call)) => Detached::new(flight, call, Box::pin(computing)).await,
        None => computing.await,
    }
}

/// A computation that its caller polls while it is there.
pub(crate) struct Detached<R: 'static> {
    /// `None` once it has returned, or has panicked.
    computing: Option<Computing<R>>,
    heritage: Option<Box<Heritage<R>>>,
}

/// What the caller leaves behind beside the computation.
struct Heritage<R> {
    flight: Arc<Flight>,
    call: Call,
    since: Instant,
    surroundings: Surroundings,
    around: EnclosingFlights,
    is_err: fn(&R) -> bool,
}

impl<R: 'static> Detached<R> {
    pub(crate) fn new<S>(flight: Arc<Flight>, call: Call, computing: Computing<R>) -> Self
    where
        R: Cached<S>,
    {
        let heritage = Heritage {
            flight,
            call,
            since: Instant::now(),
            surroundings: Surroundings::current(),
            around: EnclosingFlights::current(),
            is_err: is_err::<R, S>,
        };
        Self {
            computing: Some(computing),
            heritage: Some(Box::new(heritage)),
        }
    }
}

impl<R: 'static> Future for Detached<R> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R> {
        // Taken while it is polled, so that a body which panics isn't left to anybody.
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
        if let (Some(computing), Some(heritage)) = (self.computing.take(), self.heritage.take()) {
            heritage.carry_on(computing);
        }
    }
}

impl<R: 'static> Heritage<R> {
    /// Gives the computation a task of its own for what is left of `wait_timeout`. If that task can't
    /// run, or its runtime ends, the computation is dropped there: it gives its lease back, and a
    /// caller that waits takes over.
    fn carry_on(self: Box<Self>, computing: Computing<R>) {
        let Self {
            flight,
            call,
            since,
            surroundings,
            around,
            is_err,
        } = *self;
        let limit = call.cache.inner().wait_timeout;
        let left = limit.saturating_sub(since.elapsed());
        if left.is_zero() {
            return;
        }
        // Otherwise those who wait in the caller's task would take it for one that nobody polls.
        flight.leave();
        drop(flight);
        surroundings.spawn(async move {
            let failed = match within(left, around, computing).await {
                Some(value) if !is_err(&value) => return,
                Some(_) => {
                    "the body of a detached computation returned `Err` after its caller had gone"
                }
                None => {
                    "a detached computation was into_lookup up: it took longer than `wait_timeout`"
                }
            };
            let key = call.cache.full_key(&call.key);
            events::error(call.origin.function, &key, &failed);
        });
    }
}

/// The computation's value, if it has one before the time is over. Otherwise it is dropped here.
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
