//! Data keys: `GenerateDataKey`, `GenerateDataKeyWithoutPlaintext`.
//!
//! KMS makes the key, gives it out once, and keeps nothing of it: whoever loses the ciphertext loses the key.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::operation::{Entry, Operation};
use crate::model::context::EncryptionContext;
use crate::wire::encoding::base64;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<GenerateDataKey>(),
    Entry::of::<GenerateDataKeyWithoutPlaintext>(),
];

const SYMMETRIC_DEFAULT: &str = "SYMMETRIC_DEFAULT";
const AES_256: &str = "AES_256";
const AES_128: &str = "AES_128";

/// Makes a data key, and gives it in the clear and encrypted.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKey.html>
#[derive(Debug)]
struct GenerateDataKey(Wanted);

/// Makes a data key, and gives it encrypted.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateDataKeyWithoutPlaintext.html>
#[derive(Debug)]
struct GenerateDataKeyWithoutPlaintext(Wanted);

/// What both ask.
#[derive(Debug)]
struct Wanted {
    key_id: String,
    key_spec: Option<&'static str>,
    number_of_bytes: Option<u32>,
    context: EncryptionContext,
    is_dry_run: bool,
}

impl Operation for GenerateDataKey {
    const NAME: &'static str = "GenerateDataKey";

    fn parse(members: &mut Members) -> Self {
        Self(Wanted::parse(members))
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let (plaintext, mut answer) = self.0.generate(cx).await?;
        answer["Plaintext"] = json!(base64(&plaintext));
        Ok(answer)
    }
}

impl Operation for GenerateDataKeyWithoutPlaintext {
    const NAME: &'static str = "GenerateDataKeyWithoutPlaintext";

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
            key_spec: members.choice("KeySpec", &[AES_256, AES_128]),
            number_of_bytes: members.number("NumberOfBytes", 1..=1_024),
            context: members.context("EncryptionContext"),
            is_dry_run: members.flag("DryRun"),
        }
    }

    async fn generate(self, cx: &mut Context) -> Result<(Zeroizing<Vec<u8>>, Value), KmsError> {
        cx.note_context(&self.context);
        cx.tell("kms:EncryptionAlgorithm", SYMMETRIC_DEFAULT);
        let length = self.length()?;
        let key = cx.key(&self.key_id).await?;
        let mut plaintext = Zeroizing::new(vec![0; length]);
        cx.entropy.fill(&mut plaintext);
        let ciphertext = cx
            .keyring
            .encrypt((&cx.asker, &key), &plaintext, &self.context)?;
        if self.is_dry_run {
            return Err(KmsError::dry_run());
        }
        let answer = json!({
            "CiphertextBlob": base64(&ciphertext),
            "KeyId": key.arn(),
            "KeyMaterialId": key.current().map(|material| material.id.to_string()),
        });
        Ok((plaintext, answer))
    }

    /// How many bytes: by the one or the other of two members.
    fn length(&self) -> Result<usize, KmsError> {
        let length = match (self.key_spec, self.number_of_bytes) {
            (Some(AES_256), None) => Some(32),
            (Some(_), None) => Some(16),
            (None, Some(count)) => usize::try_from(count).ok(),
            _ => None,
        };
        let message = "Please specify either number of bytes or key spec.";
        length.ok_or_else(|| KmsError::validation(message))
    }
}
