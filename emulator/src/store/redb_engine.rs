//! redb as the engine.
//!
//! Ephemeral: a file whose sync does nothing, and one `Immediate` commit in every thousand, without which memory grows by
//! each commit. Durable: every commit is on the disk before it answers.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::backends::FileBackend;
use redb::{
    Database, Durability, ReadOnlyTable, ReadableDatabase, ReadableTable, StorageBackend,
    TableDefinition, WriteTransaction,
};

use crate::store::engine::{Change, Engine, Member, Precondition, Row, Snapshot, Table, Visitor};
use crate::store::error::StoreError;

const ROWS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("rows");
const BODIES: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("bodies");
/// redb's own default is 1 GiB.
const CACHE_BYTES: usize = 16 * 1_024 * 1_024;
/// How many ephemeral commits go by before one lets redb free their pages.
const COMMITS_A_CHECKPOINT: u64 = 1_000;
/// Every value begins with its revision.
const REVISION_BYTES: usize = 8;

/// A catalogue file.
#[derive(Debug)]
pub(super) struct RedbEngine {
    database: Database,
    is_durable: bool,
    revision: AtomicU64,
}

/// A file that is never synced: what is ephemeral need not survive the process.
#[derive(Debug)]
struct Unsynced(FileBackend);

impl StorageBackend for Unsynced {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.0.write(offset, data)
    }
}

impl RedbEngine {
    /// Opens a catalogue, or makes one. Revisions have only to differ from those that are stored, so each process begins
    /// at a random one.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupted`] for a file that is no catalogue, [`StoreError::Io`].
    pub(super) fn open(
        path: &Path,
        is_durable: bool,
        first_revision: u64,
    ) -> Result<Self, StoreError> {
        // redb may panic on a file that was altered from outside.
        let opened = std::panic::catch_unwind(|| Self::try_open(path, is_durable, first_revision));
        let detail = match opened {
            Ok(Ok(engine)) => return Ok(engine),
            Ok(Err(redb::Error::Io(source))) if source.kind() != ErrorKind::InvalidData => {
                return Err(StoreError::io("open", path)(source));
            }
            Ok(Err(redb::Error::DatabaseAlreadyOpen)) => {
                return Err(StoreError::FolderInUse(
                    path.parent().unwrap_or(path).to_owned(),
                ));
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "redb gave it up".to_owned(),
        };
        Err(StoreError::Corrupted {
            path: path.to_owned(),
            detail,
        })
    }

    fn try_open(path: &Path, is_durable: bool, first_revision: u64) -> Result<Self, redb::Error> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let database = if is_durable {
            builder.create(path)?
        } else {
            let file = File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)?;
            builder.create_with_backend(Unsynced(FileBackend::new(file)?))?
        };
        let transaction = database.begin_write()?;
        transaction.open_table(ROWS)?;
        transaction.open_table(BODIES)?;
        transaction.commit()?;
        Ok(Self {
            database,
            is_durable,
            revision: AtomicU64::new(first_revision),
        })
    }

    fn begin(&self, revision: u64) -> Result<WriteTransaction, StoreError> {
        let mut transaction = self.database.begin_write().map_err(StoreError::catalogue)?;
        let lasting = self.is_durable || revision.is_multiple_of(COMMITS_A_CHECKPOINT);
        let durability = if lasting {
            Durability::Immediate
        } else {
            Durability::None
        };
        transaction
            .set_durability(durability)
            .map_err(StoreError::catalogue)?;
        Ok(transaction)
    }
}

impl Engine for RedbEngine {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        let transaction = self.database.begin_read().map_err(StoreError::catalogue)?;
        Ok(Box::new(RedbSnapshot {
            rows: transaction
                .open_table(ROWS)
                .map_err(StoreError::catalogue)?,
            bodies: transaction
                .open_table(BODIES)
                .map_err(StoreError::catalogue)?,
        }))
    }

    fn commit(&self, members: &[Member]) -> Result<Vec<bool>, StoreError> {
        let revision = self.revision.fetch_add(1, Ordering::Relaxed);
        let transaction = self.begin(revision)?;
        let mut held = Vec::with_capacity(members.len());
        {
            let mut rows = transaction
                .open_table(ROWS)
                .map_err(StoreError::catalogue)?;
            let mut bodies = transaction
                .open_table(BODIES)
                .map_err(StoreError::catalogue)?;
            for member in members {
                let holds = all_hold(&rows, &member.preconditions)?;
                if holds {
                    for change in &member.changes {
                        apply(&mut rows, &mut bodies, change, revision)?;
                    }
                }
                held.push(holds);
            }
        }
        transaction.commit().map_err(StoreError::catalogue)?;
        Ok(held)
    }
}

type OpenTable<'t> = redb::Table<'t, &'static [u8], &'static [u8]>;

fn all_hold(rows: &OpenTable<'_>, preconditions: &[Precondition]) -> Result<bool, StoreError> {
    for precondition in preconditions {
        let holds = match precondition {
            Precondition::Revision(key, expected) => {
                let row = rows.get(key.as_slice()).map_err(StoreError::catalogue)?;
                row.map(|row| revision_of(row.value())) == *expected
            }
            Precondition::NoneWith(prefix) => {
                let mut range = rows
                    .range(prefix.as_slice()..)
                    .map_err(StoreError::catalogue)?;
                match range.next() {
                    None => true,
                    Some(row) => !row
                        .map_err(StoreError::catalogue)?
                        .0
                        .value()
                        .starts_with(prefix),
                }
            }
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

fn apply(
    rows: &mut OpenTable<'_>,
    bodies: &mut OpenTable<'_>,
    change: &Change,
    revision: u64,
) -> Result<(), StoreError> {
    match change {
        Change::Put(Table::Rows, key, value) => {
            let mut stored = Vec::with_capacity(REVISION_BYTES + value.len());
            stored.extend_from_slice(&revision.to_be_bytes());
            stored.extend_from_slice(value);
            rows.insert(key.as_slice(), stored.as_slice()).map(drop)
        }
        Change::Put(Table::Bodies, key, value) => {
            bodies.insert(key.as_slice(), value.as_slice()).map(drop)
        }
        Change::Delete(Table::Rows, key) => rows.remove(key.as_slice()).map(drop),
        Change::Delete(Table::Bodies, key) => bodies.remove(key.as_slice()).map(drop),
    }
    .map_err(StoreError::catalogue)
}

/// The revision of a stored value; 0 for one too short to have any.
fn revision_of(stored: &[u8]) -> u64 {
    stored
        .first_chunk::<REVISION_BYTES>()
        .map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

fn row_of(stored: &[u8]) -> Row {
    Row {
        revision: revision_of(stored),
        value: stored.get(REVISION_BYTES..).unwrap_or_default().to_vec(),
    }
}

struct RedbSnapshot {
    rows: ReadOnlyTable<&'static [u8], &'static [u8]>,
    bodies: ReadOnlyTable<&'static [u8], &'static [u8]>,
}

impl Snapshot for RedbSnapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        let row = self.rows.get(key).map_err(StoreError::catalogue)?;
        Ok(row.map(|row| row_of(row.value())))
    }

    fn body(&self, id: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let body = self.bodies.get(id).map_err(StoreError::catalogue)?;
        Ok(body.map(|body| body.value().to_vec()))
    }

    fn scan(&self, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError> {
        for row in self.rows.range(from..).map_err(StoreError::catalogue)? {
            let (key, value) = row.map_err(StoreError::catalogue)?;
            if visit(key.value(), &row_of(value.value()))?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
