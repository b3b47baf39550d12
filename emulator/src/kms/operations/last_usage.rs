//! When a key was last used: `GetKeyLastUsage`.
//!
//! Related keys of many regions are each told of their own use.

use serde_json::{Value, json};

use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::metadata::epoch;
use crate::kms::operation::{Entry, KeyOperation};
use crate::model::kms_key::KmsKey;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of_key::<GetKeyLastUsage>()];

/// Tells the last use of a key that succeeded, and since when it is watched: here since the server began, or was reset.
///
/// There is no `CloudTrail` here, so no event of it is named.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html>
#[derive(Debug)]
struct GetKeyLastUsage;

impl KeyOperation for GetKeyLastUsage {
    const NAME: &'static str = "GetKeyLastUsage";

    async fn run(key: KmsKey, cx: &mut Context) -> Result<Value, KmsError> {
        let (last, since) = cx.keyring.last_use(&key);
        let mut told = json!({});
        if let Some(last) = last {
            told["Operation"] = json!(last.operation);
            told["Timestamp"] = epoch(last.time);
            if let Some(request_id) = last.request_id {
                told["KmsRequestId"] = json!(request_id);
            }
        }
        Ok(json!({
            // AWS: unverified. That it is the ARN and not the bare id.
            "KeyId": key.arn(),
            "KeyLastUsage": told,
            "TrackingStartDate": epoch(since),
            "KeyCreationDate": epoch(key.created),
        }))
    }
}
