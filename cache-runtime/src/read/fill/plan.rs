//! Deciding how a computed value is stored, shared or discarded.

use std::panic::{AssertUnwindSafe, catch_unwind};
#[cfg(feature = "redis")]
use std::sync::Arc;
use std::time::Duration;

use super::FillFuture;
#[cfg(feature = "redis")]
use super::redis;
#[cfg(feature = "redis")]
use crate::entry::Encoded;
use crate::entry::payload::Payload;
use crate::entry::{self, Equal, Facts};
use crate::error::CacheError;
use crate::events;
use crate::read::call::Call;
use crate::read::decision::Lead;
use crate::stats::Counter;
#[cfg(feature = "redis")]
use crate::store::{Store, redis::NearCopy};
use crate::value::Storable;

/// The destination of a computed value.
pub(crate) enum FillPlan {
    /// An error: other callers don't get it.
    Discard,
    /// Waiting callers get it, but it isn't stored.
    Share(Payload),
    /// Store it in memory with this TTL and an approximate weight in bytes.
    Memory {
        payload: Payload,
        ttl: Duration,
        /// How long the body took.
        took: Duration,
        weight: usize,
    },
    /// Store it in Redis with this TTL, as these bytes.
    #[cfg(feature = "redis")]
    Redis {
        payload: Payload,
        ttl: Duration,
        bytes: Vec<u8>,
        /// The near cache's copy, if the near cache keeps one.
        near: Option<NearCopy>,
    },
}

impl Call {
    /// Plan to store a value in memory as it is, weighed. A value that is too large is shared with
    /// waiting callers, counted and logged. An entry that a refresh found stays, since it is within
    /// its lifetime. The lead is released, so that no caller waits for a fill that won't come.
    pub(crate) fn plan_memory(
        &self,
        payload: Payload,
        ttl: Duration,
        weight: usize,
        took: Duration,
    ) -> FillPlan {
        match self.encoding().check(weight) {
            Ok(()) => FillPlan::Memory {
                payload,
                ttl,
                took,
                weight,
            },
            Err(error) => self.unstorable(payload, &error),
        }
    }

    /// Plan to store an encoded value in Redis. One that can't be stored is shared too.
    #[cfg(feature = "redis")]
    pub(crate) fn plan_redis<T: Storable>(
        &self,
        payload: Payload,
        ttl: Duration,
        weight: usize,
        encoded: Result<Encoded<T>, CacheError>,
    ) -> FillPlan {
        match encoded {
            Ok(Encoded { bytes, read_back }) => FillPlan::Redis {
                // The value that other processes will read back, so that this process returns the
                // same one.
                near: self.is_kept_near().then(|| NearCopy {
                    payload: match read_back {
                        Some(value) => Payload::typed(Arc::new(value)),
                        None => payload.clone(),
                    },
                    weight,
                }),
                payload,
                ttl,
                bytes,
            },
            Err(error) => self.unstorable(payload, &error),
        }
    }

    /// Plan to store a value as bytes in memory.
    pub(crate) fn plan_as_bytes(
        &self,
        payload: Payload,
        ttl: Duration,
        encoded: Result<Vec<u8>, CacheError>,
        took: Duration,
    ) -> FillPlan {
        match encoded {
            Ok(bytes) => FillPlan::Memory {
                ttl,
                took,
                weight: bytes.len(),
                payload: Payload::Encoded(bytes.into()),
            },
            Err(error) => self.unstorable(payload, &error),
        }
    }

    /// Encode an entry for memory.
    pub(crate) fn encode_for_memory<T: Storable>(
        &self,
        value: &T,
        equal: Equal<T>,
    ) -> Result<Vec<u8>, CacheError> {
        let facts = Facts {
            version: self.version,
            ..Facts::default()
        };
        let encoding = self.encoding();
        Ok(entry::encode(value, &facts, &encoding, equal)?.bytes)
    }

    /// Warn if a function's first value couldn't be stored in Redis. Memory keeps any value as it
    /// is, so a program tried on memory only might find out in production.
    #[cold]
    pub(crate) fn check_round_trip<T: Storable>(&self, value: &T, equal: Equal<T>) {
        if !self.cache.needs_round_trip_check(self.origin) {
            return;
        }
        // Memory alone doesn't need `Deserialize`, so one that panics must not make the call panic.
        let tried = catch_unwind(AssertUnwindSafe(|| self.encode_for_memory(value, equal)));
        if let Ok(Err(error)) = tried
            && !matches!(error, CacheError::TooLarge { .. })
        {
            let key = self.cache.full_key(&self.key);
            events::memory_only(self.origin.function, &key, &error);
        }
    }

    /// Plan to share a value that can't be stored.
    pub(crate) fn unstorable(&self, payload: Payload, error: &CacheError) -> FillPlan {
        self.not_stored(error);
        FillPlan::Share(payload)
    }

    /// Count a value that isn't stored, and log it once for each function.
    pub(crate) fn not_stored(&self, error: &CacheError) {
        if !self.cache.is_too_large(self.origin, &self.key, error) {
            self.count(Counter::of(error));
            self.cache.log_not_stored(self.origin, &self.key, error);
        }
    }

    /// Carry out the plan. The caller should await the returned future, but the fill finishes
    /// without it too.
    pub(crate) fn fill(&self, lead: Lead, plan: FillPlan) -> Option<FillFuture> {
        match plan {
            // Dropping the lead fails its flight and gives its lease back.
            FillPlan::Discard => None,
            FillPlan::Share(payload) => {
                self.share(lead, payload);
                None
            }
            FillPlan::Memory {
                payload,
                ttl,
                took,
                weight,
            } => {
                self.fill_memory(lead.leader, payload, ttl, took, weight);
                None
            }
            #[cfg(feature = "redis")]
            FillPlan::Redis {
                payload,
                ttl,
                bytes,
                near,
            } => redis::fill(self, lead, payload, ttl, bytes, near),
        }
    }

    /// Carry out the plans of many calls. The caller should await the returned future, but the
    /// fills finish without it too.
    pub(crate) fn fill_many(planned: Vec<(Self, Lead, FillPlan)>) -> Option<FillFuture> {
        #[cfg(feature = "redis")]
        let mut fills = Vec::new();
        for (call, lead, plan) in planned {
            match plan {
                #[cfg(feature = "redis")]
                FillPlan::Redis {
                    payload,
                    ttl,
                    bytes,
                    near,
                } => fills.extend(redis::RedisFill::announced(
                    call, lead, payload, ttl, bytes, near,
                )),
                other => {
                    let filling = call.fill(lead, other);
                    debug_assert!(filling.is_none(), "only Redis is waited for");
                }
            }
        }
        #[cfg(feature = "redis")]
        return redis::fill_many(fills);
        #[cfg(not(feature = "redis"))]
        None
    }

    #[cfg(feature = "redis")]
    pub(super) fn is_kept_near(&self) -> bool {
        self.options.near
            && matches!(&self.cache.inner().store, Store::Redis(store) if store.near().is_some())
    }
}
