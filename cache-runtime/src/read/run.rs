//! Answering a call of a function with `#[cacheable]`: from the store, from another caller's
//! flight, or by running the body and sharing its value.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "redis")]
use crate::entry;
use crate::entry::CachedValue;
use crate::entry::payload::Payload;
use crate::error::CacheError;
use crate::read::call::Call;
use crate::read::decision::Lead;
use crate::read::fill::FillFuture;
use crate::read::fill::plan::FillPlan;
use crate::read::future::{AsyncRead, Computation, ReadFuture, Resolved};
use crate::read::lookup::{Lookup, LookupState};
use crate::runtime::block_on;
use crate::ttl::IntoTtl;
use crate::value::place::DEEPEST;
use crate::value::shape::{Cached, Peek};
use crate::value::{Storable, measure};

/// Answer an async call: from the store, from another caller's flight, or by the body.
///
/// Cancel safety: dropped while it waits, it leaves no trace; dropped while it leads, a waiting
/// caller takes over; dropped while it fills, the fill finishes.
#[inline]
pub fn read_async_if<R, S, V, D, U, B>(
    lookup: Lookup<R, S>,
    value_ttl: V,
    unless: U,
    body: B,
) -> impl Future<Output = R>
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    B: Future<Output = R>,
{
    ReadFuture::new(AsyncRead::new(lookup, value_ttl, unless), body)
}

/// Answer a blocking call. Its thread parks while it waits; the work that it waits for runs on the
/// cache's thread.
#[inline]
pub fn read_sync_if<R, S, V, D, U, B>(lookup: Lookup<R, S>, value_ttl: V, unless: U, body: B) -> R
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    B: FnOnce() -> R,
{
    match lookup.hit() {
        Ok(value) => value,
        Err(lookup) => read_sync_miss(lookup, value_ttl, unless, body),
    }
}

/// Not inlined, so that the hit path stays small enough to be inlined.
#[inline(never)]
fn read_sync_miss<R, S, V, D, U, B>(lookup: Lookup<R, S>, value_ttl: V, unless: U, body: B) -> R
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    B: FnOnce() -> R,
{
    let leading = match lookup.resolve_blocking() {
        Resolved::Found(found) => match rebuild(found) {
            Some(value) => return value,
            None => None,
        },
        Resolved::Body(leading) => leading,
    };
    let entered = leading.as_deref().map(Computation::enter);
    let value = body();
    let Some(leading) = leading else {
        return value;
    };
    let opened = value.open();
    drop(entered);
    conclude_sync::<R, S, D>(*leading, &opened, value_ttl, unless);
    R::close(opened)
}

fn conclude_sync<R: Cached<S>, S, D: IntoTtl>(
    leading: Computation,
    opened: &R::Opened,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
) {
    if let Some((_, filling)) = leading.conclude::<R, S, D>(opened, value_ttl, unless) {
        block_on(filling);
    }
}

/// [`read_async_if`] without a value TTL or an `unless` condition.
#[inline]
pub fn read_async<R: Cached<S>, S, B: Future<Output = R>>(
    lookup: Lookup<R, S>,
    body: B,
) -> impl Future<Output = R> {
    read_async_if(lookup, ttl_unset, unless_unset, body)
}

/// [`read_sync_if`] without a value TTL or an `unless` condition.
#[inline]
pub fn read_sync<R: Cached<S>, S, B: FnOnce() -> R>(lookup: Lookup<R, S>, body: B) -> R {
    read_sync_if(lookup, ttl_unset, unless_unset, body)
}

/// The default for a TTL computed from the value: none.
pub fn ttl_unset<T: ?Sized>(_: &T) -> Option<Duration> {
    None
}

/// The default for a condition on the value: false.
pub fn unless_unset<T: ?Sized>(_: &T) -> bool {
    false
}

impl<R: Cached<S>, S> Lookup<R, S> {
    /// Return the value if the lookup was a hit.
    #[inline]
    pub fn hit(self) -> Result<R, Self> {
        let state = match self.state {
            LookupState::Hit(found) => match rebuild(found) {
                Some(value) => return Ok(value),
                None => LookupState::Bypass,
            },
            state => state,
        };
        Err(Self::new(state))
    }

    /// Look up the value of a blocking call, or the computation to run.
    fn resolve_blocking(self) -> Resolved<R::Stored> {
        let mut state = self.state;
        if let LookupState::Pending(call) = &mut state {
            call.blocking = true;
        }
        let none = R::none().is_some();
        match state.resolve_now(none) {
            Ok(resolved) => resolved,
            Err(call) => block_on(call.resolve(none)),
        }
    }
}

/// Wrap a cached value in the return type, if it fits.
#[inline]
pub(crate) fn rebuild<R: Cached<S>, S>(found: CachedValue<Arc<R::Stored>>) -> Option<R> {
    match found {
        CachedValue::Value(value) => Some(R::wrap(value)),
        CachedValue::None => R::none(),
    }
}

/// Share a computed value with waiting callers and the store. Returns the stored value and a fill
/// that is still to be awaited.
pub(crate) fn finish<R: Cached<S>, S, D: IntoTtl>(
    call: &Call,
    lead: Lead,
    opened: &R::Opened,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    took: Duration,
) -> Option<(CachedValue<Arc<R::Stored>>, FillFuture)> {
    // Within the flight too: the value's `Serialize` and the conditions on it may call the cache.
    let conclude = || conclude::<R, S, D>(call, &lead, opened, value_ttl, unless, took);
    let conclusion = lead.leader.run(conclude);
    let filling = call.fill(lead, conclusion.plan)?;
    Some((conclusion.stored, filling))
}

/// The decision about a computed value.
struct Plan<T> {
    plan: FillPlan,
    /// The value as it is stored, where it is.
    stored: CachedValue<Arc<T>>,
}

fn conclude<R: Cached<S>, S, D: IntoTtl>(
    call: &Call,
    lead: &Lead,
    opened: &R::Opened,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    took: Duration,
) -> Plan<R::Stored> {
    let mut weight = Some(0);
    let shared = match R::verdict(opened) {
        Peek::Err => {
            return Plan {
                plan: FillPlan::Discard,
                stored: CachedValue::None,
            };
        }
        // A type parameter that is an `Option` is stored whole, `None` included.
        Peek::None if call.cache_none => R::share(opened),
        Peek::None => None,
        Peek::Value(inner) => {
            weight = weigh(inner);
            // Sharing the value may clone it, and cloning recurses.
            if weight.is_none() && !lead.leader.has_joiners() {
                call.not_stored(&too_deep());
                return Plan {
                    plan: FillPlan::Discard,
                    stored: CachedValue::None,
                };
            }
            R::share(opened)
        }
    };
    let Some(value) = shared else {
        return Plan {
            plan: plan_none::<R::Stored>(call, lead, took),
            stored: CachedValue::None,
        };
    };
    let Some(weight) = weight else {
        return Plan {
            plan: call.unstorable(Payload::typed(Arc::clone(&value)), &too_deep()),
            stored: CachedValue::Value(value),
        };
    };
    let ttl = if unless(&value) {
        None
    } else {
        call.ttl_or_default(value_ttl(&value).into_ttl())
    };
    let Some(ttl) = ttl else {
        return Plan {
            plan: FillPlan::Share(Payload::typed(Arc::clone(&value))),
            stored: CachedValue::Value(value),
        };
    };
    #[cfg(feature = "redis")]
    if call.stores_in_redis() {
        let encoding = call.cache.encoding_of(&call.key);
        let encoded = entry::encode(&*value, &call.facts(lead, took), &encoding, R::equal);
        let payload = Payload::typed(Arc::clone(&value));
        return Plan {
            plan: call.plan_redis(payload, ttl, weight, encoded),
            stored: CachedValue::Value(value),
        };
    }
    let payload = Payload::typed(Arc::clone(&value));
    let plan = if call.cache.inner().memory_as_bytes {
        let encoded = call.encode_for_memory(&*value, R::equal);
        call.plan_as_bytes(payload, ttl, encoded, took)
    } else {
        if cfg!(debug_assertions) {
            call.check_round_trip(&*value, R::equal);
        }
        drop(value);
        call.plan_memory(payload, ttl, weight, took)
    };
    Plan {
        plan,
        // A fill in memory is complete at once, so this value isn't read.
        stored: CachedValue::None,
    }
}

fn too_deep() -> CacheError {
    CacheError::TooDeep {
        limit: DEEPEST as usize,
    }
}

/// Decide about a computed `None`.
#[cfg_attr(
    not(feature = "redis"),
    expect(
        unused_variables,
        clippy::extra_unused_type_parameters,
        reason = "nothing is encoded for memory"
    )
)]
fn plan_none<T: Storable>(call: &Call, lead: &Lead, took: Duration) -> FillPlan {
    let fill = call.cache_none.then(|| call.ttl_or_default(None)).flatten();
    let Some(ttl) = fill else {
        return FillPlan::Share(Payload::Nothing);
    };
    #[cfg(feature = "redis")]
    if call.stores_in_redis() {
        let encoded = entry::Encoded::<T> {
            bytes: entry::nothing::<T>(&call.facts(lead, took)),
            read_back: None,
        };
        return call.plan_redis(Payload::Nothing, ttl, 0, Ok(encoded));
    }
    call.plan_memory(Payload::Nothing, ttl, 0, took)
}

/// Return the approximate size of a value in this process, in bytes. `None` if it nests too deeply
/// to be stored.
fn weigh<T: Storable>(value: &T) -> Option<usize> {
    measure::weigh(value).map(|bytes| size_of::<T>() + bytes)
}

/// Return the approximate size of a value that was stored.
#[cfg(feature = "redis")]
pub(crate) fn weight<T: Storable>(value: &T) -> usize {
    weigh(value).unwrap_or_default()
}
