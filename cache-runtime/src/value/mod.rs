//! The part of a return type that is stored.

pub mod fit;
pub(crate) mod hidden;
pub(crate) mod measure;
pub(crate) mod negative;
pub(crate) mod path;
#[cfg(any(
    feature = "actix-web",
    feature = "axum",
    feature = "poem",
    feature = "rocket"
))]
mod responses;
pub mod shape;
#[cfg(any(
    feature = "actix-web",
    feature = "axum",
    feature = "poem",
    feature = "rocket"
))]
pub(crate) mod status;
pub mod success;
pub(crate) mod wrapper;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value that can be cached: the stored part of a return type.
///
/// Implemented for every `T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be cached",
    label = "this type can't be stored in the cache",
    note = "a cached value must be `Serialize + DeserializeOwned + Clone + Send + Sync + 'static`; derive `Clone`, `serde::Serialize` and `serde::Deserialize` for a type of yours, or implement `cache_runtime::Wrapper` for it if it has such a value inside",
    note = "for a type of another crate, write `value = |returned| ..`, which makes the stored value of it, and `response = |value| ..`, which makes it again",
    note = "a function may return `T`, `Arc<T>`, `Option<T>`, `Result<T, E>`, `Json<T>`, or a combination such as `Result<Option<Arc<T>>, E>`; `E` needs no traits"
)]
pub trait Storable: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + Clone + Send + Sync + 'static> Storable for T {}

/// A value that [`Cache::set`](crate::Cache::set) accepts: any type that serde can write and read
/// back, and texts and slices, which are read back as `String` and `Vec`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't be stored",
    note = "a stored value must be `Serialize + DeserializeOwned + 'static`, or a `str`, or a slice of such values",
    note = "for a string, write `set(\"key\", \"text\", ttl)` instead of `&\"text\"`"
)]
pub trait Settable: Serialize {
    /// The type that it is read back as.
    type Owned: Serialize + DeserializeOwned + 'static;
}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned + 'static> Settable for T {
    type Owned = T;
}

impl Settable for str {
    type Owned = String;
}

impl<T: Serialize + DeserializeOwned + 'static> Settable for [T] {
    type Owned = Vec<T>;
}
