//! Starts a [Strongroom](strongroom) server for a test: S3 that answers as AWS does and really encrypts.
//!
//! One server a test, on a port of its own; it stops when it is dropped and leaves nothing.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use strongroom_testkit::Strongroom;
//!
//! let s3 = Strongroom::builder().bucket("photos").start().await;
//! assert!(s3.uri().starts_with("http://127.0.0.1:"));
//! # });
//! ```
//!
//! A plain `#[test]` uses [`blocking::Strongroom`]. The feature `aws` brings `s3_client()`, `kms_client()` and `sdk_config()`; without it
//! this crate pulls no SDK. `stored(…)` shows how an object lies on the disk, `assert_encrypted_with(…)`,
//! `assert_not_stored(…)` and `assert_client_side_encrypted(…)` say what is wrong with it. The feature `client-side` brings `ClientSide`, which encrypts as AWS's S3 encryption clients do. A server that cannot start fails the test: nothing is ever skipped.

#[cfg(feature = "aws")]
mod aws;
mod builder;
#[cfg(feature = "client-side")]
mod client_side;
mod complaints;
mod encryption;
mod failure;
mod journal;
mod server;
mod state;
mod twin;

/// The same server for tests without `async`.
///
/// ```
/// use strongroom_testkit::blocking::Strongroom;
///
/// let s3 = Strongroom::start();
/// assert!(s3.uri().starts_with("http://127.0.0.1:"));
/// ```
pub mod blocking {
    pub use crate::twin::Strongroom;
}

pub use crate::builder::Builder;
#[cfg(feature = "client-side")]
pub use crate::client_side::client::{ClientSide, Written};
#[cfg(feature = "client-side")]
pub use crate::client_side::error::ClientSideError;
#[cfg(feature = "client-side")]
pub use crate::client_side::format::{Format, format_of};
pub use crate::encryption::Encryption;
pub use crate::server::Strongroom;
pub use strongroom::{
    Authentication, ClientSideFormat, ClockHandle, Config, KmsCall, Layer, LayerLayout, Mode,
    NewBuckets, ReceivedRequest, Segment, Snapshot, Stored, StoredBlob, Through, WrappedUnder,
};
