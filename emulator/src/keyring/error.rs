//! What can go wrong with keys.

use std::fmt;
use std::io;
use std::path::PathBuf;

use tokio::task::JoinError;

use crate::crypto::error::CryptoError;
use crate::faults::rules::FaultAnswer;
use crate::keyring::import_refusal::ImportRefusal;
use crate::keyring::refusal::Refusal;
use crate::store::error::StoreError;

/// Why a key cannot be had or used.
#[derive(Debug)]
pub(crate) enum KeyringError {
    /// A wrapped key does not open: damaged, or of another root key.
    Unwrap(CryptoError),
    /// The material of a KMS key does not open: damaged, or of another root key.
    Material {
        /// The ARN of the key.
        key_arn: String,
        /// Why.
        source: CryptoError,
    },
    /// KMS refuses.
    Refused(Refusal),
    /// A test wants it to go wrong.
    Fault(FaultAnswer),
    /// Everything was replaced since the caller began.
    Replaced,
    /// The store, which keeps the keys, failed.
    Store(StoreError),
    /// Work on another thread did not begin: the server is being torn down.
    TornDown(JoinError),
    /// The file of the root key does not hold 32 bytes.
    BadRootKey {
        /// The file, or the variable that held it.
        place: String,
        /// How many bytes there were.
        length: usize,
    },
    /// The file of the root key cannot be read or written.
    Io {
        /// What was tried.
        tried: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unwrap(source) => write!(f, "cannot unwrap a data key: {source}"),
            Self::Material { key_arn, source } => {
                write!(f, "cannot unwrap the material of `{key_arn}`: {source}")
            }
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Fault(answer) => f.write_str(answer.exception()),
            Self::Replaced => f.write_str("all keys were replaced meanwhile"),
            Self::Store(source) => source.fmt(f),
            Self::TornDown(source) => write!(f, "cannot work with a key pair: {source}"),
            Self::BadRootKey { place, length } => {
                write!(
                    f,
                    "the root key in {place} has {length} bytes instead of 32"
                )
            }
            Self::Io {
                tried,
                path,
                source,
            } => {
                write!(
                    f,
                    "cannot {tried} the root key `{}`: {source}",
                    path.display()
                )
            }
        }
    }
}

impl std::error::Error for KeyringError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unwrap(source) | Self::Material { source, .. } => Some(source),
            Self::Store(source) => Some(source),
            Self::TornDown(source) => Some(source),
            Self::Io { source, .. } => Some(source),
            Self::Refused(_) | Self::Fault(_) | Self::Replaced | Self::BadRootKey { .. } => None,
        }
    }
}

impl KeyringError {
    /// The key whose policies let nobody do this; `None` for all else.
    pub(crate) fn denied_key(&self) -> Option<&str> {
        match self {
            Self::Refused(Refusal::NotAllowed { key_arn, .. }) if key_arn.contains(":key/") => {
                Some(key_arn)
            }
            _ => None,
        }
    }

    /// The name by which KMS's callers know it; our own failures are one to them.
    pub(crate) fn exception(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.exception(),
            Self::Fault(answer) => answer.exception(),
            Self::Replaced => "ServiceUnavailable",
            _ => "KMSInternalException",
        }
    }
}

impl From<Refusal> for KeyringError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<ImportRefusal> for KeyringError {
    fn from(refusal: ImportRefusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<StoreError> for KeyringError {
    fn from(source: StoreError) -> Self {
        match source {
            StoreError::AliasExists(alias) => Refusal::AliasExists(alias.arn()).into(),
            StoreError::Replaced => Self::Replaced,
            source => Self::Store(source),
        }
    }
}
