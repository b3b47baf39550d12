//! A bucket's default encryption and the kinds of encryption that it blocks.

use serde::{Deserialize, Serialize};

/// `SSEAlgorithm`, and the value of `x-amz-server-side-encryption`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum SseAlgorithm {
    /// `AES256`: SSE-S3.
    Aes256,
    /// `aws:kms`: SSE-KMS.
    Kms,
    /// `aws:kms:dsse`: two layers.
    KmsDsse,
}

/// The rule of a bucket: what an upload gets that asks for nothing, and what is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BucketEncryption {
    /// Whether somebody put this rule; false for the one that the bucket was born with.
    pub(crate) explicit: bool,
    /// The default.
    pub(crate) algorithm: SseAlgorithm,
    /// `KMSMasterKeyID`, kept as it was sent.
    pub(crate) kms_key_id: Option<String>,
    /// `BucketKeyEnabled`.
    pub(crate) bucket_key_enabled: bool,
    /// `BlockedEncryptionTypes`.
    pub(crate) blocked: BlockedEncryption,
}

/// `BlockedEncryptionTypes` of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum BlockedEncryption {
    /// No element: nothing is blocked, and nothing is said of it.
    Absent,
    /// `NONE`: nothing is blocked.
    Nothing,
    /// `SSE-C`: uploads with customer keys get 403.
    SseC,
}

impl SseAlgorithm {
    /// As on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aes256 => "AES256",
            Self::Kms => "aws:kms",
            Self::KmsDsse => "aws:kms:dsse",
        }
    }

    /// Reads the wire's form; case matters, as on AWS.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::Aes256, Self::Kms, Self::KmsDsse]
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
    }
}

impl BucketEncryption {
    /// What a bucket is born with: SSE-S3, and `blocked` by the age that the server imitates.
    pub(crate) fn fresh(blocked: BlockedEncryption) -> Self {
        Self {
            explicit: false,
            algorithm: SseAlgorithm::Aes256,
            kms_key_id: None,
            bucket_key_enabled: false,
            blocked,
        }
    }
}
