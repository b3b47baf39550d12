//! What must survive a power cut. A synced file is lost all the same as long as the folder that holds its name is not
//! synced, and a file that is written in place may be found half written.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

/// Makes a folder, and those above it, for its owner alone, with their names on the disk; one that exists stays as it is.
///
/// # Errors
///
/// The system's.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = parent_of(path);
    make_folder(parent)?;
    DirBuilder::new().mode(0o700).create(path)?;
    sync_folder(parent)
}

/// Makes sure that the names in a folder are on the disk.
///
/// # Errors
///
/// The system's.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Makes a file, whole and under its name on the disk, or not at all. It is written beside that name first, under one
/// that ends in `.new`: what a crash leaves there is overwritten the next time.
///
/// # Errors
///
/// The system's.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let unfinished = path.with_added_extension("new");
    // One that a crash has left may have another mode.
    remove_left(&unfinished)?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    rename(&unfinished, path)
}

/// Gives a synced file another name, which is on the disk then.
///
/// # Errors
///
/// The system's.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_folder(parent_of(to))
}

/// Removes a file that a crash may have left.
///
/// # Errors
///
/// The system's.
pub(crate) fn remove_left(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent == Path::new("") => Path::new("."),
        Some(parent) => parent,
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_a_crash_has_left_of_a_file_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        fs::write(folder.path().join("root.key.new"), "half").unwrap();

        write_whole(&path, b"whole", 0o600).unwrap();

        let names = fs::read_dir(folder.path()).unwrap();
        let names: Vec<_> = names.map(|entry| entry.unwrap().file_name()).collect();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(names, ["root.key"]);
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_file_in_the_place_of_a_folder_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();

        for path in [file.clone(), file.join("below")] {
            assert!(make_folder(&path).is_err());
        }

        assert_eq!(fs::read(&file).unwrap(), b"x");
    }
}
