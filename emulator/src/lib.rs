//! Strongroom: a local S3 for tests that answers as AWS does and really encrypts.
//!
//! This crate is the server, as a library and as the command `strongroom`. Tests of other crates start it with
//! `strongroom-testkit`, which wraps what is here.
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use strongroom::{Config, Emulator};
//!
//! let server = Emulator::start(Config::default()).await.unwrap();
//! assert!(server.uri().starts_with("http://127.0.0.1:"));
//! server.stop().await;
//! # });
//! ```

mod auth;
mod clock;
mod config;
mod control;
mod crypto;
mod entropy;
mod keyring;
mod model;
mod running;
mod s3;
mod server;
mod sse;
mod start;
mod store;
mod sts;
mod wire;

pub use crate::clock::Clock;
pub use crate::config::{Config, NewBuckets};
pub use crate::control::stored::{Mode, Stored};
pub use crate::entropy::Entropy;
pub use crate::model::timestamp::Timestamp;
pub use crate::running::Running;
pub use crate::start::{Emulator, StartError};
