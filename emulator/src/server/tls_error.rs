//! Why there is no HTTPS, in one line each.

use std::path::PathBuf;
use std::{fmt, io};

use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::pem;

use crate::server::certificates::CertificateError;

/// Why there is no HTTPS.
#[derive(Debug)]
pub(crate) enum TlsError {
    /// A file cannot be read or written.
    File(PathBuf, io::Error),
    /// A PEM file holds nothing that fits.
    Pem(PathBuf, pem::Error),
    /// Of certificate and key only one was given.
    Half,
    /// The test CA cannot be made or taken up.
    Ca(CertificateError),
    /// Certificate and key do not make an identity.
    Identity(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "cannot use `{}`: {error}", path.display()),
            Self::Pem(path, error) => write!(f, "cannot read `{}`: {error}", path.display()),
            Self::Half => f.write_str("a TLS certificate needs its key, and a key its certificate: --tls-cert and --tls-key go together"),
            Self::Ca(error) => write!(f, "cannot make a test CA: {error}"),
            Self::Identity(error) => write!(f, "cannot serve with this TLS certificate: {error}"),
        }
    }
}

impl std::error::Error for TlsError {}
