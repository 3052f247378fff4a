//! Concluding a computation: which part of its value is shared, and which is stored.

use std::sync::Arc;
use std::time::Duration;

use super::FillFuture;
use super::plan::FillPlan;
#[cfg(feature = "redis")]
use crate::entry;
use crate::entry::CachedValue;
use crate::entry::payload::Payload;
use crate::error::CacheError;
use crate::read::call::Call;
use crate::read::decision::Lead;
use crate::tally;
use crate::ttl::IntoTtl;
use crate::value::path::MAX_DEPTH;
use crate::value::shape::{Cached, Peek};
use crate::value::{Storable, measure};

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

/// Decide about a computed value without carrying the decision out.
pub(crate) fn plan<R: Cached<S>, S>(
    call: &Call,
    lead: &Lead,
    opened: &R::Opened,
    took: Duration,
) -> FillPlan {
    let conclude = || conclude::<R, S, _>(call, lead, opened, ttl_unset, unless_unset, took);
    lead.leader.run(conclude).plan
}

/// The decision about a computed value.
pub(crate) struct Plan<T> {
    pub(crate) plan: FillPlan,
    /// The value as it is stored, where it is.
    pub(crate) stored: CachedValue<Arc<T>>,
}

/// Decide about a computed value, within the flight.
pub(crate) fn conclude<R: Cached<S>, S, D: IntoTtl>(
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
            tally::failed(call.origin.function, || call.cache.full_key(&call.key));
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
        let encoding = call.encoding();
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

pub(super) fn too_deep() -> CacheError {
    CacheError::TooDeep {
        limit: MAX_DEPTH as usize,
    }
}

/// Decide about a computed `None`.
#[cfg_attr(
    not(feature = "redis"),
    expect(
        unused_variables,
        clippy::extra_unused_type_parameters,
        reason = "values in memory aren't encoded"
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

/// The default for a TTL computed from the value: none.
pub fn ttl_unset<T: ?Sized>(_: &T) -> Option<Duration> {
    None
}

/// The default for a condition on the value: false.
pub fn unless_unset<T: ?Sized>(_: &T) -> bool {
    false
}
