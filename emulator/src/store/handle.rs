//! The store as the rest of the program holds it. What it does with buckets, versions and listings stands in the
//! files of those names.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::store::blob_names::BlobNames;
use crate::store::blobs::BlobFolder;
use crate::store::catalogue::{Catalogue, Transaction, View, Writing};
use crate::store::catalogue_file::Keeping;
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
pub(crate) struct Store {
    opened: Arc<Opened>,
    /// How often everything had been replaced when this handle was made; `None` where it may write at any time.
    epoch: Option<u64>,
}

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
    /// How often everything was replaced.
    epoch: Arc<AtomicU64>,
    folder: DataFolder,
}

/// What a store stands on.
struct Base {
    folder: DataFolder,
    blobs: BlobFolder,
    file: Arc<Path>,
    engine: Arc<dyn Engine>,
    is_fresh: bool,
}

impl Store {
    /// Opens the folder, or makes it, and removes what a crash left behind; that of a newer program stays as it is. Blocks.
    ///
    /// # Errors
    ///
    /// `FolderInUse`, `NewerFormat`, `Corrupted`, `Io`.
    pub(crate) fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let folder = DataFolder::open(options.folder)?;
        let file = catalogue_of(&folder);
        if folder.keeping() == Keeping::Durable {
            let_newer_be(&file)?;
        }
        let blobs = BlobFolder::open(folder.path(), folder.keeping())?;
        let engine = Arc::new(RedbEngine::open(&file, folder.keeping())?);
        let is_fresh = format::settle(&*engine, &file, &blobs)?;
        folder.sync_names()?;
        let base = Base {
            is_fresh,
            folder,
            blobs,
            file,
            engine: Arc::clone(&engine) as Arc<dyn Engine>,
        };
        let store = Self::assemble(base, (options.clock, options.entropy))?;
        let view = store.view()?;
        let leftovers = sweep::leftovers(&view, store.blobs())?;
        let lost = sweep::lost_parts(&view)?;
        drop(view);
        leftovers.remove(&*engine)?;
        if !lost.is_empty() {
            engine.commit(&[Member::of(lost)])?;
        }
        // Last: on a nearly full disk the commit needs the room.
        Reserve::of(store.path(), store.blobs().keeping()).keep();
        Ok(store)
    }

    /// Opens a folder only to look: no byte of it changes, whatever a crash left behind and however old it is. Blocks.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub(crate) fn open_to_look(
        folder: &Path,
        clock: Clock,
        entropy: Entropy,
    ) -> Result<Self, StoreError> {
        let folder = DataFolder::look(folder)?;
        let file = catalogue_of(&folder);
        let engine = RedbEngine::open_to_look(&file)?;
        let blobs = BlobFolder::of(folder.path(), folder.keeping());
        let base = Base {
            is_fresh: format::look(&engine, &file, &blobs)?,
            folder,
            blobs,
            file,
            engine: Arc::new(engine),
        };
        Self::assemble(base, (clock, entropy))
    }

    /// Reads the whole catalogue, whether each of its pages is what was written.
    ///
    /// # Errors
    ///
    /// `Corrupted`, `Io`.
    pub(crate) fn check_pages(&self) -> Result<(), StoreError> {
        RedbEngine::check_pages(&catalogue_of(&self.opened.folder))
    }

    /// Whether a folder is one of ours.
    pub(crate) fn lies_in(folder: &Path) -> bool {
        folder.join(CATALOGUE_FILE).is_file()
    }

    fn assemble(base: Base, (clock, entropy): (Clock, Entropy)) -> Result<Self, StoreError> {
        let pins = Pins::default();
        let epoch = Arc::<AtomicU64>::default();
        let committer = Committer {
            engine: base.engine,
            folder: base.blobs.clone(),
            pins: pins.clone(),
            epoch: Arc::clone(&epoch),
            reserve: Reserve::of(base.folder.path(), base.folder.keeping()),
        };
        let opened = Opened {
            catalogue: Catalogue::new(base.file, committer)?,
            blobs: base.blobs,
            pins,
            clock,
            names: BlobNames::new(entropy.clone()),
            entropy,
            is_fresh: base.is_fresh,
            epoch,
            folder: base.folder,
        };
        Ok(Self {
            opened: Arc::new(opened),
            epoch: None,
        })
    }

    /// A handle that writes into the state of this moment: not any more once everything was replaced.
    #[must_use]
    pub(crate) fn as_of_now(&self) -> Self {
        Self {
            opened: Arc::clone(&self.opened),
            epoch: Some(self.opened.epoch.load(Ordering::Acquire)),
        }
    }

    /// Which state this handle writes into, of all that one replaced the other; `None` where it may write at any time.
    pub(crate) fn epoch(&self) -> Option<u64> {
        self.epoch
    }

    /// Does something that may block, while nobody commits: it is told all that is committed.
    pub(super) async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&View, &Committer) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.opened.catalogue.alone(work).await
    }

    /// Whether nothing was ever written: the catalogue was made just now, or by a run that ended before its first row.
    pub(crate) fn is_fresh(&self) -> bool {
        self.opened.is_fresh
    }

    /// The data folder.
    pub(crate) fn path(&self) -> &Path {
        self.opened.folder.path()
    }

    /// A writer for a body of any size, under a name of its own.
    pub(crate) fn blob_writer(&self) -> BlobWriter {
        BlobWriter::new(self.opened.names.give(), self.opened.blobs.clone())
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

    pub(super) fn catalogue(&self) -> Writing<'_> {
        Writing {
            catalogue: &self.opened.catalogue,
            epoch: self.epoch,
        }
    }

    pub(super) fn view(&self) -> Result<View, StoreError> {
        self.opened.catalogue.view()
    }

    pub(super) fn blobs(&self) -> &BlobFolder {
        &self.opened.blobs
    }

    pub(super) fn pins(&self) -> &Pins {
        &self.opened.pins
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.opened.clock
    }

    pub(super) fn entropy(&self) -> &Entropy {
        &self.opened.entropy
    }
}

fn catalogue_of(folder: &DataFolder) -> Arc<Path> {
    folder.path().join(CATALOGUE_FILE).into()
}

/// Looks at the format of a catalogue before anything of the folder is touched: redb writes as soon as it opens a file.
/// What a crash has left it repairs twice then, here in memory.
///
/// # Errors
///
/// `NewerFormat`, `Corrupted`, `Io`.
fn let_newer_be(file: &Path) -> Result<(), StoreError> {
    // An empty one is made anew.
    if !fs::metadata(file).is_ok_and(|found| found.len() > 0) {
        return Ok(());
    }
    format::find(&RedbEngine::open_to_look(file)?, file).map(drop)
}

#[cfg(test)]
mod tests {
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
        Store::open_to_look(folder, Clock::system(), Entropy::system())
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
    async fn the_folder_of_a_newer_program_stays_as_it_is_also_after_a_crash() {
        let folder = TempDir::new().unwrap();
        drop(filled(folder.path()).await);
        let catalogue = folder.path().join(CATALOGUE_FILE);
        let newer = RedbEngine::open(&catalogue, Keeping::Durable).unwrap();
        newer
            .commit(&[format::mark_as(format::FORMAT + 1)])
            .unwrap();
        let crashed = fs::read(&catalogue).unwrap();
        drop(newer);
        fs::remove_dir(folder.path().join("staging")).unwrap();

        for bytes in [fs::read(&catalogue).unwrap(), crashed] {
            fs::write(&catalogue, &bytes).unwrap();
            let refused = durable(folder.path());

            assert!(
                matches!(refused, Err(StoreError::NewerFormat { .. })),
                "{refused:?}"
            );
            assert!(fs::read(&catalogue).unwrap() == bytes);
            assert!(!folder.path().join("staging").exists());
        }
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
