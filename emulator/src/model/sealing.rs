//! How the blob of a version is encrypted, as it is stored: all that is needed to open it, but for the root key or
//! the customer's own.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::context::EncryptionContext;

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
    /// SSE-KMS: a data key from KMS.
    SseKms(KmsWrapping),
    /// DSSE-KMS: sealed under a data key from KMS, and the result once more under one of S3's own.
    DsseKms {
        /// The inner layer's key.
        kms: KmsWrapping,
        /// The outer layer's, wrapped under the root key.
        wrapped_key: WrappedKey,
    },
    /// SSE-C: the customer's key, of which only the MD5 is kept.
    SseC {
        /// MD5 of the key, to tell a wrong one before its tag fails.
        #[serde(with = "hex::serde")]
        key_md5: [u8; 16],
    },
}

/// A data key that only KMS can unwrap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KmsWrapping {
    /// The ARN of the KMS key.
    pub(crate) key_arn: String,
    /// KMS's ciphertext: of the data key, or of the bucket key where there is one.
    pub(crate) ciphertext: WrappedKey,
    /// What it is bound to.
    pub(crate) context: EncryptionContext,
    /// The data key under the bucket key; `None` where KMS wrapped the data key itself.
    pub(crate) under_bucket_key: Option<WrappedKey>,
}

impl KmsWrapping {
    /// The region of the KMS key.
    pub(crate) fn region(&self) -> &str {
        self.key_arn.split(':').nth(3).unwrap_or_default()
    }
}

impl Sealing {
    /// What KMS has to do with it; `None` where that is nothing.
    pub(crate) fn kms(&self) -> Option<&KmsWrapping> {
        match self {
            Self::SseKms(kms) | Self::DsseKms { kms, .. } => Some(kms),
            Self::SseS3 { .. } | Self::SseC { .. } => None,
        }
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WrappedKey({})", hex::encode(&self.0))
    }
}
