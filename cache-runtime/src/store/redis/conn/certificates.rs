//! Certificates: checks those given to the builder, and passes them to the client.

use std::sync::Arc;

use redis::{ClientTlsConfig, ConnectionAddr, TlsCertificates};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, crypto};

use crate::error::CacheError;
use crate::store::redis::conn::tls::Tls;

impl Tls {
    /// Return a client that uses the configured certificates, if its URL asks for TLS.
    pub(crate) fn with_certificates(
        &self,
        client: redis::Client,
    ) -> Result<redis::Client, CacheError> {
        let info = client.get_connection_info();
        match self.certificates()? {
            Some(certificates) if is_tls(info.addr()) => {
                redis::Client::build_with_tls(info.clone(), certificates).map_err(CacheError::store)
            }
            _ => Ok(client),
        }
    }

    /// Check the certificates and return them for the client, so that a mistake is reported when
    /// the cache is built and not during the first outage.
    pub(crate) fn certificates(&self) -> Result<Option<TlsCertificates>, CacheError> {
        if let Some(pem) = &self.authorities {
            check_authorities(pem).map_err(invalid("tls_ca"))?;
        }
        if let Some((certificate, key)) = &self.own {
            check_own(certificate, key).map_err(invalid("tls_client_certificate"))?;
        }
        if self.authorities.is_none() && self.own.is_none() {
            return Ok(None);
        }
        let own = self.own.clone();
        Ok(Some(TlsCertificates {
            root_cert: self.authorities.clone(),
            client_tls: own.map(|(client_cert, client_key)| ClientTlsConfig {
                client_cert,
                client_key,
            }),
        }))
    }
}

fn invalid(option: &'static str) -> impl Fn(String) -> CacheError {
    move |reason| CacheError::InvalidOption { option, reason }
}

fn is_tls(addr: &ConnectionAddr) -> bool {
    matches!(addr, ConnectionAddr::TcpTls { .. })
}

/// Install a cryptography provider before a connection over TLS, if the program hasn't installed
/// one. Without one, rustls panics if several are compiled in.
///
/// Not done when the cache is built: a program may install its own provider later, and would fail
/// to.
pub(crate) fn provide(addr: &ConnectionAddr) {
    if is_tls(addr) && crypto::CryptoProvider::get_default().is_none() {
        // Fails if the program has just installed its own.
        let _ = crypto::ring::default_provider().install_default();
    }
}

fn certificates_of(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|error| format!("isn't valid PEM: {error}"))?;
    if certificates.is_empty() {
        let reason =
            "contains no certificate; give PEM with a `-----BEGIN CERTIFICATE-----` section";
        return Err(reason.to_owned());
    }
    Ok(certificates)
}

fn check_authorities(pem: &[u8]) -> Result<(), String> {
    let mut roots = RootCertStore::empty();
    for (at, certificate) in certificates_of(pem)?.into_iter().enumerate() {
        roots.add(certificate).map_err(|error| {
            format!(
                "certificate {} can't be used as a certificate authority: {error}",
                at + 1
            )
        })?;
    }
    Ok(())
}

/// Check that a certificate and its key can be used. The provider checks that they belong together.
/// The trusted authorities don't matter here.
fn check_own(certificate: &[u8], key: &[u8]) -> Result<(), String> {
    let certificates = certificates_of(certificate)?;
    // The error could quote what it read, so it isn't shown.
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
        "the key contains no private key; give PEM with a `PRIVATE KEY-----` section".to_owned()
    })?;
    ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| {
            config
                .with_root_certificates(RootCertStore::empty())
                .with_client_auth_cert(certificates, key)
        })
        .map(drop)
        .map_err(|error| format!("the certificate and its key can't be used: {error}"))
}
