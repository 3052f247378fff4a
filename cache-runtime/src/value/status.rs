//! The status of a response as a part of the stored value.

use std::ops::Deref;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The status of a cached response: the first part of the value of `(StatusCode, Json<T>)`.
///
/// It dereferences to the framework's type. It is stored as a number, and a number that isn't a
/// status is refused when an entry is read, so such an entry is a miss.
///
/// ```
/// # #[cfg(feature = "axum")] fn main() -> Result<(), cache_runtime::CacheError> {
/// use axum::Json;
/// use axum::http::StatusCode;
/// use cache_runtime::{Cache, cacheable};
///
/// #[cacheable(key = "posts:<<id>>", unless = |(status, _)| status.is_server_error())]
/// fn get_post(id: u32) -> (StatusCode, Json<u32>) {
///     (StatusCode::CREATED, Json(id))
/// }
///
/// let cache = Cache::builder().build()?;
/// for _ in 0..2 {
///     let (status, Json(id)) = cache.scope_sync(|| get_post(1));
///     assert_eq!((status, id), (StatusCode::CREATED, 1));
/// }
/// assert_eq!(cache.stats().hits, 1);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "axum"))] fn main() {}
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredStatus<S>(pub(super) S);

/// A framework's type of status.
pub trait Status: Copy {
    /// Return the number.
    fn number(self) -> u16;
    /// Return the status of a number; `None` if there is no such status.
    fn of(number: u16) -> Option<Self>;
}

impl<S> Deref for StoredStatus<S> {
    type Target = S;
    fn deref(&self) -> &S {
        &self.0
    }
}

impl<S: Status> Serialize for StoredStatus<S> {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        serializer.serialize_u16(self.0.number())
    }
}

impl<'de, S: Status> Deserialize<'de> for StoredStatus<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = u16::deserialize(deserializer)?;
        match S::of(number) {
            Some(status) => Ok(Self(status)),
            None => Err(D::Error::custom(format_args!(
                "{number} isn't an HTTP status"
            ))),
        }
    }
}
