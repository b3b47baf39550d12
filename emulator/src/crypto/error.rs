//! What can go wrong when bytes are opened.

use std::fmt;

/// Why sealed bytes do not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CryptoError {
    /// A tag does not fit: another key, another context, or a changed byte.
    TagMismatch,
    /// The length is none that sealing gives: something was cut off or added.
    BadLength,
    /// The header is none of ours.
    BadHeader,
    /// A key pair is unreadable, or of another kind.
    BadKey,
}

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TagMismatch => "its authentication tag does not match",
            Self::BadLength => "its length is impossible",
            Self::BadHeader => "its header is unreadable",
            Self::BadKey => "its key pair is unreadable",
        })
    }
}

impl std::error::Error for CryptoError {}
