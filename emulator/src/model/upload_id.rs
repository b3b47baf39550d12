//! The name of a multipart upload.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::timestamp::Timestamp;

/// The name of an upload: when it began, in milliseconds, and 8 random bytes, so that names sort by age; 32 hex digits.
///
/// The parts of a completed upload go on by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct UploadId(#[serde(with = "hex::serde")] pub(crate) [u8; 16]);

impl UploadId {
    /// Of an upload that begins now.
    pub(crate) fn new(now: Timestamp, random: [u8; 8]) -> Self {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&now.unix_millis().to_be_bytes());
        bytes[8..].copy_from_slice(&random);
        Self(bytes)
    }

    /// Reads one that was given out.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes)).filter(|id| id.to_string() == text)
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_nothing_else_does() {
        let id = UploadId::new(Timestamp::from_unix_millis(5), [255; 8]);

        assert_eq!(UploadId::parse(&id.to_string()), Some(id));
        for text in ["", "fakeid", &id.to_string().to_uppercase()] {
            assert_eq!(UploadId::parse(text), None);
        }
    }

    #[test]
    fn names_sort_by_age() {
        let at = |millis| UploadId::new(Timestamp::from_unix_millis(millis), [0; 8]);

        assert!(at(255) < at(256));
    }
}
