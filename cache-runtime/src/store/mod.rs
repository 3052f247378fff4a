//! Where entries live.

pub(crate) mod memory;
#[cfg(feature = "redis")]
pub(crate) mod redis;

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

    /// Its name in `Health` and logs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Memory(_) => "memory",
            #[cfg(feature = "redis")]
            Self::Redis(_) => "redis",
        }
    }
}
