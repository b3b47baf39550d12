//! A KMS key and an alias, as they are stored: all but the material, which is here wrapped.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html>

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::kms_name::{KeyId, alias_arn, key_arn};
use crate::model::multi_region::MultiRegion;
use crate::model::sealing::WrappedKey;
use crate::model::timestamp::Timestamp;

/// A key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KmsKey {
    /// Its id.
    pub(crate) id: KeyId,
    /// The region that it lives in.
    pub(crate) region: String,
    /// The account that owns it: twelve digits.
    pub(crate) account: String,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// What its owner says of it; may be empty.
    pub(crate) description: String,
    /// Who looks after it.
    pub(crate) manager: KeyManager,
    /// What it is.
    pub(crate) spec: KeySpec,
    /// What it is made for; `None` for the first of [`KeySpec::usages`].
    #[serde(default)]
    pub(crate) chosen_usage: Option<KeyUsage>,
    /// Where its material comes from.
    pub(crate) origin: KeyOrigin,
    /// What it can be used for now.
    pub(crate) state: KeyState,
    /// Its materials, the oldest first; the last one encrypts, and all of them decrypt.
    pub(crate) materials: Vec<KeyMaterial>,
    /// What its owner has brought for the next rotation on demand: it does not encrypt yet.
    #[serde(default)]
    pub(crate) pending_rotation: Option<KeyMaterial>,
    /// Its automatic rotation; `None` while that is off.
    pub(crate) rotation: Option<AutomaticRotation>,
    /// Its tags, sorted by their keys.
    pub(crate) tags: Vec<(String, String)>,
    /// Its policy as it was put; `None` for the one it was born with.
    pub(crate) policy: Option<String>,
    /// Where it stands among the keys of other regions that share its id.
    #[serde(default)]
    pub(crate) multi_region: MultiRegion,
}

/// `KeyManager`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyManager {
    /// AWS made it for one of its services: its owner can look at it and no more.
    Aws,
    /// Its owner made it.
    Customer,
}

/// `KeySpec`: what a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeySpec {
    /// `SYMMETRIC_DEFAULT`: encrypts and decrypts.
    SymmetricDefault,
    /// `HMAC_224`: makes and checks codes of 28 bytes.
    Hmac224,
    /// `HMAC_256`.
    Hmac256,
    /// `HMAC_384`.
    Hmac384,
    /// `HMAC_512`.
    Hmac512,
    /// `RSA_2048`: a pair that either encrypts or signs.
    Rsa2048,
    /// `RSA_3072`.
    Rsa3072,
    /// `RSA_4096`.
    Rsa4096,
    /// `ECC_NIST_P256`: a pair that either signs or agrees on secrets.
    EccNistP256,
    /// `ECC_NIST_P384`.
    EccNistP384,
    /// `ECC_NIST_P521`.
    EccNistP521,
    /// `ECC_SECG_P256K1`.
    EccSecgP256k1,
    /// `ECC_NIST_EDWARDS25519`.
    EccNistEdwards25519,
    /// `ML_DSA_44`: a pair that signs, by lattices.
    MlDsa44,
    /// `ML_DSA_65`.
    MlDsa65,
    /// `ML_DSA_87`.
    MlDsa87,
    /// `ML_KEM_512`: a pair that encapsulates secrets.
    MlKem512,
    /// `ML_KEM_768`.
    MlKem768,
    /// `ML_KEM_1024`.
    MlKem1024,
}

/// `KeyUsage`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyUsage {
    /// Encrypts and decrypts.
    EncryptDecrypt,
    /// Signs, and checks signatures.
    SignVerify,
    /// Makes and checks codes.
    GenerateVerifyMac,
    /// Derives secrets that two share.
    KeyAgreement,
    /// Makes secrets for whoever has the private half, and finds them again.
    EncapsulateDecapsulate,
}

/// `Origin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyOrigin {
    /// Made here.
    AwsKms,
    /// Brought by its owner.
    External,
}

/// `KeyState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyState {
    /// Works.
    Enabled,
    /// Refuses to work.
    Disabled,
    /// Refuses to work, and is gone at a moment.
    PendingDeletion {
        /// That moment.
        deletion: Timestamp,
    },
    /// Refuses to work, and waits until its last replica is gone; then its own time of waiting begins.
    PendingReplicaDeletion {
        /// How long that will be.
        window_days: u32,
        /// When the last replica went that is gone, or at first when it was asked for.
        last_gone: Timestamp,
    },
    /// Waits for its material.
    PendingImport,
}

/// What one generation of a key encrypts with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyMaterial {
    /// `KeyMaterialId`.
    pub(crate) id: MaterialId,
    /// The bytes, under the root key; empty where its owner has yet to bring them again.
    pub(crate) wrapped: WrappedKey,
    /// What is known of it where its owner brought it.
    #[serde(default)]
    pub(crate) import: Option<Import>,
    /// Since when it encrypts.
    pub(crate) since: Timestamp,
    /// What made it; `None` for the first.
    pub(crate) rotation: Option<RotationType>,
}

/// What is known of a material that the owner of its key brought, beside its bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Import {
    /// What its owner says of it.
    pub(crate) description: Option<String>,
    /// When its bytes go; `None` for never.
    pub(crate) valid_to: Option<Timestamp>,
}

/// The name of a material: 32 bytes that are random, or come of key and material, 64 hex digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct MaterialId(#[serde(with = "hex::serde")] pub(crate) [u8; 32]);

/// `RotationType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum RotationType {
    /// The clock asked for it.
    Automatic,
    /// Somebody asked for it.
    OnDemand,
}

/// When a key gets new material by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AutomaticRotation {
    /// Days between two rotations.
    pub(crate) period_days: u32,
    /// The next one.
    pub(crate) next: Timestamp,
}

/// A name for a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KmsAlias {
    /// The name, `alias/` included.
    pub(crate) name: String,
    /// The region of alias and key.
    pub(crate) region: String,
    /// The account of both.
    pub(crate) account: String,
    /// The key.
    pub(crate) target: KeyId,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// When it got the key that it has.
    pub(crate) updated: Timestamp,
}

impl KmsKey {
    /// Its ARN.
    pub(crate) fn arn(&self) -> String {
        key_arn(&self.region, &self.account, &self.id)
    }

    /// What it is made for.
    pub(crate) fn usage(&self) -> KeyUsage {
        self.chosen_usage.unwrap_or(self.spec.usages()[0])
    }

    /// The algorithms that it works by.
    pub(crate) fn algorithms(&self) -> &'static [&'static str] {
        self.spec.algorithms(self.usage())
    }

    /// The material that encrypts; `None` while a key waits for its first import.
    pub(crate) fn current(&self) -> Option<&KeyMaterial> {
        self.materials.last()
    }

    /// Whether it may have replicas.
    pub(crate) fn is_multi_region_primary(&self) -> bool {
        self.id.is_of_many_regions() && !self.multi_region.is_replica()
    }

    /// Whether its time has come.
    pub(crate) fn is_gone(&self, now: Timestamp) -> bool {
        matches!(self.state, KeyState::PendingDeletion { deletion } if deletion <= now)
    }
}

impl KmsAlias {
    /// Its ARN.
    pub(crate) fn arn(&self) -> String {
        alias_arn(&self.region, &self.account, &self.name)
    }
}

impl KeyManager {
    /// As on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::Customer => "CUSTOMER",
        }
    }
}

impl KeySpec {
    /// Those that are built.
    pub(crate) const BUILT: [Self; 19] = [
        Self::SymmetricDefault,
        Self::Hmac224,
        Self::Hmac256,
        Self::Hmac384,
        Self::Hmac512,
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::EccNistP256,
        Self::EccNistP384,
        Self::EccNistP521,
        Self::EccSecgP256k1,
        Self::EccNistEdwards25519,
        Self::MlDsa44,
        Self::MlDsa65,
        Self::MlDsa87,
        Self::MlKem512,
        Self::MlKem768,
        Self::MlKem1024,
    ];

    /// As on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SymmetricDefault => "SYMMETRIC_DEFAULT",
            Self::Hmac224 => "HMAC_224",
            Self::Hmac256 => "HMAC_256",
            Self::Hmac384 => "HMAC_384",
            Self::Hmac512 => "HMAC_512",
            Self::Rsa2048 => "RSA_2048",
            Self::Rsa3072 => "RSA_3072",
            Self::Rsa4096 => "RSA_4096",
            Self::EccNistP256 => "ECC_NIST_P256",
            Self::EccNistP384 => "ECC_NIST_P384",
            Self::EccNistP521 => "ECC_NIST_P521",
            Self::EccSecgP256k1 => "ECC_SECG_P256K1",
            Self::EccNistEdwards25519 => "ECC_NIST_EDWARDS25519",
            Self::MlDsa44 => "ML_DSA_44",
            Self::MlDsa65 => "ML_DSA_65",
            Self::MlDsa87 => "ML_DSA_87",
            Self::MlKem512 => "ML_KEM_512",
            Self::MlKem768 => "ML_KEM_768",
            Self::MlKem1024 => "ML_KEM_1024",
        }
    }

    /// Reads the wire's form; `None` for a spec that is not built.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::BUILT.into_iter().find(|spec| spec.name() == name)
    }

    /// What it can be used for; one of them for a key.
    pub(crate) fn usages(self) -> &'static [KeyUsage] {
        match self {
            Self::SymmetricDefault => &[KeyUsage::EncryptDecrypt],
            Self::Hmac224 | Self::Hmac256 | Self::Hmac384 | Self::Hmac512 => {
                &[KeyUsage::GenerateVerifyMac]
            }
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => {
                &[KeyUsage::EncryptDecrypt, KeyUsage::SignVerify]
            }
            Self::EccNistP256 | Self::EccNistP384 | Self::EccNistP521 => {
                &[KeyUsage::SignVerify, KeyUsage::KeyAgreement]
            }
            Self::EccSecgP256k1
            | Self::EccNistEdwards25519
            | Self::MlDsa44
            | Self::MlDsa65
            | Self::MlDsa87 => &[KeyUsage::SignVerify],
            Self::MlKem512 | Self::MlKem768 | Self::MlKem1024 => {
                &[KeyUsage::EncapsulateDecapsulate]
            }
        }
    }

    /// The algorithms that it works by in a usage.
    ///
    /// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/symm-asymm-choose-key-spec.html>
    pub(crate) fn algorithms(self, usage: KeyUsage) -> &'static [&'static str] {
        match self {
            Self::SymmetricDefault => &["SYMMETRIC_DEFAULT"],
            Self::Hmac224 => &["HMAC_SHA_224"],
            Self::Hmac256 => &["HMAC_SHA_256"],
            Self::Hmac384 => &["HMAC_SHA_384"],
            Self::Hmac512 => &["HMAC_SHA_512"],
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 if usage == KeyUsage::SignVerify => &[
                "RSASSA_PKCS1_V1_5_SHA_256",
                "RSASSA_PKCS1_V1_5_SHA_384",
                "RSASSA_PKCS1_V1_5_SHA_512",
                "RSASSA_PSS_SHA_256",
                "RSASSA_PSS_SHA_384",
                "RSASSA_PSS_SHA_512",
            ],
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => {
                &["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]
            }
            Self::EccNistP256 | Self::EccNistP384 | Self::EccNistP521
                if usage == KeyUsage::KeyAgreement =>
            {
                &["ECDH"]
            }
            Self::EccNistP256 | Self::EccSecgP256k1 => &["ECDSA_SHA_256"],
            Self::EccNistP384 => &["ECDSA_SHA_384"],
            Self::EccNistP521 => &["ECDSA_SHA_512"],
            Self::EccNistEdwards25519 => &["ED25519_SHA_512", "ED25519_PH_SHA_512"],
            Self::MlDsa44 | Self::MlDsa65 | Self::MlDsa87 => &["ML_DSA_SHAKE_256"],
            Self::MlKem512 | Self::MlKem768 | Self::MlKem1024 => &["ML_KEM"],
        }
    }

    /// Whether it has a public half.
    pub(crate) fn is_pair(self) -> bool {
        self.material_bytes().is_none()
    }

    /// How long its material is, in bytes; `None` for a pair, which is made and not drawn.
    pub(crate) fn material_bytes(self) -> Option<usize> {
        match self {
            Self::Hmac224 => Some(28),
            Self::SymmetricDefault | Self::Hmac256 => Some(32),
            Self::Hmac384 => Some(48),
            Self::Hmac512 => Some(64),
            _ => None,
        }
    }
}

impl KeyUsage {
    /// As on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::EncryptDecrypt => "ENCRYPT_DECRYPT",
            Self::SignVerify => "SIGN_VERIFY",
            Self::GenerateVerifyMac => "GENERATE_VERIFY_MAC",
            Self::KeyAgreement => "KEY_AGREEMENT",
            Self::EncapsulateDecapsulate => "ENCAPSULATE_DECAPSULATE",
        }
    }
}

impl KeyOrigin {
    /// As on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::AwsKms => "AWS_KMS",
            Self::External => "EXTERNAL",
        }
    }
}

impl KeyState {
    /// As on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Enabled => "Enabled",
            Self::Disabled => "Disabled",
            Self::PendingDeletion { .. } => "PendingDeletion",
            Self::PendingReplicaDeletion { .. } => "PendingReplicaDeletion",
            Self::PendingImport => "PendingImport",
        }
    }
}

impl RotationType {
    /// As on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Automatic => "AUTOMATIC",
            Self::OnDemand => "ON_DEMAND",
        }
    }
}

impl fmt::Display for MaterialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
