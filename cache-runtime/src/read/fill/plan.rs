//! What becomes of a computed value.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use crate::error::CacheError;
use crate::events;
use crate::read::call::{Call, Lead};
use crate::stats::Counter;
#[cfg(feature = "redis")]
use crate::store::Store;
use crate::value::payload::Payload;

/// What becomes of a computed value.
pub(crate) enum Landing {
    /// It is an error: nobody else gets it.
    Keep,
    /// Those who wait get it, but it isn't stored.
    Share(Payload),
    /// It is stored for so long, and takes about so many bytes.
    InMemory {
        payload: Payload,
        ttl: Duration,
        /// How long the body took.
        took: Duration,
        weight: usize,
    },
    /// It is stored for so long, as these bytes.
    #[cfg(feature = "redis")]
    InRedis {
        payload: Payload,
        ttl: Duration,
        bytes: Vec<u8>,
        /// About how many bytes it takes in the near store, if it is to be kept there too.
        near: Option<usize>,
    },
}

/// A fill on its way to the store.
pub(crate) type Filling = Pin<Box<dyn Future<Output = ()> + Send>>;

impl Call {
    /// How a computed value lands in memory: as it is, weighed. One that is too large is shared with those who wait, counted and
    /// logged; an entry that a refresh found stays, since it is within its lifetime, and the lead is let go, so that nobody
    /// waits for a fill that won't come.
    pub(crate) fn landing_in_memory(
        &self,
        payload: Payload,
        ttl: Duration,
        weight: usize,
        took: Duration,
    ) -> Landing {
        match self.cache.encoding_of(&self.key).check(weight) {
            Ok(()) => Landing::InMemory {
                payload,
                ttl,
                took,
                weight,
            },
            Err(error) => self.unstorable(payload, &error),
        }
    }

    /// How it lands in Redis: encoded. One that no codec carries is shared too.
    #[cfg(feature = "redis")]
    pub(crate) fn landing_in_redis(
        &self,
        payload: Payload,
        ttl: Duration,
        weight: impl FnOnce() -> usize,
        encoded: Result<Vec<u8>, CacheError>,
    ) -> Landing {
        match encoded {
            Ok(bytes) => Landing::InRedis {
                near: self.is_kept_near().then(weight),
                payload,
                ttl,
                bytes,
            },
            Err(error) => self.unstorable(payload, &error),
        }
    }

    fn unstorable(&self, payload: Payload, error: &CacheError) -> Landing {
        if !self.cache.is_too_large(self.origin, &self.key, error) {
            self.failed(error);
        }
        Landing::Share(payload)
    }

    /// Hands a computed value on. What is returned is still to be waited for; it finishes without.
    pub(crate) fn land(&self, lead: Lead, landing: Landing) -> Option<Filling> {
        match landing {
            // Dropped, the lead fails its flight and gives its lease back.
            Landing::Keep => None,
            Landing::Share(payload) => {
                self.share(lead, payload);
                None
            }
            Landing::InMemory {
                payload,
                ttl,
                took,
                weight,
            } => {
                self.land_in_memory(lead.leader, payload, ttl, took, weight);
                None
            }
            #[cfg(feature = "redis")]
            Landing::InRedis {
                payload,
                ttl,
                bytes,
                near,
            } => {
                let near = near.map(|weight| crate::store::redis::Kept {
                    payload: payload.clone(),
                    weight,
                });
                self.land_in_redis(lead, payload, ttl, bytes, near)
            }
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
