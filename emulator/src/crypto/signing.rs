//! The ways to sign, and what each of them does with a message first.

use sha2::{Digest, Sha256, Sha384, Sha512};

/// The hash function of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    /// SHA-256: 32 bytes.
    Sha256,
    /// SHA-384: 48 bytes.
    Sha384,
    /// SHA-512: 64 bytes.
    Sha512,
}

/// A way to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2) of a digest.
    RsaPkcs1(Hash),
    /// RSASSA-PSS (RFC 8017 §8.1) of a digest, with a salt as long as that.
    RsaPss(Hash),
    /// ECDSA (FIPS 186-5 §6) of a digest.
    Ecdsa(Hash),
    /// Ed25519 (RFC 8032 §5.1) of the message itself.
    Ed25519,
    /// Ed25519ph (RFC 8032 §5.1), which makes its own digest of what it is given.
    Ed25519ph,
    /// ML-DSA (FIPS 204 §5.2) of the message itself.
    MlDsa,
    /// ML-DSA (FIPS 204 §6.2) of the message's representative μ, which somebody made elsewhere.
    MlDsaMu,
}

impl Hash {
    /// The digest of a message.
    pub(crate) fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    /// How long its digests are.
    pub(crate) fn size_bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}
