//! The name of a bucket, by the rules of general purpose buckets.

use std::fmt;
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

const FORBIDDEN_PREFIXES: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const FORBIDDEN_SUFFIXES: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// 3 to 63 of `a-z 0-9 . -`, which is a good name on AWS.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct BucketName(String);

/// What was sent cannot be the name of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidBucketName;

impl BucketName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`InvalidBucketName`] when it breaks a naming rule.
    pub(crate) fn parse(name: &str) -> Result<Self, InvalidBucketName> {
        let alphabet = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
        let border = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
        let bytes = name.as_bytes();
        let good = (3..=63).contains(&bytes.len())
            && bytes.iter().copied().all(alphabet)
            && border(bytes.first())
            && border(bytes.last())
            && !["..", ".-", "-."].iter().any(|pair| name.contains(pair))
            && name.parse::<Ipv4Addr>().is_err()
            && !FORBIDDEN_PREFIXES
                .iter()
                .any(|prefix| name.starts_with(prefix))
            && !FORBIDDEN_SUFFIXES
                .iter()
                .any(|suffix| name.ends_with(suffix));
        if good {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidBucketName)
        }
    }

    /// The name.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// `arn:aws:s3:::NAME`.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.0)
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidBucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a valid bucket name: 3 to 63 of a-z, 0-9, dot and hyphen")
    }
}

impl std::error::Error for InvalidBucketName {}

impl TryFrom<String> for BucketName {
    type Error = InvalidBucketName;

    fn try_from(name: String) -> Result<Self, InvalidBucketName> {
        Self::parse(&name)
    }
}

impl From<BucketName> for String {
    fn from(name: BucketName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_are_taken() {
        for name in ["abc", "my.bucket-1", "123", &"a".repeat(63)] {
            assert!(BucketName::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn bad_names_are_refused() {
        let bad = [
            "",
            "ab",
            "Abc",
            "a_b",
            "-abc",
            "abc-",
            "a..b",
            "a.-b",
            "a-.b",
            "10.0.0.1",
            "xn--abc",
            "sthree-x",
            "amzn-s3-demo-x",
            "abc-s3alias",
            "abc--ol-s3",
            "abc.mrap",
            "a--x-s3",
            "a b",
            "a/b",
            "ä-bucket",
            &"a".repeat(64),
        ];
        for name in bad {
            assert_eq!(BucketName::parse(name), Err(InvalidBucketName), "{name}");
        }
    }
}
