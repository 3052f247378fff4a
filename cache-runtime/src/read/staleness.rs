//! Staleness that each value has of its own.

use std::time::Duration;

use crate::entry::CachedValue;
use crate::entry::payload::Payload;
use crate::site::ReadOptions;
use crate::value::Storable;

/// How long past its TTL a value may be used. For [`ReadBuilder::own_staleness`].
///
/// [`ReadBuilder::own_staleness`]: crate::ReadBuilder::own_staleness
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Staleness {
    /// For this long it is served while one caller recomputes it (stale-while-revalidate).
    pub stale: Duration,
    /// For this long it stays stored, for the caller that recomputes it (stale-if-error, or a
    /// computation that is cheaper with the old value).
    pub kept: Duration,
}

/// Returns the staleness of a stored value, given its entry's version and the wanted one.
pub(crate) type StalenessOf = fn(&Payload, u32, u32) -> Option<Staleness>;

/// A value that says how long past its TTL it may be used, such as an HTTP response with
/// `stale-while-revalidate`.
pub trait HasStaleness {
    /// Return the staleness. The same value has the same one in every process.
    fn staleness(&self) -> Staleness;
}

impl Staleness {
    /// Return a read's options with this staleness.
    pub(crate) fn within(self, options: ReadOptions) -> ReadOptions {
        ReadOptions {
            stale: self.stale,
            stale_if_error: self.kept,
            ..options
        }
    }
}

/// The [`StalenessOf`] of a type.
pub(crate) fn staleness_of<T: Storable + HasStaleness>(
    payload: &Payload,
    entry_version: u32,
    version: u32,
) -> Option<Staleness> {
    match payload.share::<T>(entry_version, version)? {
        CachedValue::Value(value) => Some(value.staleness()),
        CachedValue::None => None,
    }
}
