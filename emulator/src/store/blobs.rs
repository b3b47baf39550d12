//! Sealed bodies: small ones in the catalogue, larger ones one file each, under random names.
//!
//! A body is written to `staging/` first and published by a rename; whoever drops a writer or an unpublished body removes
//! the file. All of it blocks.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::object::{Blob, BlobId, BlobPlace};
use crate::store::error::StoreError;
use crate::store::folder::Folder;

/// Sealed bodies up to here lie in the catalogue, in bytes: beyond it, its file grows to 2.6 times the payload.
pub(super) const MAX_SMALL_BYTES: usize = 4_096;

/// A body that is being written.
#[derive(Debug)]
pub(crate) struct BlobWriter {
    id: BlobId,
    folder: Arc<Folder>,
    is_durable: bool,
    small: Vec<u8>,
    file: Option<StagedFile>,
    sealed_bytes: u64,
}

/// A body that is written and not yet named by any row.
#[derive(Debug)]
pub(crate) struct StagedBlob {
    pub(super) id: BlobId,
    pub(super) sealed_bytes: u64,
    pub(super) content: StagedContent,
}

#[derive(Debug)]
pub(super) enum StagedContent {
    Small(Vec<u8>),
    File(StagedFile),
}

/// A file in `staging/`, removed when dropped unless it was published.
#[derive(Debug)]
pub(super) struct StagedFile {
    file: File,
    path: PathBuf,
    is_published: bool,
}

/// A stored body, open for reading; it survives its deletion.
#[derive(Debug)]
pub(crate) struct BlobReader(Source);

#[derive(Debug)]
enum Source {
    Small { id: BlobId, sealed: Vec<u8> },
    File { file: File, path: PathBuf },
}

impl BlobWriter {
    pub(super) fn new(id: BlobId, folder: Arc<Folder>, is_durable: bool) -> Self {
        Self {
            id,
            folder,
            is_durable,
            small: Vec::new(),
            file: None,
            sealed_bytes: 0,
        }
    }

    /// The body's name, known before its first byte: its encryption is bound to it.
    pub(crate) fn id(&self) -> BlobId {
        self.id
    }

    /// Appends sealed bytes.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`], a full disk included.
    pub(crate) fn write(&mut self, sealed: &[u8]) -> Result<(), StoreError> {
        self.sealed_bytes += u64::try_from(sealed.len()).map_err(StoreError::catalogue)?;
        if self.file.is_none() && self.small.len() + sealed.len() <= MAX_SMALL_BYTES {
            self.small.extend_from_slice(sealed);
            return Ok(());
        }
        if self.file.is_none() {
            let mut file = StagedFile::create(&self.folder.staging().join(self.id.to_string()))?;
            file.append(&std::mem::take(&mut self.small))?;
            self.file = Some(file);
        }
        self.file
            .as_mut()
            .map_or(Ok(()), |file| file.append(sealed))
    }

    /// Ends the body; on the disk, if the store is durable.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`].
    pub(crate) fn finish(self) -> Result<StagedBlob, StoreError> {
        let content = match self.file {
            None => StagedContent::Small(self.small),
            Some(staged) => {
                if self.is_durable {
                    staged
                        .file
                        .sync_all()
                        .map_err(StoreError::io("sync", &staged.path))?;
                }
                StagedContent::File(staged)
            }
        };
        Ok(StagedBlob {
            id: self.id,
            sealed_bytes: self.sealed_bytes,
            content,
        })
    }
}

impl StagedBlob {
    /// As a row will name it.
    pub(super) fn blob(&self) -> Blob {
        let place = match self.content {
            StagedContent::Small(_) => BlobPlace::Catalogue,
            StagedContent::File(_) => BlobPlace::File,
        };
        Blob {
            id: self.id,
            place,
            sealed_bytes: self.sealed_bytes,
        }
    }

    /// Moves a file to its place among the blobs; to be called before the row that names it commits.
    pub(super) fn publish(&mut self, folder: &Folder, is_durable: bool) -> Result<(), StoreError> {
        let StagedContent::File(staged) = &mut self.content else {
            return Ok(());
        };
        let path = path_of(folder, self.id);
        let parent = path.parent().unwrap_or(&path).to_owned();
        fs::create_dir_all(&parent).map_err(StoreError::io("make the folder", &parent))?;
        fs::rename(&staged.path, &path).map_err(StoreError::io("publish", &staged.path))?;
        staged.is_published = true;
        staged.path = path;
        if is_durable {
            sync_folder(&parent)?;
            sync_folder(&folder.blobs())?;
        }
        Ok(())
    }

    /// Takes a published file back: its row was not written.
    pub(super) fn retract(&mut self) {
        if let StagedContent::File(staged) = &mut self.content {
            staged.is_published = false;
        }
    }
}

impl StagedFile {
    fn create(path: &Path) -> Result<Self, StoreError> {
        let opened = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path);
        let file = opened.map_err(StoreError::io("make", path))?;
        Ok(Self {
            file,
            path: path.to_owned(),
            is_published: false,
        })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file
            .write_all(bytes)
            .map_err(StoreError::io("write", &self.path))
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.is_published {
            remove(&self.path);
        }
    }
}

impl BlobReader {
    pub(super) fn small(id: BlobId, sealed: Vec<u8>) -> Self {
        Self(Source::Small { id, sealed })
    }

    pub(super) fn open(folder: &Folder, id: BlobId) -> io::Result<Self> {
        let path = path_of(folder, id);
        File::open(&path).map(|file| Self(Source::File { file, path }))
    }

    /// Fills `buffer` from `offset` on.
    ///
    /// # Errors
    ///
    /// [`StoreError`] naming the blob, also where it ends too early.
    pub(crate) fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), StoreError> {
        match &self.0 {
            Source::File { file, path } => file
                .read_exact_at(buffer, offset)
                .map_err(StoreError::io("read", path)),
            Source::Small { id, sealed } => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX);
                let piece = sealed
                    .get(start..)
                    .and_then(|rest| rest.get(..buffer.len()));
                let piece = piece.ok_or_else(|| StoreError::Corrupted {
                    path: PathBuf::from(id.to_string()),
                    detail: "the body in the catalogue ends too early".to_owned(),
                })?;
                buffer.copy_from_slice(piece);
                Ok(())
            }
        }
    }
}

/// `blobs/ab/ab…`.
fn path_of(folder: &Folder, id: BlobId) -> PathBuf {
    let name = id.to_string();
    folder.blobs().join(&name[..2]).join(name)
}

/// Removes the file of a blob that no row names any more.
pub(super) fn discard(folder: &Folder, blob: &Blob) {
    if blob.place == BlobPlace::File {
        remove(&path_of(folder, blob.id));
    }
}

fn remove(path: &Path) {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "cannot remove a body that nothing names");
        }
    }
}

fn sync_folder(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|folder| folder.sync_all())
        .map_err(StoreError::io("sync the folder", path))
}

/// Removes what a crash left over: everything in `staging/`, and blobs whose id `is_named` denies.
///
/// # Errors
///
/// [`StoreError::Io`] when a folder cannot be read.
pub(super) fn sweep(folder: &Folder, is_named: impl Fn(&str) -> bool) -> Result<(), StoreError> {
    for path in entries(&folder.staging())? {
        remove(&path);
    }
    for shelf in entries(&folder.blobs())? {
        for path in entries(&shelf)? {
            let named = path
                .file_name()
                .and_then(|name| name.to_str())
                .is_some_and(&is_named);
            if !named {
                remove(&path);
            }
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let listed =
        fs::read_dir(folder).and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    listed.map_err(StoreError::io("read the folder", folder))
}
