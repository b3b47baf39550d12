//! Values that cannot hold a bad value: names, keys, versions, settings. No I/O, no clock, no HTTP.

pub(crate) mod bucket;
pub(crate) mod bucket_name;
pub(crate) mod checksum;
pub(crate) mod context;
pub(crate) mod encryption;
pub(crate) mod etag;
pub(crate) mod imported;
pub(crate) mod kms_grant;
pub(crate) mod kms_key;
pub(crate) mod kms_name;
pub(crate) mod multi_region;
pub(crate) mod object;
pub(crate) mod object_key;
pub(crate) mod sealing;
pub(crate) mod timestamp;
pub(crate) mod upload;
pub(crate) mod upload_id;
pub(crate) mod wrapping;
