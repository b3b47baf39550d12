//! The root key, the data keys that it wraps, and KMS keys.

pub(crate) mod context;
pub(crate) mod data_keys;
pub(crate) mod error;
pub(crate) mod kms_keys;
pub(crate) mod root_key;
