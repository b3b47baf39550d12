//! The test CA of a data folder: `ca.key` and `ca.pem` in `DIR/tls`, so that clients need to trust it only once.
//!
//! The key is what counts. A certificate that is lost, cut or of another key is made anew; a key that cannot be read is an
//! error, since another one would be refused by every client that trusts the old.

use std::path::Path;
use std::{fs, io};

use rcgen::KeyPair;

use crate::disk::{make_folder, write_whole};
use crate::server::certificates::{CertificateError, TestCa};

/// Its owner alone may sign with it.
const KEY_MODE: u32 = 0o600;
/// Whoever shares the folder may trust it.
const PEM_MODE: u32 = 0o644;

/// The CA that lies in `folder`; makes it there where there is none.
///
/// # Errors
///
/// [`CertificateError`], when its files cannot be read, written or understood.
pub(crate) fn take_up(folder: &Path) -> Result<TestCa, CertificateError> {
    make_folder(folder).map_err(at(folder))?;
    let (key_file, pem_file) = (folder.join("ca.key"), folder.join("ca.pem"));
    let kept = find_text(&key_file)?;
    let key = match &kept {
        Some(text) => KeyPair::from_pem(text)
            .map_err(|error| CertificateError::Key(key_file.clone(), error))?,
        None => KeyPair::generate()?,
    };
    let ca = match find_text(&pem_file)? {
        Some(pem) => match TestCa::with_certificate(key, pem) {
            Ok(ca) => return Ok(ca),
            Err(key) => {
                tracing::warn!(
                    "`{}` is damaged, or not of the key beside it: it is made anew, for clients to trust",
                    pem_file.display()
                );
                TestCa::of(*key)?
            }
        },
        None => TestCa::of(key)?,
    };
    if kept.is_none() {
        write_whole(&key_file, ca.key_pem().as_bytes(), KEY_MODE).map_err(at(&key_file))?;
    }
    write_whole(&pem_file, ca.pem().as_bytes(), PEM_MODE).map_err(at(&pem_file))?;
    Ok(ca)
}

fn find_text(path: &Path) -> Result<Option<String>, CertificateError> {
    match fs::read(path) {
        // What is no text is no PEM either, and told as such.
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at(path)(error)),
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> CertificateError {
    move |error| CertificateError::File(path.to_owned(), error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_kept_ca_is_taken_up_again() {
        let folder = tempfile::tempdir().unwrap();

        let first = take_up(folder.path()).unwrap();
        let second = take_up(folder.path()).unwrap();

        assert_eq!(first.pem(), second.pem());
        assert_eq!(first.key_pem(), second.key_pem());
    }

    #[test]
    fn only_its_owner_reads_a_key_whatever_was_left_behind() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.key.new"), "half of a").unwrap();

        take_up(folder.path()).unwrap();

        let mode = |name| {
            let metadata = fs::metadata(folder.path().join(name)).unwrap();
            metadata.permissions().mode() & 0o777
        };
        assert_eq!(mode("ca.key"), KEY_MODE);
        assert_eq!(mode("ca.pem") & 0o700, 0o600);
        assert!(!folder.path().join("ca.key.new").exists());
    }

    #[test]
    fn a_key_that_is_none_is_an_error_that_names_it() {
        for content in [&b"nonsense"[..], b"\xff\xfe", b""] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("ca.key");
            fs::write(&file, content).unwrap();

            let error = take_up(folder.path()).unwrap_err().to_string();

            assert!(error.contains(file.to_str().unwrap()), "{error}");
            assert!(error.contains("remove it"), "{error}");
        }
    }

    #[test]
    fn a_certificate_that_is_lost_or_damaged_is_made_anew_of_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let first = take_up(folder.path()).unwrap();
        let half = &first.pem()[..first.pem().len() / 2];

        for damaged in [None, Some(""), Some(half), Some("nonsense")] {
            match damaged {
                Some(text) => fs::write(&file, text).unwrap(),
                None => fs::remove_file(&file).unwrap(),
            }
            let again = take_up(folder.path()).unwrap();

            assert_eq!(again.key_pem(), first.key_pem(), "{damaged:?}");
            assert_eq!(fs::read_to_string(&file).unwrap(), again.pem());
            assert!(again.pem().len() > half.len(), "{damaged:?}");
        }
    }

    #[test]
    fn a_certificate_of_another_key_is_not_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let lost = take_up(folder.path()).unwrap();
        fs::remove_file(folder.path().join("ca.key")).unwrap();

        let again = take_up(folder.path()).unwrap();

        assert_ne!(again.pem(), lost.pem());
        assert!(
            TestCa::with_certificate(
                KeyPair::from_pem(&again.key_pem()).unwrap(),
                again.pem().to_owned()
            )
            .is_ok()
        );
    }
}
