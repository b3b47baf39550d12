//! The entity tag of an object.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An `ETag` without its quotes: 32 hex digits, with `-N` behind them for an object of N parts.
///
/// It is the MD5 of the plaintext under SSE-S3 alone; in every other mode AWS answers digits that tell nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ETag(String);

impl ETag {
    /// Of 16 bytes: an MD5, or random ones.
    pub(crate) fn of_bytes(bytes: [u8; 16]) -> Self {
        Self(hex::encode(bytes))
    }

    /// Of an object of parts: the MD5 of their tags' bytes, and how many they are. `md5` computes the first.
    pub(crate) fn of_parts(parts: &[Self], md5: impl FnOnce(&[u8]) -> [u8; 16]) -> Self {
        let bytes: Vec<u8> = parts
            .iter()
            .flat_map(|part| hex::decode(&part.0).unwrap_or_default())
            .collect();
        Self(format!("{}-{}", hex::encode(md5(&bytes)), parts.len()))
    }

    /// With quotes, as headers and XML carry it.
    pub(crate) fn quoted(&self) -> String {
        format!("\"{}\"", self.0)
    }

    /// Whether a condition header (`If-Match`, `If-None-Match`) names this tag: a list, each with or without quotes,
    /// or `*`.
    pub(crate) fn is_named_by(&self, condition: &str) -> bool {
        condition
            .split(',')
            .map(str::trim)
            .any(|tag| tag == "*" || tag.trim_matches('"') == self.0)
    }
}

impl fmt::Display for ETag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_name_a_tag_with_quotes_without_them_and_in_lists() {
        let tag = ETag::of_bytes([0xab; 16]);
        let digits = "ab".repeat(16);

        assert!(tag.is_named_by(&digits));
        assert!(tag.is_named_by(&format!("\"{digits}\"")));
        assert!(tag.is_named_by(&format!("\"x\", \"{digits}\"")));
        assert!(tag.is_named_by("*"));
        assert!(!tag.is_named_by("\"x\""));
    }
}
