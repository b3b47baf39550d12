//! Operations on buckets and their configurations.

pub(crate) mod defaults;
pub(crate) mod encryption;
pub(crate) mod manage;
pub(crate) mod tagging;
pub(crate) mod versioning;
