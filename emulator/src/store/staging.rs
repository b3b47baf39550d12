//! A body on its way in: written into memory, or from a certain size on into a file, and gone again unless a row
//! comes to name it.
//!
//! These types block: large bodies are written inside `spawn_blocking`.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use bytes::Bytes;

use crate::model::object::{Blob, BlobId, BlobPlace};
use crate::store::blobs::{BlobFolder, OrphanFile};
use crate::store::catalogue_file::Keeping;
use crate::store::error::StoreError;

/// The largest sealed body that lies in the catalogue, in bytes.
pub(crate) const MAX_CATALOGUE_BYTES: usize = 4 * 1024;

/// Takes a sealed body, piece by piece. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct BlobWriter {
    id: BlobId,
    folder: BlobFolder,
    sink: Sink,
    sealed_bytes: u64,
}

/// A sealed body that is whole and has no row yet. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct StagedBlob {
    blob: Blob,
    content: StagedContent,
}

#[derive(Debug)]
enum Sink {
    Memory(Vec<u8>),
    File(StagingFile),
}

#[derive(Debug)]
struct StagingFile {
    file: File,
    path: PathBuf,
    orphan: OrphanFile,
}

#[derive(Debug)]
enum StagedContent {
    Memory(Bytes),
    File(OrphanFile),
}

impl BlobWriter {
    pub(super) fn new(id: BlobId, folder: BlobFolder) -> Self {
        Self {
            id,
            folder,
            sink: Sink::Memory(Vec::new()),
            sealed_bytes: 0,
        }
    }

    /// The name of the blob, known before its first byte: it is the associated data of the encryption.
    pub(crate) fn id(&self) -> BlobId {
        self.id
    }

    /// Appends sealed bytes.
    ///
    /// # Errors
    ///
    /// `Io`: the writer is of no use then but to be dropped.
    pub(crate) fn write(&mut self, sealed: &[u8]) -> Result<(), StoreError> {
        if let Sink::Memory(written) = &mut self.sink
            && written.len() + sealed.len() > MAX_CATALOGUE_BYTES
        {
            let written = std::mem::take(written);
            let mut file = StagingFile::create(&self.folder, self.id)?;
            file.write(&written)?;
            self.sink = Sink::File(file);
        }
        match &mut self.sink {
            Sink::Memory(written) => written.extend_from_slice(sealed),
            Sink::File(file) => file.write(sealed)?,
        }
        self.sealed_bytes += u64::try_from(sealed.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// Ends the body; a durable file is on the disk then, but for its name.
    ///
    /// # Errors
    ///
    /// `Io`.
    pub(crate) fn finish(self) -> Result<StagedBlob, StoreError> {
        let (place, content) = match self.sink {
            Sink::Memory(written) => (
                BlobPlace::Catalogue,
                StagedContent::Memory(Bytes::from(written)),
            ),
            Sink::File(file) => (
                BlobPlace::File,
                StagedContent::File(file.finish(self.folder.keeping())?),
            ),
        };
        let blob = Blob {
            id: self.id,
            place,
            sealed_bytes: self.sealed_bytes,
        };
        Ok(StagedBlob { blob, content })
    }
}

impl StagedBlob {
    /// What its row will say.
    pub(crate) fn blob(&self) -> Blob {
        self.blob
    }

    /// The sealed bytes, where they go to the catalogue.
    pub(super) fn body(&self) -> Option<Bytes> {
        match &self.content {
            StagedContent::Memory(body) => Some(body.clone()),
            StagedContent::File(_) => None,
        }
    }

    /// Moves a file to where its row will look for it.
    ///
    /// # Errors
    ///
    /// `Io`.
    pub(super) fn publish(&mut self, folder: &BlobFolder) -> Result<(), StoreError> {
        match &mut self.content {
            StagedContent::Memory(_) => Ok(()),
            StagedContent::File(orphan) => folder.publish(orphan, self.blob.id),
        }
    }

    /// The folder in which its file lies, where there is a file.
    pub(super) fn file_folder(&self) -> Option<PathBuf> {
        match &self.content {
            StagedContent::Memory(_) => None,
            StagedContent::File(orphan) => orphan.parent().map(PathBuf::from),
        }
    }

    /// A row names it now, or may do so: it stays.
    pub(super) fn adopt(self) {
        if let StagedContent::File(orphan) = self.content {
            orphan.adopt();
        }
    }
}

impl StagingFile {
    fn create(folder: &BlobFolder, id: BlobId) -> Result<Self, StoreError> {
        let path = folder.staging_path(id);
        let file = File::create_new(&path).map_err(StoreError::io("create", &path))?;
        Ok(Self {
            file,
            orphan: OrphanFile::new(path.clone()),
            path,
        })
    }

    fn write(&mut self, sealed: &[u8]) -> Result<(), StoreError> {
        self.file
            .write_all(sealed)
            .map_err(StoreError::io("write", &self.path))
    }

    fn finish(self, keeping: Keeping) -> Result<OrphanFile, StoreError> {
        if keeping == Keeping::Durable {
            self.file
                .sync_data()
                .map_err(StoreError::io("sync", &self.path))?;
        }
        Ok(self.orphan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixtures::{LARGE, blob_files, ephemeral, stage};

    #[test]
    fn only_a_body_too_large_for_the_catalogue_gets_a_file() {
        let store = ephemeral();

        let small = stage(&store, &[0; MAX_CATALOGUE_BYTES]);
        let large = stage(&store, &[0; MAX_CATALOGUE_BYTES + 1]);

        assert_eq!(small.blob().place, BlobPlace::Catalogue);
        assert_eq!(large.blob().place, BlobPlace::File);
        assert_eq!(large.blob().sealed_bytes, 4_097);
        assert_eq!(blob_files(store.path()).len(), 1);
    }

    #[test]
    fn a_body_that_is_given_up_leaves_nothing() {
        let store = ephemeral();
        let mut writer = store.blob_writer();
        writer.write(&LARGE).unwrap();
        let staged = stage(&store, &LARGE);
        assert_eq!(blob_files(store.path()).len(), 2);

        drop(writer);
        drop(staged);

        assert_eq!(blob_files(store.path()).len(), 0);
    }

    #[test]
    fn a_body_that_cannot_be_written_says_what_was_tried() {
        let store = ephemeral();
        std::fs::remove_dir(store.path().join("staging")).unwrap();

        let refused = store.blob_writer().write(&LARGE);

        let text = refused.unwrap_err().to_string();
        assert!(text.starts_with("cannot create `"), "{text}");
    }
}
