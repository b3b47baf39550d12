//! What one commit does for all who take part in it: publish their files, change the rows, answer each.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::oneshot;

use crate::model::object::{Blob, BlobPlace};
use crate::model::upload_id::UploadId;
use crate::store::blobs::{BlobFolder, OrphanFile};
use crate::store::catalogue_file::Keeping;
use crate::store::engine::{Engine, Member, Verdict};
use crate::store::error::StoreError;
use crate::store::pins::Pins;
use crate::store::staging::StagedBlob;

/// One caller's part of a commit.
#[derive(Debug, Default)]
pub(super) struct Job {
    /// Its changes.
    pub(super) member: Member,
    /// The new blob that they name.
    pub(super) staged: Option<StagedBlob>,
    /// The blobs that they no longer name.
    pub(super) discarded: Vec<Discarded>,
    /// The state of the store that it was begun in; `None` where any will do.
    pub(super) epoch: Option<u64>,
}

/// A blob that no row names any more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Discarded {
    pub(super) blob: Blob,
    /// Of which object in parts it was one.
    pub(super) upload: Option<UploadId>,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is committed. The discarded files are removed when they are dropped.
    Committed(Vec<OrphanFile>),
    /// Somebody changed what it had read; the new blob comes back for another attempt.
    Conflict(Option<StagedBlob>),
}

/// A job, and who waits for its outcome.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) job: Job,
    pub(super) answer: oneshot::Sender<Result<Outcome, StoreError>>,
}

/// Commits batches, one at a time.
#[derive(Clone)]
pub(super) struct Committer {
    pub(super) engine: Arc<dyn Engine>,
    pub(super) folder: BlobFolder,
    pub(super) pins: Pins,
    /// How often everything was replaced.
    pub(super) epoch: Arc<AtomicU64>,
}

impl Committer {
    /// Does all these jobs in one commit, and answers each.
    pub(super) fn run(&self, batch: Vec<Waiting>) {
        // Who went away does not get his changes: nobody else would know what came of them.
        let asked = batch
            .into_iter()
            .filter(|waiting| !waiting.answer.is_closed());
        let (current, late): (Vec<_>, Vec<_>) = asked.partition(|waiting| self.is_current(waiting));
        for waiting in late {
            waiting.reply(Err(StoreError::Replaced));
        }
        let mut batch: Vec<_> = current
            .into_iter()
            .filter_map(|waiting| self.published(waiting))
            .collect();
        let members: Vec<_> = batch
            .iter_mut()
            .map(|waiting| std::mem::take(&mut waiting.job.member))
            .collect();
        if members.is_empty() {
            return;
        }
        let verdicts = self
            .sync_names(&batch)
            .and_then(|()| self.engine.commit(&members));
        match verdicts {
            Ok(verdicts) => self.answer(batch, verdicts),
            Err(error) => self.refuse(batch, &error),
        }
    }

    /// Puts other rows in the place of all that there are. What was begun before is not written any more.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) fn replace(&self, rows: &Member) -> Result<(), StoreError> {
        let replaced = self.engine.replace(rows);
        // After it: whoever begins meanwhile has the old number, and no old row with the new one.
        self.epoch.fetch_add(1, Ordering::AcqRel);
        replaced
    }

    fn is_current(&self, waiting: &Waiting) -> bool {
        let now = self.epoch.load(Ordering::Acquire);
        waiting.job.epoch.is_none_or(|begun| begun == now)
    }

    fn published(&self, mut waiting: Waiting) -> Option<Waiting> {
        let published = waiting
            .job
            .staged
            .as_mut()
            .map_or(Ok(()), |staged| staged.publish(&self.folder));
        match published {
            Ok(()) => Some(waiting),
            Err(error) => {
                waiting.reply(Err(error));
                None
            }
        }
    }

    fn sync_names(&self, batch: &[Waiting]) -> Result<(), StoreError> {
        if self.folder.keeping() == Keeping::Ephemeral {
            return Ok(());
        }
        let staged = batch
            .iter()
            .filter_map(|waiting| waiting.job.staged.as_ref());
        let folders: BTreeSet<_> = staged.filter_map(StagedBlob::file_folder).collect();
        folders
            .iter()
            .try_for_each(|folder| self.folder.sync_folder(folder))
    }

    fn answer(&self, batch: Vec<Waiting>, verdicts: Vec<Verdict>) {
        for (mut waiting, verdict) in batch.into_iter().zip(verdicts) {
            let staged = waiting.job.staged.take();
            let outcome = match verdict {
                Verdict::Conflict => Outcome::Conflict(staged),
                Verdict::Committed => {
                    staged.into_iter().for_each(StagedBlob::adopt);
                    Outcome::Committed(self.orphans(&waiting.job.discarded))
                }
            };
            waiting.reply(Ok(outcome));
        }
    }

    /// The files to be removed now. Those of an object that somebody reads go with the last reader.
    pub(super) fn orphans(&self, discarded: &[Discarded]) -> Vec<OrphanFile> {
        let files = discarded
            .iter()
            .filter(|discarded| discarded.blob.place == BlobPlace::File);
        let unread = files.filter_map(|discarded| {
            let file = self.folder.condemn(discarded.blob.id);
            match discarded.upload {
                Some(upload) => self.pins.take(upload, file),
                None => Some(file),
            }
        });
        unread.collect()
    }

    fn refuse(&self, batch: Vec<Waiting>, error: &StoreError) {
        for mut waiting in batch {
            // A durable commit whose sync failed may show after all: its blobs stay, and the next start
            // removes those that no row names.
            if self.folder.keeping() == Keeping::Durable {
                waiting
                    .job
                    .staged
                    .take()
                    .into_iter()
                    .for_each(StagedBlob::adopt);
            }
            waiting.reply(Err(error.of_batch()));
        }
    }
}

impl Waiting {
    /// A caller that went away meanwhile is no error; what the outcome holds is removed then.
    fn reply(self, outcome: Result<Outcome, StoreError>) {
        drop(self.answer.send(outcome));
    }
}

impl fmt::Debug for Committer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committer").finish_non_exhaustive()
    }
}
