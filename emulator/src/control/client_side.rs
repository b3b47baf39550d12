//! Encryption that a client does itself, as the metadata of an object tell it. The server has no part in it.
//!
//! Source: <https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/data-format/content-metadata.md>,
//! and `metadata.py` of `amazon-s3-encryption-client-python` 4.0.0.

use std::fmt;

/// What metadata tell of an S3 encryption client.
///
/// ```
/// # fn check(server: &strongroom::Running) -> Result<(), String> {
/// # use strongroom::ClientSideFormat;
/// let stored = server.stored("photos", "cat")?;
/// assert_eq!(stored.client_side, Some(ClientSideFormat::V3));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientSideFormat {
    /// The first format: AES-CBC without a tag.
    V1,
    /// AES-GCM under the data key, or AES-CBC.
    V2,
    /// AES-GCM under a key that the object is committed to.
    V3,
    /// The object is the instruction file of another, and holds that one's keys.
    InstructionFile,
    /// Its metadata tell nothing, but an instruction file lies beside it: V1 or V2.
    KeysApart,
    /// Keys of two formats: AWS's clients refuse to read it.
    Mixed,
    /// A format's metadata lack this one: AWS's clients cannot read it.
    Incomplete(&'static str),
}

const KEY_V1: &str = "x-amz-key";
const KEY_V2: &str = "x-amz-key-v2";
const KEY_V3: &str = "x-amz-3";
const INSTRUCTION_FILE: &str = "x-amz-crypto-instr-file";
const IV: &str = "x-amz-iv";
const OF_V1: &[&str] = &[IV, "x-amz-matdesc"];
const OF_V2: &[&str] = &[IV, "x-amz-cek-alg", "x-amz-wrap-alg"];
/// What V3 keeps on the object, even where its wrapped key lies in an instruction file.
const OF_V3: &[&str] = &["x-amz-c", "x-amz-d", "x-amz-i"];

impl ClientSideFormat {
    /// Names the format by the names of an object's user metadata, without `x-amz-meta-`; `None` where none of them is
    /// of a format. A client's keys may lie in an instruction file, too, of which metadata tell nothing.
    ///
    /// ```
    /// # use strongroom::ClientSideFormat;
    /// let names = ["x-amz-key-v2", "x-amz-iv", "x-amz-cek-alg"];
    /// let lacks = ClientSideFormat::Incomplete("x-amz-wrap-alg");
    /// assert_eq!(ClientSideFormat::find(names), Some(lacks));
    /// assert_eq!(ClientSideFormat::find(["colour"]), None);
    /// ```
    pub fn find<'m>(metadata: impl IntoIterator<Item = &'m str>) -> Option<Self> {
        let names: Vec<&str> = metadata.into_iter().collect();
        let has = |name: &&str| names.contains(name);
        let is_v3 = has(&KEY_V3) || OF_V3.iter().all(has);
        let kinds: [(bool, Self, &[&'static str]); 4] = [
            (has(&KEY_V1), Self::V1, OF_V1),
            (has(&KEY_V2), Self::V2, OF_V2),
            (is_v3, Self::V3, OF_V3),
            (has(&INSTRUCTION_FILE), Self::InstructionFile, &[]),
        ];
        let mut found = kinds.into_iter().filter(|(is_there, ..)| *is_there);
        let (_, format, needed) = found.next()?;
        let holds_others = format != Self::V3 && OF_V3.iter().any(has);
        if found.next().is_some() || holds_others {
            return Some(Self::Mixed);
        }
        let missing = needed.iter().find(|name| !has(name));
        Some(missing.map_or(format, |name| Self::Incomplete(name)))
    }
}

impl fmt::Display for ClientSideFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1 => "V1",
            Self::V2 => "V2",
            Self::V3 => "V3",
            Self::InstructionFile => "instruction file",
            Self::KeysApart => "keys in an instruction file",
            Self::Mixed => "keys of two formats",
            Self::Incomplete(name) => return write!(f, "incomplete: no {name}"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_of_another_kind_are_no_format() {
        assert_eq!(ClientSideFormat::find([]), None);
        assert_eq!(
            ClientSideFormat::find(["colour", IV, "x-amz-matdesc"]),
            None
        );
    }

    #[test]
    fn a_format_is_named_by_its_wrapped_key_and_says_what_it_lacks() {
        let v2 = [
            KEY_V2,
            IV,
            "x-amz-cek-alg",
            "x-amz-wrap-alg",
            "x-amz-matdesc",
        ];

        assert_eq!(ClientSideFormat::find(v2), Some(ClientSideFormat::V2));
        assert_eq!(
            ClientSideFormat::find(v2[..2].iter().copied()),
            Some(ClientSideFormat::Incomplete("x-amz-cek-alg"))
        );
        assert_eq!(
            ClientSideFormat::find(OF_V3.iter().copied()),
            Some(ClientSideFormat::V3)
        );
        assert_eq!(
            ClientSideFormat::find([KEY_V2, "x-amz-c"]),
            Some(ClientSideFormat::Mixed)
        );
    }
}
