//! What becomes of a computed value.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
#[cfg(feature = "redis")]
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "redis")]
use crate::entry::Encoded;
use crate::entry::{self, Equal, Facts};
use crate::error::CacheError;
use crate::events;
use crate::read::call::{Call, Lead};
use crate::stats::Counter;
#[cfg(feature = "redis")]
use crate::store::{Store, redis::NearCopy};
use crate::value::Storable;
use crate::value::payload::Payload;

/// What becomes of a computed value.
pub(crate) enum FillPlan {
    /// It is an error: nobody else gets it.
    Discard,
    /// Those who wait get it, but it isn't stored.
    Share(Payload),
    /// It is stored for so long, and takes about so many bytes.
    Memory {
        payload: Payload,
        ttl: Duration,
        /// How long the body took.
        took: Duration,
        weight: usize,
    },
    /// It is stored for so long, as these bytes.
    #[cfg(feature = "redis")]
    Redis {
        payload: Payload,
        ttl: Duration,
        bytes: Vec<u8>,
        /// What the near cache keeps of it, if it keeps it.
        near: Option<NearCopy>,
    },
}

/// A fill on its way to the store.
pub(crate) type FillFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Call {
    /// How a computed value lands in memory: as it is, weighed. One that is too large is shared with those who wait, counted and
    /// logged; an entry that a refresh found stays, since it is within its lifetime, and the lead is let go, so that nobody
    /// waits for a fill that won't come.
    pub(crate) fn plan_memory(
        &self,
        payload: Payload,
        ttl: Duration,
        weight: usize,
        took: Duration,
    ) -> FillPlan {
        match self.cache.encoding_of(&self.key).check(weight) {
            Ok(()) => FillPlan::Memory {
                payload,
                ttl,
                took,
                weight,
            },
            Err(error) => self.unstorable(payload, &error),
        }
    }

    /// How it lands in Redis: encoded. One that isn't stored is shared too.
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
                // What other processes will read: this one doesn't answer otherwise.
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

    /// How it lands in memory where entries are bytes.
    pub(crate) fn landing_as_bytes(
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

    /// The bytes of an entry in memory.
    pub(crate) fn encode_for_memory<T: Storable>(
        &self,
        value: &T,
        equal: Equal<T>,
    ) -> Result<Vec<u8>, CacheError> {
        let facts = Facts {
            version: self.version,
            ..Facts::default()
        };
        let encoding = self.cache.encoding_of(&self.key);
        Ok(entry::encode(value, &facts, &encoding, equal)?.bytes)
    }

    /// Says of a function's first value whether Redis would store it too. Memory keeps any value as it is, so a program that
    /// was tried on memory only may find that out when it is too late.
    #[cold]
    pub(crate) fn try_round_trip<T: Storable>(&self, value: &T, equal: Equal<T>) {
        if !self.cache.is_untried(self.origin) {
            return;
        }
        // Memory alone doesn't need `Deserialize`: one that panics is no reason for the call to.
        let tried = catch_unwind(AssertUnwindSafe(|| self.encode_for_memory(value, equal)));
        if let Ok(Err(error)) = tried
            && !matches!(error, CacheError::TooLarge { .. })
        {
            let key = self.cache.full_key(&self.key);
            events::memory_only(self.origin.function, &key, &error);
        }
    }

    /// How a value lands that isn't stored: shared.
    pub(crate) fn unstorable(&self, payload: Payload, error: &CacheError) -> FillPlan {
        self.not_stored(error);
        FillPlan::Share(payload)
    }

    /// Counts a value that isn't stored, and says so once for each function.
    pub(crate) fn not_stored(&self, error: &CacheError) {
        if !self.cache.is_too_large(self.origin, &self.key, error) {
            self.count(Counter::Errors);
            self.cache.say_not_stored(self.origin, &self.key, error);
        }
    }

    /// Hands a computed value on. What is returned is still to be waited for; it finishes without.
    pub(crate) fn fill(&self, lead: Lead, plan: FillPlan) -> Option<FillFuture> {
        match plan {
            // Dropped, the lead fails its flight and gives its lease back.
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
            } => self.fill_redis(lead, payload, ttl, bytes, near),
        }
    }

    #[cfg(feature = "redis")]
    fn is_kept_near(&self) -> bool {
        self.options.near
            && matches!(&self.cache.inner().store, Store::Redis(store) if store.near().is_some())
    }

    pub(crate) fn filled(&self, ttl: Duration) {
        self.count(Counter::Fills);
        self.event(|origin, key| events::set(origin, key, ttl));
    }
}
