//! What is stored: buckets and versions in a catalogue of rows, large bodies in files.
//!
//! From the top: [`handle`] opens the store, [`buckets`], [`versions`], [`uploads`] and the listings say what it does, and
//! [`history`] what a write makes of the versions before it. They read and write rows ([`keys`]) in transactions of the [`catalogue`], which a [`group`] of writers hands to the [`commits`],
//! and those to the [`engine`]. Bodies come in by [`staging`], lie in [`blobs`], and go out by a [`reader`]; whether
//! their files may go, [`holds`] knows. [`contents`] is all of it at once.

pub(crate) mod buckets;
pub(crate) mod contents;
pub(crate) mod error;
pub(crate) mod finder;
pub(crate) mod folder;
pub(crate) mod handle;
pub(crate) mod holdings;
pub(crate) mod inventory;
pub(crate) mod kms;
pub(crate) mod kms_grants;
pub(crate) mod kms_replicas;
pub(crate) mod listing;
pub(crate) mod open_body;
pub(crate) mod reader;
pub(crate) mod search;
pub(crate) mod staging;
pub(crate) mod uploads;
pub(crate) mod version_listing;
pub(crate) mod versions;

mod blob_names;
mod blobs;
mod catalogue;
mod catalogue_file;
mod commits;
mod engine;
#[cfg(test)]
mod fixtures;
mod format;
mod group;
mod history;
mod holds;
mod keys;
#[cfg(test)]
mod laws;
mod look_file;
mod pins;
mod redb_engine;
mod redb_guard;
mod redb_tables;
mod reserve;
pub(crate) mod row_name;
mod sealings;
mod sweep;
#[cfg(test)]
mod test_disk;
#[cfg(test)]
mod version_laws;
