//! The embedded engine: redb, in one file.
//!
//! A revision is the run of the program and which write of that run it was. A run's number is committed when it begins,
//! so that no revision is ever given twice, and no commit has to keep a counter.

use std::fs::OpenOptions;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::{fmt, io};

use redb::backends::FileBackend;
use redb::{
    Database, Durability, ReadOnlyTable, ReadTransaction, ReadableDatabase, ReadableTable,
    TableDefinition,
};

use crate::store::catalogue_file::{CatalogueFile, Keeping};
use crate::store::engine::{Engine, Member, Revision, Scan, Snapshot, Stored, Table, Verdict};
use crate::store::error::StoreError;
use crate::store::redb_tables::{BODIES, ROWS, Tables, unpack};

const RUNS: TableDefinition<'static, (), u64> = TableDefinition::new("runs");

/// redb's default is 1 GiB. Beyond this little the system's own cache serves as well, and memory stays bounded: with
/// 16 MiB, 10,000 objects of 1 KiB added 18 MiB, now 5, at the same speed.
const CACHE_BYTES: usize = 4 * 1024 * 1024;
/// Commits that are not written out keep their pages in memory: after so many, one is.
const COMMITS_IN_MEMORY: u32 = 1_000;

/// What opens the catalogue's file, at the start and after a failed write.
type OpenFile = Box<dyn Fn() -> io::Result<CatalogueFile> + Send + Sync>;

/// A catalogue in a file.
pub(super) struct RedbEngine {
    path: Arc<Path>,
    keeping: Keeping,
    open_file: OpenFile,
    /// `None` after a failed write: the next caller opens it again.
    opened: RwLock<Option<OpenedFile>>,
    run: u64,
    writes: AtomicU64,
    commits_in_memory: AtomicU32,
}

#[derive(Debug)]
struct OpenedFile {
    file: CatalogueFile,
    database: Database,
}

#[derive(Debug)]
struct RedbSnapshot {
    path: Arc<Path>,
    transaction: ReadTransaction,
    rows: ReadOnlyTable<&'static [u8], &'static [u8]>,
}

impl RedbEngine {
    /// Opens the file, or makes it.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn open(path: &Path, keeping: Keeping) -> Result<Self, StoreError> {
        let file = path.to_owned();
        let open_file = move || open_plain(&file, keeping);
        Self::over(path, keeping, Box::new(open_file))
    }

    fn over(path: &Path, keeping: Keeping, open_file: OpenFile) -> Result<Self, StoreError> {
        let opened = guarded(path, "open", || OpenedFile::open(&open_file))?;
        let run = guarded(path, "write to", || begin_run(&opened.database))?;
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
        if let Some(opened) = opened.as_ref() {
            return guarded(&self.path, tried, || work(opened));
        }
        drop(opened);
        let mut opened = self.opened.write().unwrap_or_else(PoisonError::into_inner);
        let again = match opened.take() {
            Some(again) => again,
            None => guarded(&self.path, "open", || OpenedFile::open(&self.open_file))?,
        };
        guarded(&self.path, tried, || work(opened.insert(again)))
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

    /// Always written out: as much as there is should not stay in memory.
    fn try_replace(&self, opened: &OpenedFile, rows: &Member) -> Result<(), redb::Error> {
        opened.file.settle()?;
        let transaction = opened.database.begin_write()?;
        transaction.delete_table(ROWS)?;
        transaction.delete_table(BODIES)?;
        Tables::open(&transaction)?.apply(rows, || self.next_revision())?;
        transaction.commit()?;
        Ok(())
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

    /// After a failed write redb answers nothing any more. All that was answered is on the disk: open it again.
    fn reopen_later(&self) {
        if self.keeping == Keeping::Durable {
            *self.opened.write().unwrap_or_else(PoisonError::into_inner) = None;
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
            }) as Box<dyn Snapshot>)
        })
    }

    fn commit(&self, batch: &[Member]) -> Result<Vec<Verdict>, StoreError> {
        self.with("write to", |opened| self.try_commit(opened, batch))
            .inspect_err(|_| self.reopen_later())
    }

    fn replace(&self, rows: &Member) -> Result<(), StoreError> {
        self.with("write to", |opened| self.try_replace(opened, rows))
            .inspect_err(|_| self.reopen_later())
    }
}

impl Snapshot for RedbSnapshot {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Stored>, StoreError> {
        guarded(&self.path, "read", || {
            let value = match table {
                Table::Rows => self.rows.get(key)?,
                Table::Bodies => self.transaction.open_table(BODIES)?.get(key)?,
            };
            value.map(|value| unpack(value.value())).transpose()
        })
    }

    fn bodies(&self) -> Result<Scan, StoreError> {
        let range = guarded(&self.path, "read", || {
            let bodies = self.transaction.open_table(BODIES)?;
            Ok(bodies.range::<&[u8]>(..)?)
        })?;
        Ok(walk(&self.path, range))
    }

    fn scan(&self, from: &[u8]) -> Result<Scan, StoreError> {
        let range = guarded(&self.path, "read", || Ok(self.rows.range(from..)?))?;
        Ok(walk(&self.path, range))
    }
}

/// The rows of a range, in order.
fn walk(path: &Arc<Path>, mut range: redb::Range<'static, &'static [u8], &'static [u8]>) -> Scan {
    let path = Arc::clone(path);
    let next = move || {
        guarded(&path, "read", || {
            let row = range.next().transpose()?;
            row.map(|(key, value)| Ok((key.value().to_vec(), unpack(value.value())?)))
                .transpose()
        })
        .transpose()
    };
    Box::new(std::iter::from_fn(next))
}

impl OpenedFile {
    fn open(open_file: &OpenFile) -> Result<Self, redb::Error> {
        let file = open_file()?;
        let database = Database::builder()
            .set_cache_size(CACHE_BYTES)
            .create_with_backend(file.clone())?;
        Ok(Self { file, database })
    }
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
fn begin_run(database: &Database) -> Result<u64, redb::Error> {
    let transaction = database.begin_write()?;
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

/// Runs `work`, and names the file in whatever goes wrong.
///
/// redb may panic on a file that somebody altered: that is a damaged catalogue like any other.
fn guarded<T>(
    path: &Path,
    tried: &'static str,
    work: impl FnOnce() -> Result<T, redb::Error>,
) -> Result<T, StoreError> {
    let corrupted = |finding| StoreError::Corrupted {
        file: path.to_owned(),
        finding,
    };
    match panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(redb::Error::Io(source))) if !is_damage(&source) => {
            Err(StoreError::io(tried, path)(source))
        }
        Ok(Err(redb::Error::PreviousIo)) => {
            let source = io::Error::other("an earlier write failed; restart to go on");
            Err(StoreError::io(tried, path)(source))
        }
        Ok(Err(error)) => Err(corrupted(error.to_string())),
        Err(cause) => Err(corrupted(panic_text(cause.as_ref()))),
    }
}

/// redb tells a file that is no database, or ends too early, as an I/O error.
fn is_damage(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, UnexpectedEof};
    matches!(error.kind(), InvalidData | UnexpectedEof)
}

fn panic_text(cause: &(dyn std::any::Any + Send)) -> String {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("its pages contradict each other")
        .to_owned()
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
    fn what_is_replaced_is_gone_and_what_was_read_of_it_has_changed() {
        let engine = ephemeral();
        engine.commit(&[put("a", "one"), put("b", "one")]).unwrap();
        let read = unchanged(&engine, "a");
        let before = engine.snapshot().unwrap();

        engine.replace(&put("a", "one")).unwrap();
        let verdicts = engine.commit(&[provided(read, put("a", "two"))]);

        assert_eq!(verdicts.unwrap(), [Verdict::Conflict]);
        assert_eq!(value(&engine, "a").as_deref(), Some("one"));
        assert_eq!(value(&engine, "b"), None);
        assert!(before.get(Table::Rows, b"b").unwrap().is_some());
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
        disk.fill(false);
        engine.commit(&[put("c", "three")]).unwrap();

        let Err(StoreError::Io { source, .. }) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(source.kind(), io::ErrorKind::StorageFull);
        assert_eq!(value(&engine, "a").as_deref(), Some("one"));
        assert_eq!(value(&engine, "b"), None);
        assert_eq!(value(&engine, "c").as_deref(), Some("three"));
    }

    #[test]
    fn a_file_that_is_no_catalogue_is_named() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("catalogue");
        std::fs::write(&path, "not a catalogue ".repeat(1_000)).unwrap();

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
        let whole = std::fs::read(&path).unwrap();
        let pages = whole.len() / 4_096;

        let outcomes: Vec<_> = (0..pages.min(64))
            .map(|page| {
                let mut damaged = whole.clone();
                damaged[page * 4_096..][..64].fill(0xa5);
                std::fs::write(&path, &damaged).unwrap();
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
