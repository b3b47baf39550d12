//! What a test may do to its server: let it fail, and put all that it keeps to where it was.

use strongroom::{Fault, Snapshot};

use crate::failure::fail;
use crate::server::Strongroom;

impl Strongroom {
    /// Lets requests go wrong, to see what the code under test makes of it: those of an operation, to a bucket or of a key
    /// where the rule names them, as often as it says. A reset ends all rules.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use strongroom_testkit::{Fault, FaultAnswer, Strongroom};
    ///
    /// let s3 = Strongroom::builder().bucket("photos").start().await;
    /// s3.fault(Fault::on("PutObject").bucket("photos").answer(FaultAnswer::SlowDown).times(2));
    /// // … the code under test, whose client tries again …
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// For an operation that neither S3 nor KMS has.
    #[track_caller]
    pub fn fault(&self, fault: Fault) {
        if let Err(error) = self.running().fault(fault) {
            fail(error);
        }
    }

    /// The rules that still apply to something, with the times that are left.
    ///
    /// ```
    /// use strongroom_testkit::Fault;
    /// use strongroom_testkit::blocking::Strongroom;
    ///
    /// let s3 = Strongroom::start();
    /// s3.fault(Fault::on("GetObject").times(1));
    /// // … the code under test …
    /// # s3.reset();
    /// assert!(s3.faults().is_empty(), "it never read anything");
    /// ```
    pub fn faults(&self) -> Vec<Fault> {
        self.running().faults()
    }

    /// Makes the server what it was when it became ready: every bucket, object, upload and KMS key is gone, the builder's
    /// buckets and keys are made again (keys under new ids), the journals are empty, and the clock is back where it began.
    /// With [`data`](crate::Builder::data) this wipes what lies in the folder.
    ///
    /// Whoever asks meanwhile waits. A write that was under way is refused (503, which clients send again): it never lands
    /// behind the reset. Snapshots stay.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use strongroom_testkit::Strongroom;
    ///
    /// let s3 = Strongroom::builder().bucket("photos").start().await;
    /// // … the code under test …
    /// s3.reset().await;
    /// assert!(s3.received_requests().is_empty());
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// When the store fails.
    pub async fn reset(&self) {
        let done = self.running().reset().await;
        done.unwrap_or_else(|error| fail(format!("cannot reset the server: {error}")));
    }

    /// Takes a snapshot of all that the server keeps: buckets, objects and their versions, uploads under way, KMS keys.
    /// Large bodies are not copied, and stay on the disk until the snapshot is dropped.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use strongroom_testkit::Strongroom;
    ///
    /// let s3 = Strongroom::builder().bucket("photos").start().await;
    /// // … fill the bucket once …
    /// let filled = s3.snapshot().await;
    /// // … the code under test …
    /// s3.restore(&filled).await;
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// When the store fails.
    pub async fn snapshot(&self) -> Snapshot {
        let taken = self.running().snapshot().await;
        taken.unwrap_or_else(|error| fail(format!("cannot take a snapshot: {error}")))
    }

    /// Puts everything back as it was in a snapshot, as often as wanted; requests meanwhile are treated as by
    /// [`reset`](Self::reset). Clock and journals go on.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use strongroom_testkit::Strongroom;
    ///
    /// let s3 = Strongroom::builder().bucket("photos").start().await;
    /// let empty = s3.snapshot().await;
    /// for _ in 0..2 {
    ///     // … the code under test …
    ///     s3.restore(&empty).await;
    /// }
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// When the snapshot is of another server, and when the store fails.
    pub async fn restore(&self, snapshot: &Snapshot) {
        let done = self.running().restore(snapshot).await;
        done.unwrap_or_else(|error| fail(format!("cannot restore the snapshot: {error}")));
    }
}
