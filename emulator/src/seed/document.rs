//! What a seed may say of a KMS key and of a bucket.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::keyring::key_pairs::is_pair;
use crate::model::bucket::Versioning;
use crate::model::bucket_name::BucketName;
use crate::model::encryption::SseAlgorithm;
use crate::model::kms_key::{KeyOrigin, KeySpec, KeyUsage};
use crate::model::kms_name::KeyId;
use crate::model::timestamp::Timestamp;
use crate::seed::words::{Account, AliasName, Checked, Material, Region, SseC};

/// The whole, its items not yet looked at: each is read on its own, so that its line is known.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document<'a> {
    /// What `--identities` reads.
    #[serde(borrow, default)]
    pub(super) identities: Option<&'a RawValue>,
    /// KMS keys.
    #[serde(borrow, default)]
    pub(super) kms_keys: Vec<&'a RawValue>,
    /// Buckets.
    #[serde(borrow, default)]
    pub(super) buckets: Vec<&'a RawValue>,
}

/// A KMS key. What is left out is as `CreateKey` makes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyItem {
    pub(super) id: Option<Checked<KeyId>>,
    pub(super) account: Option<Checked<Account>>,
    pub(super) region: Option<Checked<Region>>,
    #[serde(default)]
    pub(super) aliases: Vec<Checked<AliasName>>,
    #[serde(default)]
    pub(super) description: String,
    pub(super) spec: Option<Checked<KeySpec>>,
    pub(super) usage: Option<Usage>,
    #[serde(default)]
    pub(super) origin: Origin,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    pub(super) material: Option<Checked<Material>>,
    pub(super) valid_to: Option<Checked<Timestamp>>,
}

/// `Origin`: who makes the material.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Origin {
    #[default]
    AwsKms,
    External,
}

/// `KeyUsage`, which follows from most specs and may be said all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Usage {
    EncryptDecrypt,
    SignVerify,
    GenerateVerifyMac,
    KeyAgreement,
    EncapsulateDecapsulate,
}

/// A bucket. What is left out is as `CreateBucket` makes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BucketItem {
    pub(super) name: Checked<BucketName>,
    pub(super) account: Option<Checked<Account>>,
    pub(super) region: Option<Checked<Region>>,
    pub(super) versioning: Option<Checked<Versioning>>,
    pub(super) encryption: Option<EncryptionItem>,
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
}

/// A bucket's default encryption.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EncryptionItem {
    pub(super) algorithm: Checked<SseAlgorithm>,
    pub(super) kms_key: Option<String>,
    #[serde(default)]
    pub(super) bucket_key: bool,
    /// An empty list unblocks what new buckets block; `None` leaves it as it is.
    pub(super) blocked: Option<Vec<Checked<SseC>>>,
}

impl KeyItem {
    /// What the key is.
    pub(super) fn spec(&self) -> KeySpec {
        self.spec
            .as_ref()
            .map_or(KeySpec::SymmetricDefault, |spec| spec.0)
    }

    /// What it is made for.
    pub(super) fn usage(&self) -> KeyUsage {
        self.usage.map_or(self.spec().usages()[0], Usage::known)
    }

    /// Refuses what no single word of it shows.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.id.is_none() && self.aliases.is_empty() {
            return Err(
                "a KMS key needs an id or an alias, by which the next start finds it".into(),
            );
        }
        let spec = self.spec();
        if !spec.usages().contains(&self.usage()) {
            return Err(format!(
                "a key of the spec {} has another usage",
                spec.name()
            ));
        }
        if self.usage.is_none()
            && spec.usages().contains(&KeyUsage::EncryptDecrypt)
            && spec.is_pair()
        {
            return Err(format!(
                "a key of the spec {} needs a usage, ENCRYPT_DECRYPT or SIGN_VERIFY",
                spec.name()
            ));
        }
        self.check_material()
    }

    fn check_material(&self) -> Result<(), String> {
        let spec = self.spec();
        if self.valid_to.is_some() && (self.material.is_none() || self.origin == Origin::AwsKms) {
            return Err("only the material of a key of the origin EXTERNAL can expire".into());
        }
        let Some(Checked(Material(bytes))) = &self.material else {
            return Ok(());
        };
        if self.id.is_none() {
            return Err("fixed material needs a fixed id: a ciphertext names both".into());
        }
        let Some(wanted) = spec.material_bytes() else {
            let why = || {
                format!(
                    "the material is no PKCS#8 of a key of the spec {}",
                    spec.name()
                )
            };
            return is_pair(spec, bytes).then_some(()).ok_or_else(why);
        };
        if bytes.len() != wanted {
            let length = bytes.len();
            return Err(format!(
                "the material has {length} bytes, and a key of the spec {} has {wanted}",
                spec.name()
            ));
        }
        Ok(())
    }
}

impl Origin {
    /// As on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AwsKms => KeyOrigin::AwsKms.name(),
            Self::External => KeyOrigin::External.name(),
        }
    }
}

impl Usage {
    fn known(self) -> KeyUsage {
        match self {
            Self::EncryptDecrypt => KeyUsage::EncryptDecrypt,
            Self::SignVerify => KeyUsage::SignVerify,
            Self::GenerateVerifyMac => KeyUsage::GenerateVerifyMac,
            Self::KeyAgreement => KeyUsage::KeyAgreement,
            Self::EncapsulateDecapsulate => KeyUsage::EncapsulateDecapsulate,
        }
    }
}

fn yes() -> bool {
    true
}
