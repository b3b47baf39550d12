//! Aliases: names for keys, one account's in one region.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html>

use crate::keyring::asker::Asker;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::refusal::Refusal;
use crate::keyring::states::Need;
use crate::model::kms_key::{KmsAlias, KmsKey};
use crate::model::kms_name::alias_arn;
use crate::store::kms::Naming;

/// The most aliases of a key.
const MOST_ALIASES: usize = 50;

impl Keyring {
    /// Gives a key one more name.
    ///
    /// # Errors
    ///
    /// [`Refusal::AliasExists`], [`Refusal::TooManyAliases`], or for the key's state; [`KeyringError::Store`].
    pub(crate) async fn create_alias(&self, key: &KmsKey, name: &str) -> Result<(), KeyringError> {
        let place = (key.region.as_str(), key.account.as_str(), name);
        // A name whose key is gone is free again.
        self.living_alias(place).await?;
        let now = self.clock.now();
        let decide = |naming: &Naming| -> Result<KmsAlias, Refusal> {
            naming.check(key)?;
            if let Some(taken) = &naming.before {
                return Err(Refusal::AliasExists(taken.arn()));
            }
            Ok(KmsAlias {
                name: name.to_owned(),
                region: key.region.clone(),
                account: key.account.clone(),
                target: key.id.clone(),
                created: now,
                updated: now,
            })
        };
        let named = self.store.name_kms_key(place, &key.id, decide).await?;
        Ok(named?)
    }

    /// Lets a name stand for another key, which must be of the same kind.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoSuchAlias`], [`Refusal::OtherKind`], [`Refusal::TooManyAliases`], for the key's state, or for an asker
    /// who may not do it with the key that has the name; [`KeyringError::Store`].
    pub(crate) async fn update_alias(
        &self,
        (asker, key): (&Asker, &KmsKey),
        name: &str,
    ) -> Result<(), KeyringError> {
        let place = (key.region.as_str(), key.account.as_str(), name);
        let missing = || Refusal::NoSuchAlias(alias_arn(place.0, place.1, name));
        let current = self.named_key(place).await?.ok_or_else(missing)?;
        self.authorize(asker, &current)?;
        let is_alike =
            current.usage() == key.usage() && current.spec.is_pair() == key.spec.is_pair();
        if !is_alike {
            return Err(Refusal::OtherKind.into());
        }
        let now = self.clock.now();
        let decide = |naming: &Naming| -> Result<KmsAlias, Refusal> {
            naming.check(key)?;
            let before = naming.before.clone().ok_or_else(missing)?;
            Ok(KmsAlias {
                target: key.id.clone(),
                updated: now,
                ..before
            })
        };
        let named = self.store.name_kms_key(place, &key.id, decide).await?;
        Ok(named?)
    }

    /// Takes a name away; the key stays. Answers the alias as it was.
    ///
    /// # Errors
    ///
    /// [`Refusal::NoSuchAlias`], or for an asker who may not do it with its key; [`KeyringError::Store`].
    pub(crate) async fn delete_alias(
        &self,
        asker: &Asker,
        name: &str,
    ) -> Result<KmsAlias, KeyringError> {
        let place = (asker.region.as_str(), asker.account.as_str(), name);
        let missing = || Refusal::NoSuchAlias(alias_arn(place.0, place.1, name));
        let key = self.named_key(place).await?.ok_or_else(missing)?;
        self.authorize(asker, &key)?;
        let before = self.store.replace_kms_alias(place, |_| None).await?;
        Ok(before.ok_or_else(missing)?)
    }

    /// The key that has a name.
    async fn named_key(
        &self,
        (region, account, name): (&str, &str, &str),
    ) -> Result<Option<KmsKey>, KeyringError> {
        match self.store.kms_alias(region, account, name)? {
            Some(alias) => self.settled(region, &alias.target).await,
            None => Ok(None),
        }
    }

    /// The alias of a region, an account and a name; one whose key is gone went with it.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(super) async fn living_alias(
        &self,
        (region, account, name): (&str, &str, &str),
    ) -> Result<Option<KmsAlias>, KeyringError> {
        let Some(alias) = self.store.kms_alias(region, account, name)? else {
            return Ok(None);
        };
        let key = self.settled(region, &alias.target).await?;
        Ok(key.map(|_| alias))
    }
}

impl Naming {
    /// Refuses a key that is gone, cannot be named now, or has names enough.
    fn check(&self, asked: &KmsKey) -> Result<(), Refusal> {
        let missing = || Refusal::NoSuchKey(asked.arn());
        Need::Change.check(self.key.as_ref().ok_or_else(missing)?)?;
        if self.others >= MOST_ALIASES {
            return Err(Refusal::TooManyAliases);
        }
        Ok(())
    }
}
