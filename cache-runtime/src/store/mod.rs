//! The stores that entries live in.

pub(crate) mod listing;
pub(crate) mod memory;
#[cfg(feature = "redis")]
pub(crate) mod near;
#[cfg(feature = "redis")]
pub(crate) mod redis;

use crate::clock::{Clock, Moment};
use memory::MemoryStore;

/// The store of a cache.
pub(crate) enum Store {
    /// In this process. The table of flights takes the place of leases.
    Memory(MemoryStore),
    /// In Redis. Leases are stored at the entries' keys.
    #[cfg(feature = "redis")]
    Redis(redis::RedisStore),
}

impl Store {
    /// Return the memory store, if this is one.
    pub(crate) fn memory(&self) -> Option<&MemoryStore> {
        match self {
            Self::Memory(store) => Some(store),
            #[cfg(feature = "redis")]
            Self::Redis(_) => None,
        }
    }

    /// Return the store of entries in this process that may be served, and the time to judge them
    /// by.
    ///
    /// That is the memory store, or the near cache in front of Redis.
    // Every hit calls this.
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

    /// Return the store of entries in this process, whether or not they may be served: the memory
    /// store, or the near cache.
    pub(crate) fn in_process(&self) -> Option<&MemoryStore> {
        match self {
            Self::Memory(store) => Some(store),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.near().map(near::NearCache::entries),
        }
    }

    /// Return the number of entries in this process and their total size in bytes.
    pub(crate) fn size(&self) -> (u64, u64) {
        match self {
            Self::Memory(store) => store.size(),
            #[cfg(feature = "redis")]
            Self::Redis(store) => store.near().map_or((0, 0), |near| near.size()),
        }
    }

    /// Return the store's name, as shown in `Health` and logs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            #[cfg(feature = "redis")]
            Self::Redis(_) => "redis",
        }
    }
}
