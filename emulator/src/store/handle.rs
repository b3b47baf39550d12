//! The store as the rest of the program holds it. What it does with buckets, versions and listings stands in the
//! files of those names.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::store::blob_names::BlobNames;
use crate::store::blobs::BlobFolder;
use crate::store::catalogue::{Catalogue, Transaction, View};
use crate::store::commits::Committer;
use crate::store::engine::{Engine, Member};
use crate::store::error::StoreError;
use crate::store::folder::{DataFolder, Folder};
use crate::store::pins::Pins;
use crate::store::redb_engine::RedbEngine;
use crate::store::reserve::Reserve;
use crate::store::staging::BlobWriter;
use crate::store::{format, keys, sweep};

const CATALOGUE_FILE: &str = "strongroom.redb";

/// A handle to the store: clones share it. The last one to be dropped lets go of the data folder.
#[derive(Clone, Debug)]
pub(crate) struct Store(Arc<Opened>);

/// What a store is made of.
#[derive(Debug)]
pub(crate) struct StoreOptions {
    /// Where it keeps its data.
    pub(crate) folder: Folder,
    /// Tells when a version is written.
    pub(crate) clock: Clock,
    /// Names blobs and versions.
    pub(crate) entropy: Entropy,
}

#[derive(Debug)]
struct Opened {
    // First: it is closed before the folder is let go.
    catalogue: Catalogue,
    blobs: BlobFolder,
    pins: Pins,
    clock: Clock,
    entropy: Entropy,
    names: BlobNames,
    is_fresh: bool,
    folder: DataFolder,
}

impl Store {
    /// Opens the folder, or makes it, and removes what a crash left behind. Blocks.
    ///
    /// # Errors
    ///
    /// `FolderInUse`, `NewerFormat`, `Corrupted`, `Io`.
    pub(crate) fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let (store, engine) = Self::assemble(options, |engine, file, blobs| {
            format::settle(engine, file, blobs)
        })?;
        let view = store.view()?;
        let leftovers = sweep::leftovers(&view, store.blobs())?;
        let lost = sweep::lost_parts(&view)?;
        drop(view);
        leftovers.remove(&*engine)?;
        Reserve::of(store.path(), store.blobs().keeping()).keep();
        if !lost.is_empty() {
            engine.commit(&[Member::of(lost)])?;
        }
        Ok(store)
    }

    /// The same, only to look: what a crash left behind stays, and so does an older format. Blocks.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub(crate) fn open_to_look(options: StoreOptions) -> Result<Self, StoreError> {
        let (store, _) = Self::assemble(options, |engine, file, _| {
            Ok(format::find(engine, file)?.is_none() || format::is_bare(engine)?)
        })?;
        Ok(store)
    }

    /// Whether a folder is one of ours.
    pub(crate) fn lies_in(folder: &Path) -> bool {
        folder.join(CATALOGUE_FILE).is_file()
    }

    /// `settle` looks at the format, and tells whether the catalogue is new.
    fn assemble(
        options: StoreOptions,
        settle: impl FnOnce(&RedbEngine, &Path, &BlobFolder) -> Result<bool, StoreError>,
    ) -> Result<(Self, Arc<dyn Engine>), StoreError> {
        let folder = DataFolder::open(options.folder)?;
        let blobs = BlobFolder::open(folder.path(), folder.keeping())?;
        let file: Arc<Path> = folder.path().join(CATALOGUE_FILE).into();
        let engine = Arc::new(RedbEngine::open(&file, folder.keeping())?);
        let is_fresh = settle(&engine, &file, &blobs)?;
        folder.sync_names()?;
        let shared: Arc<dyn Engine> = engine;
        let pins = Pins::default();
        let committer = Committer {
            engine: Arc::clone(&shared),
            folder: blobs.clone(),
            pins: pins.clone(),
            reserve: Reserve::of(folder.path(), folder.keeping()),
        };
        let store = Self(Arc::new(Opened {
            catalogue: Catalogue::new(file, committer)?,
            blobs,
            pins,
            clock: options.clock,
            names: BlobNames::new(options.entropy.clone()),
            entropy: options.entropy,
            is_fresh,
            folder,
        }));
        Ok((store, shared))
    }

    /// Whether nothing was ever written: the catalogue was made just now, or by a run that ended before its first row.
    pub(crate) fn is_fresh(&self) -> bool {
        self.0.is_fresh
    }

    /// The data folder.
    pub(crate) fn path(&self) -> &Path {
        self.0.folder.path()
    }

    /// A writer for a body of any size, under a name of its own.
    pub(crate) fn blob_writer(&self) -> BlobWriter {
        BlobWriter::new(self.0.names.give(), self.0.blobs.clone())
    }

    /// What another part of the program keeps under this name.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn meta(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let stored = self.view()?.bytes(&keys::setting(name))?;
        Ok(stored.map(|stored| stored.value))
    }

    /// Keeps something for another part of the program.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) async fn set_meta(&self, name: &str, value: Bytes) -> Result<(), StoreError> {
        let work = |tx: &mut Transaction| {
            tx.put_bytes(keys::setting(name), value.clone());
            Ok(())
        };
        self.catalogue().transact(None, work).await
    }

    pub(super) fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    pub(super) fn view(&self) -> Result<View, StoreError> {
        self.0.catalogue.view()
    }

    pub(super) fn blobs(&self) -> &BlobFolder {
        &self.0.blobs
    }

    pub(super) fn pins(&self) -> &Pins {
        &self.0.pins
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(super) fn entropy(&self) -> &Entropy {
        &self.0.entropy
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::store::fixtures::{LARGE, blob_files, bucket, durable, photos, put, read};

    async fn filled(folder: &Path) -> Store {
        let store = durable(folder).unwrap();
        store.create_bucket(bucket("photos")).await.unwrap();
        put(&store, "small", b"body").await.unwrap();
        put(&store, "large", &LARGE).await.unwrap();
        store
    }

    #[tokio::test]
    async fn what_was_answered_is_there_when_the_folder_is_opened_again() {
        let folder = TempDir::new().unwrap();
        let first = filled(folder.path()).await;
        first.set_meta("check", "value".into()).await.unwrap();
        let was_fresh = first.is_fresh();
        drop(first);

        let second = durable(folder.path()).unwrap();

        assert!(was_fresh && !second.is_fresh());
        assert!(second.bucket(&photos()).is_ok());
        assert_eq!(read(&second, "small").unwrap(), b"body");
        assert_eq!(read(&second, "large").unwrap(), LARGE);
        assert_eq!(
            second.meta("check").unwrap().as_deref(),
            Some(&b"value"[..])
        );
        assert_eq!(second.meta("other").unwrap(), None);
    }

    #[tokio::test]
    async fn a_copy_of_the_folder_under_a_running_store_holds_all_that_was_answered() {
        let (folder, copy) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let running = filled(folder.path()).await;
        let copy_file = |file: &Path| {
            let target = copy.path().join(file.strip_prefix(folder.path()).unwrap());
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(file, target).unwrap();
        };

        copy_file(&folder.path().join(CATALOGUE_FILE));
        let files = blob_files(folder.path());
        for file in &files {
            copy_file(file);
        }
        let crashed = durable(copy.path()).unwrap();

        assert_eq!(read(&crashed, "small").unwrap(), b"body");
        assert_eq!(read(&crashed, "large").unwrap(), LARGE);
        drop(running);
    }

    fn look(folder: &Path) -> Result<Store, StoreError> {
        Store::open_to_look(StoreOptions {
            folder: Folder::Durable(folder.to_owned()),
            clock: Clock::system(),
            entropy: Entropy::system(),
        })
    }

    #[tokio::test]
    async fn a_look_leaves_what_a_crash_has_left() {
        let folder = TempDir::new().unwrap();
        drop(filled(folder.path()).await);
        let left = folder.path().join("staging").join("0".repeat(32));
        fs::write(&left, "x").unwrap();

        let looking = look(folder.path()).unwrap();
        let held = durable(folder.path());
        let read = read(&looking, "large").unwrap();
        drop(looking);

        assert!(matches!(held, Err(StoreError::FolderInUse(_))), "{held:?}");
        assert_eq!(read, LARGE);
        assert!(left.exists());
        drop(durable(folder.path()).unwrap());
        assert!(!left.exists());
    }

    /// Source: `fixtures/data-format-2`, which a program of that format wrote.
    #[test]
    fn a_look_leaves_an_older_format() {
        let written = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../fixtures/data-format-2/data")
            .join(CATALOGUE_FILE);
        let folder = TempDir::new().unwrap();
        fs::copy(written, folder.path().join(CATALOGUE_FILE)).unwrap();

        let looking = look(folder.path()).unwrap();

        let format = looking.view().unwrap().bytes(keys::FORMAT).unwrap();
        assert_eq!(format.unwrap().value, b"2");
    }

    #[tokio::test]
    async fn a_damaged_catalogue_is_named() {
        let folder = TempDir::new().unwrap();
        drop(filled(folder.path()).await);
        let catalogue = folder.path().join(CATALOGUE_FILE);
        let length = fs::metadata(&catalogue).unwrap().len();
        let file = fs::OpenOptions::new().write(true).open(&catalogue).unwrap();
        file.set_len(length / 2).unwrap();

        let refused = durable(folder.path());

        let text = refused.unwrap_err().to_string();
        assert!(text.contains(CATALOGUE_FILE), "{text}");
    }

    #[tokio::test]
    async fn blobs_whose_catalogue_is_lost_are_not_removed() {
        let folder = TempDir::new().unwrap();
        drop(filled(folder.path()).await);
        fs::remove_file(folder.path().join(CATALOGUE_FILE)).unwrap();

        for _ in 0..2 {
            let refused = durable(folder.path());

            assert!(
                matches!(refused, Err(StoreError::Corrupted { .. })),
                "{refused:?}"
            );
        }
        assert_eq!(blob_files(folder.path()).len(), 1);
    }
}
