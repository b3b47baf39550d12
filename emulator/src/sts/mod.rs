//! STS's query protocol and its operations.

pub(crate) mod error;
pub(crate) mod service;
