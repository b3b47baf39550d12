//! The folder of a store: made, locked, and its parts named.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::store::error::StoreError;

/// Where a store lies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// A temporary folder, removed with the store.
    #[default]
    Ephemeral,
    /// A folder that stays.
    Durable(PathBuf),
}

/// An open folder. One process at a time has it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Held open: the lock ends with it.
    _lock: Option<File>,
    /// Removes the folder when dropped.
    _temporary: Option<TempDir>,
}

impl Folder {
    /// Opens it, and makes what is missing.
    ///
    /// # Errors
    ///
    /// [`StoreError::FolderInUse`], [`StoreError::Io`].
    pub(super) fn open(place: &Place) -> Result<Self, StoreError> {
        let folder = match place {
            Place::Ephemeral => {
                let made = tempfile::Builder::new().prefix("strongroom-").tempdir();
                let temporary =
                    made.map_err(StoreError::io("make a folder in", &std::env::temp_dir()))?;
                Self {
                    path: temporary.path().to_owned(),
                    _lock: None,
                    _temporary: Some(temporary),
                }
            }
            Place::Durable(path) => {
                make(path)?;
                Self {
                    path: path.clone(),
                    _lock: Some(lock(path)?),
                    _temporary: None,
                }
            }
        };
        make(&folder.staging())?;
        make(&folder.blobs())?;
        Ok(folder)
    }

    /// The folder itself.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The catalogue's file.
    pub(super) fn catalogue(&self) -> PathBuf {
        self.path.join("strongroom.redb")
    }

    /// Bodies that are being written.
    pub(super) fn staging(&self) -> PathBuf {
        self.path.join("staging")
    }

    /// Bodies that rows name.
    pub(super) fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }
}

fn make(path: &Path) -> Result<(), StoreError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.and_then(|()| {
        if fs::metadata(path)?.is_dir() {
            Ok(())
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    })
    .map_err(StoreError::io("make the folder", path))
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let file = path.join("lock");
    let opened = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&file);
    let opened = opened.map_err(StoreError::io("open", &file))?;
    match opened.try_lock() {
        Ok(()) => Ok(opened),
        Err(TryLockError::WouldBlock) => Err(StoreError::FolderInUse(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(StoreError::io("lock", &file)(source)),
    }
}
