//! Multipart uploads.

pub(crate) mod abort;
pub(crate) mod complete;
pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod upload_part;
