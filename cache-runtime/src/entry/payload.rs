//! A stored value in memory: the value itself, or its bytes.

use std::any::{Any, TypeId};
use std::sync::Arc;

use serde::de::DeserializeOwned;

use crate::entry::{self, Bytes, CachedValue, Codec};
use crate::error::CacheError;
use crate::value::Storable;
use crate::value::negative::{CachedError, StorableError};

/// Content of an entry.
#[derive(Clone)]
pub(crate) enum Payload {
    /// The value itself, shared: a hit clones the `Arc`.
    Typed(Arc<dyn Value>),
    /// Encoded, from an explicit `set`.
    Encoded(Bytes),
    /// A `None` stored because of `cache_none`.
    Nothing,
    /// An error stored because of `cache_err`, as a [`CachedError`].
    Error(Arc<dyn Any + Send + Sync>),
}

/// A value of unknown type.
pub(crate) trait Value: Any + Send + Sync {
    /// Return whether it is of this type. `Any` would return its `TypeId` through memory, and a hit
    /// would wait for the load.
    fn is_a(&self, wanted: TypeId) -> bool;
    /// Store a clone in the slot, an `Option<T>`, if the slot is of the value's type.
    fn clone_to(&self, slot: &mut dyn Any) -> bool;
    /// Encode the value as an entry, in this codec if it can carry the value.
    fn encode(&self, codec: Codec) -> Result<Vec<u8>, CacheError>;
}

impl<T: Storable> Value for T {
    fn is_a(&self, wanted: TypeId) -> bool {
        TypeId::of::<T>() == wanted
    }

    fn clone_to(&self, slot: &mut dyn Any) -> bool {
        let Some(slot) = slot.downcast_mut::<Option<T>>() else {
            return false;
        };
        *slot = Some(self.clone());
        true
    }

    fn encode(&self, codec: Codec) -> Result<Vec<u8>, CacheError> {
        let facts = entry::Facts::default();
        let encoding = entry::Encoding {
            codec,
            ..entry::Encoding::default()
        };
        let encoded = entry::encode(self, &facts, &encoding, entry::incomparable)?;
        Ok(encoded.bytes)
    }
}

impl Payload {
    pub(crate) fn typed<T: Storable>(value: Arc<T>) -> Self {
        Self::Typed(value)
    }

    /// Return the value, if it is a `T` of this version. It is shared if possible, and decoded if
    /// its bytes are those of a `T`. A shared value is moved, so that a hit changes its reference
    /// count only once.
    #[inline]
    pub(crate) fn into_shared<T: Storable>(
        self,
        entry_version: u32,
        version: u32,
    ) -> Option<CachedValue<Arc<T>>> {
        match self {
            Self::Typed(value) if entry_version == version => {
                if !(&*value as &dyn Any).is::<T>() {
                    return convert(&*value).map(CachedValue::Value);
                }
                let value: Arc<dyn Any + Send + Sync> = value;
                value.downcast().ok().map(CachedValue::Value)
            }
            Self::Encoded(bytes) => read_shared(&bytes, version),
            Self::Nothing if entry_version == version => Some(CachedValue::None),
            Self::Typed(..) | Self::Nothing | Self::Error(_) => None,
        }
    }

    /// Like `into_shared`, for a borrowed payload.
    pub(crate) fn share<T: Storable>(
        &self,
        entry_version: u32,
        version: u32,
    ) -> Option<CachedValue<Arc<T>>> {
        self.clone().into_shared(entry_version, version)
    }

    /// Whether this is the same payload as another one, and not only an equal one. Both are held, so
    /// no address is used twice.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Typed(one), Self::Typed(other)) => {
                std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
            }
            (Self::Encoded(one), Self::Encoded(other)) => Arc::ptr_eq(one, other),
            (Self::Nothing, Self::Nothing) => true,
            _ => false,
        }
    }

    /// Return the payload of an error of a function whose values are a `T`.
    pub(crate) fn error<T: Storable, X: StorableError>(error: X) -> Self {
        Self::Error(Arc::new(CachedError::<T, X>::new(error)))
    }

    /// Return the error, if it is one of this version and of a function whose values are a `T`.
    pub(crate) fn share_error<T: Storable, X: StorableError>(
        &self,
        entry_version: u32,
        version: u32,
    ) -> Option<Arc<CachedError<T, X>>> {
        match self {
            Self::Error(error) if entry_version == version => Arc::clone(error).downcast().ok(),
            Self::Encoded(bytes) => {
                let error = entry::read_error::<T, X>(bytes, version)?;
                Some(Arc::new(CachedError::new(error)))
            }
            Self::Error(_) | Self::Typed(_) | Self::Nothing => None,
        }
    }

    /// Return a clone of the value for a reader that can't share it, whatever its version.
    pub(crate) fn read<T: DeserializeOwned + 'static>(&self) -> Option<T> {
        match self {
            Self::Encoded(bytes) => entry::decode_whole::<T>(bytes, None),
            Self::Nothing | Self::Error(_) => None,
            Self::Typed(value) => {
                let mut slot: Option<T> = None;
                if (**value).clone_to(&mut slot) {
                    return slot;
                }
                entry::decode::<T>(&(**value).encode(Codec::default()).ok()?, None)
            }
        }
    }
}

#[cold]
fn read_shared<T: Storable>(bytes: &Bytes, version: u32) -> Option<CachedValue<Arc<T>>> {
    Some(match entry::read_whole::<T>(bytes, Some(version))? {
        CachedValue::Value(value) => CachedValue::Value(Arc::new(value)),
        CachedValue::None => CachedValue::None,
    })
}

/// A different Rust type that serde shows alike is the same type in Redis, and so here.
#[cold]
fn convert<T: Storable>(value: &dyn Value) -> Option<Arc<T>> {
    entry::decode::<T>(&value.encode(Codec::default()).ok()?, None).map(Arc::new)
}
