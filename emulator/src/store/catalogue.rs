//! Transactions over the engine: a closure reads a snapshot and writes; what it read has to be true still when it commits,
//! else it runs again.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::committer::Committer;
use crate::store::engine::{Change, Engine, Member, Precondition, Snapshot, Table};
use crate::store::error::StoreError;

/// The rows of the store.
#[derive(Clone, Debug)]
pub(super) struct Catalogue {
    engine: Arc<dyn Engine>,
    committer: Arc<Committer>,
}

impl Catalogue {
    /// Over an engine. Durable commits go to a thread of their own.
    pub(super) fn new(engine: Arc<dyn Engine>, is_durable: bool) -> Result<Self, StoreError> {
        let committer = Arc::new(Committer::new(Arc::clone(&engine), is_durable)?);
        Ok(Self { engine, committer })
    }

    /// Reads a moment.
    pub(super) fn read(&self) -> Result<Reader, StoreError> {
        Ok(Reader(self.engine.snapshot()?))
    }

    /// Runs `work` until what it read is still true when it commits.
    ///
    /// # Errors
    ///
    /// What `work` refuses with; then nothing is changed.
    pub(super) async fn transact<T>(
        &self,
        mut work: impl FnMut(&mut Transaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        loop {
            let (answer, member) = {
                let mut transaction = Transaction::begin(self.read()?);
                let answer = work(&mut transaction)?;
                (answer, transaction.into_member())
            };
            if member.changes.is_empty() || self.committer.commit(member).await? {
                return Ok(answer);
            }
        }
    }
}

/// A moment of the catalogue, with rows as values.
pub(super) struct Reader(Box<dyn Snapshot>);

impl Reader {
    /// A row.
    pub(super) fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        self.0.get(key)?.map(|row| parse(&row.value)).transpose()
    }

    /// A body that lies in the catalogue.
    pub(super) fn body(&self, id: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.body(id)
    }

    /// Visits the rows whose key begins with `prefix`, in order, from `from` on.
    pub(super) fn scan<T: DeserializeOwned>(
        &self,
        prefix: &[u8],
        from: &[u8],
        mut visit: impl FnMut(T) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        self.0.scan(from, &mut |key, row| {
            if key.starts_with(prefix) {
                visit(parse(&row.value)?)
            } else {
                Ok(ControlFlow::Break(()))
            }
        })
    }
}

/// Reads and writes that belong together.
pub(super) struct Transaction {
    reader: Reader,
    read: BTreeMap<Vec<u8>, Option<u64>>,
    empty: Vec<Vec<u8>>,
    changes: Vec<Change>,
}

impl Transaction {
    fn begin(reader: Reader) -> Self {
        Self {
            reader,
            read: BTreeMap::new(),
            empty: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// A row, which has to be the same still at the commit.
    pub(super) fn get<T: DeserializeOwned>(&mut self, key: &[u8]) -> Result<Option<T>, StoreError> {
        let row = self.reader.0.get(key)?;
        self.read
            .insert(key.to_vec(), row.as_ref().map(|row| row.revision));
        row.map(|row| parse(&row.value)).transpose()
    }

    /// Whether no row begins with `prefix`; if so, that has to be true still at the commit.
    pub(super) fn is_empty(&mut self, prefix: &[u8]) -> Result<bool, StoreError> {
        let mut empty = true;
        self.reader.0.scan(prefix, &mut |key, _| {
            empty = !key.starts_with(prefix);
            Ok(ControlFlow::Break(()))
        })?;
        if empty {
            self.empty.push(prefix.to_vec());
        }
        Ok(empty)
    }

    /// Writes a row.
    pub(super) fn put<T: Serialize>(&mut self, key: Vec<u8>, value: &T) -> Result<(), StoreError> {
        let value = serde_json::to_vec(value).map_err(StoreError::catalogue)?;
        self.changes.push(Change::Put(Table::Rows, key, value));
        Ok(())
    }

    /// Removes a row.
    pub(super) fn delete(&mut self, key: Vec<u8>) {
        self.changes.push(Change::Delete(Table::Rows, key));
    }

    /// Writes a body.
    pub(super) fn put_body(&mut self, id: &[u8], sealed: &[u8]) {
        self.changes
            .push(Change::Put(Table::Bodies, id.to_vec(), sealed.to_vec()));
    }

    /// Removes a body.
    pub(super) fn delete_body(&mut self, id: &[u8]) {
        self.changes
            .push(Change::Delete(Table::Bodies, id.to_vec()));
    }

    fn into_member(self) -> Member {
        let revisions = self
            .read
            .into_iter()
            .map(|(key, revision)| Precondition::Revision(key, revision));
        let preconditions = revisions
            .chain(self.empty.into_iter().map(Precondition::NoneWith))
            .collect();
        Member {
            preconditions,
            changes: self.changes,
        }
    }
}

fn parse<T: DeserializeOwned>(value: &[u8]) -> Result<T, StoreError> {
    serde_json::from_slice(value).map_err(StoreError::catalogue)
}
