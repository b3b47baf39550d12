//! The store: opened, swept, and handed out.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::model::object::{BlobId, BlobPlace, ObjectVersion};
use crate::store::blobs::{self, BlobWriter};
use crate::store::catalogue::Catalogue;
use crate::store::error::StoreError;
use crate::store::folder::{Folder, Place};
use crate::store::keys;
use crate::store::redb_engine::RedbEngine;

/// The format of the folder that this program writes.
const FORMAT: u32 = 1;
const FORMAT_ROW: &str = "format";

/// A handle to the store: clones share it. An ephemeral folder goes with the last one.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(super) catalogue: Catalogue,
    pub(super) folder: Arc<Folder>,
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
    pub(super) is_durable: bool,
}

impl Store {
    /// Opens the store of a place, or makes one, and sweeps what a crash left over.
    ///
    /// # Errors
    ///
    /// [`StoreError::FolderInUse`], [`StoreError::NewerFormat`], [`StoreError::Corrupted`], [`StoreError::Io`].
    pub(crate) async fn open(
        place: &Place,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Self, StoreError> {
        let folder = Arc::new(Folder::open(place)?);
        let is_durable = matches!(place, Place::Durable(_));
        let engine = Arc::new(RedbEngine::open(
            &folder.catalogue(),
            is_durable,
            u64::from_be_bytes(entropy.bytes()),
        )?);
        let catalogue = Catalogue::new(engine, is_durable)?;
        let format: Option<u32> = catalogue.read()?.get(&keys::meta(FORMAT_ROW))?;
        if let Some(found) = format.filter(|&found| found > FORMAT) {
            return Err(StoreError::NewerFormat {
                found,
                known: FORMAT,
            });
        }
        let store = Self {
            catalogue,
            folder,
            clock,
            entropy,
            is_durable,
        };
        if format.is_none() {
            store.set_meta(FORMAT_ROW, &FORMAT).await?;
        } else {
            store.sweep()?;
        }
        Ok(store)
    }

    /// Its folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A value that the catalogue keeps about itself.
    ///
    /// # Errors
    ///
    /// [`StoreError::Catalogue`].
    pub(crate) fn meta<T: serde::de::DeserializeOwned>(
        &self,
        name: &str,
    ) -> Result<Option<T>, StoreError> {
        self.catalogue.read()?.get(&keys::meta(name))
    }

    /// Keeps such a value.
    ///
    /// # Errors
    ///
    /// [`StoreError::Catalogue`].
    pub(crate) async fn set_meta<T: serde::Serialize>(
        &self,
        name: &str,
        value: &T,
    ) -> Result<(), StoreError> {
        self.catalogue
            .transact(|transaction| transaction.put(keys::meta(name), value))
            .await
    }

    /// A new body.
    pub(crate) fn blob_writer(&self) -> BlobWriter {
        BlobWriter::new(
            BlobId(self.entropy.bytes()),
            Arc::clone(&self.folder),
            self.is_durable,
        )
    }

    fn sweep(&self) -> Result<(), StoreError> {
        let mut named = BTreeSet::new();
        self.catalogue
            .read()?
            .scan(keys::OBJECTS, keys::OBJECTS, |version: ObjectVersion| {
                if version.blob.place == BlobPlace::File {
                    named.insert(version.blob.id.to_string());
                }
                Ok(ControlFlow::Continue(()))
            })?;
        blobs::sweep(&self.folder, |id| named.contains(id))
    }
}
