//! The body of an object: how each format encrypts it.

use crate::client_side::cipher::{
    CBC_IV_BYTES, COMMITMENT_BYTES, GCM_IV_BYTES, Key, derive, is_same, open_cbc, open_gcm, random,
    seal_gcm,
};
use crate::client_side::error::ClientSideError;

/// V1, and V2 of old: no tag.
pub(crate) const CBC: &str = "AES/CBC/PKCS5Padding";
/// V2.
pub(crate) const GCM: &str = "AES/GCM/NoPadding";
/// V3: the decimal id of `ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY`.
pub(crate) const COMMITTED: &str = "115";

/// V3 derives a key for each object, so that its IV may be the same for all. The specification says zeros; AWS's clients use
/// ones.
const COMMITTED_IV: [u8; GCM_IV_BYTES] = [1; GCM_IV_BYTES];
/// The id of V3's algorithm, which its tag covers.
const COMMITTED_AAD: [u8; 2] = [0x00, 0x73];

/// How one body is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// AES-CBC with padding.
    Cbc { iv: [u8; CBC_IV_BYTES] },
    /// AES-GCM under the data key, the tag at the end.
    Gcm { iv: [u8; GCM_IV_BYTES] },
    /// AES-GCM under a derived key, the tag at the end.
    Committed {
        message_id: [u8; COMMITMENT_BYTES],
        commitment: [u8; COMMITMENT_BYTES],
    },
}

impl Content {
    /// Encrypts a body as V2 does.
    pub(crate) fn seal_gcm(key: &Key, plaintext: &[u8]) -> (Self, Vec<u8>) {
        let iv = random();
        (Self::Gcm { iv }, seal_gcm(key, &iv, b"", plaintext))
    }

    /// Encrypts a body as V3 does.
    pub(crate) fn seal_committed(key: &Key, plaintext: &[u8]) -> (Self, Vec<u8>) {
        let message_id = random();
        let derived = derive(key, &message_id);
        let content = Self::Committed {
            message_id,
            commitment: derived.commitment,
        };
        let body = seal_gcm(&derived.key, &COMMITTED_IV, &COMMITTED_AAD, plaintext);
        (content, body)
    }

    /// Decrypts a body.
    ///
    /// # Errors
    ///
    /// [`ClientSideError::CommitmentMismatch`], [`ClientSideError::BodyRefused`].
    pub(crate) fn open(&self, key: &Key, body: &[u8]) -> Result<Vec<u8>, ClientSideError> {
        let opened = match self {
            Self::Cbc { iv } => open_cbc(key, iv, body),
            Self::Gcm { iv } => open_gcm(key, iv, b"", body),
            Self::Committed {
                message_id,
                commitment,
            } => {
                let derived = derive(key, message_id);
                if !is_same(commitment, &derived.commitment) {
                    return Err(ClientSideError::CommitmentMismatch);
                }
                open_gcm(&derived.key, &COMMITTED_IV, &COMMITTED_AAD, body)
            }
        };
        opened.ok_or(ClientSideError::BodyRefused)
    }

    /// The name of its algorithm, which the wrapping of the data key is bound to.
    pub(crate) fn algorithm(&self) -> &'static str {
        match self {
            Self::Cbc { .. } => CBC,
            Self::Gcm { .. } => GCM,
            Self::Committed { .. } => COMMITTED,
        }
    }
}
