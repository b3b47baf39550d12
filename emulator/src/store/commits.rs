//! What one commit does for all who take part in it: publish their files, change the rows, answer each.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::model::object::{Blob, BlobPlace};
use crate::model::upload_id::UploadId;
use crate::store::blobs::{BlobFolder, OrphanFile};
use crate::store::catalogue_file::{Keeping, is_full};
use crate::store::engine::{Engine, Member, Verdict};
use crate::store::error::StoreError;
use crate::store::pins::Pins;
use crate::store::reserve::Reserve;
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
    pub(super) reserve: Reserve,
}

impl Committer {
    /// Does all these jobs in one commit, and answers each.
    pub(super) fn run(&self, batch: Vec<Waiting>) {
        // Who went away does not get his changes: nobody else would know what came of them.
        let asked = batch
            .into_iter()
            .filter(|waiting| !waiting.answer.is_closed());
        let mut batch: Vec<_> = asked
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
            Ok(verdicts) => {
                self.answer(batch, verdicts);
                self.reserve.keep();
            }
            Err(error) => self.refuse_but_free(batch, members, &error),
        }
    }

    /// On a full disk those jobs that free something are done all the same, in the room that was kept for them.
    fn refuse_but_free(&self, batch: Vec<Waiting>, members: Vec<Member>, error: &StoreError) {
        let is_full = matches!(error, StoreError::Io { source, .. } if is_full(source));
        let all = batch.into_iter().zip(members);
        let (freeing, others): (Vec<_>, Vec<_>) =
            all.partition(|(waiting, member)| is_full && waiting.job.frees(member));
        let (batch, members): (Vec<_>, Vec<_>) = others.into_iter().unzip();
        self.refuse(batch, &members, error);
        if freeing.is_empty() {
            return;
        }
        self.reserve.give_up();
        let (batch, members): (Vec<_>, Vec<_>) = freeing.into_iter().unzip();
        match self.engine.commit(&members) {
            Ok(verdicts) => self.answer(batch, verdicts),
            Err(error) => self.refuse(batch, &members, &error),
        }
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
    fn orphans(&self, discarded: &[Discarded]) -> Vec<OrphanFile> {
        let files = discarded
            .iter()
            .filter(|discarded| discarded.blob.place == BlobPlace::File);
        let unread = files.filter_map(|discarded| {
            let file = OrphanFile::new(self.folder.path(discarded.blob.id));
            match discarded.upload {
                Some(upload) => self.pins.take(upload, file),
                None => Some(file),
            }
        });
        unread.collect()
    }

    fn refuse(&self, batch: Vec<Waiting>, members: &[Member], error: &StoreError) {
        for (mut waiting, member) in batch.into_iter().zip(members) {
            // A durable commit whose sync failed may show after all.
            if self.folder.keeping() == Keeping::Durable && self.may_show(member) {
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

    /// Whether its rows are there, now that the catalogue was opened again; also where it cannot be. A blob that no row
    /// names goes at the next start then.
    fn may_show(&self, member: &Member) -> bool {
        let mut written = member.writes.iter();
        let Some((write, value)) = written.find_map(|write| Some((write, write.value.as_ref()?)))
        else {
            return false;
        };
        let snapshot = self.engine.snapshot();
        match snapshot.and_then(|snapshot| snapshot.get(write.table, &write.key)) {
            Ok(found) => found.is_some_and(|stored| stored.value == *value),
            Err(_) => true,
        }
    }
}

impl Job {
    /// Whether there is more room when it is done. `member` is its own.
    fn frees(&self, member: &Member) -> bool {
        self.staged.is_none() && member.writes.iter().any(|write| write.value.is_none())
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

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::{fs, io};

    use bytes::Bytes;
    use tempfile::TempDir;

    use super::*;
    use crate::model::object::BlobId;
    use crate::store::engine::{Snapshot, Table, Write};
    use crate::store::fixtures::{LARGE, blob_files};
    use crate::store::redb_engine::RedbEngine;
    use crate::store::staging::BlobWriter;

    /// Finds the disk full at each commit, before or after it has reached the disk.
    #[derive(Debug)]
    struct FailingEngine {
        redb: RedbEngine,
        is_written: bool,
        /// As long as this file takes room.
        because_of: Option<PathBuf>,
    }

    impl Engine for FailingEngine {
        fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
            self.redb.snapshot()
        }

        fn commit(&self, batch: &[Member]) -> Result<Vec<Verdict>, StoreError> {
            let is_freed = self.because_of.as_ref().is_some_and(|file| !file.exists());
            if is_freed {
                return self.redb.commit(batch);
            }
            if self.is_written {
                self.redb.commit(batch)?;
            }
            let full = io::ErrorKind::StorageFull.into();
            Err(StoreError::io("write to", Path::new("catalogue"))(full))
        }

        fn check(&self) -> Result<(), StoreError> {
            self.redb.check()
        }
    }

    fn row(value: Option<&'static [u8]>) -> Write {
        Write {
            table: Table::Rows,
            key: b"key".to_vec(),
            value: value.map(Bytes::from_static),
        }
    }

    fn failing(data: &Path, is_written: bool, because_of: Option<PathBuf>) -> Committer {
        let redb = RedbEngine::open(&data.join("catalogue"), Keeping::Durable).unwrap();
        redb.commit(&[Member::of(vec![row(Some(b"before"))])])
            .unwrap();
        Committer {
            engine: Arc::new(FailingEngine {
                redb,
                is_written,
                because_of,
            }),
            folder: BlobFolder::open(data, Keeping::Durable).unwrap(),
            pins: Pins::default(),
            reserve: Reserve::of(data, Keeping::Durable),
        }
    }

    /// How many blobs lie in the folder when the commit of one has failed.
    fn left_by_a_failed_commit(is_written: bool) -> usize {
        let data = TempDir::new().unwrap();
        let committer = failing(data.path(), is_written, None);
        let mut writer = BlobWriter::new(BlobId([7; 16]), committer.folder.clone());
        writer.write(&LARGE).unwrap();
        let mut job = Job {
            staged: Some(writer.finish().unwrap()),
            ..Job::default()
        };
        job.member.writes.push(row(Some(b"names the blob")));
        let (answer, mut outcome) = oneshot::channel();

        committer.run(vec![Waiting { job, answer }]);

        assert!(outcome.try_recv().unwrap().is_err());
        assert_eq!(
            fs::read_dir(data.path().join("staging")).unwrap().count(),
            0
        );
        blob_files(data.path()).len()
    }

    #[test]
    fn a_full_disk_takes_what_frees_room_and_nothing_else() {
        let data = TempDir::new().unwrap();
        let committer = failing(data.path(), false, Some(data.path().join("reserve")));
        committer.reserve.keep();
        let job = |value| {
            let (answer, outcome) = oneshot::channel();
            let mut job = Job::default();
            job.member.writes.push(row(value));
            (Waiting { job, answer }, outcome)
        };
        let (put, mut put_outcome) = job(Some(b"after"));
        let (delete, mut delete_outcome) = job(None);

        committer.run(vec![put, delete]);

        let found = committer
            .engine
            .snapshot()
            .unwrap()
            .get(Table::Rows, b"key");
        let deleted = delete_outcome.try_recv().unwrap();
        assert!(put_outcome.try_recv().unwrap().is_err());
        assert!(matches!(deleted, Ok(Outcome::Committed(_))), "{deleted:?}");
        assert!(found.unwrap().is_none());
    }

    #[test]
    fn the_blob_of_a_commit_that_failed_goes() {
        assert_eq!(left_by_a_failed_commit(false), 0);
    }

    #[test]
    fn the_blob_of_a_commit_that_shows_although_it_failed_stays() {
        assert_eq!(left_by_a_failed_commit(true), 1);
    }
}
