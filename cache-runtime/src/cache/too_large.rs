//! Values that aren't stored since they are too large.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::Cache;
use crate::error::CacheError;
use crate::events;
use crate::site::Origin;
use crate::stats::Counter;
use crate::store::Store;

/// The call sites for which something has been logged: by number, and explicit operations, which share one, by
/// name. There are no more of them than the program has.
#[derive(Default)]
pub(super) struct Logged(Mutex<HashSet<(usize, &'static str)>>);

impl Logged {
    /// Whether this is the call site's first.
    pub(super) fn is_first(&self, origin: Origin) -> bool {
        let mut logged = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        logged.insert((origin.number, origin.function))
    }
}

impl Cache {
    /// Whether the error is that a value is too large; then it is counted, and logged if it is the call site's first.
    /// A list that has grown too long would else be logged with every call.
    pub(crate) fn is_too_large(&self, origin: Origin, key: &str, error: &CacheError) -> bool {
        let &CacheError::TooLarge { bytes, limit } = error else {
            return false;
        };
        self.inner.counters.add(origin.number, Counter::TooLarge, 1);
        // Nothing is held while foreign code, the subscriber, runs. What nobody hears isn't said yet.
        if events::warnings_wanted() && self.inner.too_large.is_first(origin) {
            let (key, fix) = (self.full_key(key), self.more_room(limit));
            events::too_large(origin.function, &key, (bytes, limit), fix);
        }
        true
    }

    /// What the programmer can do about a limit.
    fn more_room(&self, limit: usize) -> &'static str {
        match &self.inner.store {
            _ if self.inner.encoding.max_value_bytes == Some(limit) => {
                "store less of it, or raise `max_value_bytes`"
            }
            Store::Memory(_) => {
                "store less of it, or raise `memory_capacity`, of which one value may take a part"
            }
            #[cfg(feature = "redis")]
            Store::Redis(_) if self.inner.encoding.compress_over.is_none() => {
                "store less of it, or try `compress_over`: no entry in Redis may take more"
            }
            #[cfg(feature = "redis")]
            Store::Redis(_) => "store less of it: no entry in Redis may take more",
        }
    }
}
