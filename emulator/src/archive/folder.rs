//! Where an export comes to lie: written beside its place, synced, and only then given its name, so that whoever finds it
//! finds all of it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{make_folder, rename, sync_folder};

/// What an unfinished export is called by, behind the name that it will have.
const UNFINISHED: &str = ".partial";

/// A folder that is not finished.
#[derive(Debug)]
pub(super) struct Unfinished {
    path: PathBuf,
    place: PathBuf,
}

impl Unfinished {
    /// Makes one for a place where nothing lies, or an empty folder. It is for its owner alone: what is in it is in the
    /// clear.
    ///
    /// # Errors
    ///
    /// One line, where something lies there, or an unfinished export of before.
    pub(super) fn begin(place: &Path) -> Result<Self, String> {
        let shown = place.display();
        let name = place
            .file_name()
            .ok_or_else(|| format!("`{shown}` is no name of a folder"))?;
        if !is_free(place).map_err(|error| format!("cannot read `{shown}`: {error}"))? {
            return Err(format!("`{shown}` is not empty: nothing is written over"));
        }
        let mut name = name.to_owned();
        name.push(UNFINISHED);
        let path = place.with_file_name(name);
        if path.exists() {
            return Err(format!(
                "`{}` is an export that was not finished: remove it first",
                path.display()
            ));
        }
        make_folder(&path).map_err(|error| format!("cannot make `{}`: {error}", path.display()))?;
        let place = place.to_owned();
        Ok(Self { path, place })
    }

    /// Makes a file in it, and the folders above it.
    ///
    /// # Errors
    ///
    /// One line, where the system refuses.
    pub(super) fn create(&self, file: &str) -> Result<File, String> {
        let path = self.path.join(file);
        let make = || {
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            File::create_new(&path)
        };
        make().map_err(|error: io::Error| format!("cannot write `{}`: {error}", path.display()))
    }

    /// Removes a file that came to nothing.
    pub(super) fn remove(&self, file: &str) {
        // Whatever is left of it has no line, so that nobody takes it for an object.
        let _ = fs::remove_file(self.path.join(file));
    }

    /// Syncs all of it, and gives it its name.
    ///
    /// # Errors
    ///
    /// One line, where the system refuses.
    pub(super) fn finish(self) -> Result<(), String> {
        let finish = || {
            sync(&self.path)?;
            rename(&self.path, &self.place)
        };
        finish().map_err(|error: io::Error| {
            let (path, place) = (self.path.display(), self.place.display());
            format!("cannot finish `{path}` as `{place}`: {error}")
        })
    }
}

/// Whether nothing lies there, or an empty folder, over which another can be renamed.
fn is_free(place: &Path) -> io::Result<bool> {
    match fs::read_dir(place) {
        Ok(mut found) => Ok(found.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Syncs a folder and everything in it: at the end, when the system has written most of it by itself.
fn sync(folder: &Path) -> io::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                File::open(entry.path())?.sync_all()?;
            }
        }
        sync_folder(&folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_has_its_name_once_it_is_finished() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("out");
        let unfinished = Unfinished::begin(&place).unwrap();
        let mut file = unfinished.create("a/b").unwrap();
        file.write_all(b"meow").unwrap();
        assert!(!place.exists());

        unfinished.finish().unwrap();

        assert_eq!(fs::read(place.join("a/b")).unwrap(), b"meow");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(
            place.metadata().unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn an_empty_folder_is_free_and_nothing_else_is() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("out");
        fs::create_dir(&place).unwrap();
        let unfinished = Unfinished::begin(&place).unwrap();
        unfinished.create("a").unwrap();
        let twice = Unfinished::begin(&place).unwrap_err();
        unfinished.finish().unwrap();

        let full = Unfinished::begin(&place).unwrap_err();
        let file = Unfinished::begin(&place.join("a")).unwrap_err();

        assert!(
            twice.contains("out.partial` is an export that was not finished"),
            "{twice}"
        );
        assert!(full.contains("is not empty"), "{full}");
        assert!(file.contains("cannot read"), "{file}");
    }
}
