//! TLS on the same port: with a given certificate, or one of a test CA.
//!
//! The CA is made when the first client says hello in TLS, or when its certificate is asked for; a durable server keeps it
//! in `DIR/tls`, so that clients need to trust it only once.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// What the test certificate is good for.
const NAMES: [&str; 8] = [
    "localhost",
    "*.localhost",
    "*.s3.localhost",
    "localhost.localstack.cloud",
    "*.localhost.localstack.cloud",
    "*.s3.localhost.localstack.cloud",
    "127.0.0.1",
    "::1",
];
/// Protocols inside of TLS, the best first.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// What can go wrong with certificates; one line.
#[derive(Clone, Debug)]
pub(crate) struct TlsError(pub(crate) String);

/// Where the certificate comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// Two files.
    Given {
        /// The chain.
        cert: PathBuf,
        /// Its key.
        key: PathBuf,
    },
    /// A test CA, kept in a folder or not at all.
    Test {
        /// `DIR/tls`.
        folder: Option<PathBuf>,
        /// Names beside the usual ones.
        hosts: Vec<String>,
    },
}

/// TLS of a server, made at its first use.
#[derive(Debug)]
pub(crate) struct Tls {
    source: Source,
    authority: OnceLock<Result<Authority, TlsError>>,
    acceptor: OnceLock<Result<Acceptor, TlsError>>,
}

/// A test CA.
struct Authority {
    pem: String,
    key: KeyPair,
}

#[derive(Clone)]
struct Acceptor(TlsAcceptor);

impl Tls {
    /// From a source; nothing is read or made yet.
    pub(crate) fn new(source: Source) -> Self {
        Self {
            source,
            authority: OnceLock::new(),
            acceptor: OnceLock::new(),
        }
    }

    /// What accepts TLS connections.
    ///
    /// # Errors
    ///
    /// [`TlsError`] for files that cannot be read or used.
    pub(crate) fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let made = self.acceptor.get_or_init(|| self.make_acceptor());
        made.as_ref()
            .map(|acceptor| acceptor.0.clone())
            .map_err(Clone::clone)
    }

    /// The certificate that a client has to trust (PEM): the test CA's, or the given chain.
    ///
    /// # Errors
    ///
    /// [`TlsError`].
    pub(crate) fn ca_pem(&self) -> Result<String, TlsError> {
        match &self.source {
            Source::Given { cert, .. } => {
                fs::read_to_string(cert).map_err(|error| unreadable(cert, &error))
            }
            Source::Test { folder, .. } => self
                .authority(folder.as_deref())
                .map(|authority| authority.pem.clone()),
        }
    }

    fn make_acceptor(&self) -> Result<Acceptor, TlsError> {
        let (chain, key) = match &self.source {
            Source::Given { cert, key } => read_pair(cert, key)?,
            Source::Test { folder, hosts } => self.authority(folder.as_deref())?.issue(hosts)?,
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| TlsError(format!("cannot use the certificate: {error}")))?;
        config.alpn_protocols = ALPN.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(Acceptor(TlsAcceptor::from(Arc::new(config))))
    }

    fn authority(&self, folder: Option<&Path>) -> Result<&Authority, TlsError> {
        self.authority
            .get_or_init(|| Authority::open(folder))
            .as_ref()
            .map_err(Clone::clone)
    }
}

impl Authority {
    fn open(folder: Option<&Path>) -> Result<Self, TlsError> {
        let Some(folder) = folder else {
            return Self::make();
        };
        let (cert, key) = (folder.join("ca.pem"), folder.join("ca.key"));
        if cert.exists() && key.exists() {
            let pem = fs::read_to_string(&cert).map_err(|error| unreadable(&cert, &error))?;
            let text = fs::read_to_string(&key).map_err(|error| unreadable(&key, &error))?;
            let key = KeyPair::from_pem(&text).map_err(|error| unreadable(&key, &error))?;
            return Ok(Self { pem, key });
        }
        let made = Self::make()?;
        let write = || -> io::Result<()> {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
            write_private(&key, &made.key.serialize_pem())?;
            write_private(&cert, &made.pem)
        };
        write().map_err(|error| {
            TlsError(format!(
                "cannot keep the test CA in `{}`: {error}",
                folder.display()
            ))
        })?;
        Ok(made)
    }

    fn make() -> Result<Self, TlsError> {
        let key = KeyPair::generate().map_err(unmade)?;
        let pem = authority_params()
            .and_then(|params| params.self_signed(&key))
            .map_err(unmade)?
            .pem();
        Ok(Self { pem, key })
    }

    /// A server certificate and its key.
    fn issue(
        &self,
        hosts: &[String],
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let more = hosts
            .iter()
            .flat_map(|host| [host.clone(), format!("*.{host}")]);
        let names: Vec<_> = NAMES.into_iter().map(str::to_owned).chain(more).collect();
        let issue = || {
            let mut params = CertificateParams::new(names)?;
            params
                .distinguished_name
                .push(DnType::CommonName, "Strongroom");
            params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            params.use_authority_key_identifier_extension = true;
            (params.not_before, params.not_after) = validity();
            let key = KeyPair::generate()?;
            let issuer = Issuer::new(authority_params()?, &self.key);
            let cert = params.signed_by(&key, &issuer)?;
            Ok((
                vec![cert.der().clone()],
                PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            ))
        };
        issue().map_err(unmade)
    }
}

fn authority_params() -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "Strongroom test CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    (params.not_before, params.not_after) = validity();
    Ok(params)
}

/// Fixed, so that a test's own clock never runs out of it.
fn validity() -> (time::OffsetDateTime, time::OffsetDateTime) {
    (
        rcgen::date_time_ymd(2020, 1, 1),
        rcgen::date_time_ymd(2049, 12, 31),
    )
}

fn read_pair(
    cert: &Path,
    key: &Path,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = CertificateDer::pem_file_iter(cert).and_then(Iterator::collect);
    let chain: Vec<_> = chain.map_err(|error| unreadable(cert, &error))?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(key, &error))?;
    Ok((chain, key))
}

fn write_private(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?
        .write_all(text.as_bytes())
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> TlsError {
    TlsError(format!("cannot read `{}`: {error}", path.display()))
}

#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
fn unmade(error: rcgen::Error) -> TlsError {
    TlsError(format!("cannot make a test certificate: {error}"))
}

impl std::fmt::Display for TlsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Authority(…)")
    }
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acceptor(…)")
    }
}
