//! Where in the whole store some bytes lie: every file below the data folder, and every row and body of the catalogue
//! as it is now, whether or not its file has it yet.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::store::error::StoreError;
use crate::store::finder::Finder;
use crate::store::handle::Store;

/// How much of a file is read at a time.
const PIECE_BYTES: u64 = 1_024 * 1_024;

/// What was found where: the index of a pattern, and the name of a place.
pub(crate) type Places = BTreeSet<(usize, String)>;

impl Store {
    /// Every place that holds one of the patterns. Blocks.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn search(&self, finder: &Finder) -> Result<Places, StoreError> {
        let mut places = Places::new();
        self.search_catalogue(finder, &mut places)?;
        for path in files_below(self.path())? {
            let name = path.strip_prefix(self.path()).unwrap_or(&path);
            let name = format!("the file `{}`", name.display());
            search_file(&path, finder, |pattern| {
                places.insert((pattern, name.clone()));
            })?;
        }
        Ok(places)
    }

    fn search_catalogue(&self, finder: &Finder, places: &mut Places) -> Result<(), StoreError> {
        let view = self.view()?;
        for row in view.scan(b"")? {
            let (key, stored) = row?;
            let name = || format!("the catalogue's row `{}`", readable(&key));
            for bytes in [&key, &stored.value] {
                finder.find(bytes, |pattern| {
                    places.insert((pattern, name()));
                });
            }
        }
        for body in view.bodies()? {
            let (key, stored) = body?;
            finder.find(&stored.value, |pattern| {
                places.insert((pattern, format!("the catalogue's body of {}", blob(&key))));
            });
        }
        Ok(())
    }
}

fn search_file(
    path: &Path,
    finder: &Finder,
    mut found: impl FnMut(usize),
) -> Result<(), StoreError> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(StoreError::io("open", path))?,
    };
    let mut piece = Vec::new();
    loop {
        let kept = piece.len().min(finder.overlap());
        piece.drain(..piece.len() - kept);
        let mut next = Read::by_ref(&mut file).take(PIECE_BYTES);
        let read = next.read_to_end(&mut piece);
        if read.map_err(StoreError::io("read", path))? == 0 {
            return Ok(());
        }
        finder.find(&piece, &mut found);
    }
}

/// Every file below a folder. One that goes meanwhile is none.
fn files_below(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other.map_err(StoreError::io("list the folder", &folder))?,
        };
        for entry in entries {
            let entry = entry.map_err(StoreError::io("list the folder", &folder))?;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    Ok(files)
}

/// The name of a body's blob: its key, the halves exchanged.
fn blob(key: &[u8]) -> String {
    let (counted, random) = key.split_at(key.len() / 2);
    hex::encode([random, counted].concat())
}

/// A row's key as a line of text: what parts its names is a space.
fn readable(key: &[u8]) -> String {
    let text = String::from_utf8_lossy(key);
    text.replace(|sign: char| sign.is_control(), " ")
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::store::fixtures::{durable, put, with_photos};

    const NEEDLE: &[u8] = b"the needle";

    fn places(store: &Store) -> Vec<String> {
        let finder = Finder::new(vec![NEEDLE.to_vec()]);
        let places = store.search(&finder).unwrap();
        places.into_iter().map(|(_, place)| place).collect()
    }

    #[tokio::test]
    async fn an_ephemeral_catalogue_is_read_as_it_is_now() {
        let store = with_photos().await;
        let cat = put(&store, "cat", NEEDLE).await.unwrap();
        put(&store, "the needle", b"body").await.unwrap();

        let places = places(&store);

        let said = |start: &str| places.iter().any(|place| place.starts_with(start));
        assert!(
            said(&format!("the catalogue's body of {}", cat.body)),
            "{places:?}"
        );
        assert!(
            said("the catalogue's row `kphotos the needle`"),
            "{places:?}"
        );
    }

    #[tokio::test]
    async fn files_are_read_across_the_borders_of_pieces() {
        let folder = TempDir::new().unwrap();
        let store = durable(folder.path()).unwrap();
        assert_eq!(places(&store), Vec::<String>::new());
        let deep = folder.path().join("staging/deep");
        fs::create_dir(&deep).unwrap();

        let before = usize::try_from(PIECE_BYTES).unwrap() - 5;
        let body = [vec![0; before], NEEDLE.to_vec(), vec![0; 9]].concat();
        fs::write(deep.join("file"), body).unwrap();

        assert_eq!(places(&store), ["the file `staging/deep/file`"]);
    }
}
