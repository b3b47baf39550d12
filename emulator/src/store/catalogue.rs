//! Rows in their types, and transactions over them.
//!
//! A transaction is a closure over a snapshot that says what it reads and what it writes. What it read becomes the
//! preconditions of its commit; when one of them no longer holds, the closure runs again over a newer snapshot. So it
//! must do nothing but read, decide and write through its [`Transaction`].

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::task;

use crate::model::object::{Blob, BlobId, BlobPlace, StoredBody};
use crate::model::upload::PlacedPart;
use crate::model::upload_id::UploadId;
use crate::store::blobs::OrphanFile;
use crate::store::commits::{Committer, Discarded, Job, Outcome};
use crate::store::engine::{Engine, Precondition, Scan, Snapshot, Stored, Table, Write};
use crate::store::error::StoreError;
use crate::store::group::Group;
use crate::store::keys;
use crate::store::staging::StagedBlob;

/// The rows of everything that is stored.
#[derive(Debug)]
pub(super) struct Catalogue {
    file: Arc<Path>,
    // Before the engine, so that the last commit ends before the file is closed.
    group: Group,
    engine: Arc<dyn Engine>,
}

/// The catalogue, written by somebody who began when everything had last been replaced so many times; `None` where that
/// does not matter.
#[derive(Debug)]
pub(super) struct Writing<'c> {
    pub(super) catalogue: &'c Catalogue,
    pub(super) epoch: Option<u64>,
}

/// Everything that is committed at one moment.
pub(super) struct View {
    file: Arc<Path>,
    snapshot: Box<dyn Snapshot>,
}

/// What a closure reads and writes.
pub(super) struct Transaction {
    view: View,
    preconditions: Vec<Precondition>,
    rows: BTreeMap<Vec<u8>, Option<Bytes>>,
    bodies: Vec<Write>,
    discarded: Vec<Discarded>,
}

impl Catalogue {
    /// Over this engine, whose file is named in errors.
    ///
    /// # Errors
    ///
    /// `Io` when the durable arrangement's thread cannot be started.
    pub(super) fn new(file: Arc<Path>, committer: Committer) -> Result<Self, StoreError> {
        Ok(Self {
            engine: Arc::clone(&committer.engine),
            group: Group::start(committer, &file)?,
            file,
        })
    }

    /// What is committed now.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn view(&self) -> Result<View, StoreError> {
        Ok(View {
            file: Arc::clone(&self.file),
            snapshot: self.engine.snapshot()?,
        })
    }

    /// Does something that may block, while nobody commits: it is told all that is committed.
    ///
    /// # Errors
    ///
    /// Those of `work`; `Io`, `Corrupted`.
    pub(super) async fn alone<T: Send + 'static>(
        &self,
        work: impl FnOnce(&View, &Committer) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let file = Arc::clone(&self.file);
        let work = move |committer: &Committer| {
            let snapshot = committer.engine.snapshot()?;
            work(&View { file, snapshot }, committer)
        };
        self.group.alone(work).await
    }

    fn attempt<T>(
        &self,
        work: &mut impl FnMut(&mut Transaction) -> Result<T, StoreError>,
    ) -> Result<(T, Job), StoreError> {
        let mut transaction = Transaction {
            view: self.view()?,
            preconditions: Vec::new(),
            rows: BTreeMap::new(),
            bodies: Vec::new(),
            discarded: Vec::new(),
        };
        let answer = work(&mut transaction)?;
        Ok((answer, transaction.into_job()))
    }
}

impl Writing<'_> {
    /// Commits what `work` writes, on condition that what it read has not changed. `staged` is the new blob that its
    /// rows name.
    ///
    /// # Errors
    ///
    /// Those of `work`; `Replaced`, `Io`, `Corrupted`.
    pub(super) async fn transact<T>(
        &self,
        mut staged: Option<StagedBlob>,
        mut work: impl FnMut(&mut Transaction) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        loop {
            let (answer, mut job) = self.catalogue.attempt(&mut work)?;
            if job.member.writes.is_empty() {
                return Ok(answer);
            }
            job.staged = staged;
            job.epoch = self.epoch;
            match self.catalogue.group.run(job).await? {
                Outcome::Conflict(returned) => staged = returned,
                Outcome::Committed(orphans) => {
                    remove(orphans).await;
                    return Ok(answer);
                }
            }
        }
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").finish_non_exhaustive()
    }
}

impl View {
    /// A row.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn get<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>, StoreError> {
        let stored = self.bytes(key)?;
        stored.map(|stored| self.parse(&stored.value)).transpose()
    }

    /// A row as it is stored.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn bytes(&self, key: &[u8]) -> Result<Option<Stored>, StoreError> {
        self.snapshot.get(Table::Rows, key)
    }

    /// A sealed body.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn body(&self, blob: BlobId) -> Result<Option<Vec<u8>>, StoreError> {
        let stored = self.snapshot.get(Table::Bodies, &keys::body(blob))?;
        Ok(stored.map(|stored| stored.value))
    }

    /// Every small body, under its key.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn bodies(&self) -> Result<Scan, StoreError> {
        self.snapshot.bodies()
    }

    /// The rows from this key on, as they are stored.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn scan(&self, from: &[u8]) -> Result<Scan, StoreError> {
        self.snapshot.scan(from)
    }

    /// Reads a stored row.
    ///
    /// # Errors
    ///
    /// `Corrupted`.
    pub(super) fn parse<T: DeserializeOwned>(&self, value: &[u8]) -> Result<T, StoreError> {
        serde_json::from_slice(value)
            .map_err(|error| self.corrupted(format!("a row cannot be read: {error}")))
    }

    /// Reads a part of a row's key.
    ///
    /// # Errors
    ///
    /// `Corrupted`.
    pub(super) fn text<'a>(&self, key: &'a [u8]) -> Result<&'a str, StoreError> {
        std::str::from_utf8(key)
            .map_err(|error| self.corrupted(format!("a row's key is no text: {error}")))
    }

    /// A failure of the catalogue.
    pub(super) fn corrupted(&self, finding: String) -> StoreError {
        StoreError::Corrupted {
            file: self.file.to_path_buf(),
            finding,
        }
    }
}

impl Transaction {
    /// A row; it must not change until the commit.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn get<T: DeserializeOwned>(&mut self, key: &[u8]) -> Result<Option<T>, StoreError> {
        if let Some(written) = self.rows.get(key) {
            let written = written.as_deref();
            return written.map(|value| self.view.parse(value)).transpose();
        }
        let stored = self.view.bytes(key)?;
        self.preconditions.push(Precondition::Unchanged {
            key: key.to_vec(),
            revision: stored.as_ref().map(|stored| stored.revision),
        });
        stored
            .map(|stored| self.view.parse(&stored.value))
            .transpose()
    }

    /// Whether no row's key begins so; where none does, that must last until the commit.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn is_empty(&mut self, prefix: &[u8]) -> Result<bool, StoreError> {
        let first = self.view.scan(prefix)?.next().transpose()?;
        let is_empty = first.is_none_or(|(key, _)| !key.starts_with(prefix));
        if is_empty {
            self.preconditions.push(Precondition::Empty {
                from: prefix.to_vec(),
                until: keys::past(prefix),
            });
        }
        Ok(is_empty)
    }

    /// The first row whose key begins so, with what this transaction has written; it must stay the first, and unchanged,
    /// until the commit.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn first<T: DeserializeOwned>(
        &mut self,
        prefix: &[u8],
    ) -> Result<Option<(Vec<u8>, T)>, StoreError> {
        let until = keys::past(prefix);
        let stored = self.first_stored(prefix, &until)?;
        let mut written = self.rows.range(prefix.to_vec()..until);
        let written = written.find_map(|(key, value)| Some((key.clone(), value.clone()?)));
        let first = match (written, stored) {
            (Some(written), Some(stored)) if stored.0 < written.0 => Some(stored),
            (written, stored) => written.or(stored),
        };
        first
            .map(|(key, value)| Ok((key, self.view.parse(&value)?)))
            .transpose()
    }

    /// The first stored row of a range that this transaction does not remove. The gaps before it must stay empty.
    fn first_stored(
        &mut self,
        from: &[u8],
        until: &[u8],
    ) -> Result<Option<(Vec<u8>, Bytes)>, StoreError> {
        let mut gap = from.to_vec();
        for row in self.view.scan(from)? {
            let (key, stored) = row?;
            if key.as_slice() >= until {
                break;
            }
            self.preconditions.push(Precondition::Empty {
                from: gap,
                until: key.clone(),
            });
            self.preconditions.push(Precondition::Unchanged {
                key: key.clone(),
                revision: Some(stored.revision),
            });
            let is_removed = self.rows.get(&key).is_some_and(Option::is_none);
            if !is_removed {
                return Ok(Some((key, stored.value.into())));
            }
            gap = keys::next(&key);
        }
        self.preconditions.push(Precondition::Empty {
            from: gap,
            until: until.to_vec(),
        });
        Ok(None)
    }

    /// All rows whose keys begin so; none of them must change until the commit. More may come.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn rows<T: DeserializeOwned>(
        &mut self,
        prefix: &[u8],
    ) -> Result<Vec<T>, StoreError> {
        self.read_rows(prefix, |_, _| None)
    }

    /// The same; and no more must come until the commit.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn all_rows<T: DeserializeOwned>(
        &mut self,
        prefix: &[u8],
    ) -> Result<Vec<T>, StoreError> {
        self.read_rows(prefix, |from, until| {
            Some(Precondition::Empty { from, until })
        })
    }

    fn read_rows<T: DeserializeOwned>(
        &mut self,
        prefix: &[u8],
        keep_gap: impl Fn(Vec<u8>, Vec<u8>) -> Option<Precondition>,
    ) -> Result<Vec<T>, StoreError> {
        let (mut found, mut gap) = (Vec::new(), prefix.to_vec());
        for row in self.view.scan(prefix)? {
            let (key, stored) = row?;
            if !key.starts_with(prefix) {
                break;
            }
            found.push(self.view.parse(&stored.value)?);
            let behind = keys::next(&key);
            let before = std::mem::replace(&mut gap, behind);
            self.preconditions.extend(keep_gap(before, key.clone()));
            self.preconditions.push(Precondition::Unchanged {
                key,
                revision: Some(stored.revision),
            });
        }
        self.preconditions.extend(keep_gap(gap, keys::past(prefix)));
        Ok(found)
    }

    /// Writes a row.
    ///
    /// # Errors
    ///
    /// `Io` for a value that JSON cannot carry.
    pub(super) fn put(&mut self, key: Vec<u8>, row: &impl Serialize) -> Result<(), StoreError> {
        let value = serde_json::to_vec(row)
            .map_err(|error| StoreError::io("write a row to", &self.view.file)(error.into()))?;
        self.put_bytes(key, value.into());
        Ok(())
    }

    /// Writes a row as it is.
    pub(super) fn put_bytes(&mut self, key: Vec<u8>, value: Bytes) {
        self.rows.insert(key, Some(value));
    }

    /// Removes a row.
    pub(super) fn remove(&mut self, key: Vec<u8>) {
        self.rows.insert(key, None);
    }

    /// Keeps a small sealed body.
    pub(super) fn put_body(&mut self, blob: BlobId, body: Bytes) {
        self.bodies.push(body_write(blob, Some(body)));
    }

    /// Removes a body, with the commit or right after it.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn discard_body(&mut self, body: StoredBody) -> Result<(), StoreError> {
        match body {
            StoredBody::Blob(blob) => self.discard(blob),
            StoredBody::Parts { upload, .. } => {
                for placed in self.rows::<PlacedPart>(&keys::placed_of(upload))? {
                    self.remove(keys::placed(upload, placed.end(), placed.part.number));
                    self.discard_of(placed.part.blob, Some(upload));
                }
            }
        }
        Ok(())
    }

    /// Removes a blob, with the commit or right after it.
    pub(super) fn discard(&mut self, blob: Blob) {
        self.discard_of(blob, None);
    }

    fn discard_of(&mut self, blob: Blob, upload: Option<UploadId>) {
        match blob.place {
            BlobPlace::Catalogue => self.bodies.push(body_write(blob.id, None)),
            BlobPlace::File => self.discarded.push(Discarded { blob, upload }),
        }
    }

    fn into_job(self) -> Job {
        let rows = self.rows.into_iter().map(|(key, value)| Write {
            table: Table::Rows,
            key,
            value,
        });
        let mut job = Job::default();
        job.member.preconditions = self.preconditions;
        job.member.writes = rows.chain(self.bodies).collect();
        job.discarded = self.discarded;
        job
    }
}

fn body_write(blob: BlobId, value: Option<Bytes>) -> Write {
    Write {
        table: Table::Bodies,
        key: keys::body(blob),
        value,
    }
}

/// To remove a large file takes the system a while: that must not stall the runtime. A caller who goes away meanwhile
/// stops nothing.
async fn remove(orphans: Vec<OrphanFile>) {
    if !orphans.is_empty() {
        let removed = task::spawn_blocking(move || drop(orphans)).await;
        if let Err(error) = removed {
            tracing::warn!("cannot remove blobs that were replaced: {error}");
        }
    }
}
