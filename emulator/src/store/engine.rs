//! The narrow seam under the catalogue: ordered rows, snapshots, and atomic commits with preconditions.
//!
//! Rows and S3's rules are written once above it. redb is the embedded engine; a shared database can be another.

use std::fmt::Debug;
use std::ops::ControlFlow;

use crate::store::error::StoreError;

/// A stored value, and the revision that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Grows with every write; a precondition names it.
    pub(super) revision: u64,
    /// The value.
    pub(super) value: Vec<u8>,
}

/// The tables: rows, and sealed bodies that are too small for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// Everything that has an order.
    Rows,
    /// Bodies, by blob id.
    Bodies,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Writes a value.
    Put(Table, Vec<u8>, Vec<u8>),
    /// Removes one, if it is there.
    Delete(Table, Vec<u8>),
}

/// What has to be true still when a change commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Precondition {
    /// This row has this revision; `None`: there is no such row.
    Revision(Vec<u8>, Option<u64>),
    /// No row begins with this prefix.
    NoneWith(Vec<u8>),
}

/// Changes that commit together or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Member {
    /// What has to be true still.
    pub(super) preconditions: Vec<Precondition>,
    /// The changes.
    pub(super) changes: Vec<Change>,
}

/// What becomes of a row that a scan meets: its key and value, and whether to go on.
pub(super) type Visitor<'v> = dyn FnMut(&[u8], &Row) -> Result<ControlFlow<()>, StoreError> + 'v;

/// A moment of the catalogue.
pub(super) trait Snapshot {
    /// A row.
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError>;

    /// A body.
    fn body(&self, id: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Visits rows in the order of their keys, beginning at `from`.
    fn scan(&self, from: &[u8], visit: &mut Visitor<'_>) -> Result<(), StoreError>;
}

/// An ordered store with atomic commits.
pub(super) trait Engine: Debug + Send + Sync {
    /// A snapshot of now.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError>;

    /// Commits members in their order. Each tells whether its preconditions held; one that fails changes nothing.
    fn commit(&self, members: &[Member]) -> Result<Vec<bool>, StoreError>;
}
