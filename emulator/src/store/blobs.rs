//! The files of sealed bodies: `blobs/ab/ab12…`, named at random, so that an object's key never becomes a path.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk;
use crate::model::object::BlobId;
use crate::store::catalogue_file::Keeping;
use crate::store::error::StoreError;
use crate::store::folder::make_folder;

/// Where blobs lie, and where they wait for their rows.
#[derive(Clone, Debug)]
pub(super) struct BlobFolder {
    blobs: Arc<Path>,
    staging: Arc<Path>,
    keeping: Keeping,
}

/// A file that no row names: gone when this is dropped, unless a row came to name it.
#[derive(Debug)]
pub(super) struct OrphanFile(Option<PathBuf>);

impl BlobFolder {
    /// Makes both folders where they are missing. A run that was killed may have left folders of blobs whose names are
    /// not on the disk.
    ///
    /// # Errors
    ///
    /// `Io`.
    pub(super) fn open(data: &Path, keeping: Keeping) -> Result<Self, StoreError> {
        let folder = Self {
            blobs: data.join("blobs").into(),
            staging: data.join("staging").into(),
            keeping,
        };
        make_folder(&folder.blobs)?;
        make_folder(&folder.staging)?;
        folder.sync_folder(&folder.blobs)?;
        Ok(folder)
    }

    /// Whether blobs outlive the process.
    pub(super) fn keeping(&self) -> Keeping {
        self.keeping
    }

    /// The folder of the folders of blobs.
    pub(super) fn blobs(&self) -> &Path {
        &self.blobs
    }

    /// Where bodies are written.
    pub(super) fn staging(&self) -> &Path {
        &self.staging
    }

    /// Where a body is written.
    pub(super) fn staging_path(&self, blob: BlobId) -> PathBuf {
        self.staging.join(blob.to_string())
    }

    /// Where a blob lies.
    pub(super) fn path(&self, blob: BlobId) -> PathBuf {
        let name = blob.to_string();
        self.blobs.join(&name[..2]).join(name)
    }

    /// Moves a body from where it was written to where it is read; one that is there stays there.
    ///
    /// # Errors
    ///
    /// `Io`.
    pub(super) fn publish(&self, orphan: &mut OrphanFile, blob: BlobId) -> Result<(), StoreError> {
        let target = self.path(blob);
        let Some(source) = orphan.0.as_ref().filter(|source| **source != target) else {
            return Ok(());
        };
        self.rename(source, &target)?;
        orphan.0 = Some(target);
        Ok(())
    }

    fn rename(&self, source: &Path, target: &Path) -> Result<(), StoreError> {
        let renamed = match fs::rename(source, target) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.make_parent(target)?;
                fs::rename(source, target)
            }
            other => other,
        };
        renamed.map_err(StoreError::io("move a blob to", target))
    }

    fn make_parent(&self, target: &Path) -> Result<(), StoreError> {
        target.parent().map_or(Ok(()), make_folder)?;
        self.sync_folder(&self.blobs)
    }

    /// Makes sure that names in this folder survive a power cut, where that matters.
    ///
    /// # Errors
    ///
    /// `Io`.
    pub(super) fn sync_folder(&self, path: &Path) -> Result<(), StoreError> {
        match self.keeping {
            Keeping::Ephemeral => Ok(()),
            Keeping::Durable => {
                disk::sync_folder(path).map_err(StoreError::io("sync the folder", path))
            }
        }
    }
}

impl OrphanFile {
    /// Takes charge of a file.
    pub(super) fn new(path: PathBuf) -> Self {
        Self(Some(path))
    }

    /// A row names the file now: it stays.
    pub(super) fn adopt(mut self) {
        self.0 = None;
    }

    /// The folder in which it lies.
    pub(super) fn parent(&self) -> Option<&Path> {
        self.0.as_deref().and_then(Path::parent)
    }
}

impl Drop for OrphanFile {
    fn drop(&mut self) {
        let Some(path) = &self.0 else { return };
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!("cannot remove `{}`: {error}", path.display());
            }
            _ => {}
        }
    }
}
