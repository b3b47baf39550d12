//! Imported material: `GetParametersForImport`, `ImportKeyMaterial`, `DeleteImportedKeyMaterial`.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::keyring::import_refusal::ImportRefusal;
use crate::keyring::imports::Brought;
use crate::keyring::refusal::Refusal;
use crate::keyring::states::Need;
use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::metadata::epoch;
use crate::kms::operation::{Entry, Operation};
use crate::model::imported::expiration_model;
use crate::model::kms_key::{Import, KeySpec, KmsKey};
use crate::model::timestamp::Timestamp;
use crate::model::wrapping::{WrappingAlgorithm, WrappingKeySpec};
use crate::wire::encoding::base64;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<GetParametersForImport>(),
    Entry::of::<ImportKeyMaterial>(),
    Entry::of::<DeleteImportedKeyMaterial>(),
];

const ALGORITHMS: &[&str] = &[
    "RSAES_PKCS1_V1_5",
    "RSAES_OAEP_SHA_1",
    "RSAES_OAEP_SHA_256",
    "RSA_AES_KEY_WRAP_SHA_1",
    "RSA_AES_KEY_WRAP_SHA_256",
    "SM2PKE",
];
const WRAPPING_KEYS: &[&str] = &["RSA_2048", "RSA_3072", "RSA_4096", "SM2"];
const EXPIRATION_MODELS: &[&str] = &["KEY_MATERIAL_EXPIRES", "KEY_MATERIAL_DOES_NOT_EXPIRE"];
const IMPORT_TYPES: &[&str] = &["NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"];
/// The most bytes of a token, and of wrapped material.
const MOST_BYTES: usize = 6_144;
/// The most characters of a description.
const MOST_DESCRIPTION: usize = 256;
/// The characters of a material's id.
const ID_LENGTH: usize = 64;
/// The most days that material may be good.
const MOST_DAYS: u32 = 365;

/// Gives a wrapping key, and the token that goes with it.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html>
#[derive(Debug)]
struct GetParametersForImport {
    key_id: String,
    algorithm: &'static str,
    wrapping: &'static str,
}

impl Operation for GetParametersForImport {
    const NAME: &'static str = "GetParametersForImport";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            algorithm: members.choice_of("WrappingAlgorithm", ALGORITHMS),
            wrapping: members.choice_of("WrappingKeySpec", WRAPPING_KEYS),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.tell("kms:WrappingAlgorithm", self.algorithm);
        cx.tell("kms:WrappingKeySpec", self.wrapping);
        let key = cx.key_by_id(&self.key_id).await?;
        let (algorithm, wrapping) = self.supported(&key)?;
        let parameters = cx
            .keyring
            .parameters_for_import(&key, algorithm, wrapping)
            .await?;
        Ok(json!({
            "ImportToken": base64(&parameters.token),
            "KeyId": key.arn(),
            "ParametersValidTo": epoch(parameters.valid_to),
            "PublicKey": base64(&parameters.public),
        }))
    }
}

impl GetParametersForImport {
    /// Refuses what AWS has given up, and what it has in China alone; a key that takes no material comes first.
    fn supported(&self, key: &KmsKey) -> Result<(WrappingAlgorithm, WrappingKeySpec), KmsError> {
        Need::Import.check(key)?;
        let algorithm = WrappingAlgorithm::parse(self.algorithm);
        let wrapping = WrappingKeySpec::parse(self.wrapping);
        let refusal = || {
            Refusal::from(ImportRefusal::Wrapping {
                algorithm: self.algorithm.to_owned(),
                wrapping: self.wrapping.to_owned(),
                spec: key.spec.name(),
            })
        };
        Ok(algorithm.zip(wrapping).ok_or_else(refusal)?)
    }
}

/// Takes the material of a key.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html>
#[derive(Debug)]
struct ImportKeyMaterial {
    key_id: String,
    token: Zeroizing<Vec<u8>>,
    wrapped: Zeroizing<Vec<u8>>,
    valid_to: Option<Timestamp>,
    expiration_model: Option<&'static str>,
    import_type: Option<&'static str>,
    description: Option<String>,
    material_id: Option<String>,
}

impl Operation for ImportKeyMaterial {
    const NAME: &'static str = "ImportKeyMaterial";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            token: members.blob("ImportToken", 1..=MOST_BYTES),
            wrapped: members.blob("EncryptedKeyMaterial", 1..=MOST_BYTES),
            valid_to: members.time("ValidTo"),
            expiration_model: members.choice("ExpirationModel", EXPIRATION_MODELS),
            import_type: members.choice("ImportType", IMPORT_TYPES),
            description: parse_description(members),
            material_id: parse_material_id(members),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        self.check(cx.clock.now())?;
        cx.tell("kms:ExpirationModel", expiration_model(self.valid_to));
        if let Some(valid_to) = self.valid_to {
            cx.tell("kms:ValidTo", valid_to.iso8601());
        }
        let key = cx.key_by_id(&self.key_id).await?;
        let wrapped = (self.token.as_slice(), self.wrapped.as_slice());
        let brought = Brought {
            is_new: self.import_type.map(|kind| kind == IMPORT_TYPES[0]),
            id: self.material_id.as_deref(),
            import: Import {
                description: self.description,
                valid_to: self.valid_to,
            },
        };
        let id = cx.keyring.import_material(&key, wrapped, brought).await?;
        Ok(answer(&key, Some(id.to_string())))
    }
}

impl ImportKeyMaterial {
    /// Refuses members that do not go together.
    // AWS: unverified. The words, but for the first, which were recorded; the rules are documented.
    fn check(&self, now: Timestamp) -> Result<(), KmsError> {
        let expires = self.expiration_model != Some(EXPIRATION_MODELS[1]);
        let wrong = match self.valid_to {
            None if expires => {
                "A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES"
            }
            Some(_) if !expires => {
                "A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE"
            }
            Some(valid_to) if valid_to <= now => "The validTo date must be in the future",
            Some(valid_to) if valid_to > now.plus_days(MOST_DAYS) => {
                "The validTo date must be within 365 days"
            }
            _ if self.material_id.is_some() && self.import_type == Some(IMPORT_TYPES[0]) => {
                "A keyMaterialId must not be set if the ImportType is NEW_KEY_MATERIAL"
            }
            _ => return Ok(()),
        };
        Err(KmsError::validation(wrong))
    }
}

/// Takes away the material that somebody brought.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteImportedKeyMaterial.html>
#[derive(Debug)]
struct DeleteImportedKeyMaterial {
    key_id: String,
    material_id: Option<String>,
}

impl Operation for DeleteImportedKeyMaterial {
    const NAME: &'static str = "DeleteImportedKeyMaterial";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            material_id: parse_material_id(members),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let key = cx.key_by_id(&self.key_id).await?;
        let id = self.material_id.as_deref();
        let deleted = cx.keyring.delete_material(&key, id).await?;
        Ok(answer(&key, deleted.map(|id| id.to_string())))
    }
}

fn parse_description(members: &mut Members) -> Option<String> {
    let name = "KeyMaterialDescription";
    let text = members.maybe_text(name, 0..=MOST_DESCRIPTION)?;
    let is_known = |letter: char| {
        letter.is_ascii_alphanumeric() || letter.is_ascii_whitespace() || ":/_.-".contains(letter)
    };
    if text.is_empty() || !text.chars().all(is_known) {
        members.mismatch(name, &text, r"^[a-zA-Z0-9:/_\s.-]+$");
    }
    Some(text)
}

fn parse_material_id(members: &mut Members) -> Option<String> {
    let name = "KeyMaterialId";
    let text = members.maybe_text(name, ID_LENGTH..=ID_LENGTH)?;
    let is_known = |letter: char| matches!(letter, '0'..='9' | 'a'..='f');
    if !text.chars().all(is_known) {
        members.mismatch(name, &text, "^[a-f0-9]+$");
    }
    Some(text)
}

/// Both tell key and material.
// AWS: unverified. That the material of asymmetric and HMAC keys is not named, as `DescribeKey` does not name it either.
fn answer(key: &KmsKey, material_id: Option<String>) -> Value {
    let mut answer = json!({ "KeyId": key.arn() });
    if let Some(id) = material_id.filter(|_| key.spec == KeySpec::SymmetricDefault) {
        answer["KeyMaterialId"] = json!(id);
    }
    answer
}
