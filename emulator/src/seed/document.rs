//! What a seed may say of a KMS key and of a bucket.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::RangeInclusive;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
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
    pub(super) rotations: Option<Rotations>,
    pub(super) rotation_period_days: Option<u32>,
    /// An object, or a text.
    pub(super) policy: Option<Box<RawValue>>,
    #[serde(default)]
    pub(super) grants: Vec<GrantItem>,
}

/// `Origin`: who makes the material.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Origin {
    #[default]
    AwsKms,
    External,
}

/// How often a key was turned on demand, or to which materials.
#[derive(Clone, Debug)]
pub(super) enum Rotations {
    Count(usize),
    Materials(Vec<Checked<Material>>),
}

/// A grant on a KMS key.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrantItem {
    pub(super) name: String,
    pub(super) grantee: String,
    pub(super) retiring: Option<String>,
    pub(super) operations: Vec<String>,
    #[serde(default)]
    pub(super) constraints: ConstraintsItem,
}

/// The constraints of a grant.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ConstraintsItem {
    pub(super) encryption_context_equals: Option<BTreeMap<String, String>>,
    pub(super) encryption_context_subset: Option<BTreeMap<String, String>>,
    pub(super) source_arn: Option<String>,
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
        self.check_rotation()?;
        self.check_grants()?;
        if self.valid_to.is_some() && (self.material.is_none() || self.origin == Origin::AwsKms) {
            return Err("only the material of a key of the origin EXTERNAL can expire".into());
        }
        self.check_materials()
    }

    fn check_materials(&self) -> Result<(), String> {
        let spec = self.spec();
        let materials = self.materials();
        if materials.is_empty() {
            return Ok(());
        }
        if self.id.is_none() {
            return Err("fixed material needs a fixed id: a ciphertext names both".into());
        }
        if self.material.is_none() {
            return Err("fixed rotations need a fixed material, from which they turn".into());
        }
        let is_known = |(index, bytes): (usize, &&[u8])| materials[..index].contains(bytes);
        if materials.iter().enumerate().any(is_known) {
            return Err("a key never turns to a material that it had before".into());
        }
        let Some(wanted) = spec.material_bytes() else {
            let is_one = materials.iter().all(|bytes| is_pair(spec, bytes));
            let why = || {
                format!(
                    "the material is no PKCS#8 of a key of the spec {}",
                    spec.name()
                )
            };
            return is_one.then_some(()).ok_or_else(why);
        };
        if let Some(bytes) = materials.iter().find(|bytes| bytes.len() != wanted) {
            let length = bytes.len();
            return Err(format!(
                "the material has {length} bytes, and a key of the spec {} has {wanted}",
                spec.name()
            ));
        }
        Ok(())
    }

    fn check_rotation(&self) -> Result<(), String> {
        let spec = self.spec();
        let turns = self.rotations.is_some() || self.rotation_period_days.is_some();
        if turns && spec != KeySpec::SymmetricDefault {
            return Err(format!("a key of the spec {} never turns", spec.name()));
        }
        let count = match &self.rotations {
            None => 0,
            Some(Rotations::Count(count)) => *count,
            Some(Rotations::Materials(materials)) => materials.len(),
        };
        if count > MOST_ON_DEMAND {
            return Err(format!(
                "a key is turned on demand {MOST_ON_DEMAND} times at most, not {count}"
            ));
        }
        match self.rotation_period_days {
            Some(days) if !PERIOD_DAYS.contains(&days) => Err(format!(
                "a rotation period has {} to {} days, not {days}",
                PERIOD_DAYS.start(),
                PERIOD_DAYS.end()
            )),
            _ => Ok(()),
        }
    }

    /// By its name the next start finds a grant again.
    fn check_grants(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        match self.grants.iter().find(|grant| !names.insert(&grant.name)) {
            Some(twice) => Err(format!("two grants have the name `{}`", twice.name)),
            None => Ok(()),
        }
    }

    /// The materials that are fixed, the oldest first.
    pub(super) fn materials(&self) -> Vec<&[u8]> {
        let turned = match &self.rotations {
            Some(Rotations::Materials(materials)) => &materials[..],
            Some(Rotations::Count(_)) | None => &[],
        };
        let all = self.material.iter().chain(turned);
        all.map(|material| material.0.0.as_slice()).collect()
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
/// As `RotateKeyOnDemand` and `EnableKeyRotation` have them.
const MOST_ON_DEMAND: usize = 25;
const PERIOD_DAYS: RangeInclusive<u32> = 90..=2_560;

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

impl<'de> Deserialize<'de> for Rotations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ReadingRotations)
    }
}

struct ReadingRotations;

impl<'de> Visitor<'de> for ReadingRotations {
    type Value = Rotations;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of rotations, or a list of materials")
    }

    fn visit_u64<E: Error>(self, count: u64) -> Result<Rotations, E> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Ok(Rotations::Count(count))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Rotations, A::Error> {
        let mut materials = Vec::new();
        while let Some(material) = list.next_element()? {
            materials.push(material);
        }
        Ok(Rotations::Materials(materials))
    }
}

fn yes() -> bool {
    true
}
