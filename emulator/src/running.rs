//! A server that runs: where it is, what it knows, and how it stops.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::clock::Clock;
use crate::control::look::{LookError, Wanted, find};
use crate::control::search::{Finding, search};
use crate::control::state::{Snapshot, State};
use crate::control::stored::{Stored, Surroundings};
use crate::faults::rules::Fault;
use crate::journal::kms_calls::{KmsCall, KmsCalls};
use crate::journal::received::ReceivedRequest;
use crate::journal::requests::Requests;
use crate::model::timestamp::Timestamp;
use crate::server::listener::Serving;
use crate::server::panics::Panics;
use crate::server::tls::Tls;
use crate::store::handle::Store;

/// A server that answers. Dropping it stops it at once; [`Running::stop`] lets it finish what it has begun. An ephemeral
/// folder is removed with it.
#[derive(Debug)]
pub struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) kms_calls: KmsCalls,
    pub(crate) requests: Requests,
    pub(crate) state: Arc<State>,
    pub(crate) panics: Panics,
    pub(crate) tls: Arc<Tls>,
    pub(crate) serving: Serving,
}

/// The clock of a server. Presigned URLs, dates and skew go by it.
///
/// ```
/// # fn check(server: &strongroom::Running) {
/// # use std::time::Duration;
/// let clock = server.clock();
/// clock.advance(Duration::from_secs(7 * 86_400)); // every presigned URL is out of date
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ClockHandle(Clock);

/// Why the server did not start: one line that says what to change.
#[derive(Clone, PartialEq, Eq)]
pub struct StartError(pub(crate) String);

impl Running {
    /// Where clients on this machine find it.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://HOST:PORT`, which is path style for every SDK.
    pub fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same port, for clients that trust [`Running::ca_pem`].
    pub fn https_uri(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The certificate that HTTPS clients must trust, in PEM; made at the first call or the first TLS connection.
    ///
    /// # Errors
    ///
    /// [`StartError`], when the test CA must be made now and cannot.
    pub fn ca_pem(&self) -> Result<String, StartError> {
        self.tls.ca_pem().map(str::to_owned).map_err(StartError::of)
    }

    /// Its clock.
    pub fn clock(&self) -> ClockHandle {
        ClockHandle(self.clock.clone())
    }

    /// How an object lies in the store. Blocks.
    ///
    /// # Errors
    ///
    /// One line, where there is no such object or its blob cannot be read.
    pub fn stored(&self, bucket: &str, key: &str) -> Result<Stored, String> {
        let version = None;
        self.tell(Wanted {
            bucket,
            key,
            version,
        })
    }

    /// How a version of an object lies in the store. Blocks.
    ///
    /// # Errors
    ///
    /// As [`Running::stored`].
    pub fn stored_version(&self, bucket: &str, key: &str, id: &str) -> Result<Stored, String> {
        let version = Some(id);
        self.tell(Wanted {
            bucket,
            key,
            version,
        })
    }

    /// How an object lies in the store, without the bytes of its blobs, and what stands around it. Blocks.
    ///
    /// # Errors
    ///
    /// As [`Running::stored`].
    pub fn look(&self, bucket: &str, key: &str) -> Result<(Stored, Surroundings), String> {
        let version = None;
        let look = || {
            let found = find(
                &self.store,
                &Wanted {
                    bucket,
                    key,
                    version,
                },
            )?;
            let stored = found.describe(&self.store, false)?;
            Ok((stored, found.surroundings(&self.store)?))
        };
        look().map_err(|error: LookError| error.to_string())
    }

    fn tell(&self, wanted: Wanted<'_>) -> Result<Stored, String> {
        let found = find(&self.store, &wanted);
        let described = found.and_then(|found| found.describe(&self.store, true));
        described.map_err(|error| error.to_string())
    }

    /// Every place of the store that holds this plaintext in the clear, as it is or as JSON, hex or base64: the files of
    /// the data folder, rows and bodies of the catalogue. A long one is looked for in pieces. Blocks.
    ///
    /// # Errors
    ///
    /// One line, for a plaintext that occurs by chance: of fewer than 8 bytes, or of few different ones.
    pub fn search(&self, plaintext: &[u8]) -> Result<BTreeSet<Finding>, String> {
        search(&self.store, plaintext)
    }

    /// The requests that were answered since the start, in the order of their answers, without those to the control and
    /// about health. The last 10,000 are remembered, fewer where they are so long that they would take more than 4 MiB.
    pub fn received_requests(&self) -> Vec<ReceivedRequest> {
        self.requests.all()
    }

    /// How many requests each operation has answered since the start; none of them is forgotten.
    pub fn request_counts(&self) -> BTreeMap<&'static str, u64> {
        self.requests.counts()
    }

    /// What was asked of KMS since the start, by clients and by S3 for its callers, the oldest first. The last 10,000
    /// calls are remembered.
    pub fn kms_calls(&self) -> Vec<KmsCall> {
        self.kms_calls.all()
    }

    /// Lets requests of clients go wrong, until the rule is spent or the server is reset.
    ///
    /// # Errors
    ///
    /// One line, for an operation that neither S3 nor KMS has.
    pub fn fault(&self, fault: Fault) -> Result<(), String> {
        self.state.set_fault(fault)
    }

    /// The rules that still apply to something, with the times that are left.
    pub fn faults(&self) -> Vec<Fault> {
        self.state.faults.all()
    }

    /// Makes the server what it was when it became ready: every bucket, object, upload and KMS key is gone, what the settings
    /// name is made again (its KMS keys under new ids), the journals are empty, no fault is set, and the clock is back where it began. The root
    /// key stays. With a data folder this wipes what lies in it.
    ///
    /// Whoever asks meanwhile waits. A write that was under way is refused (503, which clients send again): it never lands
    /// behind the reset.
    ///
    /// # Errors
    ///
    /// One line, where the store fails.
    pub async fn reset(&self) -> Result<(), String> {
        self.state.reset().await
    }

    /// Takes a snapshot of all that the server keeps: buckets, objects, uploads under way, KMS keys. Large bodies are not
    /// copied.
    ///
    /// # Errors
    ///
    /// One line, where the store fails.
    pub async fn snapshot(&self) -> Result<Snapshot, String> {
        self.state.snapshot().await
    }

    /// Puts everything back as it was in a snapshot, as often as wanted; requests meanwhile are treated as by
    /// [`Running::reset`]. Clock and journals go on.
    ///
    /// # Errors
    ///
    /// One line, for the snapshot of another server, and where the store fails.
    pub async fn restore(&self, snapshot: &Snapshot) -> Result<(), String> {
        self.state.restore(snapshot).await
    }

    /// How often the server has panicked, which is always a fault of its own. The request that met the panic got 500
    /// `InternalError`, or its answer was cut short.
    pub fn panics(&self) -> u64 {
        self.panics.count()
    }

    /// The folder that holds everything.
    pub fn data_folder(&self) -> &Path {
        self.store.path()
    }

    /// Takes no more requests, finishes those in flight (10 seconds at most), and returns.
    pub async fn stop(self) {
        self.serving.stop().await;
    }
}

impl ClockHandle {
    /// What time it is.
    ///
    /// ```
    /// # fn check(clock: &strongroom::ClockHandle) {
    /// let seconds = clock.now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    /// # }
    /// ```
    pub fn now(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.0.now().unix_millis())
    }

    /// Holds it at `time`.
    ///
    /// ```
    /// # fn check(clock: &strongroom::ClockHandle) {
    /// # use std::time::{Duration, SystemTime};
    /// let millennium = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_800);
    /// clock.set(millennium);
    /// assert_eq!(clock.now(), millennium);
    /// # }
    /// ```
    pub fn set(&self, time: SystemTime) {
        self.0.set(Timestamp::from_system(time));
    }

    /// Moves it forward.
    ///
    /// ```
    /// # fn check(clock: &strongroom::ClockHandle) {
    /// # use std::time::Duration;
    /// let before = clock.now();
    /// clock.advance(Duration::from_secs(60));
    /// assert!(clock.now() >= before + Duration::from_secs(60));
    /// # }
    /// ```
    pub fn advance(&self, duration: Duration) {
        self.0.advance(duration);
    }
}

impl StartError {
    pub(crate) fn of(error: impl fmt::Display) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The same line, so that an `unwrap` in a test reads well.
impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}
