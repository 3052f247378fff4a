//! Where entries live.

pub(crate) mod memory;
#[cfg(feature = "redis")]
pub(crate) mod near;
#[cfg(feature = "redis")]
pub(crate) mod redis;

use crate::clock::{Clock, Moment};
use memory::MemoryStore;

/// The store of a cache.
pub(crate) enum Store {
    /// In this process. Its lease is the table of flights.
    Memory(MemoryStore),
    /// In Redis. Its leases stand at the entries' keys.
    #[cfg(feature = "redis")]
    Redis(redis::RedisStore),
}

impl Store {
    /// The memory store, if it is one.
    pub(crate) fn memory(&self) -> Option<&MemoryStore> {
        match self {
            Self::Memory(store) => Some(store),
            #[cfg(feature = "redis")]
            Self::Redis(_) => None,
        }
    }

    /// The entries that are in this process and may be served, with the moment by which they are judged: those of the memory
    /// store, or of the near cache in front of Redis.
    // Every hit comes here.
    #[inline(always)]
    #[cfg_attr(
        not(feature = "redis"),
        expect(unused_variables, reason = "what is far can't be near")
    )]
    pub(crate) fn here(&self, clock: &Clock, near: bool) -> Option<(&MemoryStore, Moment)> {
        match self {
            Self::Memory(store) => Some((store, clock.now())),
            #[cfg(feature = "redis")]
            Self::Redis(store) if near => store.near()?.usable(),
            #[cfg(feature = "redis")]
            Self::Redis(_) => None,
        }
    }

    /// How many entries there are in this process, and their bytes.
    pub(crate) fn size(&self) -> (u64, u64) {
        match self {
            Self::Memory(store) => store.size(),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.near().map_or((0, 0), |near| near.size()),
        }
    }

    /// Its name in `Health` and logs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            #[cfg(feature = "redis")]
            Self::Redis(_) => "redis",
        }
    }
}
