//! What tests set to go wrong ([`rules`]): S3 and KMS ask at each request whether something does now.

pub(crate) mod rules;
