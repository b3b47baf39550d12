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
//! Hand [`uri()`](Strongroom::uri) and the credentials `test` and `test` to any client, or give
//! [`env_vars()`](Strongroom::env_vars) to a program that the test starts. Buckets and KMS keys that the [`Builder`] names are
//! there before the server is. What it keeps is really encrypted, and a test can say how it wants it:
//!
//! ```
//! # use strongroom_testkit::{Encryption, Mode, Strongroom};
//! # fn check(s3: &Strongroom) {
//! s3.assert_encrypted_with("photos", "cat", Encryption::sse_kms("alias/app").bucket_key(true));
//! s3.assert_not_stored("burn this when you have read it"); // looks through the whole store
//! assert_eq!(s3.stored("photos", "dog").mode, Mode::SseC);
//! # }
//! ```
//!
//! A plain `#[test]` uses [`blocking::Strongroom`]. Tests run side by side, as threads or as processes (`cargo nextest`): no
//! server shares anything with another. One that cannot start fails its test: nothing is ever skipped.
//!
//! | feature | what it brings |
//! |---|---|
//! | none | the server, its address and environment, all assertions; no SDK is pulled |
//! | `aws` | `sdk_config()`, `s3_client()`, `kms_client()` for the AWS SDK, with rustls and ring |
//! | `client-side` | `ClientSide`, which encrypts as AWS's S3 encryption clients do; brings `aws` |
//! | `object-store` | `object_store_options(bucket)`; pulls nothing |
//! | `opendal` | `opendal_config(bucket)`; pulls nothing |

mod access;
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
mod thread;
mod trust;
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
    Authentication, ClientSideFormat, ClockHandle, Config, Fault, FaultAnswer, KmsCall, Layer,
    LayerLayout, Mode, NewBuckets, ReceivedRequest, Secret, Segment, Snapshot, Stored, StoredBlob,
    Through, WrappedUnder,
};
