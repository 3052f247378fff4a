//! The entry that answers a call which is to be audited.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Moment;
use crate::core::audits::Identity;
use crate::entry::payload::Payload;
#[cfg(feature = "redis")]
use crate::entry::{self, Bytes};
use crate::error::CacheError;
use crate::read::call::Call;
use crate::site::ReadSite;
use crate::store::Store;

/// Notes the entry that answers a call, if one does.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub(super) site: &'static ReadSite,
    seen: Mutex<Option<Seen>>,
}

impl Ticket {
    pub(super) fn new(site: &'static ReadSite) -> Self {
        Self {
            site,
            seen: Mutex::new(None),
        }
    }

    /// Take the entry that has answered the call.
    pub(super) fn take(&self) -> Option<Seen> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.take()
    }

    pub(super) fn note(&self, entry: Seen) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = Some(entry);
    }
}

/// An entry, as it was when a call was answered.
pub(super) struct Seen {
    pub(super) payload: Payload,
    pub(super) version: u32,
    place: Place,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seen").finish_non_exhaustive()
    }
}

/// Where the entry is, and what distinguishes it from others of its key.
enum Place {
    /// In this process: the memory store, or the near cache. Its value is held, so no other value has
    /// its address.
    Here { fresh_until: Moment },
    #[cfg(feature = "redis")]
    Redis { token: u64 },
}

impl Call {
    /// Note the entry in Redis that answers the call, if the call is to be audited.
    #[cfg(feature = "redis")]
    #[inline]
    pub(crate) fn saw_in_redis(&self, bytes: &Bytes) {
        if let Some(ticket) = &self.audit
            && let Some(header) = entry::inspect(bytes)
        {
            ticket.note(Seen {
                payload: Payload::Encoded(Bytes::clone(bytes)),
                version: header.version,
                place: Place::Redis {
                    token: header.token,
                },
            });
        }
    }
}

impl Seen {
    /// Look the entry up in this process: in memory, or in the near cache.
    pub(super) fn here(call: &Call) -> Option<Self> {
        let inner = call.cache.inner();
        let (entries, now) = inner.store.here(&inner.clock, call.options.near)?;
        let hit = entries.get(&call.key, now)?;
        Some(Self {
            payload: hit.payload,
            version: hit.version,
            place: Place::Here {
                fresh_until: hit.fresh_until,
            },
        })
    }

    pub(super) fn identity(&self) -> Identity {
        match self.place {
            Place::Here { fresh_until } => fresh_until,
            #[cfg(feature = "redis")]
            Place::Redis { token } => token,
        }
    }

    /// Return the entry's age if it is still the one that was seen; `None` if it is gone or another
    /// one has taken its place.
    pub(super) async fn age(&self, call: &Call) -> Result<Option<Duration>, CacheError> {
        match (&self.place, &call.cache.inner().store) {
            (Place::Here { fresh_until }, store) => Ok(self.age_here(call, store, *fresh_until)),
            #[cfg(feature = "redis")]
            (Place::Redis { token }, Store::Redis(store)) => {
                use crate::store::redis::Found;
                let fetched = store.get_with_ttl(&call.key, false).await?;
                let Found::Entry(bytes) = &fetched.seen else {
                    return Ok(None);
                };
                let header = entry::inspect(bytes).filter(|header| header.token == *token);
                let Some(header) = header else {
                    return Ok(None);
                };
                let left = fetched.left.flatten();
                if left.is_some_and(|left| left <= header.grace) {
                    return Ok(None);
                }
                let age = crate::clock::unix_millis().saturating_sub(header.created);
                Ok(Some(Duration::from_millis(age)))
            }
            #[cfg(feature = "redis")]
            (Place::Redis { .. }, Store::Memory(_)) => Ok(None),
        }
    }

    fn age_here(&self, call: &Call, store: &Store, fresh_until: Moment) -> Option<Duration> {
        let (entries, now) = store.here(&call.cache.inner().clock, true)?;
        let found = entries.inspect(&call.key, now)?;
        let is_it = found.fresh_until == fresh_until
            && found.fresh_until > now
            && found.payload.is_same(&self.payload);
        is_it.then(|| Duration::from_nanos(now.saturating_sub(found.stored)))
    }
}
