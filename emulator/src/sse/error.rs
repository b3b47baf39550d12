//! Why a body cannot be sealed or opened.

use std::fmt;

use crate::crypto::error::CryptoError;
use crate::keyring::error::KeyringError;

/// Why a body cannot be sealed or opened.
#[derive(Debug)]
pub(crate) enum SseError {
    /// The object is under a customer key, and none was brought.
    KeyMissing,
    /// A customer key was brought for an object that is under none.
    KeyNotApplicable,
    /// The customer key is not the one that the object was written under.
    WrongKey,
    /// A customer key that AES-256 cannot use.
    KeyLength,
    /// The server's own keys failed.
    Keyring(KeyringError),
    /// The body failed.
    Crypto(CryptoError),
}

impl fmt::Display for SseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyMissing => f.write_str("the object is encrypted under a customer key"),
            Self::KeyNotApplicable => f.write_str("the object is encrypted under no customer key"),
            Self::WrongKey => f.write_str("the customer key is not the object's"),
            Self::KeyLength => f.write_str("a customer key has 32 bytes"),
            Self::Keyring(source) => source.fmt(f),
            Self::Crypto(source) => source.fmt(f),
        }
    }
}

impl std::error::Error for SseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Keyring(source) => Some(source),
            Self::Crypto(source) => Some(source),
            Self::KeyMissing | Self::KeyNotApplicable | Self::WrongKey | Self::KeyLength => None,
        }
    }
}

impl From<KeyringError> for SseError {
    fn from(source: KeyringError) -> Self {
        Self::Keyring(source)
    }
}

impl From<CryptoError> for SseError {
    fn from(source: CryptoError) -> Self {
        Self::Crypto(source)
    }
}
