//! Negative caching: functions with `cache_err`, which caches some errors for a short time.
//!
//! Such a function's lookup and its values take the same path as any function's. What differs is
//! here: a call that missed accepts a cached error too, and its own error may be stored. A cached
//! error isn't on the fast path, so it costs a function without `cache_err` nothing.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use crate::entry::CachedValue;
use crate::entry::payload::Payload;
use crate::flight::EnteredFlight;
use crate::read::call::Call;
use crate::read::computation::Computation;
use crate::read::decision::Decision;
use crate::read::fill::FillFuture;
#[cfg(feature = "redis")]
use crate::read::fill::{conclude::weight, negative::weigh};
use crate::read::future::{Around, ReadFuture};
use crate::read::lookup::{Lookup, LookupState, fits, rebuild};
use crate::runtime::block_on;
use crate::ttl::{IntoTtl, Ttl};
use crate::value::Storable;
use crate::value::negative::{CachedError, Fallible, StorableError};
use crate::value::shape::Cached;

/// Answer an async call of a function with `cache_err`, whose error is stored.
///
/// The future holds the error while it is stored, so it is `Send` only if the error is.
///
/// Cancel safety: as for [`read_async_if`](crate::read::run::read_async_if).
pub fn read_async_err<R, S, V, D, U, P, B>(
    lookup: Lookup<R, S>,
    value_ttl: V,
    unless: U,
    err_ttl: Ttl,
    cache_err: P,
    body: B,
) -> impl Future<Output = R>
where
    R: Cached<S> + Fallible<Error: StorableError>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    P: FnOnce(&R::Error) -> bool,
    B: Future<Output = R>,
{
    let around = NegativeRead::new(lookup, value_ttl, unless, err_ttl, Stored(cache_err));
    ReadFuture::new(around, body)
}

/// Answer an async call of a function with `cache_err` and `err`, which makes the error again.
///
/// Cancel safety: as for [`read_async_err`].
pub fn read_async_made_err<R, S, V, D, U, P, N, B>(
    lookup: Lookup<R, S>,
    value_ttl: V,
    unless: U,
    err_ttl: Ttl,
    cache_err: P,
    err: N,
    body: B,
) -> impl Future<Output = R>
where
    R: Cached<S> + Fallible,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    P: FnOnce(&R::Error) -> bool,
    N: FnOnce() -> R::Error,
    B: Future<Output = R>,
{
    let around = NegativeRead::new(lookup, value_ttl, unless, err_ttl, Made(cache_err, err));
    ReadFuture::new(around, body)
}

/// Like [`read_async_err`], for a blocking call.
pub fn read_sync_err<R, S, V, D, U, P, B>(
    lookup: Lookup<R, S>,
    value_ttl: V,
    unless: U,
    err_ttl: Ttl,
    cache_err: P,
    body: B,
) -> R
where
    R: Cached<S> + Fallible<Error: StorableError>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    P: FnOnce(&R::Error) -> bool,
    B: FnOnce() -> R,
{
    read_blocking(lookup, value_ttl, unless, err_ttl, Stored(cache_err), body)
}

/// Like [`read_async_made_err`], for a blocking call.
pub fn read_sync_made_err<R, S, V, D, U, P, N, B>(
    lookup: Lookup<R, S>,
    value_ttl: V,
    unless: U,
    err_ttl: Ttl,
    cache_err: P,
    err: N,
    body: B,
) -> R
where
    R: Cached<S> + Fallible,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    P: FnOnce(&R::Error) -> bool,
    N: FnOnce() -> R::Error,
    B: FnOnce() -> R,
{
    read_blocking(
        lookup,
        value_ttl,
        unless,
        err_ttl,
        Made(cache_err, err),
        body,
    )
}

/// Convert the `err_ttl` of an attribute that is an expression.
pub fn err_ttl(ttl: impl IntoTtl) -> Ttl {
    let ttl: Option<Duration> = ttl.into_ttl();
    ttl.map_or(Ttl::Default, Ttl::Fixed)
}

/// Which errors of type `E` are cached, and as what. A call uses one of the two methods.
trait ErrorPolicy<E> {
    type Stored: StorableError;
    /// Return what is stored for this error; `None` if it isn't cached.
    fn stored(self, error: &E) -> Option<Self::Stored>;
    /// Return the error of a cached one.
    fn restore(self, stored: &Self::Stored) -> E;
}

/// The error itself is stored.
struct Stored<P>(P);

impl<E: StorableError, P: FnOnce(&E) -> bool> ErrorPolicy<E> for Stored<P> {
    type Stored = E;
    fn stored(self, error: &E) -> Option<E> {
        (self.0)(error).then(|| error.clone())
    }
    fn restore(self, stored: &E) -> E {
        stored.clone()
    }
}

/// Only the fact is stored, and a closure makes the error again.
struct Made<P, N>(P, N);

impl<E, P: FnOnce(&E) -> bool, N: FnOnce() -> E> ErrorPolicy<E> for Made<P, N> {
    type Stored = ();
    fn stored(self, error: &E) -> Option<()> {
        (self.0)(error).then_some(())
    }
    fn restore(self, (): &()) -> E {
        (self.1)()
    }
}

/// A cached result.
enum Found<T, X> {
    Value(CachedValue<Arc<T>>),
    Error(Arc<CachedError<T, X>>),
}

/// Result of a lookup, before the body runs.
enum Resolved<T, X> {
    Found(Found<T, X>),
    /// Run the body: as the leader of a flight, or without the cache.
    Body(Option<Box<Computation>>),
}

/// Resolve a call that missed. Cancel safe: a flight or lease that was begun is given back on drop.
async fn resolve<T: Storable, X: StorableError>(call: Box<Call>, none: bool) -> Resolved<T, X> {
    let mut found = None;
    let step = decide(&call, none, &mut found).await;
    match step {
        Decision::Compute(lead) => Resolved::Body(Some(Computation::new(call, lead))),
        // `Refresh` occurs only for functions with staleness options, which have no `cache_err`.
        _ => found.map_or(Resolved::Body(None), Resolved::Found),
    }
}

/// Decide the next step of a call that can use an error too.
async fn decide<T: Storable, X: StorableError>(
    call: &Call,
    none: bool,
    found: &mut Option<Found<T, X>>,
) -> Decision {
    let mut accept = |payload: &Payload, entry_version: u32| {
        let value = payload.share(entry_version, call.version);
        let value = value.filter(|value| fits(value, none)).map(Found::Value);
        let error = || payload.share_error(entry_version, call.version);
        *found = value.or_else(|| error().map(Found::Error));
        found.is_some()
    };
    let step = call.decide(&mut accept).await;
    #[cfg(feature = "redis")]
    if let Decision::HitFromRedis(candidate) = step {
        match &*found {
            Some(Found::Value(CachedValue::Value(value))) => {
                candidate.enter(Payload::typed(Arc::clone(value)), weight(&**value));
            }
            Some(Found::Error(error)) => {
                let weight = weigh(&error.error).unwrap_or_default();
                candidate.enter(Payload::Error(Arc::clone(error) as _), weight);
            }
            _ => candidate.enter(Payload::Nothing, 0),
        }
        return Decision::Hit;
    }
    step
}

/// A computation that is over, with a fill that is still to be awaited.
enum Conclusion<T> {
    Value(CachedValue<Arc<T>>, FillFuture),
    Error(FillFuture),
    Nothing,
}

/// Pass on what the body returned: a value as any function's, and an error if it is cached. Returns
/// it as well, since a value has to be opened if it is a wrapper.
fn conclude<R, S, D, M>(
    leading: Computation,
    value: R,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    err_ttl: Ttl,
    policy: M,
) -> (R, Conclusion<R::Stored>)
where
    R: Cached<S> + Fallible,
    D: IntoTtl,
    M: ErrorPolicy<R::Error>,
{
    let error = value.error();
    // Within the flight: the closure may call the cache.
    let stored = error.and_then(|error| leading.within(|| policy.stored(error)));
    if let Some(stored) = stored {
        let filling = leading.conclude_error::<R::Stored, _>(stored, err_ttl);
        return (
            value,
            filling.map_or(Conclusion::Nothing, Conclusion::Error),
        );
    }
    let opened = {
        let _entered = leading.enter();
        value.open()
    };
    let conclusion = leading
        .conclude::<R, S, D>(&opened, value_ttl, unless)
        .map_or(Conclusion::Nothing, |(shared, filling)| {
            Conclusion::Value(shared, filling)
        });
    (R::close(opened), conclusion)
}

/// Answer a blocking call.
fn read_blocking<R, S, D, M>(
    lookup: Lookup<R, S>,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    err_ttl: Ttl,
    policy: M,
    body: impl FnOnce() -> R,
) -> R
where
    R: Cached<S> + Fallible,
    D: IntoTtl,
    M: ErrorPolicy<R::Error>,
{
    let state = match lookup.hit() {
        Ok(value) => return value,
        Err(lookup) => lookup.state,
    };
    let resolved = match state {
        LookupState::Pending(mut call) => {
            call.blocking = true;
            block_on(resolve::<R::Stored, M::Stored>(call, R::none().is_some()))
        }
        LookupState::Computation(leading) => Resolved::Body(Some(leading)),
        LookupState::Hit(_) | LookupState::Bypass => Resolved::Body(None),
    };
    let leading = match resolved {
        Resolved::Found(Found::Error(error)) => return R::failed(policy.restore(&error.error)),
        Resolved::Found(Found::Value(found)) => match rebuild(found) {
            Some(value) => return value,
            None => None,
        },
        Resolved::Body(leading) => leading,
    };
    let entered = leading.as_deref().map(Computation::enter);
    let mut value = body();
    drop(entered);
    if let Some(leading) = leading {
        let (returned, conclusion) = conclude(*leading, value, value_ttl, unless, err_ttl, policy);
        value = returned;
        match conclusion {
            Conclusion::Value(_, filling) | Conclusion::Error(filling) => block_on(filling),
            Conclusion::Nothing => {}
        }
    }
    value
}

/// Progress of an async read. Large or rare parts are boxed, since every caller's future carries
/// this.
enum Stage<T, X, E> {
    Lookup(LookupState<T>),
    /// Waiting for another caller or for the store.
    Waiting(Pin<Box<dyn Future<Output = Resolved<T, X>> + Send>>),
    Body(Option<Box<Computation>>),
    Filling(CachedValue<Arc<T>>, FillFuture),
    FillingError(E, FillFuture),
    Done,
}

/// The part of an async read around its body. It holds no `R`, only its error.
struct NegativeRead<R, S, V, U, M>
where
    R: Cached<S> + Fallible,
    M: ErrorPolicy<R::Error>,
{
    stage: Stage<R::Stored, M::Stored, R::Error>,
    on_value: Option<(V, U)>,
    on_error: Option<M>,
    err_ttl: Ttl,
    returns: PhantomData<fn() -> (R, S)>,
}

impl<R, S, V, U, M> NegativeRead<R, S, V, U, M>
where
    R: Cached<S> + Fallible,
    M: ErrorPolicy<R::Error>,
{
    fn new(lookup: Lookup<R, S>, value_ttl: V, unless: U, err_ttl: Ttl, policy: M) -> Self {
        Self {
            stage: Stage::Lookup(lookup.state),
            on_value: Some((value_ttl, unless)),
            on_error: Some(policy),
            err_ttl,
            returns: PhantomData,
        }
    }

    /// Return what was found in the return type; `None` to run the body.
    fn found(&mut self, found: Found<R::Stored, M::Stored>) -> Option<R> {
        self.stage = Stage::Done;
        match found {
            Found::Value(value) => rebuild(value),
            Found::Error(error) => {
                let policy = self.on_error.take()?;
                Some(R::failed(policy.restore(&error.error)))
            }
        }
    }
}

impl<R, S, V, D, U, M> Around for NegativeRead<R, S, V, U, M>
where
    R: Cached<S> + Fallible,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    M: ErrorPolicy<R::Error>,
{
    type Returned = R;

    fn leading(&self) -> Option<&Computation> {
        match &self.stage {
            Stage::Body(leading) => leading.as_deref(),
            _ => None,
        }
    }

    fn poll_lookup(&mut self, cx: &mut Context<'_>) -> Poll<Option<R>> {
        if let Stage::Lookup(_) = self.stage
            && let Stage::Lookup(state) = std::mem::replace(&mut self.stage, Stage::Done)
        {
            self.stage = match state {
                LookupState::Hit(found) => return Poll::Ready(self.found(Found::Value(found))),
                LookupState::Bypass => Stage::Body(None),
                LookupState::Computation(leading) => Stage::Body(Some(leading)),
                LookupState::Pending(call) => {
                    Stage::Waiting(Box::pin(resolve(call, R::none().is_some())))
                }
            };
        }
        if let Stage::Waiting(waiting) = &mut self.stage {
            match ready!(waiting.as_mut().poll(cx)) {
                Resolved::Found(found) => return Poll::Ready(self.found(found)),
                Resolved::Body(leading) => self.stage = Stage::Body(leading),
            }
        }
        Poll::Ready(None)
    }

    fn computed(&mut self, value: R, entered: Option<EnteredFlight>) -> Option<R> {
        let stage = std::mem::replace(&mut self.stage, Stage::Done);
        let (Stage::Body(Some(leading)), Some((value_ttl, unless)), Some(policy)) =
            (stage, self.on_value.take(), self.on_error.take())
        else {
            return Some(value);
        };
        // The conclusion enters the flight itself.
        drop(entered);
        let (value, conclusion) =
            conclude(*leading, value, value_ttl, unless, self.err_ttl, policy);
        match conclusion {
            Conclusion::Value(shared, filling) => self.stage = Stage::Filling(shared, filling),
            Conclusion::Error(filling) => match value.into_error() {
                Ok(error) => self.stage = Stage::FillingError(error, filling),
                Err(value) => return Some(value),
            },
            Conclusion::Nothing => return Some(value),
        }
        None
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<R> {
        if let Stage::Filling(_, filling) | Stage::FillingError(_, filling) = &mut self.stage {
            ready!(filling.as_mut().poll(cx));
        }
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Filling(shared, _) => match rebuild(shared) {
                Some(value) => Poll::Ready(value),
                None => unreachable!("a `None` was stored for a type without `None`"),
            },
            Stage::FillingError(error, _) => Poll::Ready(R::failed(error)),
            _ => unreachable!("a future was polled after its completion"),
        }
    }
}
