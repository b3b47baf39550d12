//! Strongroom: a local S3 for tests that answers as AWS does and really encrypts.
//!
//! This crate is the server, as a library and as the command `strongroom`. Tests of other crates start it with
//! `strongroom-testkit`, which wraps what is here.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use strongroom::{Config, Emulator};
//!
//! let listen = "127.0.0.1:0".parse().unwrap();
//! let server = Emulator::start(Config { listen, ..Config::default() }).await.unwrap();
//! assert!(server.uri().starts_with("http://127.0.0.1:"));
//! server.stop().await;
//! # });
//! ```

mod archive;
mod auth;
mod clock;
mod config;
mod control;
mod crypto;
mod disk;
mod entropy;
mod faults;
#[cfg(any(test, feature = "fuzzing"))]
mod fuzzing;
mod journal;
mod keyring;
mod kms;
mod model;
mod policy;
mod provision;
mod running;
mod s3;
mod seed;
mod server;
mod sse;
mod start;
mod store;
mod sts;
mod wire;

pub use crate::archive::export::{Export, Exported, Step};
pub use crate::archive::import::{Import, Imported};
pub use crate::config::{
    Authentication, Config, DEFAULT_PORT, NewBuckets, Secret, Seed, TlsConfig, reachable,
    root_key_of_environment,
};
pub use crate::control::client_side::ClientSideFormat;
pub use crate::control::damage::{Damage, DamageCause, Tally, VerifyNote};
pub use crate::control::folder::Inspection;
pub use crate::control::layout::{LayerLayout, Segment};
pub use crate::control::search::{Finding, Form};
pub use crate::control::state::Snapshot;
pub use crate::control::stored::{
    BucketDefault, KmsMaterial, Layer, Mode, Stored, StoredBlob, Surroundings, WrappedUnder,
};
pub use crate::control::verify::{Verification, Verified};
pub use crate::faults::rules::{Fault, FaultAnswer};
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub use crate::fuzzing::FuzzTarget;
pub use crate::journal::kms_calls::{KmsCall, Through};
pub use crate::journal::received::ReceivedRequest;
pub use crate::running::{ClockHandle, Running, StartError};
pub use crate::start::Emulator;
