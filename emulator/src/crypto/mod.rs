//! Digests, HMAC, keys and key pairs, and Tink's two AES-CTR-HMAC constructions. It sees bytes, never a header, and imports nothing.

pub(crate) mod aead;
pub(crate) mod data_key;
pub(crate) mod digest;
pub(crate) mod ecc_keys;
pub(crate) mod error;
pub(crate) mod key_pair;
pub(crate) mod key_wrap;
pub(crate) mod layout;
pub(crate) mod mac;
pub(crate) mod ml_dsa_keys;
pub(crate) mod ml_kem_keys;
pub(crate) mod random;
pub(crate) mod rsa_keys;
pub(crate) mod segments;
pub(crate) mod signing;
pub(crate) mod subkey;

mod ed25519_keys;
