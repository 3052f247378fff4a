//! Storing an error that `cache_err` caches.

use std::time::Duration;

use super::FillFuture;
use super::conclude::too_deep;
use super::plan::FillPlan;
use crate::entry;
use crate::entry::payload::Payload;
use crate::read::call::Call;
use crate::read::decision::Lead;
#[cfg(feature = "redis")]
use crate::store::redis::NearCopy;
use crate::ttl::Ttl;
use crate::value::negative::StorableError;
use crate::value::{Storable, measure};

/// Share an error of a function whose values are a `T` with waiting callers and the store. Returns
/// a fill that is still to be awaited.
pub(crate) fn finish<T: Storable, X: StorableError>(
    call: &Call,
    lead: Lead,
    error: X,
    ttl: Ttl,
    took: Duration,
) -> Option<FillFuture> {
    // Within the flight too: the error's `Serialize` may call the cache.
    let plan = || plan::<T, X>(call, &lead, error, ttl, took);
    let plan = lead.leader.run(plan);
    call.fill(lead, plan)
}

fn plan<T: Storable, X: StorableError>(
    call: &Call,
    lead: &Lead,
    error: X,
    ttl: Ttl,
    took: Duration,
) -> FillPlan {
    let ttl = match ttl {
        Ttl::Fixed(ttl) => Some(ttl),
        Ttl::Preset(name) => call.cache.preset(call.origin, name),
        Ttl::Default | Ttl::Computed | Ttl::Family(_) => None,
    };
    let ttl = ttl.unwrap_or(call.cache.inner().default_ttl);
    // An error that isn't stored isn't shared either, like any other error.
    let Some(ttl) = call.ttl_or_default(Some(ttl)) else {
        return FillPlan::Discard;
    };
    let Some(weight) = weigh(&error) else {
        call.not_stored(&too_deep());
        return FillPlan::Discard;
    };
    let encoding = call.encoding();
    #[cfg(feature = "redis")]
    if call.stores_in_redis() {
        let encoded = entry::encode_error::<T, X>(&error, &call.facts(lead, took), &encoding);
        let payload = Payload::error::<T, X>(error);
        return match encoded {
            Ok(encoded) => FillPlan::Redis {
                // The error that other processes will read back.
                near: call.is_kept_near().then(|| NearCopy {
                    payload: match encoded.read_back {
                        Some(error) => Payload::error::<T, X>(error),
                        None => payload.clone(),
                    },
                    weight,
                }),
                payload,
                ttl,
                bytes: encoded.bytes,
            },
            Err(error) => call.unstorable(payload, &error),
        };
    }
    #[cfg(not(feature = "redis"))]
    let _ = lead;
    if call.cache.inner().memory_as_bytes {
        let facts = entry::Facts {
            version: call.version,
            ..entry::Facts::default()
        };
        let encoded = entry::encode_error::<T, X>(&error, &facts, &encoding);
        let payload = Payload::error::<T, X>(error);
        return call.plan_as_bytes(payload, ttl, encoded.map(|encoded| encoded.bytes), took);
    }
    call.plan_memory(Payload::error::<T, X>(error), ttl, weight, took)
}

/// Return the approximate size of an error in this process, in bytes; `None` if it nests too deep.
pub(crate) fn weigh<X: StorableError>(error: &X) -> Option<usize> {
    measure::weigh(error).map(|bytes| size_of::<X>() + bytes)
}
