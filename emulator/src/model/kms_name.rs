//! How a KMS key is named: by id, by ARN, by alias, by the alias's ARN.
//!
//! Reading a name says nothing about whether the key is there, or in which region and account it is looked for.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id>

use std::fmt;

use serde::{Deserialize, Serialize};

/// What every alias begins with.
pub(crate) const ALIAS_PREFIX: &str = "alias/";

/// The id of a key: a UUID, or `mrk-` and 32 hex digits for one of many regions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct KeyId(String);

/// A name that a caller uses for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyName {
    /// The bare id.
    Id(KeyId),
    /// `arn:aws:kms:REGION:ACCOUNT:key/ID`.
    Arn {
        /// The region that it names.
        region: String,
        /// The account that it names.
        account: String,
        /// The id.
        id: KeyId,
    },
    /// `alias/NAME`.
    Alias(String),
    /// `arn:aws:kms:REGION:ACCOUNT:alias/NAME`.
    AliasArn {
        /// The region that it names.
        region: String,
        /// The account that it names.
        account: String,
        /// The alias, with its prefix.
        alias: String,
    },
    /// None of these.
    Unreadable,
}

impl KeyId {
    /// Reads an id.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_id = if let Some(digits) = text.strip_prefix(MULTI_REGION) {
            digits.len() == 32 && hex(digits)
        } else {
            let groups: Vec<_> = text.split('-').collect();
            groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
                && groups.iter().all(|group| hex(group))
        };
        is_id.then(|| Self(text.to_owned()))
    }

    /// An id of these bytes, shared by keys of many regions or not.
    pub(crate) fn of_parts(is_of_many_regions: bool, bytes: [u8; 16]) -> Self {
        let hex = hex::encode(bytes);
        if is_of_many_regions {
            return Self(format!("{MULTI_REGION}{hex}"));
        }
        let ends = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
        Self(ends.map(|(start, end)| &hex[start..end]).join("-"))
    }

    /// Whether keys in many regions share it.
    pub(crate) fn is_of_many_regions(&self) -> bool {
        self.0.starts_with(MULTI_REGION)
    }

    /// Its 16 bytes.
    pub(crate) fn bytes(&self) -> [u8; 16] {
        let digits: String = self.0.trim_start_matches(MULTI_REGION).replace('-', "");
        let mut bytes = [0; 16];
        hex::decode_to_slice(digits, &mut bytes).expect("an id has 32 hex digits");
        bytes
    }

    /// As it is written.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

const MULTI_REGION: &str = "mrk-";

impl KeyName {
    /// Reads a name.
    pub(crate) fn parse(text: &str) -> Self {
        if text.starts_with(ALIAS_PREFIX) {
            return Self::Alias(text.to_owned());
        }
        let named = if text.starts_with("arn:") {
            Self::parse_arn(text)
        } else {
            KeyId::parse(text).map(Self::Id)
        };
        named.unwrap_or(Self::Unreadable)
    }

    fn parse_arn(text: &str) -> Option<Self> {
        let parts: Vec<_> = text.splitn(6, ':').collect();
        let ["arn", _, "kms", region, account, resource] = parts[..] else {
            return None;
        };
        let (region, account) = (region.to_owned(), account.to_owned());
        if resource.starts_with(ALIAS_PREFIX) {
            return Some(Self::AliasArn {
                region,
                account,
                alias: resource.to_owned(),
            });
        }
        let id = KeyId::parse(resource.strip_prefix("key/")?)?;
        Some(Self::Arn {
            region,
            account,
            id,
        })
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ARN of a key.
pub(crate) fn key_arn(region: &str, account: &str, id: &KeyId) -> String {
    format!("arn:aws:kms:{region}:{account}:key/{id}")
}

/// The ARN of an alias, which holds its prefix.
pub(crate) fn alias_arn(region: &str, account: &str, alias: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:{alias}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "134f2428-cec1-4b25-a1ae-9048164dba47";

    #[test]
    fn the_four_forms_are_told_apart() {
        let id = KeyId::parse(ID).unwrap();
        let (region, account) = ("eu-west-1".to_owned(), "000000000000".to_owned());
        let alias = "alias/a/b".to_owned();

        assert_eq!(KeyName::parse(ID), KeyName::Id(id.clone()));
        assert_eq!(
            KeyName::parse(&key_arn(&region, &account, &id)),
            KeyName::Arn {
                region: region.clone(),
                account: account.clone(),
                id
            }
        );
        assert_eq!(KeyName::parse(&alias), KeyName::Alias(alias.clone()));
        assert_eq!(
            KeyName::parse(&alias_arn(&region, &account, &alias)),
            KeyName::AliasArn {
                region,
                account,
                alias
            }
        );
    }

    #[test]
    fn what_is_no_name_is_unreadable() {
        let undashed = ID.replace('-', "");
        let cases = [
            &undashed,
            "mrk-fake-key-id",
            "",
            "aws/s3",
            "arn:aws:s3:::photos",
        ];
        for name in cases {
            assert_eq!(KeyName::parse(name), KeyName::Unreadable, "{name}");
        }
    }

    #[test]
    fn ids_are_read_back_from_their_bytes() {
        let id = KeyId::parse(ID).unwrap();
        let many = KeyId::of_parts(true, [7; 16]);

        assert_eq!(KeyId::of_parts(false, id.bytes()), id);
        assert_eq!(KeyId::parse(many.as_str()), Some(many.clone()));
        assert!(many.is_of_many_regions() && !id.is_of_many_regions());
        assert_eq!(many.bytes(), [7; 16]);
    }
}
