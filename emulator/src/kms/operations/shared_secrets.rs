//! Secrets that two share: `DeriveSharedSecret`, `Encapsulate`, `Decapsulate`.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::operation::{Entry, Operation};
use crate::wire::encoding::base64;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<Decapsulate>(),
    Entry::of::<DeriveSharedSecret>(),
    Entry::of::<Encapsulate>(),
];

const AGREEMENTS: &[&str] = &["ECDH"];
const ENCAPSULATIONS: &[&str] = &["ML_KEM"];
/// The most bytes of a public half, and of a ciphertext.
const MOST_PUBLIC_KEY: usize = 8_192;
const MOST_CIPHERTEXT: usize = 6_144;

/// Agrees with a peer on a secret, of which the peer knows the key's public half.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DeriveSharedSecret.html>
#[derive(Debug)]
struct DeriveSharedSecret {
    key_id: String,
    algorithm: &'static str,
    public_key: Zeroizing<Vec<u8>>,
    has_recipient: bool,
    is_dry_run: bool,
}

impl Operation for DeriveSharedSecret {
    const NAME: &'static str = "DeriveSharedSecret";

    fn parse(members: &mut Members) -> Self {
        members.grant_tokens();
        Self {
            key_id: members.key_id("KeyId"),
            algorithm: members.choice_of("KeyAgreementAlgorithm", AGREEMENTS),
            public_key: members.blob("PublicKey", 1..=MOST_PUBLIC_KEY),
            has_recipient: members.object("Recipient").is_some(),
            is_dry_run: members.flag("DryRun"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.tell("kms:KeyAgreementAlgorithm", self.algorithm);
        if self.has_recipient {
            return Err(KmsError::unsupported(
                "Recipient is not supported: here are no enclaves to attest.",
            ));
        }
        let key = cx.key(&self.key_id).await?;
        let used = (&cx.asker, &key);
        let secret = cx
            .keyring
            .derive_shared_secret(used, self.algorithm, &self.public_key)
            .await?;
        if self.is_dry_run {
            return Err(KmsError::dry_run());
        }
        Ok(json!({
            "KeyAgreementAlgorithm": self.algorithm,
            "KeyId": key.arn(),
            "KeyOrigin": key.origin.name(),
            "SharedSecret": base64(&secret),
        }))
    }
}

/// Makes a secret that the key's private half finds again.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Encapsulate.html>
#[derive(Debug)]
struct Encapsulate {
    key_id: String,
    algorithm: &'static str,
    is_dry_run: bool,
}

impl Operation for Encapsulate {
    const NAME: &'static str = "Encapsulate";

    fn parse(members: &mut Members) -> Self {
        members.grant_tokens();
        Self {
            key_id: members.key_id("KeyId"),
            algorithm: members.choice_of("EncapsulationAlgorithm", ENCAPSULATIONS),
            is_dry_run: members.flag("DryRun"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let key = cx.key(&self.key_id).await?;
        let used = (&cx.asker, &key);
        let made = cx.keyring.encapsulate(used, self.algorithm).await?;
        if self.is_dry_run {
            return Err(KmsError::dry_run());
        }
        Ok(json!({
            "EncapsulationAlgorithm": self.algorithm,
            "KeyId": key.arn(),
            "SharedSecret": base64(&made.secret),
            "SharedSecretCiphertextBlob": base64(&made.ciphertext),
        }))
    }
}

/// Finds the secret of a ciphertext.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decapsulate.html>
#[derive(Debug)]
struct Decapsulate {
    key_id: String,
    algorithm: &'static str,
    ciphertext: Zeroizing<Vec<u8>>,
    is_dry_run: bool,
}

impl Operation for Decapsulate {
    const NAME: &'static str = "Decapsulate";

    fn parse(members: &mut Members) -> Self {
        members.grant_tokens();
        Self {
            key_id: members.key_id("KeyId"),
            algorithm: members.choice_of("EncapsulationAlgorithm", ENCAPSULATIONS),
            ciphertext: members.blob("SharedSecretCiphertextBlob", 1..=MOST_CIPHERTEXT),
            is_dry_run: members.flag("DryRun"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let key = cx.key(&self.key_id).await?;
        let used = (&cx.asker, &key);
        let secret = cx
            .keyring
            .decapsulate(used, self.algorithm, &self.ciphertext)
            .await?;
        if self.is_dry_run {
            return Err(KmsError::dry_run());
        }
        Ok(json!({
            "EncapsulationAlgorithm": self.algorithm,
            "KeyId": key.arn(),
            "SharedSecret": base64(&secret),
        }))
    }
}
