//! Buckets, versions and sealed bodies: a catalogue of ordered rows, and one file for each large body.

pub(crate) mod blobs;
pub(crate) mod buckets;
mod catalogue;
mod committer;
mod engine;
pub(crate) mod error;
pub(crate) mod folder;
pub(crate) mod handle;
mod keys;
pub(crate) mod listing;
mod redb_engine;
#[cfg(test)]
mod tests;
pub(crate) mod versions;
