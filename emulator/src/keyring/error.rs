//! What can go wrong with keys.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::crypto::error::CryptoError;

/// Why a key cannot be had or used.
#[derive(Debug)]
pub(crate) enum KeyringError {
    /// A wrapped key does not open: damaged, or of another root key.
    Unwrap(CryptoError),
    /// There is no such KMS key; holds KMS's own words.
    NotFound(String),
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
            Self::NotFound(message) => f.write_str(message),
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
            Self::Unwrap(source) => Some(source),
            Self::Io { source, .. } => Some(source),
            Self::NotFound(_) | Self::BadRootKey { .. } => None,
        }
    }
}
