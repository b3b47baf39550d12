//! The families of operations, and the table of all 56.

use crate::kms::operation::Entry;

mod aliases;
mod data_key_pairs;
mod data_keys;
mod encrypt;
mod grants;
mod import;
mod key_stores;
mod keys;
mod last_usage;
mod mac;
mod policies;
mod random;
mod replicas;
mod rotation;
mod shared_secrets;
mod sign;
mod tags;

/// Every operation that KMS has.
pub(crate) fn all() -> impl Iterator<Item = &'static Entry> {
    let families = [
        aliases::OPERATIONS,
        data_key_pairs::OPERATIONS,
        data_keys::OPERATIONS,
        encrypt::OPERATIONS,
        grants::OPERATIONS,
        import::OPERATIONS,
        key_stores::OPERATIONS,
        keys::OPERATIONS,
        last_usage::OPERATIONS,
        mac::OPERATIONS,
        policies::OPERATIONS,
        random::OPERATIONS,
        replicas::OPERATIONS,
        rotation::OPERATIONS,
        shared_secrets::OPERATIONS,
        sign::OPERATIONS,
        tags::OPERATIONS,
    ];
    families.into_iter().flatten()
}
