//! Strongroom: an S3 for tests that is faithful to AWS and encrypts for real.
#![expect(dead_code, reason = "the house is being built")]

mod clock;
mod entropy;
mod model;
mod wire;
