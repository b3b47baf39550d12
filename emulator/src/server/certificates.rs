//! The test CA, and the certificate that it gives to this server.
//!
//! The CA may be kept ([`super::kept_ca`]); the server's own certificate is made anew in each process. Dates come from the
//! system's clock and not from the emulated one: clients compare them with theirs.

use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, io};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PublicKeyData,
};
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use crate::clock::Clock;

const DAY: Duration = Duration::from_hours(24);
/// Apple's clients take no longer validity of a server, whoever signed it.
///
/// Source: <https://support.apple.com/en-us/103769>
const SERVER_DAYS: u32 = 820;
/// The first and the last year of every CA. One that is kept must not fail its clients on some day, nor because a clock was
/// wrong when it was made.
const CA_YEARS: (i32, i32) = (2000, 2099);
const CA_NAME: &str = "Strongroom test CA";

/// A certificate authority whom nobody trusts that was not told to.
pub(crate) struct TestCa {
    key: KeyPair,
    pem: String,
}

/// Why there is no certificate.
#[derive(Debug)]
pub(crate) enum CertificateError {
    /// A file of the CA cannot be read or written.
    File(PathBuf, io::Error),
    /// The kept key of the CA is none.
    Key(PathBuf, rcgen::Error),
    /// A name is none that a certificate can carry, or keys cannot be made here.
    Content(rcgen::Error),
}

impl TestCa {
    /// Makes one that lives as long as this process.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Content`], if keys cannot be made here.
    pub(crate) fn make() -> Result<Self, CertificateError> {
        Self::of(KeyPair::generate()?)
    }

    /// The one that holds `key`, with a new certificate. Who trusts an older one of the same key believes it as well.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Content`], if the key cannot sign.
    pub(crate) fn of(key: KeyPair) -> Result<Self, CertificateError> {
        let pem = ca_params().self_signed(&key)?.pem();
        Ok(Self { key, pem })
    }

    /// The one that holds `key`, with the certificate that it had; gives the key back where that is no certificate of it.
    ///
    /// # Errors
    ///
    /// The key.
    pub(crate) fn with_certificate(key: KeyPair, pem: String) -> Result<Self, Box<KeyPair>> {
        if is_certificate_of(&key, &pem) {
            Ok(Self { key, pem })
        } else {
            Err(Box::new(key))
        }
    }

    /// Its certificate, in PEM.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for a server of these names and addresses, which holds `key`.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Content`], when a name cannot stand in a certificate.
    pub(crate) fn issue(
        &self,
        names: Vec<String>,
        key: &KeyPair,
    ) -> Result<CertificateDer<'static>, CertificateError> {
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "Strongroom");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, SERVER_DAYS);
        let certificate = params.signed_by(key, &Issuer::new(ca_params(), &self.key))?;
        Ok(certificate.der().clone())
    }

    /// Its key, in PEM: for whoever keeps it.
    pub(crate) fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }
}

/// The same for every CA, so that one can be taken up again by its key alone.
fn ca_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, CA_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let (first, last) = CA_YEARS;
    params.not_before = rcgen::date_time_ymd(first, 1, 1);
    params.not_after = rcgen::date_time_ymd(last, 12, 31);
    params
}

/// A trust anchor holds its key without the outer frame.
fn is_certificate_of(key: &KeyPair, pem: &str) -> bool {
    let mut roots = RootCertStore::empty();
    let added = CertificateDer::from_pem_slice(pem.as_bytes())
        .is_ok_and(|certificate| roots.add(certificate).is_ok());
    let own = key.subject_public_key_info();
    added
        && roots
            .roots
            .iter()
            .all(|anchor| own.ends_with(&anchor.subject_public_key_info))
}

/// From yesterday on, since clocks of containers differ.
fn set_validity(params: &mut CertificateParams, days: u32) {
    let now = Duration::from_secs(Clock::system().now().unix_seconds());
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now - DAY;
    params.not_after = epoch + now + DAY * days;
}

impl From<rcgen::Error> for CertificateError {
    fn from(error: rcgen::Error) -> Self {
        Self::Content(error)
    }
}

impl fmt::Debug for TestCa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TestCa")
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "`{}`: {error}", path.display()),
            Self::Key(path, error) => write!(
                f,
                "`{}` holds no key ({error}): remove it, and a new CA is made for clients to trust",
                path.display()
            ),
            Self::Content(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CertificateError {}
