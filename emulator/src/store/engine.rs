//! The seam between the rows of the store and the database that keeps them: ordered keys, and atomic commits with
//! preconditions. The embedded engine is redb; a database that several servers share would be a second one.

use std::fmt;

use bytes::Bytes;

use crate::store::error::StoreError;

/// Which set of keys is meant. Small bodies lie apart, so that a walk over rows never reads one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Table {
    /// Rows: buckets, versions, settings.
    Rows,
    /// Sealed bodies that are too small for a file of their own.
    Bodies,
}

/// Which write of a key a value comes from. No two writes ever share one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Revision(pub(super) u128);

/// A value, and the write that it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    /// Which write it was.
    pub(super) revision: Revision,
    /// What was written.
    pub(super) value: Vec<u8>,
}

/// What must still hold when a member is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Precondition {
    /// The row has this revision; `None`: there is no such row.
    Unchanged {
        /// The row's key.
        key: Vec<u8>,
        /// The revision that was read.
        revision: Option<Revision>,
    },
    /// No row's key lies in this range.
    Empty {
        /// The first key of the range.
        from: Vec<u8>,
        /// The first key behind it.
        until: Vec<u8>,
    },
}

/// One change: `None` removes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Write {
    /// Where.
    pub(super) table: Table,
    /// The key.
    pub(super) key: Vec<u8>,
    /// Its new value.
    pub(super) value: Option<Bytes>,
}

/// One caller's changes: all of them, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Member {
    /// What must still hold.
    pub(super) preconditions: Vec<Precondition>,
    /// What then changes, in this order.
    pub(super) writes: Vec<Write>,
}

impl Member {
    /// Changes that nothing need hold for.
    pub(super) fn of(writes: Vec<Write>) -> Self {
        Self {
            preconditions: Vec::new(),
            writes,
        }
    }
}

/// What became of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Its changes are made.
    Committed,
    /// A precondition failed, and nothing of it was changed.
    Conflict,
}

/// Rows in the order of their keys.
pub(super) type Scan = Box<dyn Iterator<Item = Result<(Vec<u8>, Stored), StoreError>>>;

/// A database of ordered keys.
pub(super) trait Engine: fmt::Debug + Send + Sync {
    /// Everything that is committed now; later commits do not show in it.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError>;

    /// Commits the members in their order, each seeing what those before it changed; one verdict each.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`: then no member is committed, as far as anybody can tell.
    fn commit(&self, batch: &[Member]) -> Result<Vec<Verdict>, StoreError>;

    /// Reads everything, and makes sure that it is what was written. No snapshot may be open.
    ///
    /// # Errors
    ///
    /// `Corrupted`, `Io`.
    fn check(&self) -> Result<(), StoreError>;
}

/// A consistent view.
pub(super) trait Snapshot: Send + Sync {
    /// The value of a key.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Stored>, StoreError>;

    /// Every small body.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    fn bodies(&self) -> Result<Scan, StoreError>;

    /// The rows from this key on.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    fn scan(&self, from: &[u8]) -> Result<Scan, StoreError>;
}
