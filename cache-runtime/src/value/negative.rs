//! Errors that are cached for a short time (negative caching): `cache_err`.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A return type with an error.
#[diagnostic::on_unimplemented(
    message = "`cache_err` needs a function that returns a `Result`, and `{Self}` isn't one",
    label = "this attribute has `cache_err`",
    note = "remove `cache_err` and `err_ttl`; to cache a `None`, use `cache_none`"
)]
pub trait Fallible {
    /// The error's type.
    type Error;
    /// Return the error, if it is one.
    fn error(&self) -> Option<&Self::Error>;
    /// Return the error, or the value if it isn't one.
    ///
    /// # Errors
    ///
    /// Itself, if it is an `Ok`.
    fn into_error(self) -> Result<Self::Error, Self>
    where
        Self: Sized;
    /// Wrap an error.
    fn failed(error: Self::Error) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T, E> Fallible for Result<T, E> {
    type Error = E;
    fn error(&self) -> Option<&E> {
        self.as_ref().err()
    }
    fn into_error(self) -> Result<E, Self> {
        self.map_or_else(Ok, |value| Err(Ok(value)))
    }
    fn failed(error: E) -> Self {
        Err(error)
    }
}

/// An error that can be cached.
#[diagnostic::on_unimplemented(
    message = "`cache_err` can't store `{Self}`",
    label = "this error can't be stored in the cache",
    note = "add `err = || ..`, which makes the error again on a hit, so that it isn't stored",
    note = "or derive `Clone`, `serde::Serialize` and `serde::Deserialize` for it: a stored error must be `Serialize + DeserializeOwned + Clone + Send + Sync + 'static`"
)]
pub trait StorableError: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> StorableError for T {}

/// A cached error of a function whose values are a `T`. An error of another function under the same
/// key is of another type.
pub(crate) struct CachedError<T, X> {
    pub(crate) error: X,
    of: PhantomData<fn() -> T>,
}

impl<T, X> CachedError<T, X> {
    pub(crate) fn new(error: X) -> Self {
        Self {
            error,
            of: PhantomData,
        }
    }
}
