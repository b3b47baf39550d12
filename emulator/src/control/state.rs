//! All that a server keeps, begun anew, or put back to where it was.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::task;

use crate::clock::Clock;
use crate::control::gate::Gate;
use crate::control::rules;
use crate::entropy::Entropy;
use crate::faults::rules::{Fault, Faults};
use crate::journal::kms_calls::KmsCalls;
use crate::journal::requests::Requests;
use crate::keyring::handle::Keyring;
use crate::store::contents::Contents;
use crate::store::handle::Store;

/// Makes what a server is told to have at its start; an error is one line.
///
/// First it reads what there is to read, so that nothing is thrown away for what cannot be made again.
pub(crate) type Provision = Box<dyn Fn() -> Result<Making, String> + Send + Sync>;
/// What is left to do then.
pub(crate) type Making = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;

/// As many snapshots may be held by their ids: each has a copy of all rows and small bodies.
pub(super) const MOST_NAMED: usize = 100;

/// What there is to be put back.
pub(crate) struct State {
    /// The server's own: whoever asks in process may have none, or one that ends meanwhile.
    pub(crate) runtime: Handle,
    pub(crate) store: Store,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) requests: Requests,
    pub(crate) kms_calls: KmsCalls,
    pub(crate) faults: Faults,
    pub(crate) provision: Provision,
    /// Closed while it happens.
    pub(crate) gate: Gate,
    /// The snapshots that clients of the control hold by their ids.
    pub(crate) named: Mutex<HashMap<String, Snapshot>>,
}

/// All that a server kept at one moment: buckets, objects and their versions, uploads under way, KMS keys. Clones are the
/// same one. It belongs to its server, and keeps what it needs of the server's files until it is dropped; a server that is
/// gone takes it along.
///
/// ```
/// # async fn check(server: &strongroom::Running) -> Result<(), String> {
/// let filled: strongroom::Snapshot = server.snapshot().await?;
/// // … whatever a test does …
/// server.restore(&filled).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Snapshot(Arc<Contents>);

impl State {
    /// Throws away all that there is, and makes the server again what it was when it became ready.
    ///
    /// # Errors
    ///
    /// One line.
    pub(crate) async fn reset(self: &Arc<Self>) -> Result<(), String> {
        let state = Arc::clone(self);
        self.whole(async move { state.begin_anew().await }).await
    }

    async fn begin_anew(&self) -> Result<(), String> {
        let making = (self.provision)()?;
        let closed = self.gate.close().await;
        let cleared = self.store.clear().await;
        cleared.map_err(|error| error.to_string())?;
        self.keyring.forget();
        self.requests.clear();
        self.kms_calls.clear();
        self.faults.clear();
        self.clock.restart();
        let made = making.await;
        drop(closed);
        made
    }

    /// Lets something go wrong.
    ///
    /// # Errors
    ///
    /// One line, for an operation that there is not.
    pub(crate) fn set_fault(&self, fault: Fault) -> Result<(), String> {
        rules::check(&fault)?;
        self.faults.set(fault);
        Ok(())
    }

    /// Takes a snapshot.
    ///
    /// # Errors
    ///
    /// One line.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, String> {
        let store = self.store.clone();
        self.whole(async move {
            let taken = store.contents().await;
            let contents = taken.map_err(|error| error.to_string())?;
            Ok(Snapshot(Arc::new(contents)))
        })
        .await
    }

    /// Puts a snapshot back. Clock and journals go on.
    ///
    /// # Errors
    ///
    /// One line; also for the snapshot of another server.
    pub(crate) async fn restore(self: &Arc<Self>, snapshot: &Snapshot) -> Result<(), String> {
        let (state, snapshot) = (Arc::clone(self), snapshot.clone());
        self.whole(async move {
            let closed = state.gate.close().await;
            let put = state.store.put_back(&snapshot.0).await;
            state.keyring.forget();
            drop(closed);
            put.map_err(|error| error.to_string())
        })
        .await
    }

    /// Takes a snapshot and names it; `None` where too many are held.
    ///
    /// # Errors
    ///
    /// One line.
    pub(super) async fn name_snapshot(&self) -> Result<Option<String>, String> {
        if self.named().len() >= MOST_NAMED {
            return Ok(None);
        }
        let snapshot = self.snapshot().await?;
        let id = self.entropy.uuid();
        self.named().insert(id.clone(), snapshot);
        Ok(Some(id))
    }

    /// The snapshot of this id.
    pub(super) fn find_snapshot(&self, id: &str) -> Option<Snapshot> {
        self.named().get(id).cloned()
    }

    /// Lets go of a snapshot; whether there was one.
    pub(super) async fn forget_snapshot(&self, id: &str) -> bool {
        let forgotten = self.named().remove(id);
        let existed = forgotten.is_some();
        // Its files go with it, which takes the system a while.
        task::spawn_blocking(move || drop(forgotten)).await.ok();
        existed
    }

    /// Does it to its end, also where whoever asked goes away meanwhile: half of it would be neither state.
    async fn whole<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, String>> + Send + 'static,
    ) -> Result<T, String> {
        let done = self.runtime.spawn(work).await;
        done.unwrap_or_else(|error| Err(error.to_string()))
    }

    fn named(&self) -> MutexGuard<'_, HashMap<String, Snapshot>> {
        self.named.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}
