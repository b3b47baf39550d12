//! Group commit: concurrent writers share one transaction of the engine.
//!
//! Ephemeral: the first writer yields once and then commits for all that have queued meanwhile, on the runtime. Durable: a
//! thread of its own takes all that have queued, commits, and syncs once.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::store::engine::{Engine, Member};
use crate::store::error::StoreError;

/// The most members of one commit.
const MAX_MEMBERS: usize = 256;

/// The answer of a member: whether it was applied.
type Answer = oneshot::Sender<Result<bool, StoreError>>;

/// Commits members, many at a time.
#[derive(Debug)]
pub(super) enum Committer {
    /// On the runtime of the writers.
    Inline(Inline),
    /// On a thread.
    Thread(Thread),
}

/// A thread that commits. Dropping it ends the thread first: then nobody holds the engine's file any more.
#[derive(Debug)]
pub(super) struct Thread {
    sender: Option<mpsc::UnboundedSender<(Member, Answer)>>,
    handle: Option<std::thread::JoinHandle<()>>,
}

impl Drop for Thread {
    fn drop(&mut self) {
        self.sender.take();
        if let Some(Err(_)) = self.handle.take().map(std::thread::JoinHandle::join) {
            tracing::error!("the thread that commits to the catalogue panicked");
        }
    }
}

#[derive(Debug)]
pub(super) struct Inline {
    engine: Arc<dyn Engine>,
    queue: Mutex<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Vec<(Member, Answer)>,
    has_leader: bool,
}

impl Committer {
    /// Over an engine.
    pub(super) fn new(engine: Arc<dyn Engine>, is_durable: bool) -> Result<Self, StoreError> {
        if !is_durable {
            return Ok(Self::Inline(Inline {
                engine,
                queue: Mutex::default(),
            }));
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        let thread = std::thread::Builder::new().name("strongroom-commit".to_owned());
        let spawned = thread.spawn(move || serve(engine.as_ref(), receiver));
        let handle = Some(spawned.map_err(StoreError::catalogue)?);
        Ok(Self::Thread(Thread {
            sender: Some(sender),
            handle,
        }))
    }

    /// Commits a member; whether its preconditions held.
    ///
    /// # Errors
    ///
    /// [`StoreError::Catalogue`] when the engine fails.
    pub(super) async fn commit(&self, member: Member) -> Result<bool, StoreError> {
        let (sender, receiver) = oneshot::channel();
        match self {
            Self::Inline(inline) => inline.enter(member, sender).await,
            Self::Thread(thread) => {
                let sent = thread
                    .sender
                    .as_ref()
                    .map(|queue| queue.send((member, sender)));
                if !matches!(sent, Some(Ok(()))) {
                    return Err(StoreError::catalogue("its writer has ended"));
                }
            }
        }
        receiver
            .await
            .unwrap_or_else(|_| Err(StoreError::catalogue("its writer has ended")))
    }
}

impl Inline {
    /// Queues a member. The first of a queue leads: it lets others queue too, then commits for all.
    async fn enter(&self, member: Member, answer: Answer) {
        let leads = {
            let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.waiting.push((member, answer));
            !std::mem::replace(&mut queue.has_leader, true)
        };
        if !leads {
            return;
        }
        let leadership = Leadership(self);
        tokio::task::yield_now().await;
        drop(leadership);
    }

    fn drain(&self) {
        loop {
            let waiting = {
                let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
                queue.has_leader = !queue.waiting.is_empty();
                let count = queue.waiting.len().min(MAX_MEMBERS);
                queue.waiting.drain(..count).collect::<Vec<_>>()
            };
            if waiting.is_empty() {
                return;
            }
            commit_all(self.engine.as_ref(), waiting);
        }
    }
}

/// Drains the queue when it ends, also where the leader's own request was given up while it yielded.
struct Leadership<'q>(&'q Inline);

impl Drop for Leadership<'_> {
    fn drop(&mut self) {
        self.0.drain();
    }
}

fn serve(engine: &dyn Engine, mut receiver: mpsc::UnboundedReceiver<(Member, Answer)>) {
    while let Some(first) = receiver.blocking_recv() {
        let mut waiting = vec![first];
        while let (true, Ok(next)) = (waiting.len() < MAX_MEMBERS, receiver.try_recv()) {
            waiting.push(next);
        }
        commit_all(engine, waiting);
    }
}

fn commit_all(engine: &dyn Engine, waiting: Vec<(Member, Answer)>) {
    let (members, answers): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
    match engine.commit(&members) {
        Ok(held) => {
            for (answer, held) in answers.into_iter().zip(held) {
                answer.send(Ok(held)).ok();
            }
        }
        Err(error) => {
            let told = error.to_string();
            for answer in answers {
                answer.send(Err(StoreError::catalogue(told.clone()))).ok();
            }
        }
    }
}
