//! What happened: for now, the calls of KMS.

pub(crate) mod kms_calls;
