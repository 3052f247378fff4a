//! The age of an entry, relative to the end of its TTL.

use std::time::Duration;

use crate::clock::Moment;

/// Age of an entry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Age {
    /// The entry is fresh for this much longer.
    Fresh(Duration),
    /// The entry's TTL ended this long ago.
    Past(Duration),
}

impl Age {
    /// Return the age of an entry that is fresh until that moment.
    pub(crate) fn at(now: Moment, fresh_until: Moment) -> Self {
        match fresh_until.saturating_sub(now) {
            0 => Self::Past(Duration::from_nanos(now - fresh_until)),
            left => Self::Fresh(Duration::from_nanos(left)),
        }
    }

    /// Return the age of an entry with `left` milliseconds to live, the last `grace` of them stale.
    #[cfg(feature = "redis")]
    pub(crate) fn of(left: u64, grace: u64) -> Self {
        match left.checked_sub(grace) {
            None | Some(0) => Self::Past(Duration::from_millis(grace - left)),
            Some(fresh) => Self::Fresh(Duration::from_millis(fresh)),
        }
    }
}
