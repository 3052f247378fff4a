//! A certificate authority for tests of TLS.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// A test's own certificate authority, with a folder for a server's files. Dropping it removes the
/// folder.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    folder: PathBuf,
}

/// A certificate of an [`Authority`] and its key, in PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl Authority {
    /// Create an authority that no other server or client trusts.
    pub fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key is made");
        let pem = params.self_signed(&key).expect("it signs itself").pem();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("cache-test-ca-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the temporary folder is writable");
        Self {
            issuer: Issuer::new(params, key),
            pem,
            folder,
        }
    }

    /// Its certificate, in PEM.
    pub fn pem(&self) -> String {
        self.pem.clone()
    }

    /// Issue a certificate for these names or addresses.
    pub fn identity(&self, names: &[&str]) -> Identity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let params = CertificateParams::new(names).expect("the names are names");
        let key = KeyPair::generate().expect("a key is made");
        let certificate = params.signed_by(&key, &self.issuer).expect("it signs");
        Identity {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        }
    }

    /// The options of a server that accepts TLS only, with a certificate for these names. `clients`
    /// says whether the server requires a client certificate (`yes`, `no`, `optional`).
    pub fn server_options(&self, names: &[&str], clients: &str) -> Vec<String> {
        let identity = self.identity(names);
        let file = |name: &str, text: &str| {
            let path = self.folder.join(name);
            std::fs::write(&path, text).expect("the temporary folder is writable");
            path.display().to_string()
        };
        let options = [
            ("--port", "0".to_owned()),
            ("--tls-port", "{port}".to_owned()),
            ("--tls-cert-file", file("server.pem", &identity.certificate)),
            ("--tls-key-file", file("server.key", &identity.key)),
            ("--tls-ca-cert-file", file("ca.pem", &self.pem)),
            ("--tls-auth-clients", clients.to_owned()),
        ];
        options
            .into_iter()
            .flat_map(|(option, value)| [option.to_owned(), value])
            .collect()
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
