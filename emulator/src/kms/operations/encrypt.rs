//! Small secrets: `Encrypt`, `Decrypt`, `ReEncrypt`.
//!
//! A ciphertext names its key and material, so that `Decrypt` needs no key; one that is named all the same has to be the
//! right one.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::keyring::encryption::Decrypted;
use crate::keyring::refusal::Refusal;
use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::operation::{Entry, Operation};
use crate::model::context::EncryptionContext;
use crate::model::kms_key::{KeySpec, KmsKey};
use crate::wire::encoding::base64;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<Encrypt>(),
    Entry::of::<Decrypt>(),
    Entry::of::<ReEncrypt>(),
];

/// The most bytes of a plaintext, and of a ciphertext.
const MOST_PLAINTEXT: usize = 4_096;
const MOST_CIPHERTEXT: usize = 6_144;

const SYMMETRIC_DEFAULT: &str = "SYMMETRIC_DEFAULT";
const ALGORITHMS: &[&str] = &[
    SYMMETRIC_DEFAULT,
    "RSAES_OAEP_SHA_1",
    "RSAES_OAEP_SHA_256",
    "SM2PKE",
];

/// Encrypts up to 4,096 bytes.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html>
#[derive(Debug)]
struct Encrypt {
    key_id: String,
    plaintext: Zeroizing<Vec<u8>>,
    context: EncryptionContext,
    algorithm: Option<&'static str>,
    is_dry_run: bool,
}

impl Operation for Encrypt {
    const NAME: &'static str = "Encrypt";

    fn parse(members: &mut Members) -> Self {
        members.grant_tokens();
        Self {
            key_id: members.key_id("KeyId"),
            plaintext: members.blob("Plaintext", 1..=MOST_PLAINTEXT),
            context: members.context("EncryptionContext"),
            algorithm: members.choice("EncryptionAlgorithm", ALGORITHMS),
            is_dry_run: members.flag("DryRun"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.note_context(&self.context);
        let key = cx.key(&self.key_id).await?;
        check_algorithm(&key, self.algorithm)?;
        let ciphertext = cx
            .keyring
            .encrypt((&cx.asker, &key), &self.plaintext, &self.context)?;
        if self.is_dry_run {
            return Err(KmsError::dry_run());
        }
        Ok(json!({
            "CiphertextBlob": base64(&ciphertext),
            "EncryptionAlgorithm": SYMMETRIC_DEFAULT,
            "KeyId": key.arn(),
        }))
    }
}

/// Decrypts what a key of this account and region encrypted.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>
#[derive(Debug)]
struct Decrypt {
    source: Source,
    is_dry_run: bool,
}

impl Operation for Decrypt {
    const NAME: &'static str = "Decrypt";

    fn parse(members: &mut Members) -> Self {
        members.grant_tokens();
        Self {
            source: Source {
                ciphertext: members.blob("CiphertextBlob", 1..=MOST_CIPHERTEXT),
                key_id: members.maybe_key_id("KeyId"),
                context: members.context("EncryptionContext"),
                algorithm: members.choice("EncryptionAlgorithm", ALGORITHMS),
            },
            is_dry_run: members.flag("DryRun"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.note_context(&self.source.context);
        let (key, opened) = self.source.open(cx).await?;
        if self.is_dry_run {
            return Err(KmsError::dry_run());
        }
        Ok(json!({
            "EncryptionAlgorithm": SYMMETRIC_DEFAULT,
            "KeyId": key.arn(),
            "KeyMaterialId": opened.material.to_string(),
            "Plaintext": base64(&opened.plaintext),
        }))
    }
}

/// Decrypts, and encrypts again under another key or context; the plaintext never leaves.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ReEncrypt.html>
#[derive(Debug)]
struct ReEncrypt {
    source: Source,
    key_id: String,
    context: EncryptionContext,
    algorithm: Option<&'static str>,
    is_dry_run: bool,
}

impl Operation for ReEncrypt {
    const NAME: &'static str = "ReEncrypt";

    fn parse(members: &mut Members) -> Self {
        members.grant_tokens();
        Self {
            source: Source {
                ciphertext: members.blob("CiphertextBlob", 1..=MOST_CIPHERTEXT),
                key_id: members.maybe_key_id("SourceKeyId"),
                context: members.context("SourceEncryptionContext"),
                algorithm: members.choice("SourceEncryptionAlgorithm", ALGORITHMS),
            },
            key_id: members.key_id("DestinationKeyId"),
            context: members.context("DestinationEncryptionContext"),
            algorithm: members.choice("DestinationEncryptionAlgorithm", ALGORITHMS),
            is_dry_run: members.flag("DryRun"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.note_context(&self.source.context);
        cx.asker.action = "ReEncryptFrom";
        let (source, opened) = self.source.open(cx).await?;
        cx.note_context(&self.context);
        cx.asker.action = "ReEncryptTo";
        let key = cx.key(&self.key_id).await?;
        check_algorithm(&key, self.algorithm)?;
        let ciphertext = cx
            .keyring
            .encrypt((&cx.asker, &key), &opened.plaintext, &self.context)?;
        if self.is_dry_run {
            return Err(KmsError::dry_run());
        }
        Ok(json!({
            "CiphertextBlob": base64(&ciphertext),
            "DestinationEncryptionAlgorithm": SYMMETRIC_DEFAULT,
            "DestinationKeyMaterialId": key.current().map(|material| material.id.to_string()),
            "KeyId": key.arn(),
            "SourceEncryptionAlgorithm": SYMMETRIC_DEFAULT,
            "SourceKeyId": source.arn(),
            "SourceKeyMaterialId": opened.material.to_string(),
        }))
    }
}

/// A ciphertext, and what its caller says of it.
#[derive(Debug)]
struct Source {
    ciphertext: Zeroizing<Vec<u8>>,
    key_id: Option<String>,
    context: EncryptionContext,
    algorithm: Option<&'static str>,
}

impl Source {
    async fn open(&self, cx: &mut Context) -> Result<(KmsKey, Decrypted), KmsError> {
        let named = match &self.key_id {
            Some(name) => Some(cx.key(name).await?),
            None => None,
        };
        let key = cx.key_of_ciphertext(&self.ciphertext).await?;
        if named.is_some_and(|named| named.id != key.id) {
            return Err(Refusal::IncorrectKey.into());
        }
        check_algorithm(&key, self.algorithm)?;
        let opened = cx
            .keyring
            .decrypt((&cx.asker, &key), &self.ciphertext, &self.context)?;
        Ok((key, opened))
    }
}

/// A symmetric key has one algorithm.
fn check_algorithm(key: &KmsKey, algorithm: Option<&'static str>) -> Result<(), Refusal> {
    match algorithm.filter(|algorithm| *algorithm != key.spec.algorithm()) {
        Some(algorithm) if key.spec == KeySpec::SymmetricDefault => Err(Refusal::WrongAlgorithm {
            algorithm,
            spec: key.spec.name(),
        }),
        _ => Ok(()),
    }
}
