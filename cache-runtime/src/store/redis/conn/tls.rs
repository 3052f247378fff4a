//! TLS: whose certificates are believed, and the one that this side shows.

/// What the builder was told about TLS. It says how `rediss://` is spoken, not that it is.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    /// Certificates of authorities, in PEM; none: the system's.
    #[cfg(feature = "tls")]
    pub(crate) authorities: Option<Vec<u8>>,
    /// A certificate, with what is between it and its authority, and its key; in PEM.
    #[cfg(feature = "tls")]
    pub(crate) own: Option<(Vec<u8>, Vec<u8>)>,
}

#[cfg(not(feature = "tls"))]
impl Tls {
    /// The client as it is: without the feature no URL says TLS.
    pub(crate) fn dress(
        &self,
        client: redis::Client,
    ) -> Result<redis::Client, crate::error::CacheError> {
        Ok(client)
    }
}
