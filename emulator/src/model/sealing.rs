//! How the blob of a version is encrypted, as it is stored: all that is needed to open it, but for the root key or
//! the customer's own.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A data key, encrypted. Safe to store and to show.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WrappedKey(#[serde(with = "hex::serde")] pub(crate) Vec<u8>);

/// The mode of a stored version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Sealing {
    /// SSE-S3: a data key of its own, wrapped under the root key.
    SseS3 {
        /// The object's data key.
        wrapped_key: WrappedKey,
    },
    /// SSE-C: the customer's key, of which only the MD5 is kept.
    SseC {
        /// MD5 of the key, to tell a wrong one before its tag fails.
        #[serde(with = "hex::serde")]
        key_md5: [u8; 16],
    },
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey({})", hex::encode(&self.0))
    }
}
