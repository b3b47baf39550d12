//! The embedded engine: redb, in one file.
//!
//! A revision is the run of the program and which write of that run it was. A run's number is committed when it begins,
//! so that no revision is ever given twice, and no commit has to keep a counter.

use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::{fmt, io};

use redb::backends::FileBackend;
use redb::{
    Database, Durability, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable,
    TableDefinition,
};

use crate::disk;
use crate::store::catalogue_file::{CatalogueFile, Keeping};
use crate::store::engine::{Engine, Member, Revision, Scan, Snapshot, Stored, Table, Verdict};
use crate::store::error::StoreError;
use crate::store::redb_guard::guarded;
use crate::store::redb_tables::{BODIES, ROWS, Tables, unpack};

const RUNS: TableDefinition<'static, (), u64> = TableDefinition::new("runs");

/// redb's default is 1 GiB. Beyond this little the system's own cache serves as well, and memory stays bounded: with
/// 16 MiB, 10,000 objects of 1 KiB added 18 MiB, now 5, at the same speed.
const CACHE_BYTES: usize = 4 * 1024 * 1024;
/// Commits that are not written out keep their pages in memory: after so many, one is.
const COMMITS_IN_MEMORY: u32 = 1_000;

/// What opens the catalogue's file, at the start and after a failure.
type OpenFile = Box<dyn Fn() -> io::Result<CatalogueFile> + Send + Sync>;
type Walk = redb::Range<'static, &'static [u8], &'static [u8]>;

/// A catalogue in a file.
pub(super) struct RedbEngine {
    path: Arc<Path>,
    keeping: Keeping,
    open_file: OpenFile,
    /// `None` when it could not be opened again, which the next caller tries.
    opened: RwLock<Option<OpenedFile>>,
    run: u64,
    writes: AtomicU64,
    commits_in_memory: AtomicU32,
}

#[derive(Debug)]
struct OpenedFile {
    file: CatalogueFile,
    database: Database,
    has_failed: Failure,
}

/// Whether the system has refused to read or write, after which redb answers nothing any more. What was answered is on the
/// disk: a durable catalogue is opened again then.
#[derive(Clone, Debug, Default)]
struct Failure(Arc<AtomicBool>);

#[derive(Debug)]
struct RedbSnapshot {
    path: Arc<Path>,
    transaction: ReadTransaction,
    rows: ReadOnlyTable<&'static [u8], &'static [u8]>,
    failure: Failure,
}

impl RedbEngine {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn open(path: &Path, keeping: Keeping) -> Result<Self, StoreError> {
        if keeping == Keeping::Durable {
            guarded(path, "make", || make_whole(path))?;
        }
        let file = path.to_owned();
        let open_file = move || open_plain(&file, keeping);
        Self::over(path, keeping, Box::new(open_file))
    }

    fn over(path: &Path, keeping: Keeping, open_file: OpenFile) -> Result<Self, StoreError> {
        let opened = guarded(path, "open", || OpenedFile::open(&open_file))?;
        let run = guarded(path, "write to", || begin_run(&opened))?;
        Ok(Self {
            path: path.into(),
            keeping,
            open_file,
            opened: RwLock::new(Some(opened)),
            run,
            writes: AtomicU64::new(0),
            commits_in_memory: AtomicU32::new(0),
        })
    }

    fn with<T>(
        &self,
        tried: &'static str,
        work: impl FnOnce(&OpenedFile) -> Result<T, redb::Error>,
    ) -> Result<T, StoreError> {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = opened.as_ref().filter(|opened| self.is_usable(opened)) {
            return guarded(&self.path, tried, || work(opened));
        }
        drop(opened);
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        let again = match opened.take() {
            Some(again) if self.is_usable(&again) => again,
            failed => self.open_again(failed)?,
        };
        guarded(&self.path, tried, || work(opened.insert(again)))
    }

    /// An ephemeral catalogue is used whatever happens: opened again, it would be that of its last sync.
    fn is_usable(&self, opened: &OpenedFile) -> bool {
        self.keeping == Keeping::Ephemeral || !opened.has_failed.is_told()
    }

    fn open_again(&self, failed: Option<OpenedFile>) -> Result<OpenedFile, StoreError> {
        let close = || {
            drop(failed);
            Ok(())
        };
        if let Err(error) = guarded(&self.path, "close", close) {
            tracing::warn!("{error}");
        }
        guarded(&self.path, "open", || OpenedFile::open(&self.open_file))
    }

    fn try_commit(
        &self,
        opened: &OpenedFile,
        batch: &[Member],
    ) -> Result<Vec<Verdict>, redb::Error> {
        opened.file.settle()?;
        let mut transaction = opened.database.begin_write()?;
        transaction.set_durability(self.durability())?;
        let verdicts = {
            let mut tables = Tables::open(&transaction)?;
            let apply = |member| tables.apply(member, || self.next_revision());
            batch.iter().map(apply).collect::<Result<_, _>>()?
        };
        transaction.commit()?;
        Ok(verdicts)
    }

    fn durability(&self) -> Durability {
        let commits = self.commits_in_memory.fetch_add(1, Ordering::Relaxed) + 1;
        if self.keeping == Keeping::Ephemeral && !commits.is_multiple_of(COMMITS_IN_MEMORY) {
            Durability::None
        } else {
            Durability::Immediate
        }
    }

    fn next_revision(&self) -> Revision {
        let write = self.writes.fetch_add(1, Ordering::Relaxed);
        Revision((u128::from(self.run) << u64::BITS) | u128::from(write))
    }

    /// What a failure has left in memory is not used again.
    fn tell_failed(&self) {
        let opened = self.opened.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = opened.as_ref() {
            opened.has_failed.tell();
        }
    }
}

impl Engine for RedbEngine {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        self.with("read", |opened| {
            let transaction = opened.database.begin_read()?;
            Ok(Box::new(RedbSnapshot {
                path: Arc::clone(&self.path),
                rows: transaction.open_table(ROWS)?,
                transaction,
                failure: opened.has_failed.clone(),
            }) as Box<dyn Snapshot>)
        })
        .inspect_err(|error| {
            if matches!(error, StoreError::Io { .. }) {
                self.tell_failed();
            }
        })
    }

    fn commit(&self, batch: &[Member]) -> Result<Vec<Verdict>, StoreError> {
        self.with("write to", |opened| self.try_commit(opened, batch))
            .inspect_err(|_| self.tell_failed())
    }

    fn check(&self) -> Result<(), StoreError> {
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        let Some(opened) = opened.as_mut() else {
            return Ok(());
        };
        let is_whole = guarded(&self.path, "check", || {
            Ok(opened.database.check_integrity()?)
        })?;
        if is_whole {
            return Ok(());
        }
        Err(StoreError::Corrupted {
            file: self.path.to_path_buf(),
            finding: "pages of it are not what was written".to_owned(),
        })
    }
}

impl Snapshot for RedbSnapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Stored>, StoreError> {
        let value = guarded(&self.path, "read", || {
            let value = match table {
                Table::Rows => self.rows.get(key)?,
                Table::Bodies => self.transaction.open_table(BODIES)?.get(key)?,
            };
            value.map(|value| unpack(value.value())).transpose()
        });
        value.inspect_err(|error| self.failure.note(error))
    }

    fn bodies(&self) -> Result<Scan, StoreError> {
        let range = guarded(&self.path, "read", || {
            let bodies = self.transaction.open_table(BODIES)?;
            Ok(bodies.range::<&[u8]>(..)?)
        });
        self.walk(range)
    }

    fn scan(&self, from: &[u8]) -> Result<Scan, StoreError> {
        let range = guarded(&self.path, "read", || Ok(self.rows.range(from..)?));
        self.walk(range)
    }
}

impl RedbSnapshot {
    /// The rows of a range, in order.
    fn walk(&self, range: Result<Walk, StoreError>) -> Result<Scan, StoreError> {
        let mut range = range.inspect_err(|error| self.failure.note(error))?;
        let (path, failure) = (Arc::clone(&self.path), self.failure.clone());
        let next = move || {
            let row = guarded(&path, "read", || {
                let row = range.next().transpose()?;
                row.map(|(key, value)| Ok((key.value().to_vec(), unpack(value.value())?)))
                    .transpose()
            });
            row.inspect_err(|error| failure.note(error)).transpose()
        };
        Ok(Box::new(std::iter::from_fn(next)))
    }
}

impl Failure {
    fn tell(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_told(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Damage stays what it is, however often the file is opened.
    fn note(&self, error: &StoreError) {
        if matches!(error, StoreError::Io { .. }) {
            self.tell();
        }
    }
}

impl OpenedFile {
    fn open(open_file: &OpenFile) -> Result<Self, redb::Error> {
        let file = open_file()?;
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(file.clone())?;
        file.end_opening();
        Ok(Self {
            file,
            database,
            has_failed: Failure::default(),
        })
    }
}

/// Makes a catalogue where there is none, under another name first: a crash in the middle leaves a file that redb does
/// not take for one.
fn make_whole(path: &Path) -> Result<(), redb::Error> {
    let length = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
        found => found?.len(),
    };
    if length > 0 {
        return Ok(());
    }
    let unfinished = path.with_added_extension("new");
    disk::remove_left(&unfinished)?;
    let file = unfinished.clone();
    let open_file: OpenFile = Box::new(move || open_plain(&file, Keeping::Durable));
    let opened = OpenedFile::open(&open_file)?;
    opened.file.settle()?;
    drop(opened);
    File::open(&unfinished)?.sync_all()?;
    Ok(disk::rename(&unfinished, path)?)
}

fn open_plain(path: &Path, keeping: Keeping) -> io::Result<CatalogueFile> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    let file = FileBackend::new(file).map_err(io::Error::other)?;
    Ok(CatalogueFile::new(Box::new(file), keeping))
}

/// Makes the tables where there are none, and takes the number of this run.
fn begin_run(opened: &OpenedFile) -> Result<u64, redb::Error> {
    opened.file.settle()?;
    let transaction = opened.database.begin_write()?;
    let run = {
        Tables::open(&transaction)?;
        let mut runs = transaction.open_table(RUNS)?;
        let last = runs.get(())?.map_or(0, |run| run.value());
        runs.insert((), last + 1)?;
        last + 1
    };
    transaction.commit()?;
    Ok(run)
}

impl fmt::Debug for RedbEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbEngine")
            .field("path", &self.path)
            .field("keeping", &self.keeping)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tempfile::TempDir;

    use super::*;
    use crate::store::engine::{Precondition, Write};
    use crate::store::test_disk::TestDisk;

    fn on(disk: &TestDisk, keeping: Keeping) -> RedbEngine {
        let disk = disk.clone();
        let open_file = move || Ok(CatalogueFile::new(Box::new(disk.clone()), keeping));
        RedbEngine::over(Path::new("catalogue"), keeping, Box::new(open_file)).unwrap()
    }

    fn ephemeral() -> RedbEngine {
        on(&TestDisk::default(), Keeping::Ephemeral)
    }

    fn put(key: &str, value: &str) -> Member {
        Member {
            preconditions: Vec::new(),
            writes: vec![Write {
                table: Table::Rows,
                key: key.into(),
                value: Some(Bytes::copy_from_slice(value.as_bytes())),
            }],
        }
    }

    fn provided(precondition: Precondition, mut member: Member) -> Member {
        member.preconditions.push(precondition);
        member
    }

    fn unchanged(engine: &RedbEngine, key: &str) -> Precondition {
        let stored = engine.snapshot().unwrap().get(Table::Rows, key.as_bytes());
        Precondition::Unchanged {
            key: key.into(),
            revision: stored.unwrap().map(|stored| stored.revision),
        }
    }

    fn value(engine: &RedbEngine, key: &str) -> Option<String> {
        let stored = engine.snapshot().unwrap().get(Table::Rows, key.as_bytes());
        let stored = stored.unwrap();
        stored.map(|stored| String::from_utf8(stored.value).unwrap())
    }

    #[test]
    fn of_two_members_that_read_the_same_row_the_second_changes_nothing() {
        let engine = ephemeral();
        let absent = unchanged(&engine, "a");
        let mut second = provided(absent.clone(), put("a", "two"));
        second.writes.extend(put("b", "two").writes);

        let verdicts = engine.commit(&[provided(absent, put("a", "one")), second]);

        assert_eq!(verdicts.unwrap(), [Verdict::Committed, Verdict::Conflict]);
        assert_eq!(value(&engine, "a").as_deref(), Some("one"));
        assert_eq!(value(&engine, "b"), None);
    }

    #[test]
    fn the_same_value_written_again_is_a_change() {
        let engine = ephemeral();
        engine.commit(&[put("a", "one")]).unwrap();
        let read = unchanged(&engine, "a");
        engine.commit(&[put("a", "one")]).unwrap();

        let verdicts = engine.commit(&[provided(read, put("a", "two"))]);

        assert_eq!(verdicts.unwrap(), [Verdict::Conflict]);
    }

    #[test]
    fn a_range_that_was_filled_is_no_longer_empty() {
        let engine = ephemeral();
        let empty = |from: &str, until: &str| Precondition::Empty {
            from: from.into(),
            until: until.into(),
        };

        let verdicts = engine.commit(&[
            provided(empty("ab", "ac"), put("ab1", "")),
            provided(empty("ab", "ac"), put("x", "")),
            provided(empty("ab0", "ab1"), put("y", "")),
        ]);

        let expected = [Verdict::Committed, Verdict::Conflict, Verdict::Committed];
        assert_eq!(verdicts.unwrap(), expected);
    }

    #[test]
    fn a_scan_begins_at_its_key_and_sees_no_later_commit() {
        let engine = ephemeral();
        engine
            .commit(&[put("c", ""), put("a", ""), put("b", "")])
            .unwrap();
        let snapshot = engine.snapshot().unwrap();
        engine.commit(&[put("b1", "")]).unwrap();

        let rows = snapshot.scan(b"b").unwrap();

        let keys: Vec<_> = rows.map(|row| row.unwrap().0).collect();
        assert_eq!(keys, [b"b", b"c"]);
    }

    #[test]
    fn no_revision_is_given_again_in_another_run() {
        let disk = TestDisk::default();
        let first = on(&disk, Keeping::Durable);
        first.commit(&[put("a", "one")]).unwrap();
        let read = unchanged(&first, "a");
        drop(first);

        let second = on(&disk, Keeping::Durable);
        second.commit(&[put("a", "two")]).unwrap();
        let verdicts = second.commit(&[provided(read, put("a", "three"))]);

        assert_eq!(verdicts.unwrap(), [Verdict::Conflict]);
    }

    #[test]
    fn a_full_disk_costs_an_ephemeral_catalogue_no_commit() {
        let disk = TestDisk::default();
        let engine = on(&disk, Keeping::Ephemeral);
        let keys: Vec<_> = (0..5_000).map(|number| format!("{number:05}")).collect();
        let commit = |key: &String| engine.commit(&[put(key, &"x".repeat(1_000))]);
        let (before, after) = keys.split_at(2_500);
        for key in before {
            commit(key).unwrap();
        }

        disk.fill(true);
        let taken = after.iter().take_while(|key| commit(key).is_ok()).count();
        let kept = &keys[..before.len() + taken];
        let all_read = kept.iter().all(|key| value(&engine, key).is_some());
        disk.fill(false);
        commit(&keys[kept.len()]).unwrap();

        assert!(taken < after.len(), "the disk was never found full");
        assert!(all_read);
        let all = &keys[..=kept.len()];
        assert!(all.iter().all(|key| value(&engine, key).is_some()));
    }

    #[test]
    fn a_full_disk_refuses_a_durable_commit_and_keeps_those_before_it() {
        let disk = TestDisk::default();
        let engine = on(&disk, Keeping::Durable);
        engine.commit(&[put("a", "one")]).unwrap();

        disk.fill(true);
        let refused = engine.commit(&[put("b", "two")]);
        let read = value(&engine, "a");
        let again = engine.commit(&[put("b", "two")]);
        let read_again = value(&engine, "a");
        disk.fill(false);
        engine.commit(&[put("c", "three")]).unwrap();

        let Err(StoreError::Io { source, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(source.kind(), io::ErrorKind::StorageFull);
        assert!(again.is_err(), "{again:?}");
        assert_eq!(
            [read, read_again],
            [Some("one".to_owned()), Some("one".to_owned())]
        );
        let all = |engine: &RedbEngine| ["a", "b", "c"].map(|key| value(engine, key));
        let expected = [Some("one".to_owned()), None, Some("three".to_owned())];
        assert_eq!(all(&engine), expected);
        drop(engine);
        assert_eq!(all(&on(&disk, Keeping::Durable)), expected);
    }

    #[test]
    fn a_read_that_fails_once_fails_once() {
        let disk = TestDisk::default();
        let engine = on(&disk, Keeping::Durable);
        let members: Vec<_> = (0..2_000)
            .map(|n| put(&format!("{n:05}"), &"x".repeat(3_000)))
            .collect();
        engine.commit(&members).unwrap();
        let read_all = || {
            let rows = engine.snapshot()?.scan(b"")?;
            Ok::<_, StoreError>(rows.collect::<Result<Vec<_>, _>>()?.len())
        };

        disk.tear(true);
        let torn = read_all();
        disk.tear(false);
        let mended = read_all();

        assert!(torn.is_err(), "{torn:?}");
        assert_eq!(mended.unwrap(), 2_000);
    }

    #[test]
    fn a_crash_while_a_catalogue_is_made_leaves_the_place_free() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("catalogue");
        fs::write(folder.path().join("catalogue.new"), [0; 8_192]).unwrap();

        let engine = RedbEngine::open(&path, Keeping::Durable).unwrap();

        engine.commit(&[put("a", "one")]).unwrap();
        assert_eq!(value(&engine, "a").as_deref(), Some("one"));
        assert!(!folder.path().join("catalogue.new").exists());
    }

    #[test]
    fn a_file_that_is_no_catalogue_is_named() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("catalogue");
        fs::write(&path, "not a catalogue ".repeat(1_000)).unwrap();

        let refused = RedbEngine::open(&path, Keeping::Durable);

        let Err(StoreError::Corrupted { file, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(file, path);
    }

    #[test]
    fn a_damaged_page_is_an_error_or_harmless_and_never_a_panic() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("catalogue");
        let engine = RedbEngine::open(&path, Keeping::Durable).unwrap();
        let members: Vec<_> = (0..500).map(|n| put(&format!("{n:05}"), "value")).collect();
        engine.commit(&members).unwrap();
        drop(engine);
        let whole = fs::read(&path).unwrap();
        let pages = whole.len() / 4_096;

        let outcomes: Vec<_> = (0..pages.min(64))
            .map(|page| {
                let mut damaged = whole.clone();
                damaged[page * 4_096..][..64].fill(0xa5);
                fs::write(&path, &damaged).unwrap();
                let engine = RedbEngine::open(&path, Keeping::Durable)?;
                let rows = engine
                    .snapshot()?
                    .scan(b"")?
                    .collect::<Result<Vec<_>, _>>()?;
                Ok::<_, StoreError>(rows.len())
            })
            .collect();

        assert!(outcomes.iter().any(Result::is_err));
        for error in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert!(error.to_string().contains("catalogue"), "{error}");
        }
    }
}
