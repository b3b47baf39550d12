//! Strongroom: an S3 for tests that is faithful to AWS and encrypts for real.
#![allow(dead_code, reason = "the house is being built")]

mod clock;
mod crypto;
mod entropy;
mod keyring;
mod model;
mod sse;
mod store;
mod wire;
