//! Digests, HMAC, keys, and Tink's two AES-CTR-HMAC constructions. It sees bytes, never a header, and imports nothing.

pub(crate) mod aead;
pub(crate) mod data_key;
pub(crate) mod digest;
pub(crate) mod error;
pub(crate) mod layout;
pub(crate) mod mac;
pub(crate) mod segments;
