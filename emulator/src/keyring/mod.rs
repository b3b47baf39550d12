//! The root key, the data keys that it wraps, and KMS keys.
//!
//! [`handle`] is the keyring. It makes KMS keys ([`lifecycle`], [`managed`], [`planted`]), finds them ([`lookup`]) for somebody
//! ([`asker`]) who may use them ([`authorize`], [`condition_keys`], [`policies`]) in their state ([`states`]), encrypts with them ([`encryption`],
//! [`ciphertext`]), turns them ([`rotation`]) and has them in many regions ([`replicas`]). Some have their material brought
//! ([`import_tokens`], [`imports`]). Those that are pairs ([`key_pairs`]) sign
//! ([`signatures`]), encrypt ([`oaep`]) or share secrets ([`shared_secrets`]). What was used when is remembered
//! ([`uses`], [`last_uses`]). [`s3_keys`] and [`bucket_keys`] are what S3 has of it; [`reveal`]
//! needs the root key alone. Beside policies, [`grants`] let somebody in; [`granting`] makes and ends them, and
//! [`grant_tokens`] name them.

pub(crate) mod asker;
pub(crate) mod data_keys;
pub(crate) mod encryption;
pub(crate) mod error;
pub(crate) mod granting;
pub(crate) mod handle;
pub(crate) mod import_refusal;
pub(crate) mod import_tokens;
pub(crate) mod imports;
pub(crate) mod key_pairs;
pub(crate) mod last_uses;
pub(crate) mod lifecycle;
pub(crate) mod lists;
pub(crate) mod managed;
pub(crate) mod planted;
pub(crate) mod policies;
pub(crate) mod refusal;
pub(crate) mod replicas;
pub(crate) mod reveal;
pub(crate) mod root_key;
pub(crate) mod s3_keys;
pub(crate) mod signatures;
pub(crate) mod states;

mod aliases;
mod authorize;
mod bucket_keys;
mod ciphertext;
mod condition_keys;
#[cfg(test)]
pub(crate) mod fixtures;
mod grant_tokens;
mod grants;
mod lookup;
mod macs;
mod oaep;
mod places;
mod rotation;
mod shared_secrets;
mod uses;
