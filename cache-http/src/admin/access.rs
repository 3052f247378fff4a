//! The rights of a request.

/// The rights of a request to the admin API. The function given to
/// [`AdminBuilder::access`](crate::AdminBuilder::access) returns it.
///
/// ```
/// use cache_http::Access;
///
/// assert!(Access::Denied < Access::Read && Access::Read < Access::Admin);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Access {
    /// None: the answer is `401`, and counts as a failure.
    Denied,
    /// Every `GET`: figures, the state of the store, the topology of the program, and the keys of
    /// entries. No value: it may be personal data.
    Read,
    /// Changes as well, `POST`, and the values of entries.
    Admin,
}
