use std::time::Duration;

use crate::clock::Moment;

/// How old an entry is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Age {
    /// It is fresh for so long.
    Fresh(Duration),
    /// Its lifetime ended so long ago.
    Past(Duration),
}

impl Age {
    /// Of an entry that is fresh until that moment.
    pub(crate) fn at(now: Moment, fresh_until: Moment) -> Self {
        match fresh_until.saturating_sub(now) {
            0 => Self::Past(Duration::from_nanos(now - fresh_until)),
            left => Self::Fresh(Duration::from_nanos(left)),
        }
    }

    /// Of an entry that stands for `left` milliseconds more, the last `grace` of them stale.
    #[cfg(feature = "redis")]
    pub(crate) fn of(left: u64, grace: u64) -> Self {
        match left.checked_sub(grace) {
            None | Some(0) => Self::Past(Duration::from_millis(grace - left)),
            Some(fresh) => Self::Fresh(Duration::from_millis(fresh)),
        }
    }
}
