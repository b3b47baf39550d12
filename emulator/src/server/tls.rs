//! HTTPS: who this server says it is. With a test CA everything is made at the first hello, so that a server that is
//! never asked for HTTPS starts without it.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::{fmt, fs};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::ResolvesServerCert;
use tokio_rustls::rustls::sign::{CertifiedKey, SingleCertAndKey};

use crate::config::Config;
use crate::server::certificates::TestCa;
use crate::server::kept_ca;
use crate::server::resolver::Resolver;
use crate::server::tls_error::TlsError;

/// The names of every server, in the certificate that most clients get.
const NAMES: [&str; 9] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "*.localhost",
    "*.s3.localhost",
    "localhost.localstack.cloud",
    "*.localhost.localstack.cloud",
    "*.s3.localhost.localstack.cloud",
    "s3.localhost",
];
/// Below these every name may be a bucket's, with or without a region.
const PARENTS: [&str; 3] = ["localhost", "localhost.localstack.cloud", "amazonaws.com"];

/// The identity of a server.
#[derive(Debug)]
pub(crate) struct Tls(Identity);

#[derive(Debug)]
enum Identity {
    Given(Given),
    Made(Box<Made>),
}

/// Given as files.
struct Given {
    /// The chain.
    pem: String,
    acceptor: TlsAcceptor,
}

/// Of a test CA, kept in a folder or not at all.
struct Made {
    /// The names that `--host` added, in lower case as clients ask for them.
    hosts: Vec<String>,
    /// Where it listens, if that is an address of its own.
    address: Option<IpAddr>,
    folder: Option<PathBuf>,
    ca: OnceLock<Arc<TestCa>>,
    acceptor: OnceLock<TlsAcceptor>,
}

impl Tls {
    /// Reads what was given; makes what must lie on disk before the server is ready, and nothing else.
    ///
    /// # Errors
    ///
    /// [`TlsError`], when a file cannot be read, written or understood.
    pub(crate) fn prepare(config: &Config) -> Result<Self, TlsError> {
        let identity = match (&config.tls.certificate, &config.tls.key) {
            (Some(certificate), Some(key)) => Identity::Given(Given::read(certificate, key)?),
            (None, None) => Identity::Made(Box::new(Made::of(config))),
            _ => return Err(TlsError::Half),
        };
        let tls = Self(identity);
        if config.data.is_some() {
            tls.ca_pem()?;
        }
        if let Some(path) = &config.tls.ca_out {
            fs::write(path, tls.ca_pem()?).map_err(|error| TlsError::File(path.clone(), error))?;
        }
        Ok(tls)
    }

    /// What clients must trust, in PEM: the CA's certificate, or the chain that was given.
    ///
    /// # Errors
    ///
    /// [`TlsError::Ca`], when the CA must be made now and cannot.
    pub(crate) fn ca_pem(&self) -> Result<&str, TlsError> {
        match &self.0 {
            Identity::Given(given) => Ok(&given.pem),
            Identity::Made(made) => Ok(made.ca()?.pem()),
        }
    }

    /// What greets clients. The first call with a test CA makes its keys, in less than a millisecond.
    ///
    /// # Errors
    ///
    /// [`TlsError`], when the CA or a certificate must be made now and cannot.
    pub(crate) fn acceptor(&self) -> Result<&TlsAcceptor, TlsError> {
        match &self.0 {
            Identity::Given(given) => Ok(&given.acceptor),
            Identity::Made(made) => made.acceptor(),
        }
    }
}

impl Given {
    fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let pem = fs::read_to_string(certificate)
            .map_err(|error| TlsError::File(certificate.to_owned(), error))?;
        let chain = CertificateDer::pem_slice_iter(pem.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| TlsError::Pem(certificate.to_owned(), error))?;
        let key = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| TlsError::Pem(key.to_owned(), error))?;
        let certified = CertifiedKey::from_der(chain, key, &ring::default_provider())
            .map_err(TlsError::Identity)?;
        let acceptor = acceptor_of(Arc::new(SingleCertAndKey::from(certified)))?;
        Ok(Self { pem, acceptor })
    }
}

impl Made {
    fn of(config: &Config) -> Self {
        let address = config.listen.ip();
        Self {
            hosts: config
                .hosts
                .iter()
                .map(|host| host.to_ascii_lowercase())
                .collect(),
            address: (!address.is_unspecified()).then_some(address),
            folder: config.data.as_ref().map(|data| data.join("tls")),
            ca: OnceLock::new(),
            acceptor: OnceLock::new(),
        }
    }

    fn ca(&self) -> Result<&Arc<TestCa>, TlsError> {
        if let Some(ca) = self.ca.get() {
            return Ok(ca);
        }
        let made = match &self.folder {
            Some(folder) => kept_ca::take_up(folder),
            None => TestCa::make(),
        };
        let made = made.map_err(TlsError::Ca)?;
        Ok(self.ca.get_or_init(|| Arc::new(made)))
    }

    fn acceptor(&self) -> Result<&TlsAcceptor, TlsError> {
        if let Some(acceptor) = self.acceptor.get() {
            return Ok(acceptor);
        }
        let hosts = self.hosts.iter().cloned();
        let parents = PARENTS.into_iter().map(str::to_owned).chain(hosts);
        let resolver = Resolver::new(Arc::clone(self.ca()?), self.names(), parents.collect())?;
        let made = acceptor_of(Arc::new(resolver))?;
        Ok(self.acceptor.get_or_init(|| made))
    }

    fn names(&self) -> Vec<String> {
        let added = self.hosts.iter().flat_map(|host| {
            let wildcard = host.parse::<IpAddr>().is_err().then(|| format!("*.{host}"));
            [host.clone()].into_iter().chain(wildcard)
        });
        let address = self.address.map(|address| address.to_string());
        NAMES
            .into_iter()
            .map(str::to_owned)
            .chain(added)
            .chain(address)
            .collect()
    }
}

fn acceptor_of(identity: Arc<dyn ResolvesServerCert>) -> Result<TlsAcceptor, TlsError> {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Identity)?
        .with_no_client_auth()
        .with_cert_resolver(identity);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Given")
    }
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.hosts).finish()
    }
}
