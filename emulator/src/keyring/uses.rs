//! What counts as a use of a key, and what conditions make of the last one.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html>

use crate::keyring::asker::Asker;
use crate::keyring::handle::Keyring;
use crate::keyring::last_uses::LastUse;
use crate::model::kms_key::KmsKey;
use crate::model::timestamp::Timestamp;
use crate::policy::keys::ContextKeys;

/// The operations that are uses.
const USES: &[&str] = &[
    "Decapsulate",
    "Decrypt",
    "DeriveSharedSecret",
    "Encapsulate",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateMac",
    "ReEncrypt",
    "Sign",
    "Verify",
    "VerifyMac",
];
/// The actions whose conditions may ask how long a key was not used.
const ASKING: &[&str] = &["DisableKey", "ScheduleKeyDeletion"];

impl Keyring {
    /// Notes that an operation succeeded with these keys, if it is one that uses them.
    pub(crate) fn note_use<'k>(
        &self,
        operation: &'static str,
        arns: impl IntoIterator<Item = &'k String>,
        request_id: Option<&str>,
    ) {
        if !USES.contains(&operation) {
            return;
        }
        let time = self.clock.now();
        for arn in arns {
            let last = LastUse {
                operation,
                time,
                request_id: request_id.map(str::to_owned),
            };
            self.last_uses.note(arn, last);
        }
    }

    /// The last use of a key, and since when it is watched.
    pub(crate) fn last_use(&self, key: &KmsKey) -> (Option<LastUse>, Timestamp) {
        self.last_uses.of(key)
    }

    /// For an action that may depend on it: how many whole days a key was not used.
    // AWS: unverified. That the days of a key that was never used count from when it is watched.
    pub(super) fn with_last_use(
        &self,
        asker: &Asker,
        key: &KmsKey,
        keys: ContextKeys,
    ) -> ContextKeys {
        if !ASKING.contains(&asker.action) {
            return keys;
        }
        let (last, since) = self.last_use(key);
        let last = last.map_or(since, |last| last.time);
        let days = self.clock.now().distance(last).as_secs() / 86_400;
        keys.with("kms:TrailingDaysWithoutKeyUsage", days.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::keyring::fixtures::{key, keyring};

    #[tokio::test]
    async fn the_last_use_is_remembered_until_everything_is_forgotten() {
        let keyring = keyring(1);
        let key = key(&keyring).await;
        assert_eq!(keyring.last_use(&key), (None, key.created));

        for operation in ["Encrypt", "Decrypt", "DescribeKey"] {
            keyring.clock.advance(Duration::from_mins(1));
            keyring.note_use(operation, [&key.arn()], Some("id"));
        }

        let last = LastUse {
            operation: "Decrypt",
            time: key.created.plus(Duration::from_mins(2)),
            request_id: Some("id".to_owned()),
        };
        assert_eq!(keyring.last_use(&key), (Some(last), key.created));
        keyring.forget();
        let now = key.created.plus(Duration::from_mins(3));
        assert_eq!(keyring.last_use(&key), (None, now));
    }
}
