//! The words of a seed that are checked as they are read, so that what is wrong with one is told with its own line.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::auth::identities::is_account;
use crate::config::is_region;
use crate::kms::alias_name;
use crate::model::bucket::Versioning;
use crate::model::bucket_name::BucketName;
use crate::model::encryption::SseAlgorithm;
use crate::model::kms_key::KeySpec;
use crate::model::kms_name::KeyId;
use crate::model::timestamp::Timestamp;
use crate::wire::encoding::parse_base64;

/// What a text stands for.
pub(super) trait Word: Sized {
    /// Reads it; the error is one line.
    fn parse(text: &str) -> Result<Self, String>;
}

/// A word that was read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Checked<T>(pub(super) T);

/// `alias/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AliasName(pub(super) String);

/// Twelve digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Account(pub(super) String);

/// The name of a region: a new one of AWS's is fine, a slip of the pen not always found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Region(pub(super) String);

/// The bytes of a KMS key: never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Material(pub(super) Zeroizing<Vec<u8>>);

/// Uploads under customer keys: the one kind of encryption that a bucket can block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SseC;

impl Word for BucketName {
    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| format!("`{text}`: {error}"))
    }
}

impl Word for AliasName {
    fn parse(text: &str) -> Result<Self, String> {
        match alias_name::check(text) {
            Ok(()) => Ok(Self(text.to_owned())),
            Err(error) => Err(format!("the alias `{text}`: {error}")),
        }
    }
}

impl Word for KeyId {
    /// In lower case alone: what comes back from a ciphertext is.
    fn parse(text: &str) -> Result<Self, String> {
        let wanted = "a UUID in lower case, or `mrk-` and 32 hex digits";
        Self::parse(text)
            .filter(|_| text == text.to_ascii_lowercase())
            .ok_or_else(|| format!("the key id `{text}` is not {wanted}"))
    }
}

impl Word for KeySpec {
    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| {
            let built = Self::BUILT.map(Self::name).join(", ");
            format!("the key spec `{text}` is none of {built}")
        })
    }
}

impl Word for Versioning {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "Enabled" => Ok(Self::Enabled),
            "Suspended" => Ok(Self::Suspended),
            _ => Err(format!("versioning is Enabled or Suspended, not `{text}`")),
        }
    }
}

impl Word for SseAlgorithm {
    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text).ok_or_else(|| {
            format!("the algorithm `{text}` is none of AES256, aws:kms, aws:kms:dsse")
        })
    }
}

impl Word for SseC {
    fn parse(text: &str) -> Result<Self, String> {
        let known = (text == "SSE-C").then_some(Self);
        known.ok_or_else(|| format!("a bucket can block SSE-C, not `{text}`"))
    }
}

impl Word for Account {
    fn parse(text: &str) -> Result<Self, String> {
        let account = is_account(text).then(|| Self(text.to_owned()));
        account.ok_or_else(|| format!("the account `{text}` is not twelve digits"))
    }
}

impl Word for Region {
    fn parse(text: &str) -> Result<Self, String> {
        let region = is_region(text).then(|| Self(text.to_owned()));
        region.ok_or_else(|| format!("`{text}` is no region"))
    }
}

impl Word for Timestamp {
    fn parse(text: &str) -> Result<Self, String> {
        let wanted = "a time like 2027-01-15T00:00:00Z";
        Self::parse_iso8601(text).ok_or_else(|| format!("`{text}` is not {wanted}"))
    }
}

impl Word for Material {
    fn parse(text: &str) -> Result<Self, String> {
        let bytes = parse_base64(text).map(Zeroizing::new);
        // Not told in full: it is a secret all the same.
        bytes
            .map(Self)
            .ok_or_else(|| "the material is no base64".to_owned())
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Material(…)")
    }
}

impl<'de, T: Word> Deserialize<'de> for Checked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Within `deserialize_str`, where an error still gets the line at which the reader stands.
        deserializer.deserialize_str(Reading(PhantomData)).map(Self)
    }
}

struct Reading<T>(PhantomData<T>);

impl<T: Word> Visitor<'_> for Reading<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::parse(text).map_err(E::custom)
    }
}
