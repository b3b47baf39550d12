//! A data folder that no server holds: how an object lies in it, and, for whoever has the root key, under which keys.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::clock::Clock;
use crate::config::Secret;
use crate::control::json::render;
use crate::control::look::{Found, Wanted, find};
use crate::crypto::data_key::DataKey;
use crate::entropy::Entropy;
use crate::faults::rules::Faults;
use crate::journal::kms_calls::KmsCalls;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::{Keyring, KeyringParts};
use crate::keyring::root_key::RootKey;
use crate::model::sealing::Sealing;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::wire::encoding::parse_base64;

/// The file of a folder's root key.
pub(crate) const ROOT_KEY_FILE: &str = "root.key";

/// An object of a data folder that somebody wants to look at.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// The data folder, which no server may hold.
    pub folder: PathBuf,
    /// Its root key in base64, where it has no `root.key`. Only [`Inspection::reveal`] needs it.
    pub root_key: Option<Secret>,
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// Which version of it; `None` for the current one.
    pub version: Option<String>,
    /// Whether the bytes of its blobs are told.
    pub raw: bool,
    /// Whether its data keys are told in the clear.
    pub reveal: bool,
}

impl Inspection {
    /// How the object lies in the folder, in the JSON of `/_emulator/stored`. With [`Inspection::reveal`] each layer also
    /// has its data key, in hex: what is done with the text is then the caller's care. Blocks.
    ///
    /// # Errors
    ///
    /// One line: a folder that is not ours or that a server holds, no such object, a damaged blob; to reveal: SSE-C, a
    /// missing or wrong root key, a KMS key that is gone.
    pub fn run(&self) -> Result<String, String> {
        let store = open_to_look(&self.folder).map_err(|error| match error {
            StoreError::FolderInUse(_) => format!("{error}: ask its server, without --data"),
            other => other.to_string(),
        })?;
        let wanted = Wanted {
            bucket: &self.bucket,
            key: &self.key,
            version: self.version.as_deref(),
        };
        let found = find(&store, &wanted).map_err(|error| error.to_string())?;
        let revealed = if self.reveal {
            self.data_keys(&store, &found)?
        } else {
            Vec::new()
        };
        let stored = found.describe(&store, self.raw);
        let stored = stored.map_err(|error| error.to_string())?;
        let around = found.surroundings(&store);
        let around = around.map_err(|error| error.to_string())?;
        Ok(render(&wanted, (&stored, &around), &revealed).to_string())
    }

    fn data_keys(&self, store: &Store, found: &Found) -> Result<Vec<DataKey>, String> {
        let sealing = &found.version().content.sealing;
        if matches!(sealing, Sealing::SseC { .. }) {
            return Err(format!(
                "there is no key to reveal: `{}` is under SSE-C, whose key the customer keeps",
                self.key
            ));
        }
        let keyring = keyring_of(store, self.root_key.as_ref())?;
        let revealed = keyring.reveal(sealing, &found.context());
        revealed.map_err(|error| error.to_string())
    }
}

/// Opens a data folder that no server holds; it stays as it is. Blocks.
///
/// # Errors
///
/// `Io` for one that is not ours; those of [`Store::open_to_look`].
pub(super) fn open_to_look(folder: &Path) -> Result<Store, StoreError> {
    if !Store::lies_in(folder) {
        return Err(StoreError::NotOurs(folder.to_owned()));
    }
    Store::open_to_look(folder, Clock::system(), Entropy::system())
}

/// The keys of a folder's objects, under the root key that was given, else under its own.
///
/// # Errors
///
/// One line: a root key that is missing, cannot be read, or is not the one.
pub(super) fn keyring_of(store: &Store, given: Option<&Secret>) -> Result<Keyring, String> {
    let root = root_key(store.path(), given).map_err(|error| error.to_string())?;
    let root = root.ok_or_else(|| no_root_key(store.path()))?;
    let parts = KeyringParts {
        store: store.clone(),
        clock: Clock::system(),
        entropy: Entropy::system(),
        calls: KmsCalls::default(),
        faults: Faults::default(),
    };
    let keyring = Keyring::new(&root, parts);
    let fits = keyring.fits_store().map_err(|error| error.to_string())?;
    if fits == Some(false) {
        return Err(wrong_root_key(store.path()));
    }
    Ok(keyring)
}

/// The root key that was given, else that of the folder; `None` where there is neither.
///
/// # Errors
///
/// [`KeyringError`] for one that is no root key, or cannot be read.
pub(crate) fn root_key(
    folder: &Path,
    given: Option<&Secret>,
) -> Result<Option<RootKey>, KeyringError> {
    let Some(given) = given else {
        return RootKey::load(&folder.join(ROOT_KEY_FILE));
    };
    let bytes = Zeroizing::new(parse_base64(given.expose().trim()).unwrap_or_default());
    RootKey::from_bytes(&bytes, "STRONGROOM_ROOT_KEY, in base64,").map(Some)
}

/// What somebody is told whose folder has lost its root key.
pub(crate) fn no_root_key(folder: &Path) -> String {
    format!(
        "the root key `{}` is missing: put it back, or set STRONGROOM_ROOT_KEY; without it the data is lost",
        folder.join(ROOT_KEY_FILE).display()
    )
}

/// What somebody is told who has another folder's root key.
pub(crate) fn wrong_root_key(folder: &Path) -> String {
    format!(
        "the root key is not the one that the data in `{}` was encrypted under; without that one the data is lost",
        folder.display()
    )
}
