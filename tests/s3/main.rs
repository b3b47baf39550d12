//! S3's behaviour, told by its clients: the AWS SDK, and raw messages where the SDK would never send them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what tests share fails as they do"
)]

mod access;
mod archived;
mod assertions;
mod assuming;
mod attributes;
mod blocked;
mod bucket_keys;
mod buckets;
mod chunks;
mod client_side;
mod client_side_storage;
mod conditions;
mod copy;
mod damage;
mod data_format;
mod default_encryption;
mod deletes;
mod dsse;
mod faults;
mod forms;
mod imported_keys;
mod journal;
mod key_states;
mod keyed;
mod keys;
mod kms_grants;
mod kms_headers;
mod kms_identities;
mod kms_journal;
mod kms_other_accounts;
mod kms_permissions;
mod kms_refusals;
mod laws;
mod listing;
mod load;
mod multipart;
mod obeyed;
mod object_encryption;
mod object_encryption_refusals;
mod objects;
mod operations;
mod oversized;
mod part_checksums;
mod part_refusals;
mod post_form;
mod post_policy;
mod proof;
mod replicas;
mod reset;
mod sdk;
mod secrets;
mod seeds;
mod sessions;
mod snapshot;
mod sse_c;
mod sse_kms;
mod stored;
mod sts;
mod sts_refusals;
mod testkit;
mod tink;
mod upload_lists;
mod version_modes;
mod versioned;
mod versions;
mod ways;
mod write_refusals;
