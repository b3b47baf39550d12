//! What a crash leaves behind, removed at the start: bodies that were being written, and blobs whose rows were never
//! committed. Files that are not ours stay. A catalogue with a flipped bit may name other blobs than it did: it is read
//! whole before anything is removed on its word.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use crate::model::object::{AnyVersion, Blob, BlobId, BlobPlace, ObjectVersion};
use crate::model::upload::{Part, PlacedPart, Upload};
use crate::model::upload_id::UploadId;
use crate::store::blobs::{BlobFolder, OrphanFile};
use crate::store::catalogue::View;
use crate::store::engine::{Engine, Table, Write};
use crate::store::error::StoreError;
use crate::store::keys;

/// The files of bodies that were being written, and of blobs that no row names.
#[derive(Debug)]
pub(super) struct Leftovers {
    staged: Vec<PathBuf>,
    unnamed: Vec<PathBuf>,
}

/// Finds what is left over.
///
/// # Errors
///
/// `Io`, `Corrupted`.
pub(super) fn leftovers(view: &View, folder: &BlobFolder) -> Result<Leftovers, StoreError> {
    let staged = files_in(folder.staging())?;
    let files = blob_files(folder)?;
    let named = if files.is_empty() {
        HashSet::new()
    } else {
        blobs_in_files(view)?
    };
    let unnamed = files.into_iter().filter(|(_, blob)| !named.contains(blob));
    Ok(Leftovers {
        unnamed: unnamed.map(|(path, _)| path).collect(),
        staged: staged.into_iter().map(|(path, _)| path).collect(),
    })
}

impl Leftovers {
    /// Removes them. Nobody may read the catalogue meanwhile.
    ///
    /// # Errors
    ///
    /// `Corrupted`, for a catalogue that is damaged: the blobs stay; `Io`.
    pub(super) fn remove(self, engine: &dyn Engine) -> Result<(), StoreError> {
        if !self.unnamed.is_empty() {
            engine.check()?;
        }
        let all = self.staged.into_iter().chain(self.unnamed);
        all.map(OrphanFile::new).for_each(drop);
        Ok(())
    }
}

/// The parts of uploads that have ended, whose rows a crash has left: what removes them.
///
/// # Errors
///
/// `Io`, `Corrupted`.
pub(super) fn lost_parts(view: &View) -> Result<Vec<Write>, StoreError> {
    let uploads = uploads_under_way(view)?;
    let mut writes = Vec::new();
    rows_of(view, keys::PARTS, |key, part: Part| {
        if !is_part_of(&uploads, key) {
            let remove = |table, key| Write {
                table,
                key,
                value: None,
            };
            writes.push(remove(Table::Rows, key.to_vec()));
            writes.push(remove(Table::Bodies, keys::body(part.blob.id)));
        }
    })?;
    Ok(writes)
}

/// Every blob file there is.
///
/// # Errors
///
/// `Io`.
pub(super) fn blob_files(folder: &BlobFolder) -> Result<Vec<(PathBuf, BlobId)>, StoreError> {
    let mut files = Vec::new();
    for shard in entries(folder.blobs())? {
        if shard.is_dir() {
            files.extend(files_in(&shard)?);
        }
    }
    Ok(files)
}

/// Every blob that lies in a file and is a version's, or a part's of an upload under way. Parts that a crash has left
/// behind the end of their upload are nobody's.
fn blobs_in_files(view: &View) -> Result<HashSet<BlobId>, StoreError> {
    let mut named = HashSet::new();
    let mut name = |blob: Blob| {
        if blob.place == BlobPlace::File {
            named.insert(blob.id);
        }
    };
    rows_of(view, keys::VERSIONS, |_, version: ObjectVersion| {
        version.body.blob().into_iter().for_each(&mut name);
    })?;
    rows_of(view, keys::HISTORY, |_, version| {
        if let AnyVersion::Object(version) = version {
            version.body.blob().into_iter().for_each(&mut name);
        }
    })?;
    rows_of(view, keys::PLACED, |_, placed: PlacedPart| {
        name(placed.part.blob);
    })?;
    let uploads = uploads_under_way(view)?;
    rows_of(view, keys::PARTS, |key, part: Part| {
        if is_part_of(&uploads, key) {
            name(part.blob);
        }
    })?;
    Ok(named)
}

fn uploads_under_way(view: &View) -> Result<HashSet<UploadId>, StoreError> {
    let mut uploads = HashSet::new();
    rows_of(view, keys::UPLOADS, |_, upload: Upload| {
        uploads.insert(upload.id);
    })?;
    Ok(uploads)
}

/// Whether the row of a part is one of these uploads.
fn is_part_of(uploads: &HashSet<UploadId>, row: &[u8]) -> bool {
    let upload = row[keys::PARTS.len()..].first_chunk();
    upload.is_some_and(|id| uploads.contains(&UploadId(*id)))
}

fn rows_of<T: DeserializeOwned>(
    view: &View,
    prefix: &[u8],
    mut each: impl FnMut(&[u8], T),
) -> Result<(), StoreError> {
    for row in view.scan(prefix)? {
        let (key, stored) = row?;
        if !key.starts_with(prefix) {
            break;
        }
        each(&key, view.parse(&stored.value)?);
    }
    Ok(())
}

/// The files in a folder whose names are those of blobs.
fn files_in(folder: &Path) -> Result<Vec<(PathBuf, BlobId)>, StoreError> {
    let named = |path: PathBuf| Some((blob_named_by(&path)?, path));
    let files = entries(folder)?.into_iter().filter_map(named);
    Ok(files.map(|(blob, path)| (path, blob)).collect())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let listed = fs::read_dir(folder).and_then(|entries| {
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        paths.collect::<Result<Vec<_>, _>>()
    });
    listed.map_err(StoreError::io("list the folder", folder))
}

fn blob_named_by(path: &Path) -> Option<BlobId> {
    let name = path.file_name()?.to_str()?;
    let mut id = [0; 16];
    hex::decode_to_slice(name, &mut id).ok()?;
    Some(BlobId(id)).filter(|blob| blob.to_string() == name)
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use crate::store::error::StoreError;
    use crate::store::fixtures::{LARGE, blob_files, bucket, durable, put, read};

    #[tokio::test]
    async fn what_no_row_names_goes_and_everything_else_stays() {
        let folder = TempDir::new().unwrap();
        let store = durable(folder.path()).unwrap();
        store.create_bucket(bucket("photos")).await.unwrap();
        put(&store, "large", &LARGE).await.unwrap();
        drop(store);
        let named = blob_files(folder.path());
        let shard = named[0].parent().unwrap();
        let lost = "0123456789abcdef0123456789abcdef";
        let foreign = [
            shard.join("notes.txt"),
            folder.path().join("staging/notes.txt"),
        ];
        let leftover = [shard.join(lost), folder.path().join("staging").join(lost)];
        for path in foreign.iter().chain(&leftover) {
            std::fs::write(path, "x").unwrap();
        }

        let store = durable(folder.path()).unwrap();

        assert!(foreign.iter().all(|path| path.exists()));
        assert!(leftover.iter().all(|path| !path.exists()));
        assert_eq!(read(&store, "large").unwrap(), LARGE);
    }

    #[tokio::test]
    async fn no_blob_goes_on_the_word_of_a_damaged_catalogue() {
        let folder = TempDir::new().unwrap();
        let store = durable(folder.path()).unwrap();
        store.create_bucket(bucket("photos")).await.unwrap();
        let version = put(&store, "large", &LARGE).await.unwrap();
        drop(store);
        let before = blob_files(folder.path());
        let file = folder.path().join("strongroom.redb");
        let mut catalogue = std::fs::read(&file).unwrap();
        let name = version.body.to_string();
        let windows = catalogue.windows(name.len()).enumerate();
        let named = windows.filter(|(_, bytes)| *bytes == name.as_bytes());
        let places: Vec<_> = named.map(|(place, _)| place).collect();
        assert!(!places.is_empty());

        // Another digit: the row reads well and names another blob.
        for place in places {
            catalogue[place] = if catalogue[place] == b'0' { b'1' } else { b'0' };
        }
        std::fs::write(&file, &catalogue).unwrap();
        let refused = durable(folder.path());

        assert!(
            matches!(refused, Err(StoreError::Corrupted { .. })),
            "{refused:?}"
        );
        assert_eq!(blob_files(folder.path()), before);
    }
}
