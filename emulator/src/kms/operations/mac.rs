//! Message authentication codes: `GenerateMac`, `VerifyMac`.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::operation::{Entry, Operation};
use crate::wire::encoding::base64;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<GenerateMac>(), Entry::of::<VerifyMac>()];

const ALGORITHMS: &[&str] = &[
    "HMAC_SHA_224",
    "HMAC_SHA_256",
    "HMAC_SHA_384",
    "HMAC_SHA_512",
];
/// The most bytes of a message, and of a code.
const MOST_MESSAGE: usize = 4_096;
const MOST_CODE: usize = 6_144;

/// Makes a code for a message.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateMac.html>
#[derive(Debug)]
struct GenerateMac(Asked);

impl Operation for GenerateMac {
    const NAME: &'static str = "GenerateMac";

    fn parse(members: &mut Members) -> Self {
        Self(Asked::parse(members))
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let Asked {
            key_id,
            algorithm,
            message,
            is_dry_run,
        } = self.0;
        cx.tell("kms:MacAlgorithm", algorithm);
        let key = cx.key(&key_id).await?;
        let used = (&cx.asker, &key);
        let code = cx.keyring.generate_mac(used, algorithm, &message)?;
        if is_dry_run {
            return Err(KmsError::dry_run());
        }
        Ok(json!({ "KeyId": key.arn(), "Mac": base64(&code), "MacAlgorithm": algorithm }))
    }
}

/// Checks the code of a message.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_VerifyMac.html>
#[derive(Debug)]
struct VerifyMac {
    asked: Asked,
    code: Zeroizing<Vec<u8>>,
}

impl Operation for VerifyMac {
    const NAME: &'static str = "VerifyMac";

    fn parse(members: &mut Members) -> Self {
        Self {
            asked: Asked::parse(members),
            code: members.blob("Mac", 1..=MOST_CODE),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let Asked {
            key_id,
            algorithm,
            message,
            is_dry_run,
        } = self.asked;
        cx.tell("kms:MacAlgorithm", algorithm);
        let key = cx.key(&key_id).await?;
        let used = (&cx.asker, &key);
        cx.keyring
            .verify_mac(used, algorithm, (&message, &self.code))?;
        if is_dry_run {
            return Err(KmsError::dry_run());
        }
        Ok(json!({ "KeyId": key.arn(), "MacAlgorithm": algorithm, "MacValid": true }))
    }
}

/// What both bring.
#[derive(Debug)]
struct Asked {
    key_id: String,
    algorithm: &'static str,
    message: Zeroizing<Vec<u8>>,
    is_dry_run: bool,
}

impl Asked {
    fn parse(members: &mut Members) -> Self {
        members.grant_tokens();
        Self {
            key_id: members.key_id("KeyId"),
            algorithm: members.choice_of("MacAlgorithm", ALGORITHMS),
            message: members.blob("Message", 1..=MOST_MESSAGE),
            is_dry_run: members.flag("DryRun"),
        }
    }
}
