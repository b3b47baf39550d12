//! The S3 protocol and its operations.

pub(crate) mod blob_plaintext;
pub(crate) mod code;
pub(crate) mod completion;
pub(crate) mod context;
pub(crate) mod copy_source;
pub(crate) mod delivery;
pub(crate) mod error;
#[cfg(test)]
pub(crate) mod fixtures;
pub(crate) mod form;
pub(crate) mod fresh;
pub(crate) mod headers;
pub(crate) mod intake;
pub(crate) mod layers;
pub(crate) mod object_write;
pub(crate) mod operation;
pub(crate) mod operations;
pub(crate) mod parts;
pub(crate) mod permit;
pub(crate) mod preflight;
pub(crate) mod regions;
pub(crate) mod respond;
pub(crate) mod router;
pub(crate) mod sealing;
pub(crate) mod selectors;
pub(crate) mod service;
pub(crate) mod shapes;
pub(crate) mod target;
pub(crate) mod transfer;
pub(crate) mod workers;
