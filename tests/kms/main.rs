//! KMS's behaviour, told by its clients: the AWS SDK, and raw messages where the SDK would never send them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "what tests share fails as they do"
)]

mod aliases;
mod condition_keys;
mod custom_key_stores;
mod data_key_pairs;
mod data_keys;
mod dry_runs;
mod encrypt;
mod encrypt_to_pairs;
mod faults;
mod grant_lists;
mod grant_terms;
mod grants;
mod identities;
mod import;
mod import_rotation;
mod keys;
mod last_usage;
mod lattices;
mod lookups;
mod mac;
mod matrix;
mod multi_region;
mod operations;
mod other_accounts;
mod parties;
mod permissions;
mod policies;
mod primaries;
mod protocol;
mod random;
mod regions;
mod rotation;
mod sdk;
mod shared_secrets;
mod sign;
mod states;
mod table;
mod tags;
mod windows;
mod wrapping;
