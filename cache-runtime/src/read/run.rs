//! What a function with `#[cacheable]` does around its body: a value, from the store, from another caller's flight,
//! or computed and handed on.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "redis")]
use crate::entry;
use crate::entry::Found;
use crate::error::CacheError;
use crate::read::call::{Call, Lead};
use crate::read::fill::plan::{Filling, Landing};
use crate::read::future::{Around, Before, Leading, Reading};
use crate::read::lookup::{Lookup, State};
use crate::runtime::block_on;
use crate::ttl::IntoTtl;
use crate::value::payload::Payload;
use crate::value::place::DEEPEST;
use crate::value::shape::{Cached, Peek};
use crate::value::{Storable, measure};

/// Answers an async call: from the store, from another caller's flight, or by the body.
///
/// Cancel safety: dropped while it waits, it leaves no trace; dropped while it leads, one of those who
/// wait takes over; dropped while it fills, the fill finishes.
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
    Reading::new(Around::new(lookup, value_ttl, unless), body)
}

/// Answers a blocking call. Its thread parks while it waits; what it waits for runs on the cache's thread.
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
        Err(lookup) => go_on_sync(lookup, value_ttl, unless, body),
    }
}

/// Apart, so that what a hit does stays small enough to be inlined.
#[inline(never)]
fn go_on_sync<R, S, V, D, U, B>(lookup: Lookup<R, S>, value_ttl: V, unless: U, body: B) -> R
where
    R: Cached<S>,
    V: FnOnce(&R::Stored) -> D,
    D: IntoTtl,
    U: FnOnce(&R::Stored) -> bool,
    B: FnOnce() -> R,
{
    let leading = match lookup.settled() {
        Before::Found(found) => match rebuild(found) {
            Some(value) => return value,
            None => None,
        },
        Before::Body(leading) => leading,
    };
    let entered = leading.as_deref().map(Leading::enter);
    let value = body();
    drop(entered);
    if let Some(leading) = leading {
        conclude_sync(*leading, &value, value_ttl, unless);
    }
    value
}

fn conclude_sync<R: Cached<S>, S, D: IntoTtl>(
    leading: Leading,
    value: &R,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
) {
    if let Some((_, filling)) = leading.conclude(value, value_ttl, unless) {
        block_on(filling);
    }
}

/// [`read_async_if`] nothing is asked of the value.
#[inline]
pub fn read_async<R: Cached<S>, S, B: Future<Output = R>>(
    lookup: Lookup<R, S>,
    body: B,
) -> impl Future<Output = R> {
    read_async_if(lookup, ttl_unset, unless_unset, body)
}

/// [`read_sync_if`] nothing is asked of the value.
#[inline]
pub fn read_sync<R: Cached<S>, S, B: FnOnce() -> R>(lookup: Lookup<R, S>, body: B) -> R {
    read_sync_if(lookup, ttl_unset, unless_unset, body)
}

/// No lifetime over the value.
pub fn ttl_unset<T: ?Sized>(_: &T) -> Option<Duration> {
    None
}

/// No condition on the value.
pub fn unless_unset<T: ?Sized>(_: &T) -> bool {
    false
}

impl<R: Cached<S>, S> Lookup<R, S> {
    /// The answer, if it is known already.
    #[inline]
    pub fn hit(self) -> Result<R, Self> {
        let state = match self.state {
            State::Hit(found) => match rebuild(found) {
                Some(value) => return Ok(value),
                None => State::Bypass,
            },
            state => state,
        };
        Err(Self::new(state))
    }

    /// What a blocking call finds, or who runs its body.
    fn settled(self) -> Before<R::Stored> {
        let mut state = self.state;
        if let State::Pending(call) = &mut state {
            call.blocking = true;
        }
        let none = R::none().is_some();
        match state.settled_at_once(none) {
            Ok(before) => before,
            Err(call) => block_on(call.settle(none)),
        }
    }
}

/// The return type around what was found, if it fits.
#[inline]
pub(crate) fn rebuild<R: Cached<S>, S>(found: Found<Arc<R::Stored>>) -> Option<R> {
    match found {
        Found::Value(value) => Some(R::wrap(value)),
        Found::Nothing => R::none(),
    }
}

/// Hands a computed value to those who wait, and to the store. What is given back is what is stored, and a fill that is still
/// to be waited for.
pub(crate) fn hand_on<R: Cached<S>, S, D: IntoTtl>(
    call: &Call,
    lead: Lead,
    value: &R,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    took: Duration,
) -> Option<(Found<Arc<R::Stored>>, Filling)> {
    // Within the flight too: the value's `Serialize` and the conditions on it may call the cache.
    let conclude = || conclude(call, &lead, value, value_ttl, unless, took);
    let conclusion = lead.leader.run(conclude);
    let filling = call.land(lead, conclusion.landing)?;
    Some((conclusion.stored, filling))
}

/// What becomes of a computed value.
struct Conclusion<T> {
    landing: Landing,
    /// What is stored of it, where it is.
    stored: Found<Arc<T>>,
}

fn conclude<R: Cached<S>, S, D: IntoTtl>(
    call: &Call,
    lead: &Lead,
    value: &R,
    value_ttl: impl FnOnce(&R::Stored) -> D,
    unless: impl FnOnce(&R::Stored) -> bool,
    took: Duration,
) -> Conclusion<R::Stored> {
    let mut weight = Some(0);
    let shared = match value.verdict() {
        Peek::Err => {
            return Conclusion {
                landing: Landing::Keep,
                stored: Found::Nothing,
            };
        }
        // A type parameter that is an `Option` is its own value, `None` included.
        Peek::None if call.cache_none => value.share(),
        Peek::None => None,
        Peek::Value(inner) => {
            weight = weigh(inner);
            // To share it may be to clone it, by recursion.
            if weight.is_none() && !lead.leader.has_joiners() {
                call.not_stored(&too_deep());
                return Conclusion {
                    landing: Landing::Keep,
                    stored: Found::Nothing,
                };
            }
            value.share()
        }
    };
    let Some(value) = shared else {
        return Conclusion {
            landing: nothing_lands::<R::Stored>(call, lead, took),
            stored: Found::Nothing,
        };
    };
    let Some(weight) = weight else {
        return Conclusion {
            landing: call.unstorable(Payload::typed(Arc::clone(&value)), &too_deep()),
            stored: Found::Value(value),
        };
    };
    let ttl = if unless(&value) {
        None
    } else {
        call.ttl_or_default(value_ttl(&value).into_ttl())
    };
    let Some(ttl) = ttl else {
        return Conclusion {
            landing: Landing::Share(Payload::typed(Arc::clone(&value))),
            stored: Found::Value(value),
        };
    };
    #[cfg(feature = "redis")]
    if call.is_far() {
        let encoding = call.cache.encoding_of(&call.key);
        let encoded = entry::encode(&*value, &call.facts(lead, took), &encoding, R::equal);
        let payload = Payload::typed(Arc::clone(&value));
        return Conclusion {
            landing: call.landing_in_redis(payload, ttl, weight, encoded),
            stored: Found::Value(value),
        };
    }
    let payload = Payload::typed(Arc::clone(&value));
    let landing = if call.cache.inner().memory_as_bytes {
        let encoded = call.encode_for_memory(&*value, R::equal);
        call.landing_as_bytes(payload, ttl, encoded, took)
    } else {
        if cfg!(debug_assertions) {
            call.try_round_trip(&*value, R::equal);
        }
        drop(value);
        call.landing_in_memory(payload, ttl, weight, took)
    };
    Conclusion {
        landing,
        // Nobody waits for a fill in memory, and so nobody asks.
        stored: Found::Nothing,
    }
}

fn too_deep() -> CacheError {
    CacheError::TooDeep {
        limit: DEEPEST as usize,
    }
}

/// What becomes of a `None`.
#[cfg_attr(
    not(feature = "redis"),
    expect(
        unused_variables,
        clippy::extra_unused_type_parameters,
        reason = "nothing is encoded for memory"
    )
)]
fn nothing_lands<T: Storable>(call: &Call, lead: &Lead, took: Duration) -> Landing {
    let fill = call.cache_none.then(|| call.ttl_or_default(None)).flatten();
    let Some(ttl) = fill else {
        return Landing::Share(Payload::Nothing);
    };
    #[cfg(feature = "redis")]
    if call.is_far() {
        let encoded = entry::Encoded::<T> {
            bytes: entry::nothing::<T>(&call.facts(lead, took)),
            read_back: None,
        };
        return call.landing_in_redis(Payload::Nothing, ttl, 0, Ok(encoded));
    }
    call.landing_in_memory(Payload::Nothing, ttl, 0, took)
}

/// About how many bytes a value takes in this process; `None`, if it nests too deep to be stored.
fn weigh<T: Storable>(value: &T) -> Option<usize> {
    measure::weigh(value).map(|bytes| size_of::<T>() + bytes)
}

/// The same of a value that was stored.
#[cfg(feature = "redis")]
pub(crate) fn weight<T: Storable>(value: &T) -> usize {
    weigh(value).unwrap_or_default()
}
