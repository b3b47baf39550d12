//! The certificate for the name that a client asks for.
//!
//! A wildcard covers one label, and most clients accept none right below a top-level name: neither `photos.localhost` nor
//! `my.photos.s3.localhost` can be covered ahead. So a name below one of ours gets a certificate of its own when it is
//! first asked for, which takes a tenth of a millisecond. So does a bare name: beside a container it is the server's.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::KeyPair;
use tokio_rustls::rustls::crypto::ring::sign::any_supported_type;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::{CertifiedKey, SigningKey};

use crate::server::certificates::TestCa;
use crate::server::tls_error::TlsError;

/// How many names are remembered; more than that are certified anew each time.
const MOST_NAMES: usize = 1_024;

/// Certifies names as they are asked for, all with one key.
pub(crate) struct Resolver {
    ca: Arc<TestCa>,
    key: KeyPair,
    signer: Arc<dyn SigningKey>,
    /// Below these anything is certified.
    parents: Vec<String>,
    /// For clients that ask for no name, or for one that is not ours.
    common: Arc<CertifiedKey>,
    issued: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl Resolver {
    /// `names` stand in the certificate that most clients get.
    ///
    /// # Errors
    ///
    /// [`TlsError`], when a name cannot stand in a certificate.
    pub(crate) fn new(
        ca: Arc<TestCa>,
        names: Vec<String>,
        parents: Vec<String>,
    ) -> Result<Self, TlsError> {
        let key = KeyPair::generate().map_err(|error| TlsError::Ca(error.into()))?;
        let der = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let signer = any_supported_type(&der).map_err(TlsError::Identity)?;
        let certificate = ca.issue(names, &key).map_err(TlsError::Ca)?;
        Ok(Self {
            common: Arc::new(CertifiedKey::new(vec![certificate], Arc::clone(&signer))),
            ca,
            key,
            signer,
            parents,
            issued: Mutex::default(),
        })
    }

    fn is_ours(&self, name: &str) -> bool {
        let is_below = |parent: &String| {
            let rest = name.strip_suffix(parent.as_str());
            rest.is_some_and(|rest| rest.ends_with('.'))
        };
        !name.contains('.') || self.parents.iter().any(is_below)
    }

    fn certify(&self, name: &str) -> Option<Arc<CertifiedKey>> {
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = issued.get(name) {
            return Some(Arc::clone(known));
        }
        let certificate = self.ca.issue(vec![name.to_owned()], &self.key).ok()?;
        let certified = Arc::new(CertifiedKey::new(
            vec![certificate],
            Arc::clone(&self.signer),
        ));
        if issued.len() < MOST_NAMES {
            issued.insert(name.to_owned(), Arc::clone(&certified));
        }
        Some(certified)
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let asked = hello.server_name().map(str::to_ascii_lowercase);
        match asked.filter(|name| self.is_ours(name)) {
            Some(name) => self.certify(&name),
            None => Some(Arc::clone(&self.common)),
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.parents).finish()
    }
}
