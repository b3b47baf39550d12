//! What a test may ask about the requests that its server has answered, and about the calls of KMS.

use std::collections::BTreeMap;

use strongroom::{KmsCall, ReceivedRequest};

use crate::complaints;
use crate::failure::fail;
use crate::server::Strongroom;

/// So many requests are printed when a test panics.
const LAST: usize = 20;

impl Strongroom {
    /// The requests that were answered since the start, by S3, KMS and STS, in the order of their answers. The last 10,000
    /// are remembered; fewer where they would take more than 4 MiB. A request is here before its client has the answer.
    ///
    /// When a test panics, the last of them are printed with what it says.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use strongroom_testkit::Strongroom;
    ///
    /// let s3 = Strongroom::builder().bucket("photos").start().await;
    /// // … the code under test …
    /// for request in s3.received_requests() {
    ///     assert_eq!(request.status, 200, "{request}");
    /// }
    /// # });
    /// ```
    pub fn received_requests(&self) -> Vec<ReceivedRequest> {
        self.running().received_requests()
    }

    /// How many requests an operation has answered since the start, refused ones too. It is named as AWS names it; none is
    /// forgotten.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use strongroom_testkit::Strongroom;
    ///
    /// let s3 = Strongroom::builder().bucket("photos").start().await;
    /// // … the code under test …
    /// assert_eq!(s3.request_count("PutObject"), 0);
    /// # });
    /// ```
    pub fn request_count(&self, operation: &str) -> u64 {
        self.counts().get(operation).copied().unwrap_or_default()
    }

    /// How many requests each operation has answered since the start; those that have answered none are left out.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use strongroom_testkit::Strongroom;
    ///
    /// let s3 = Strongroom::start().await;
    /// // … the code under test …
    /// assert!(s3.counts().is_empty());
    /// # });
    /// ```
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.running().request_counts()
    }

    /// How many calls of an operation KMS has answered since the start, refused ones too, as AWS's `CloudTrail` would count
    /// them: what a bucket key spared S3 is no call.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use strongroom_testkit::Strongroom;
    ///
    /// let aws = Strongroom::start().await;
    /// // … the code under test …
    /// assert_eq!(aws.kms_call_count("Decrypt"), 0);
    /// # });
    /// ```
    pub fn kms_call_count(&self, operation: &str) -> usize {
        self.kms_calls_of(operation).len()
    }

    /// Asserts how many calls of an operation KMS has answered since the start, counted as
    /// [`kms_call_count`](Self::kms_call_count) does. AWS bills each of them; a bucket key is there to spare them.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use strongroom_testkit::Strongroom;
    ///
    /// let aws = Strongroom::builder().bucket("photos").kms_key("alias/app").start().await;
    /// // … a hundred uploads under a bucket key would be one call …
    /// aws.assert_kms_calls("GenerateDataKey", 0);
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// When there were more or fewer: the last of them are told.
    #[track_caller]
    pub fn assert_kms_calls(&self, operation: &str, expected: usize) {
        let calls = self.kms_calls_of(operation);
        if calls.len() != expected {
            fail(complaints::of_calls(operation, expected, &calls));
        }
    }

    fn kms_calls_of(&self, operation: &str) -> Vec<KmsCall> {
        let mut calls = self.kms_calls();
        calls.retain(|call| call.operation == operation && !call.bucket_key_hit);
        calls
    }

    /// For whoever reads why a test failed. Standard error is shown with the test that wrote to it.
    pub(crate) fn print_last_requests(&self) {
        let requests = self.received_requests();
        let last = &requests[requests.len().saturating_sub(LAST)..];
        eprintln!("The last requests to {}:", self.uri());
        for request in last {
            eprintln!("  {request}");
        }
    }
}
