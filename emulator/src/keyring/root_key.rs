//! The root key: 32 random bytes under which everything else is wrapped.
//!
//! In memory only for an ephemeral server; for a durable one `DIR/root.key`, the one place where a key lies in the clear.
//! Losing it loses the data, so it is never made anew over existing data.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::crypto::subkey::subkey;
use crate::disk;
use crate::entropy::Entropy;
use crate::keyring::error::KeyringError;

const KEY_BYTES: usize = 32;

/// 32 bytes; zeroed when dropped, never shown.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct RootKey([u8; KEY_BYTES]);

impl RootKey {
    /// A fresh one.
    pub(crate) fn generate(entropy: &Entropy) -> Self {
        Self(entropy.bytes())
    }

    /// From raw bytes; `place` names where they came from.
    ///
    /// # Errors
    ///
    /// [`KeyringError::BadRootKey`] for another length.
    pub(crate) fn from_bytes(bytes: &[u8], place: &str) -> Result<Self, KeyringError> {
        let key = bytes.try_into().map(Self);
        key.map_err(|_| KeyringError::BadRootKey {
            place: place.to_owned(),
            length: bytes.len(),
        })
    }

    /// Reads the key of a data folder; `None` where there is no file.
    ///
    /// # Errors
    ///
    /// [`KeyringError`] naming the file.
    pub(crate) fn load(path: &Path) -> Result<Option<Self>, KeyringError> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(KEY_BYTES + 1));
        let read = File::open(path).and_then(|file| file.take(1_024).read_to_end(&mut bytes));
        match read {
            Ok(_) => Self::from_bytes(&bytes, &format!("`{}`", path.display())).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(KeyringError::Io {
                tried: "read",
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Makes the key of a new data folder: mode 0600, and on the disk before it is used. A crash leaves no part of one,
    /// which the next start would refuse.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Io`].
    pub(crate) fn create(path: &Path, entropy: &Entropy) -> Result<Self, KeyringError> {
        let key = Self::generate(entropy);
        let write = || {
            if path.try_exists()? {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            disk::write_whole(path, &key.0, 0o600)
        };
        write().map_err(|source| KeyringError::Io {
            tried: "write",
            path: path.to_owned(),
            source,
        })?;
        Ok(key)
    }

    /// The key for a purpose that is no keyring's.
    pub(crate) fn subkey(&self, purpose: &str) -> Zeroizing<[u8; KEY_BYTES]> {
        subkey(&self.0, purpose)
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_created_key_loads_again_and_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");

        let made = RootKey::create(&path, &Entropy::system()).unwrap();

        assert_eq!(RootKey::load(&path).unwrap().unwrap().0, made.0);
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_crash_while_a_key_is_made_leaves_the_place_free() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        std::fs::write(folder.path().join("root.key.new"), [1; 31]).unwrap();

        let found = RootKey::load(&path).unwrap();
        let made = RootKey::create(&path, &Entropy::system());

        assert!(found.is_none() && made.is_ok(), "{made:?}");
    }

    #[test]
    fn an_existing_key_is_never_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        RootKey::create(&path, &Entropy::system()).unwrap();

        assert!(RootKey::create(&path, &Entropy::system()).is_err());
    }

    #[test]
    fn a_cut_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        std::fs::write(&path, [1; 31]).unwrap();

        let error = RootKey::load(&path).unwrap_err().to_string();

        assert!(
            error.contains("root.key") && error.contains("31 bytes"),
            "{error}"
        );
    }

    #[test]
    fn no_file_is_no_key() {
        assert!(
            RootKey::load(Path::new("/nowhere/root.key"))
                .unwrap()
                .is_none()
        );
    }
}
