//! The key of an object: any UTF-8 of 1 to 1,024 bytes, never a path.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest key, in bytes.
pub(crate) const MAX_KEY_BYTES: usize = 1_024;

/// 1 to 1,024 bytes of UTF-8, kept as sent: `.`, `..`, `//` and line breaks mean nothing special.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct ObjectKey(String);

/// What was sent cannot be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidObjectKey {
    /// No byte at all.
    Empty,
    /// More than [`MAX_KEY_BYTES`]; holds the size in bytes.
    TooLong(usize),
}

impl ObjectKey {
    /// Takes a decoded key.
    ///
    /// # Errors
    ///
    /// [`InvalidObjectKey`] when it is empty or too long.
    pub(crate) fn parse(key: &str) -> Result<Self, InvalidObjectKey> {
        match key.len() {
            0 => Err(InvalidObjectKey::Empty),
            1..=MAX_KEY_BYTES => Ok(Self(key.to_owned())),
            size => Err(InvalidObjectKey::TooLong(size)),
        }
    }

    /// The key.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an object key has at least one byte"),
            Self::TooLong(size) => write!(
                f,
                "an object key of {size} bytes is longer than {MAX_KEY_BYTES}"
            ),
        }
    }
}

impl std::error::Error for InvalidObjectKey {}

impl TryFrom<String> for ObjectKey {
    type Error = InvalidObjectKey;

    fn try_from(key: String) -> Result<Self, InvalidObjectKey> {
        Self::parse(&key)
    }
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> Self {
        key.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_keys_stay_as_they_are() {
        for key in ["../../x", "a//b", ".", "\n", "%2F", &"ü".repeat(512)] {
            assert_eq!(ObjectKey::parse(key).map(String::from).as_deref(), Ok(key));
        }
    }

    #[test]
    fn the_length_counts_bytes() {
        assert_eq!(ObjectKey::parse(""), Err(InvalidObjectKey::Empty));
        assert_eq!(
            ObjectKey::parse(&"ü".repeat(513)),
            Err(InvalidObjectKey::TooLong(1_026))
        );
    }
}
