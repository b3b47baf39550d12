//! The data folder: where it is, who holds it, and what happens to it in the end.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::disk;
use crate::store::catalogue_file::Keeping;
use crate::store::error::StoreError;

/// Whoever holds the folder has this file locked.
const LOCK_FILE: &str = "lock";

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
    Looking { _lock: Option<File> },
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
        let lock_path = path.join(LOCK_FILE);
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

    /// Takes the folder only to look, together with others who do: nothing is made in it, so that it may be one that
    /// nobody can write. One that no server ever held has nothing to be taken by.
    ///
    /// # Errors
    ///
    /// `FolderInUse`; `Io` for a folder that cannot be read.
    pub(super) fn look(path: &Path) -> Result<Self, StoreError> {
        let path = fs::canonicalize(path).map_err(StoreError::io("find the folder", path))?;
        let lock_path = path.join(LOCK_FILE);
        let lock = match File::open(&lock_path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            other => Some(other.map_err(StoreError::io("open", &lock_path))?),
        };
        match lock.as_ref().map_or(Ok(()), File::try_lock_shared) {
            Ok(()) => Ok(Self {
                path,
                hold: Hold::Looking { _lock: lock },
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
            Hold::Temporary { .. } | Hold::Looking { .. } => Keeping::Ephemeral,
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
    fn who_looks_shares_the_folder_with_others_who_look_alone() {
        let parent = TempDir::new().unwrap();
        let holder = DataFolder::open(Folder::Durable(parent.path().to_owned())).unwrap();
        let held = DataFolder::look(parent.path());
        drop(holder);

        let looking = [(); 2].map(|()| DataFolder::look(parent.path()).unwrap());
        let meanwhile = DataFolder::open(Folder::Durable(parent.path().to_owned()));
        drop(looking);

        assert!(matches!(held, Err(StoreError::FolderInUse(_))), "{held:?}");
        assert!(
            matches!(meanwhile, Err(StoreError::FolderInUse(_))),
            "{meanwhile:?}"
        );
        assert!(DataFolder::open(Folder::Durable(parent.path().to_owned())).is_ok());
    }

    #[test]
    fn a_look_makes_nothing() {
        let parent = TempDir::new().unwrap();

        let looking = DataFolder::look(parent.path()).unwrap();

        assert_eq!(fs::read_dir(looking.path()).unwrap().count(), 0);
        assert!(DataFolder::look(&parent.path().join("none")).is_err());
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
