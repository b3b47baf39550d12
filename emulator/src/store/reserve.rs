//! Room that is kept on the disk of a durable store. On a full disk nothing could be deleted either, since a delete
//! writes before it frees: then it gets this room.

use std::fs;
use std::path::{Path, PathBuf};

use crate::disk;
use crate::store::catalogue_file::Keeping;

/// Its name in a data folder.
pub(super) const FILE: &str = "reserve";
/// Enough for a commit that removes rows: a page of the catalogue is 4 KiB, and a row lies behind a few of them.
const BYTES: usize = 1024 * 1024;

/// A file that holds nothing. A store that ends with its process has none.
#[derive(Clone, Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    keeping: Keeping,
}

impl Reserve {
    /// That of a data folder.
    pub(super) fn of(data: &Path, keeping: Keeping) -> Self {
        Self {
            path: data.join(FILE),
            keeping,
        }
    }

    /// Keeps the room where it is not kept yet. On a disk that has no room for it there is none, until the next time.
    pub(super) fn keep(&self) {
        if self.keeping == Keeping::Ephemeral || self.path.exists() {
            return;
        }
        if let Err(error) = disk::write_whole(&self.path, &vec![0; BYTES], 0o600) {
            tracing::debug!("cannot make `{}`: {error}", self.path.display());
            let _ = disk::remove_left(&self.path.with_added_extension("new"));
        }
    }

    /// Gives it up; whether there was any.
    pub(super) fn give_up(&self) -> bool {
        match self.keeping {
            Keeping::Ephemeral => false,
            Keeping::Durable => fs::remove_file(&self.path).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_kept_given_up_once_and_kept_again() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(folder.path(), Keeping::Durable);
        let file = folder.path().join("reserve");

        reserve.keep();
        let kept = fs::metadata(&file).unwrap().len();
        let given_up = [reserve.give_up(), reserve.give_up()];
        let is_gone = !file.exists();
        reserve.keep();

        assert_eq!(kept, 1 << 20);
        assert_eq!(given_up, [true, false]);
        assert!(is_gone && file.exists());
    }

    #[test]
    fn a_store_that_ends_with_its_process_keeps_none() {
        let folder = tempfile::tempdir().unwrap();
        let reserve = Reserve::of(folder.path(), Keeping::Ephemeral);

        reserve.keep();

        assert!(!reserve.give_up());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
