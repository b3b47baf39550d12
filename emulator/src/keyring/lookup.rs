//! Finds keys by the four forms of their names, in the state that the clock has brought them to.
//!
//! Nothing happens by itself here: a deletion window that has ended, material that has expired and a rotation that has
//! come due are carried out when the key is next looked at, which nobody can tell from a key that was watched all the time.
//!
//! Source: answers recorded from AWS in February 2026.

use crate::keyring::asker::Asker;
use crate::keyring::authorize::foreign;
use crate::keyring::ciphertext::Ciphertext;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::managed::S3_ALIAS;
use crate::keyring::refusal::Refusal;
use crate::model::kms_key::{KeyMaterial, KeyState, KmsKey, RotationType};
use crate::model::kms_name::{KeyId, KeyName, alias_arn, key_arn};
use crate::model::timestamp::Timestamp;

impl Keyring {
    /// Finds a key by its id, its ARN, an alias, or an alias's ARN, if the asker may do with it what he wants.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for a name that is none, a key that is not there, or an asker who may not; [`KeyringError::Store`].
    pub(crate) async fn find_key(&self, asker: &Asker, name: &str) -> Result<KmsKey, KeyringError> {
        let key = self.locate(asker, name).await?;
        match KeyName::parse(name) {
            KeyName::Alias(alias) | KeyName::AliasArn { alias, .. } => {
                // AWS: unverified. That S3 passes an alias on as it was named.
                let mut asker = asker.clone();
                asker.tell("kms:RequestAlias", alias);
                self.authorize(&asker, &key)?;
            }
            _ => self.authorize(asker, &key)?,
        }
        Ok(key)
    }

    /// Whether a ciphertext, or else the name that is given with it, is of the key of another name; nobody is let in by it.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(crate) async fn is_same_key(
        &self,
        asker: &Asker,
        (ciphertext, given): (&[u8], Option<&str>),
        name: &str,
    ) -> Result<bool, KeyringError> {
        let source = match (Ciphertext::parse(ciphertext), given) {
            (Some(ciphertext), _) => ciphertext.key_id(),
            (None, Some(given)) => match self.locate(asker, given).await {
                Ok(key) => key.id,
                Err(KeyringError::Refused(_)) => return Ok(false),
                Err(error) => return Err(error),
            },
            (None, None) => return Ok(false),
        };
        match self.locate(asker, name).await {
            Ok(key) => Ok(key.id == source),
            Err(KeyringError::Refused(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The key of a name, whoever may use it.
    async fn locate(&self, asker: &Asker, name: &str) -> Result<KmsKey, KeyringError> {
        match KeyName::parse(name) {
            KeyName::Id(id) => self.known(asker, &asker.account, &id).await,
            KeyName::Arn {
                region,
                account,
                id,
            } => {
                check_region(asker, &region)?;
                self.known(asker, &account, &id).await
            }
            KeyName::Alias(alias) => self.target(asker, &asker.account, &alias).await,
            KeyName::AliasArn {
                region,
                account,
                alias,
            } => {
                check_region(asker, &region)?;
                self.target(asker, &account, &alias).await
            }
            KeyName::Unreadable => Err(unreadable(name).into()),
        }
    }

    /// Finds a key where aliases are not taken.
    ///
    /// # Errors
    ///
    /// As [`Keyring::find_key`]; [`Refusal::AliasNotTaken`].
    pub(crate) async fn find_key_by_id(
        &self,
        asker: &Asker,
        name: &str,
    ) -> Result<KmsKey, KeyringError> {
        check_no_alias(name)?;
        self.find_key(asker, name).await
    }

    /// Finds a key where aliases are not taken, whoever may use it: somebody else than its policy has the say.
    ///
    /// # Errors
    ///
    /// As [`Keyring::find_key_by_id`], but for an asker who may not.
    pub(super) async fn key_by_id(
        &self,
        asker: &Asker,
        name: &str,
    ) -> Result<KmsKey, KeyringError> {
        check_no_alias(name)?;
        self.locate(asker, name).await
    }

    /// A key as the clock has left it; `None` where there is none, or none any more.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(super) async fn settled(
        &self,
        region: &str,
        id: &KeyId,
    ) -> Result<Option<KmsKey>, KeyringError> {
        let now = self.clock.now();
        let Some(key) = self.lasting((region, id), now).await? else {
            return Ok(None);
        };
        if key.multi_region.is_replica() {
            return self.settled_replica(key, now).await.map(Some);
        }
        if !is_due(&key, now) && !key.has_expired_material(now) {
            return Ok(Some(key));
        }
        let settle = |key: &mut KmsKey| {
            key.drop_expired(now);
            self.rotate_due(key, now);
            Ok::<_, std::convert::Infallible>(())
        };
        let settled = self.store.update_kms_key((region, id), settle).await?;
        Ok(settled.map(|Ok(key)| key))
    }

    pub(super) fn rotate_due(&self, key: &mut KmsKey, now: Timestamp) {
        while is_due(key, now) {
            let Some(rotation) = &mut key.rotation else {
                return;
            };
            let due = rotation.next;
            rotation.next = due.plus_days(rotation.period_days);
            if rotation.next == due {
                // The clock ends here, and with it what could still come due.
                key.rotation = None;
                return;
            }
            let material = self.new_material(&key.id, key.spec, due);
            key.materials.push(KeyMaterial {
                rotation: Some(RotationType::Automatic),
                ..material
            });
        }
    }

    /// An account's key of this id.
    async fn known(
        &self,
        asker: &Asker,
        account: &str,
        id: &KeyId,
    ) -> Result<KmsKey, KeyringError> {
        let key = self.settled(&asker.region, id).await?;
        let key = key.filter(|key| key.account == account);
        let missing = || Refusal::NoSuchKey(key_arn(&asker.region, account, id));
        Ok(key.ok_or_else(|| at_home(asker, account, missing()))?)
    }

    /// The key that an account's alias stands for; one that is gone has taken its aliases with it. AWS's own is made when
    /// its account first asks for it.
    async fn target(
        &self,
        asker: &Asker,
        account: &str,
        alias: &str,
    ) -> Result<KmsKey, KeyringError> {
        let found = self.store.kms_alias(&asker.region, account, alias)?;
        if let Some(found) = found
            && let Some(key) = self.settled(&asker.region, &found.target).await?
        {
            return Ok(key);
        }
        if alias == S3_ALIAS && account == asker.account {
            let id = self.make_managed(asker).await?;
            return self.known(asker, account, &id).await;
        }
        let missing = Refusal::NoSuchAlias(alias_arn(&asker.region, account, alias));
        Err(at_home(asker, account, missing).into())
    }
}

/// A key that does not work does not turn either.
pub(super) fn is_due(key: &KmsKey, now: Timestamp) -> bool {
    key.state == KeyState::Enabled && key.rotation.is_some_and(|rotation| rotation.next <= now)
}

fn check_region(asker: &Asker, region: &str) -> Result<(), Refusal> {
    if region == asker.region {
        Ok(())
    } else {
        Err(Refusal::InvalidArn(region.to_owned()))
    }
}

fn check_no_alias(name: &str) -> Result<(), Refusal> {
    match KeyName::parse(name) {
        KeyName::Alias(alias) => Err(Refusal::InvalidKeyId(alias)),
        KeyName::AliasArn { .. } => Err(Refusal::AliasNotTaken),
        _ => Ok(()),
    }
}

/// A refusal that tells what an account has not: to its own callers alone.
fn at_home(asker: &Asker, account: &str, refusal: Refusal) -> Refusal {
    if account == asker.account {
        refusal
    } else {
        foreign(asker)
    }
}

// AWS: unverified. What an ARN of another service, or of no key, is called.
fn unreadable(name: &str) -> Refusal {
    if name.starts_with("arn:") {
        Refusal::InvalidArn(name.to_owned())
    } else {
        Refusal::InvalidKeyId(name.to_owned())
    }
}
