//! The data folder: where it is, who holds it, and what happens to it in the end.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::disk;
use crate::store::catalogue_file::Keeping;
use crate::store::error::StoreError;

/// Where the store keeps its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Folder {
    /// In a temporary folder, which is removed when the last handle is dropped.
    Ephemeral,
    /// In this folder, which is made where it is missing.
    Durable(PathBuf),
}

/// A folder that this process holds, until it is dropped.
#[derive(Debug)]
pub(super) struct DataFolder {
    path: PathBuf,
    hold: Hold,
}

/// Both are held for what their drop does.
#[derive(Debug)]
enum Hold {
    Temporary { _folder: TempDir },
    Locked { _lock: File },
}

impl DataFolder {
    /// Makes or takes the folder.
    ///
    /// # Errors
    ///
    /// `FolderInUse`; `Io` for a folder that cannot be made or written.
    pub(super) fn open(folder: Folder) -> Result<Self, StoreError> {
        match folder {
            Folder::Ephemeral => Self::temporary(),
            Folder::Durable(path) => Self::locked(&path),
        }
    }

    fn temporary() -> Result<Self, StoreError> {
        let parent = std::env::temp_dir();
        let folder = TempDir::with_prefix("strongroom-")
            .map_err(StoreError::io("make a temporary folder in", &parent))?;
        Ok(Self {
            path: folder.path().to_owned(),
            hold: Hold::Temporary { _folder: folder },
        })
    }

    fn locked(path: &Path) -> Result<Self, StoreError> {
        disk::make_folder(path).map_err(StoreError::io("make the folder", path))?;
        let path = fs::canonicalize(path).map_err(StoreError::io("find the folder", path))?;
        let lock_path = path.join("lock");
        let lock = File::create(&lock_path).map_err(StoreError::io("create", &lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path,
                hold: Hold::Locked { _lock: lock },
            }),
            Err(TryLockError::WouldBlock) => Err(StoreError::FolderInUse(path)),
            Err(TryLockError::Error(error)) => Err(StoreError::io("lock", &lock_path)(error)),
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that its names are on the disk, where its data outlives the process; and its own name, which a run may
    /// have made that was killed before this.
    ///
    /// # Errors
    ///
    /// `Io`.
    pub(super) fn sync_names(&self) -> Result<(), StoreError> {
        if self.keeping() == Keeping::Ephemeral {
            return Ok(());
        }
        // A parent that we may not read is one that we have not made.
        let _ = self.path.parent().map(disk::sync_folder);
        disk::sync_folder(&self.path).map_err(StoreError::io("sync the folder", &self.path))
    }

    /// Whether its data outlives the process.
    pub(super) fn keeping(&self) -> Keeping {
        match self.hold {
            Hold::Temporary { .. } => Keeping::Ephemeral,
            Hold::Locked { .. } => Keeping::Durable,
        }
    }
}

/// Makes a folder, and those above it, for its owner alone; one that exists stays as it is.
///
/// # Errors
///
/// `Io`.
pub(super) fn make_folder(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(StoreError::io("make the folder", path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_temporary_folder_goes_when_it_is_let_go() {
        let folder = DataFolder::open(Folder::Ephemeral).unwrap();
        let path = folder.path().to_owned();
        assert!(path.is_dir());

        drop(folder);

        assert!(!path.exists());
    }

    #[test]
    fn a_folder_is_made_for_its_owner_alone() {
        let parent = TempDir::new().unwrap();
        let path = parent.path().join("deep/data");

        let folder = DataFolder::open(Folder::Durable(path)).unwrap();

        let mode = fs::metadata(folder.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[test]
    fn a_folder_has_one_holder_at_a_time() {
        let parent = TempDir::new().unwrap();
        let open = || DataFolder::open(Folder::Durable(parent.path().to_owned()));
        let first = open().unwrap();

        let second = open();
        drop(first);
        let third = open();

        assert!(
            matches!(second, Err(StoreError::FolderInUse(_))),
            "{second:?}"
        );
        assert!(third.is_ok(), "{third:?}");
    }

    #[test]
    fn a_file_in_its_place_or_above_it_is_named() {
        let parent = TempDir::new().unwrap();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();

        for path in [file.clone(), file.join("data")] {
            let refused = DataFolder::open(Folder::Durable(path.clone()));

            let text = refused.unwrap_err().to_string();
            let expected = format!("cannot make the folder `{}`", path.display());
            assert!(text.starts_with(&expected), "{text}");
        }
    }
}
