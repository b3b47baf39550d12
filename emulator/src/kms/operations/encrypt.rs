//! Small secrets: `Encrypt`, `Decrypt`, `ReEncrypt`.
//!
//! A ciphertext of a symmetric key names key and material, so that `Decrypt` needs no key; one that is named all the same
//! has to be the right one. A ciphertext of RSA names nothing.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::keyring::encryption::Decrypted;
use crate::keyring::refusal::Refusal;
use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::operation::{Entry, Operation};
use crate::model::context::EncryptionContext;
use crate::model::kms_key::{KmsKey, MaterialId};
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
    algorithm: &'static str,
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
            algorithm: algorithm(members, "EncryptionAlgorithm"),
            is_dry_run: members.flag("DryRun"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.note_context(&self.context);
        cx.tell("kms:EncryptionAlgorithm", self.algorithm);
        let key = cx.key(&self.key_id).await?;
        let used = (&cx.asker, &key);
        let ciphertext = cx
            .keyring
            .encrypt_by(used, self.algorithm, &self.plaintext, &self.context)
            .await?;
        if self.is_dry_run {
            return Err(KmsError::dry_run());
        }
        Ok(json!({
            "CiphertextBlob": base64(&ciphertext),
            "EncryptionAlgorithm": self.algorithm,
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
        let is_dry_run = members.flag("DryRun");
        let (ciphertext, key_id) = sealed(members, "KeyId", is_dry_run);
        Self {
            source: Source {
                ciphertext,
                key_id,
                context: members.context("EncryptionContext"),
                algorithm: algorithm(members, "EncryptionAlgorithm"),
            },
            is_dry_run,
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.note_context(&self.source.context);
        let opened = self.source.open(cx).await?;
        let Some((key, opened)) = opened.filter(|_| !self.is_dry_run) else {
            return Err(KmsError::dry_run());
        };
        let mut answer = json!({
            "EncryptionAlgorithm": self.source.algorithm,
            "KeyId": key.arn(),
            "Plaintext": base64(&opened.plaintext),
        });
        note_material(&mut answer, "KeyMaterialId", opened.material);
        Ok(answer)
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
    algorithm: &'static str,
    is_dry_run: bool,
}

impl Operation for ReEncrypt {
    const NAME: &'static str = "ReEncrypt";

    fn parse(members: &mut Members) -> Self {
        members.grant_tokens();
        let is_dry_run = members.flag("DryRun");
        let (ciphertext, key_id) = sealed(members, "SourceKeyId", is_dry_run);
        Self {
            source: Source {
                ciphertext,
                key_id,
                context: members.context("SourceEncryptionContext"),
                algorithm: algorithm(members, "SourceEncryptionAlgorithm"),
            },
            key_id: members.key_id("DestinationKeyId"),
            context: members.context("DestinationEncryptionContext"),
            algorithm: algorithm(members, "DestinationEncryptionAlgorithm"),
            is_dry_run,
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.note_context(&self.source.context);
        cx.asker.action = "ReEncryptFrom";
        self.tell_same_key(cx).await?;
        let opened = self.source.open(cx).await?;
        cx.note_source();
        cx.note_context(&self.context);
        cx.asker.action = "ReEncryptTo";
        cx.tell("kms:EncryptionAlgorithm", self.algorithm);
        let key = cx.key(&self.key_id).await?;
        let Some((source, opened)) = opened else {
            return Err(KmsError::dry_run());
        };
        let used = (&cx.asker, &key);
        let ciphertext = cx
            .keyring
            .encrypt_by(used, self.algorithm, &opened.plaintext, &self.context)
            .await?;
        if self.is_dry_run {
            return Err(KmsError::dry_run());
        }
        let mut answer = json!({
            "CiphertextBlob": base64(&ciphertext),
            "DestinationEncryptionAlgorithm": self.algorithm,
            "KeyId": key.arn(),
            "SourceEncryptionAlgorithm": self.source.algorithm,
            "SourceKeyId": source.arn(),
        });
        let material = key.current().filter(|_| !key.spec.is_pair());
        let material = material.map(|material| material.id);
        note_material(&mut answer, "DestinationKeyMaterialId", material);
        note_material(&mut answer, "SourceKeyMaterialId", opened.material);
        Ok(answer)
    }
}

impl ReEncrypt {
    /// Both actions are told whether there are two keys.
    async fn tell_same_key(&self, cx: &mut Context) -> Result<(), KmsError> {
        let ciphertext = self.source.ciphertext.as_deref();
        let ciphertext = ciphertext.map(Vec::as_slice).unwrap_or_default();
        let source = (ciphertext, self.source.key_id.as_deref());
        let is_same = cx.keyring.is_same_key(&cx.asker, source, &self.key_id);
        let is_same = is_same.await?;
        cx.tell("kms:ReEncryptOnSameKey", is_same.to_string());
        Ok(())
    }
}

/// A ciphertext, and what its caller says of it.
#[derive(Debug)]
struct Source {
    /// `None` for a dry run that asks for rights alone.
    ciphertext: Option<Zeroizing<Vec<u8>>>,
    key_id: Option<String>,
    context: EncryptionContext,
    algorithm: &'static str,
}

impl Source {
    /// Opens it; nothing comes of a dry run that has no ciphertext, but for a refusal.
    async fn open(&self, cx: &mut Context) -> Result<Option<(KmsKey, Decrypted)>, KmsError> {
        cx.tell("kms:EncryptionAlgorithm", self.algorithm);
        let named = match &self.key_id {
            Some(name) => Some(cx.key(name).await?),
            None => None,
        };
        let Some(ciphertext) = &self.ciphertext else {
            return Ok(None);
        };
        let key = match named {
            Some(key) if key.spec.is_pair() => key,
            named => named_inside(ciphertext, named, cx).await?,
        };
        let used = (&cx.asker, &key);
        let opened = cx
            .keyring
            .decrypt_by(used, self.algorithm, ciphertext, &self.context)
            .await?;
        Ok(Some((key, opened)))
    }
}

/// The key that a ciphertext names, which has to be the one that its caller names.
async fn named_inside(
    ciphertext: &[u8],
    named: Option<KmsKey>,
    cx: &mut Context,
) -> Result<KmsKey, KmsError> {
    let key = cx.key_of_ciphertext(ciphertext).await?;
    if named.is_some_and(|named| named.id != key.id) {
        return Err(Refusal::IncorrectKey.into());
    }
    Ok(key)
}

/// A ciphertext, and the name of its key. A dry run may leave the ciphertext out, and has to name the key then.
fn sealed(
    members: &mut Members,
    key: &str,
    is_dry_run: bool,
) -> (Option<Zeroizing<Vec<u8>>>, Option<String>) {
    let modifiers = members.maybe_choices_of("DryRunModifiers", &["IGNORE_CIPHERTEXT"]);
    if is_dry_run && modifiers.is_some_and(|modifiers| !modifiers.is_empty()) {
        return (None, Some(members.key_id(key)));
    }
    let ciphertext = members.blob("CiphertextBlob", 1..=MOST_CIPHERTEXT);
    (Some(ciphertext), members.maybe_key_id(key))
}

/// An algorithm, which is the symmetric one where it is not named.
fn algorithm(members: &mut Members, name: &str) -> &'static str {
    members
        .choice(name, ALGORITHMS)
        .unwrap_or(SYMMETRIC_DEFAULT)
}

fn note_material(answer: &mut Value, name: &str, material: Option<MaterialId>) {
    if let Some(material) = material {
        answer[name] = json!(material.to_string());
    }
}
