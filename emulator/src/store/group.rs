//! Group commit: writers that come together share one commit. Two arrangements:
//!
//! - **Ephemeral**, a commit takes microseconds: a writer queues, yields once so that others can queue too, and
//!   whoever's turn comes first commits for all, on the runtime's own thread.
//! - **Durable**, a commit waits for the disk: one thread of its own commits what has queued meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::{io, mem, path::Path};

use tokio::sync::oneshot;
use tokio::task;

use crate::store::catalogue_file::Keeping;
use crate::store::commits::{Committer, Job, Outcome, Waiting};
use crate::store::error::StoreError;

/// The most members of one durable commit: bounds how long the first of them waits.
const MAX_BATCH: usize = 256;

/// Where writers meet.
#[derive(Debug)]
pub(super) enum Group {
    /// They take turns.
    Turns(Turns),
    /// They send their jobs to a thread.
    Thread(WriterThread),
}

#[derive(Debug)]
pub(super) struct Turns {
    committer: Committer,
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
pub(super) struct WriterThread {
    /// `None` while it is dropped.
    jobs: Option<mpsc::Sender<Waiting>>,
    thread: Option<JoinHandle<()>>,
}

impl Group {
    /// The arrangement that fits.
    ///
    /// # Errors
    ///
    /// `Io` when the thread cannot be started.
    pub(super) fn start(committer: Committer, catalogue: &Path) -> Result<Self, StoreError> {
        match committer.folder.keeping() {
            Keeping::Ephemeral => Ok(Self::Turns(Turns {
                committer,
                waiting: Mutex::default(),
                turn: tokio::sync::Mutex::default(),
            })),
            Keeping::Durable => WriterThread::start(committer)
                .map(Self::Thread)
                .map_err(StoreError::io("start the writer of", catalogue)),
        }
    }

    /// Does the job, in one commit with the jobs of others.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(super) async fn run(&self, job: Job) -> Result<Outcome, StoreError> {
        match self {
            Self::Turns(turns) => turns.run(job).await,
            Self::Thread(thread) => thread.run(job).await,
        }
    }
}

impl Turns {
    async fn run(&self, job: Job) -> Result<Outcome, StoreError> {
        let (answer, mut outcome) = oneshot::channel();
        self.lock().push(Waiting { job, answer });
        task::yield_now().await;
        let turn = self.turn.lock().await;
        if let Ok(outcome) = outcome.try_recv() {
            return outcome;
        }
        let batch = mem::take(&mut *self.lock());
        self.committer.run(batch);
        drop(turn);
        received(outcome.try_recv())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WriterThread {
    fn start(committer: Committer) -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel();
        let thread = thread::Builder::new()
            .name("catalogue writer".to_owned())
            .spawn(move || commit_all(&committer, &queue))?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    async fn run(&self, job: Job) -> Result<Outcome, StoreError> {
        let (answer, outcome) = oneshot::channel();
        if let Some(jobs) = &self.jobs {
            // Where the thread has ended, the answer's sender is dropped with the job, and that is told below.
            drop(jobs.send(Waiting { job, answer }));
        }
        received(outcome.await)
    }
}

fn commit_all(committer: &Committer, queue: &mpsc::Receiver<Waiting>) {
    while let Ok(first) = queue.recv() {
        let others = queue.try_iter().take(MAX_BATCH - 1);
        let batch = std::iter::once(first).chain(others).collect();
        // redb may panic over a file that was altered under it. Whoever waits for this batch hears that it has failed, and
        // the next one is tried.
        if catch_unwind(AssertUnwindSafe(|| committer.run(batch))).is_err() {
            tracing::error!("a commit to the catalogue panicked");
        }
    }
}

fn received<E>(outcome: Result<Result<Outcome, StoreError>, E>) -> Result<Outcome, StoreError> {
    outcome.unwrap_or_else(|_| {
        let source = io::Error::other("the writer has stopped");
        Err(StoreError::io("commit to", Path::new("the catalogue"))(
            source,
        ))
    })
}

impl Drop for WriterThread {
    /// Waits for the last commit: the folder is free when the store is dropped.
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the writer of the catalogue ended by a panic");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::path::PathBuf;
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::task::{Context, Waker};

    use bytes::Bytes;
    use tempfile::TempDir;

    use super::*;
    use crate::store::blobs::BlobFolder;
    use crate::store::engine::{Engine, Member, Snapshot, Table, Verdict, Write};
    use crate::store::pins::Pins;
    use crate::store::redb_engine::RedbEngine;
    use crate::store::reserve::Reserve;

    /// Counts the commits that reach redb.
    #[derive(Debug)]
    struct CountingEngine {
        redb: RedbEngine,
        commits: AtomicUsize,
        /// Whether the next one panics.
        is_broken: AtomicBool,
    }

    struct TestGroup {
        group: Group,
        engine: Arc<CountingEngine>,
        _folder: TempDir,
    }

    impl Engine for CountingEngine {
        fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
            self.redb.snapshot()
        }

        fn commit(&self, batch: &[Member]) -> Result<Vec<Verdict>, StoreError> {
            self.commits.fetch_add(1, Ordering::SeqCst);
            assert!(!self.is_broken.swap(false, Ordering::SeqCst), "a fault");
            self.redb.commit(batch)
        }

        fn check(&self) -> Result<(), StoreError> {
            self.redb.check()
        }
    }

    impl TestGroup {
        fn new(keeping: Keeping) -> Self {
            let folder = TempDir::new().unwrap();
            let path: PathBuf = folder.path().join("catalogue");
            let engine = Arc::new(CountingEngine {
                redb: RedbEngine::open(&path, keeping).unwrap(),
                commits: AtomicUsize::new(0),
                is_broken: AtomicBool::new(false),
            });
            let committer = Committer {
                engine: Arc::clone(&engine) as Arc<dyn Engine>,
                folder: BlobFolder::open(folder.path(), keeping).unwrap(),
                pins: Pins::default(),
                reserve: Reserve::of(folder.path(), keeping),
            };
            Self {
                group: Group::start(committer, &path).unwrap(),
                engine,
                _folder: folder,
            }
        }

        async fn put(&self, key: &str) {
            let outcome = self.group.run(put(key)).await.unwrap();
            assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
        }

        fn has(&self, key: &str) -> bool {
            let snapshot = self.engine.snapshot().unwrap();
            snapshot.get(Table::Rows, key.as_bytes()).unwrap().is_some()
        }
    }

    fn put(key: &str) -> Job {
        let mut job = Job::default();
        job.member.writes.push(Write {
            table: Table::Rows,
            key: key.into(),
            value: Some(Bytes::new()),
        });
        job
    }

    async fn put_64(group: &Arc<TestGroup>) {
        let put = |number: usize| {
            let group = Arc::clone(group);
            tokio::spawn(async move { group.put(&number.to_string()).await })
        };
        for task in (0..64).map(put).collect::<Vec<_>>() {
            task.await.unwrap();
        }
        assert!((0..64).all(|number: usize| group.has(&number.to_string())));
    }

    #[tokio::test]
    async fn writers_that_come_together_share_one_commit() {
        let group = Arc::new(TestGroup::new(Keeping::Ephemeral));

        put_64(&group).await;

        assert_eq!(group.engine.commits.load(Ordering::SeqCst), 1);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn writers_on_many_threads_all_get_their_commit() {
        for keeping in [Keeping::Ephemeral, Keeping::Durable] {
            let group = Arc::new(TestGroup::new(keeping));

            put_64(&group).await;

            assert!(group.engine.commits.load(Ordering::SeqCst) <= 64);
        }
    }

    #[tokio::test]
    async fn a_commit_that_panics_fails_and_the_next_one_does_not() {
        let group = TestGroup::new(Keeping::Durable);
        group.engine.is_broken.store(true, Ordering::SeqCst);

        let failed = group.group.run(put("first")).await;
        group.put("second").await;

        assert!(failed.is_err());
        assert!(group.has("second") && !group.has("first"));
    }

    #[tokio::test]
    async fn a_writer_that_goes_away_stops_nobody_and_changes_nothing() {
        let group = TestGroup::new(Keeping::Ephemeral);
        {
            let mut cancelled = pin!(group.put("cancelled"));
            let polled = cancelled
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()));
            assert!(polled.is_pending());
        }

        group.put("next").await;

        assert!(group.has("next"));
        assert!(!group.has("cancelled"));
    }
}
