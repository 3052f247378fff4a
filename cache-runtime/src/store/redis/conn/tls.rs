//! TLS: trusted authorities, and the client's own certificate.

/// TLS options given to the builder. They configure `rediss://` and don't turn TLS on.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    /// Certificates of trusted authorities, in PEM. `None` means the system's.
    #[cfg(feature = "tls")]
    pub(crate) authorities: Option<Vec<u8>>,
    /// A certificate with its intermediate certificates, and its key; both in PEM.
    #[cfg(feature = "tls")]
    pub(crate) own: Option<(Vec<u8>, Vec<u8>)>,
}

#[cfg(not(feature = "tls"))]
impl Tls {
    /// Return the client unchanged: without the feature, no URL means TLS.
    pub(crate) fn with_certificates(
        &self,
        client: redis::Client,
    ) -> Result<redis::Client, crate::error::CacheError> {
        Ok(client)
    }
}
