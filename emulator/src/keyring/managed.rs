//! The key that AWS manages for S3: made when it is first needed, one for each account and region.
//!
//! Source: answers recorded from AWS in February 2026.

use crate::keyring::asker::Asker;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::lifecycle::NewKey;
use crate::model::kms_key::{AutomaticRotation, KeyManager, KmsAlias};
use crate::model::kms_name::KeyId;
use crate::store::error::StoreError;

/// The key that S3 uses where none is named.
pub(crate) const S3_ALIAS: &str = "alias/aws/s3";

const DESCRIPTION: &str = "Default key that protects my S3 objects when no other key is defined";
/// AWS rotates its own keys every year.
const PERIOD_DAYS: u32 = 365;

impl Keyring {
    /// Makes the key, or finds the one that somebody else has just made.
    pub(super) async fn make_managed(&self, asker: &Asker) -> Result<KeyId, KeyringError> {
        let new = NewKey {
            description: DESCRIPTION.to_owned(),
            manager: KeyManager::Aws,
            ..NewKey::default()
        };
        let mut key = self.new_key(asker, new, None);
        key.rotation = Some(AutomaticRotation {
            period_days: PERIOD_DAYS,
            next: key.created.plus_days(PERIOD_DAYS),
        });
        let alias = KmsAlias {
            name: S3_ALIAS.to_owned(),
            region: key.region.clone(),
            account: key.account.clone(),
            target: key.id.clone(),
            created: key.created,
            updated: key.created,
        };
        match self.store.create_kms_key(&key, Some(&alias)).await {
            Ok(()) => Ok(key.id),
            Err(StoreError::AliasExists(other)) => Ok(other.target),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::fixtures::{asker, keyring, through_s3};

    #[tokio::test]
    async fn the_first_use_makes_it_and_every_other_finds_it() {
        let keyring = keyring(1);

        let first = keyring.find_key(&through_s3(), S3_ALIAS).await.unwrap();
        let second = keyring.find_key(&through_s3(), S3_ALIAS).await.unwrap();

        assert_eq!(first, second);
        assert_eq!(first.manager, KeyManager::Aws);
    }

    #[tokio::test]
    async fn its_owner_can_look_at_it_and_no_more() {
        let keyring = keyring(1);

        let seen = keyring.find_key(&asker("DescribeKey"), S3_ALIAS).await;
        let used = keyring.find_key(&asker("Encrypt"), S3_ALIAS).await;

        assert!(seen.is_ok());
        let refusal = used.unwrap_err().to_string();
        assert!(
            refusal.ends_with("because no resource-based policy allows the kms:Encrypt action"),
            "{refusal}"
        );
    }
}
