//! The test CA, and the certificate that it gives to this server.
//!
//! The CA is kept where a server keeps its data, so that clients trust it once; the server's own certificate is made anew
//! in each process. Dates come from the system's clock and not from the emulated one: clients compare them with theirs.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::clock::Clock;
use crate::disk;

const DAY: Duration = Duration::from_hours(24);
/// Apple's clients take no longer validity of a server, whoever signed it.
///
/// Source: <https://support.apple.com/en-us/103769>
const SERVER_DAYS: u32 = 820;
const CA_DAYS: u32 = 3_650;
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
    /// A key or a name is none that a certificate can carry.
    Content(rcgen::Error),
}

impl TestCa {
    /// Makes one that lives as long as this process.
    ///
    /// # Errors
    ///
    /// [`CertificateError::Content`], if keys cannot be made here.
    pub(crate) fn make() -> Result<Self, CertificateError> {
        Self::with_key(KeyPair::generate()?)
    }

    /// The one that lies in `folder`; makes it there where there is none.
    ///
    /// # Errors
    ///
    /// [`CertificateError`], when its files cannot be read, written or understood.
    pub(crate) fn kept_in(folder: &Path) -> Result<Self, CertificateError> {
        disk::make_folder(folder).map_err(at(folder))?;
        let (key_file, pem_file) = (folder.join("ca.key"), folder.join("ca.pem"));
        let key = match find_text(&key_file)? {
            Some(text) => KeyPair::from_pem(&text)?,
            None => make_key(&key_file)?,
        };
        if let Some(pem) = find_text(&pem_file)? {
            return Ok(Self { key, pem });
        }
        let ca = Self::with_key(key)?;
        disk::write_whole(&pem_file, ca.pem.as_bytes(), 0o644).map_err(at(&pem_file))?;
        Ok(ca)
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

    fn with_key(key: KeyPair) -> Result<Self, CertificateError> {
        let pem = ca_params().self_signed(&key)?.pem();
        Ok(Self { key, pem })
    }
}

/// The same for every CA, so that one can be taken up again by its key alone.
fn ca_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, CA_NAME);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, CA_DAYS);
    params
}

/// From yesterday on, since clocks of containers differ.
fn set_validity(params: &mut CertificateParams, days: u32) {
    let now = Duration::from_secs(Clock::system().now().unix_seconds());
    let epoch = rcgen::date_time_ymd(1970, 1, 1);
    params.not_before = epoch + now - DAY;
    params.not_after = epoch + now + DAY * days;
}

fn find_text(path: &Path) -> Result<Option<String>, CertificateError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

fn make_key(path: &Path) -> Result<KeyPair, CertificateError> {
    let key = KeyPair::generate()?;
    disk::write_whole(path, key.serialize_pem().as_bytes(), 0o600).map_err(at(path))?;
    Ok(key)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> CertificateError {
    move |error| CertificateError::File(path.to_owned(), error)
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
            Self::Content(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CertificateError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_ca_is_taken_up_again() {
        let folder = tempfile::tempdir().unwrap();

        let first = TestCa::kept_in(folder.path()).unwrap();
        let second = TestCa::kept_in(folder.path()).unwrap();

        assert_eq!(first.pem(), second.pem());
        assert_eq!(first.key.serialized_der(), second.key.serialized_der());
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_reads_a_key() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();

        TestCa::kept_in(folder.path()).unwrap();

        let key = fs::metadata(folder.path().join("ca.key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_that_is_none_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.key"), "nonsense").unwrap();

        let ca = TestCa::kept_in(folder.path());

        assert!(matches!(ca, Err(CertificateError::Content(_))));
    }
}
