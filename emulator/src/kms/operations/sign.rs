//! Signatures, and the public halves that check them elsewhere: `Sign`, `Verify`, `GetPublicKey`.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::keyring::signatures::{MessageKind, Signing};
use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::metadata::algorithms_of;
use crate::kms::operation::{Entry, Operation};
use crate::model::kms_key::KmsKey;
use crate::wire::encoding::base64;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<GetPublicKey>(),
    Entry::of::<Sign>(),
    Entry::of::<Verify>(),
];

const ALGORITHMS: &[&str] = &[
    "RSASSA_PSS_SHA_256",
    "RSASSA_PSS_SHA_384",
    "RSASSA_PSS_SHA_512",
    "RSASSA_PKCS1_V1_5_SHA_256",
    "RSASSA_PKCS1_V1_5_SHA_384",
    "RSASSA_PKCS1_V1_5_SHA_512",
    "ECDSA_SHA_256",
    "ECDSA_SHA_384",
    "ECDSA_SHA_512",
    "SM2DSA",
    "ML_DSA_SHAKE_256",
    "ED25519_SHA_512",
    "ED25519_PH_SHA_512",
];
const MESSAGE_TYPES: &[&str] = &["RAW", "DIGEST", "EXTERNAL_MU"];
/// The most bytes of a message, and of a signature.
const MOST_MESSAGE: usize = 4_096;
const MOST_SIGNATURE: usize = 6_144;

/// Gives the public half of a key.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetPublicKey.html>
#[derive(Debug)]
struct GetPublicKey {
    key_id: String,
}

impl Operation for GetPublicKey {
    const NAME: &'static str = "GetPublicKey";

    fn parse(members: &mut Members) -> Self {
        members.grant_tokens();
        Self {
            key_id: members.key_id("KeyId"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let key = cx.key(&self.key_id).await?;
        let public = cx.keyring.public_key(&key).await?;
        let mut answer = json!({
            "CustomerMasterKeySpec": key.spec.name(),
            "KeyId": key.arn(),
            "KeySpec": key.spec.name(),
            "KeyUsage": key.usage().name(),
            "PublicKey": base64(&public),
        });
        answer[algorithms_of(&key)] = json!(key.algorithms());
        Ok(answer)
    }
}

/// Signs a message, or its digest.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html>
#[derive(Debug)]
struct Sign(Asked);

impl Operation for Sign {
    const NAME: &'static str = "Sign";

    fn parse(members: &mut Members) -> Self {
        Self(Asked::parse(members))
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let key = self.0.key(cx).await?;
        let used = (&cx.asker, &key);
        let signature = cx.keyring.sign(used, self.0.signing()).await?;
        self.0
            .answer(&key, ("Signature", json!(base64(&signature))))
    }
}

/// Checks the signature of a message, or of its digest.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Verify.html>
#[derive(Debug)]
struct Verify {
    asked: Asked,
    signature: Zeroizing<Vec<u8>>,
}

impl Operation for Verify {
    const NAME: &'static str = "Verify";

    fn parse(members: &mut Members) -> Self {
        Self {
            asked: Asked::parse(members),
            signature: members.blob("Signature", 1..=MOST_SIGNATURE),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let key = self.asked.key(cx).await?;
        let used = (&cx.asker, &key);
        let signing = self.asked.signing();
        cx.keyring.verify(used, signing, &self.signature).await?;
        self.asked.answer(&key, ("SignatureValid", json!(true)))
    }
}

/// What both bring.
#[derive(Debug)]
struct Asked {
    key_id: String,
    algorithm: &'static str,
    message: Zeroizing<Vec<u8>>,
    message_type: Option<&'static str>,
    is_dry_run: bool,
}

impl Asked {
    fn parse(members: &mut Members) -> Self {
        members.grant_tokens();
        Self {
            key_id: members.key_id("KeyId"),
            message: members.blob("Message", 1..=MOST_MESSAGE),
            message_type: members.choice("MessageType", MESSAGE_TYPES),
            algorithm: members.choice_of("SigningAlgorithm", ALGORITHMS),
            is_dry_run: members.flag("DryRun"),
        }
    }

    async fn key(&self, cx: &mut Context) -> Result<KmsKey, KmsError> {
        cx.tell("kms:SigningAlgorithm", self.algorithm);
        cx.tell("kms:MessageType", self.message_type.unwrap_or("RAW"));
        Ok(cx.key(&self.key_id).await?)
    }

    fn signing(&self) -> Signing<'_> {
        Signing {
            algorithm: self.algorithm,
            message: &self.message,
            kind: match self.message_type {
                Some("DIGEST") => MessageKind::Digest,
                Some("EXTERNAL_MU") => MessageKind::ExternalMu,
                _ => MessageKind::Raw,
            },
        }
    }

    fn answer(&self, key: &KmsKey, (name, value): (&str, Value)) -> Result<Value, KmsError> {
        if self.is_dry_run {
            return Err(KmsError::dry_run());
        }
        let mut answer = json!({ "KeyId": key.arn(), "SigningAlgorithm": self.algorithm });
        answer[name] = value;
        Ok(answer)
    }
}
