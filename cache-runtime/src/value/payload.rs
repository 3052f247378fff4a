//! A stored value in memory: typed as it came, or bytes.

use std::any::Any;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::Storable;
use crate::entry::{self, Bytes, Found};
use crate::error::CacheError;

/// A value whose type is checked when it is taken out.
pub(crate) type Shared = Arc<dyn Any + Send + Sync>;

/// What an entry holds.
#[derive(Clone)]
pub(crate) enum Payload {
    /// The value itself, shared: a hit clones the `Arc`.
    Typed(Shared, &'static Handling),
    /// Encoded, from an explicit `set`.
    Encoded(Bytes),
    /// A `None` that `cache_none` asked to keep.
    Nothing,
}

/// What can be done with a typed value by those who don't know its type.
pub(crate) struct Handling {
    /// Puts a clone into the slot, an `Option<T>`, if the slot is of the value's type.
    clone_into: fn(&Shared, &mut dyn Any) -> bool,
    encode: fn(&Shared) -> Result<Vec<u8>, CacheError>,
}

impl Payload {
    pub(crate) fn typed<T: Storable>(value: Arc<T>) -> Self {
        Self::Typed(value, &HandlingOf::<T>::TABLE)
    }

    /// The value, if it is a `T` of this version: shared where it can be, decoded where its bytes say that they
    /// are a `T`. What is shared is handed on as it is, so that a hit touches its count once.
    #[inline]
    pub(crate) fn into_shared<T: Storable>(
        self,
        entry_version: u32,
        version: u32,
    ) -> Option<Found<Arc<T>>> {
        match self {
            Self::Typed(value, handling) if entry_version == version => {
                match value.downcast::<T>() {
                    Ok(value) => Some(Found::Value(value)),
                    Err(value) => handling.convert(&value).map(Found::Value),
                }
            }
            Self::Encoded(bytes) => read_shared(&bytes, version),
            Self::Nothing if entry_version == version => Some(Found::Nothing),
            Self::Typed(..) | Self::Nothing => None,
        }
    }

    /// The same of a payload that others have too.
    pub(crate) fn share<T: Storable>(
        &self,
        entry_version: u32,
        version: u32,
    ) -> Option<Found<Arc<T>>> {
        self.clone().into_shared(entry_version, version)
    }

    /// A clone of the value for a reader that can't share it, whatever its version.
    pub(crate) fn read<T: DeserializeOwned + 'static>(&self) -> Option<T> {
        match self {
            Self::Encoded(bytes) => entry::decode::<T>(bytes, None),
            Self::Nothing => None,
            Self::Typed(value, handling) => {
                let mut slot: Option<T> = None;
                if (handling.clone_into)(value, &mut slot) {
                    return slot;
                }
                entry::decode::<T>(&(handling.encode)(value).ok()?, None)
            }
        }
    }
}

#[cold]
fn read_shared<T: Storable>(bytes: &[u8], version: u32) -> Option<Found<Arc<T>>> {
    Some(match entry::read::<T>(bytes, Some(version))? {
        Found::Value(value) => Found::Value(Arc::new(value)),
        Found::Nothing => Found::Nothing,
    })
}

impl Handling {
    /// Another Rust type that serde shows alike is the same type in a Redis, and so here.
    #[cold]
    fn convert<T: Storable>(&self, value: &Shared) -> Option<Arc<T>> {
        let bytes = (self.encode)(value).ok()?;
        entry::decode::<T>(&bytes, None).map(Arc::new)
    }
}

/// The handling of one type.
struct HandlingOf<T>(T);

impl<T: Storable> HandlingOf<T> {
    const TABLE: Handling = Handling {
        clone_into: |value, slot| match (
            value.downcast_ref::<T>(),
            slot.downcast_mut::<Option<T>>(),
        ) {
            (Some(value), Some(slot)) => {
                *slot = Some(value.clone());
                true
            }
            _ => false,
        },
        encode: |value| match value.downcast_ref::<T>() {
            Some(value) => {
                entry::encode(value, &entry::Facts::default(), &entry::Encoding::default())
            }
            None => Err(CacheError::Encode {
                source: Arc::new(std::fmt::Error),
            }),
        },
    };
}
