//! Data key pairs: `GenerateDataKeyPair`, `GenerateDataKeyPairWithoutPlaintext`.
//!
//! As with data keys, KMS keeps nothing: whoever loses the ciphertext loses the private half.

use serde_json::{Value, json};

use crate::keyring::key_pairs::DataKeyPair;
use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::operation::{Entry, Operation};
use crate::model::context::EncryptionContext;
use crate::model::kms_key::KeySpec;
use crate::wire::encoding::base64;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<GenerateDataKeyPair>(),
    Entry::of::<GenerateDataKeyPairWithoutPlaintext>(),
];

const SYMMETRIC_DEFAULT: &str = "SYMMETRIC_DEFAULT";
const SPECS: &[&str] = &[
    "RSA_2048",
    "RSA_3072",
    "RSA_4096",
    "ECC_NIST_P256",
    "ECC_NIST_P384",
    "ECC_NIST_P521",
    "ECC_SECG_P256K1",
    "SM2",
    "ECC_NIST_EDWARDS25519",
];

/// Makes a pair, and gives its private half in the clear and encrypted.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPair.html>
#[derive(Debug)]
struct GenerateDataKeyPair(Wanted);

/// Makes a pair, and gives its private half encrypted.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyPairWithoutPlaintext.html>
#[derive(Debug)]
struct GenerateDataKeyPairWithoutPlaintext(Wanted);

/// What both ask.
#[derive(Debug)]
struct Wanted {
    key_id: String,
    spec: &'static str,
    context: EncryptionContext,
    is_dry_run: bool,
}

impl Operation for GenerateDataKeyPair {
    const NAME: &'static str = "GenerateDataKeyPair";

    fn parse(members: &mut Members) -> Self {
        Self(Wanted::parse(members))
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let (pair, mut answer) = self.0.generate(cx).await?;
        answer["PrivateKeyPlaintext"] = json!(base64(&pair.private));
        Ok(answer)
    }
}

impl Operation for GenerateDataKeyPairWithoutPlaintext {
    const NAME: &'static str = "GenerateDataKeyPairWithoutPlaintext";

    fn parse(members: &mut Members) -> Self {
        Self(Wanted::parse(members))
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        self.0.generate(cx).await.map(|(_, answer)| answer)
    }
}

impl Wanted {
    fn parse(members: &mut Members) -> Self {
        members.grant_tokens();
        Self {
            key_id: members.key_id("KeyId"),
            spec: members.choice_of("KeyPairSpec", SPECS),
            context: members.context("EncryptionContext"),
            is_dry_run: members.flag("DryRun"),
        }
    }

    async fn generate(self, cx: &mut Context) -> Result<(DataKeyPair, Value), KmsError> {
        cx.note_context(&self.context);
        cx.tell("kms:EncryptionAlgorithm", SYMMETRIC_DEFAULT);
        cx.tell("kms:DataKeyPairSpec", self.spec);
        let spec = KeySpec::parse(self.spec).ok_or_else(|| {
            KmsError::unsupported(format!("Pairs of the spec {} are not built", self.spec))
        })?;
        let key = cx.key(&self.key_id).await?;
        let used = (&cx.asker, &key);
        if self.is_dry_run {
            cx.keyring.encrypt(used, &[], &self.context)?;
            return Err(KmsError::dry_run());
        }
        let pair = cx.keyring.data_key_pair(used, spec, &self.context).await?;
        let answer = json!({
            "KeyId": key.arn(),
            "KeyMaterialId": key.current().map(|material| material.id.to_string()),
            "KeyPairSpec": self.spec,
            "PrivateKeyCiphertextBlob": base64(&pair.ciphertext),
            "PublicKey": base64(&pair.public),
        });
        Ok((pair, answer))
    }
}
