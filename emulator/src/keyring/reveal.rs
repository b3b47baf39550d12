//! The keys of an object by the root key alone: for whoever holds folder and root key, and so holds everything.
//!
//! Nobody is asked whether he may, no state of a KMS key stands in the way, and nothing is written down.

use crate::crypto::aead::Aead;
use crate::crypto::data_key::DataKey;
use crate::keyring::ciphertext::Ciphertext;
use crate::keyring::data_keys::data_key;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::refusal::Refusal;
use crate::keyring::rotation::bound_to;
use crate::model::context::EncryptionContext;
use crate::model::kms_key::{KeyMaterial, KeyOrigin, KmsKey};
use crate::model::kms_name::KeyName;
use crate::model::sealing::{KmsWrapping, Sealing, WrappedKey};
use crate::store::error::StoreError;
use crate::store::handle::Store;

/// The material of a KMS key that encrypted something, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UsedMaterial {
    /// Its name: 64 hex digits.
    pub(crate) id: String,
    /// Its bytes, under the root key.
    pub(crate) wrapped: WrappedKey,
    /// What they are bound to.
    pub(crate) context: EncryptionContext,
}

/// Which material encrypted what KMS gave for an object; `None` where it is gone, or the ciphertext is none.
///
/// # Errors
///
/// `Io`, `Corrupted`.
pub(crate) fn used_material(
    store: &Store,
    wrapping: &KmsWrapping,
) -> Result<Option<UsedMaterial>, StoreError> {
    let found = find_material(store, wrapping)?;
    Ok(found.map(|(key, material)| UsedMaterial {
        id: material.id.to_string(),
        context: bound_to(&key.id, material.id),
        wrapped: material.wrapped,
    }))
}

impl Keyring {
    /// The data keys of an object, those of its outermost layer first; none under SSE-C, where the key is the
    /// customer's. `object` is the context of the object itself.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Unwrap`], [`KeyringError::Material`] for a damaged key; [`Refusal::NoSuchKey`] for a KMS key that
    /// is gone; [`Refusal::PendingImport`] for one whose material is; [`KeyringError::Store`].
    pub(crate) fn reveal(
        &self,
        sealing: &Sealing,
        object: &EncryptionContext,
    ) -> Result<Vec<DataKey>, KeyringError> {
        match sealing {
            Sealing::SseS3 { wrapped_key } => Ok(vec![self.unwrap_key(wrapped_key, object)?]),
            Sealing::SseKms(kms) => Ok(vec![self.reveal_of_kms(kms, object)?]),
            Sealing::DsseKms { kms, wrapped_key } => {
                let outer = self.unwrap_key(wrapped_key, object)?;
                Ok(vec![outer, self.reveal_of_kms(kms, object)?])
            }
            Sealing::SseC { .. } => Ok(Vec::new()),
        }
    }

    /// Whether every material of a KMS key opens that is here.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Material`] for the first one that does not.
    pub(crate) fn check_materials(&self, key: &KmsKey) -> Result<(), KeyringError> {
        let opened = |material| self.material(key, material).map(drop);
        let all = key.materials.iter().chain(&key.pending_rotation);
        all.filter(|material| material.is_present())
            .try_for_each(opened)
    }

    /// Whether a KMS key is not there any more, and not only a material of it.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn is_gone(&self, arn: &str) -> Result<bool, StoreError> {
        match KeyName::parse(arn) {
            KeyName::Arn { region, id, .. } => Ok(self.store.kms_key(&region, &id)?.is_none()),
            _ => Ok(false),
        }
    }

    /// Why the material of a key is not here: it was taken away, or the key is gone, or never had it.
    fn missing(&self, arn: &str) -> Result<Refusal, StoreError> {
        if let KeyName::Arn { region, id, .. } = KeyName::parse(arn)
            && let Some(key) = self.store.kms_key(&region, &id)?
            && key.origin == KeyOrigin::External
            && !key.is_complete()
        {
            return Ok(Refusal::PendingImport(arn.to_owned()));
        }
        Ok(Refusal::NoSuchKey(arn.to_owned()))
    }

    fn reveal_of_kms(
        &self,
        kms: &KmsWrapping,
        object: &EncryptionContext,
    ) -> Result<DataKey, KeyringError> {
        let Some((key, material)) = find_material(&self.store, kms)? else {
            return Err(self.missing(&kms.key_arn)?.into());
        };
        let ciphertext = Ciphertext::parse(&kms.ciphertext.0).ok_or(Refusal::InvalidCiphertext)?;
        let opened = self
            .cipher(&key, &material)?
            .open(ciphertext.sealed, &kms.context.canonical())
            .map_err(KeyringError::Unwrap)?;
        let given = data_key(&opened)?;
        let Some(wrapped) = &kms.under_bucket_key else {
            return Ok(given);
        };
        let opened = Aead::derive(given.bytes())
            .open(&wrapped.0, &object.canonical())
            .map_err(KeyringError::Unwrap)?;
        data_key(&opened)
    }
}

fn find_material(
    store: &Store,
    wrapping: &KmsWrapping,
) -> Result<Option<(KmsKey, KeyMaterial)>, StoreError> {
    let Some(ciphertext) = Ciphertext::parse(&wrapping.ciphertext.0) else {
        return Ok(None);
    };
    let key = store.kms_key(wrapping.region(), &ciphertext.key_id())?;
    Ok(key.and_then(|key| {
        let material = key.material(ciphertext.material)?.clone();
        Some((key, material))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::fixtures::{asker, key, keyring, through_s3};
    use crate::keyring::s3_keys::ObjectNeed;
    use crate::keyring::states::Need;
    use crate::model::kms_key::KeyState;

    fn object() -> EncryptionContext {
        EncryptionContext::of_s3("arn:aws:s3:::photos/cat")
    }

    async fn wrap(keyring: &Keyring, key: &KmsKey, is_shared: bool) -> (DataKey, KmsWrapping) {
        let (object, bucket) = (object(), EncryptionContext::of_s3("arn:aws:s3:::photos"));
        let need = ObjectNeed {
            key: Some(key.id.as_str()),
            context: if is_shared { &bucket } else { &object },
            under_bucket_key: is_shared.then_some(&object),
        };
        keyring.wrap_for_s3(&through_s3(), need).await.unwrap()
    }

    fn bytes(keys: &[DataKey]) -> Vec<[u8; 32]> {
        keys.iter().map(|key| *key.bytes()).collect()
    }

    #[tokio::test]
    async fn neither_rotation_nor_a_disabled_key_hides_a_data_key() {
        let keyring = keyring(1);
        let key = key(&keyring).await;
        for is_shared in [false, true] {
            let (data_key, kms) = wrap(&keyring, &key, is_shared).await;
            keyring.rotate_on_demand(&key).await.unwrap();
            let disable = |key: &mut KmsKey| {
                key.state = KeyState::Disabled;
                Ok(())
            };
            keyring
                .change_key(&key, Need::Switch, disable)
                .await
                .unwrap();

            let revealed = keyring.reveal(&Sealing::SseKms(kms.clone()), &object());

            assert_eq!(bytes(&revealed.unwrap()), bytes(&[data_key]));
            let used = used_material(&keyring.store, &kms).unwrap().unwrap();
            assert!(
                keyring
                    .root
                    .open(&used.wrapped.0, &used.context.canonical())
                    .is_ok()
            );
            let enable = |key: &mut KmsKey| {
                key.state = KeyState::Enabled;
                Ok(())
            };
            keyring
                .change_key(&key, Need::Switch, enable)
                .await
                .unwrap();
        }
        assert_eq!(keyring.calls.all().len(), 2, "nothing more is written down");
    }

    #[tokio::test]
    async fn both_layers_are_revealed_the_outermost_first() {
        let keyring = keyring(1);
        let key = key(&keyring).await;
        let (inner, kms) = wrap(&keyring, &key, false).await;
        let (outer, wrapped_key) = keyring.fresh_data_key(&object());

        let revealed = keyring.reveal(&Sealing::DsseKms { kms, wrapped_key }, &object());

        assert_eq!(bytes(&revealed.unwrap()), bytes(&[outer, inner]));
    }

    #[tokio::test]
    async fn a_key_that_is_gone_is_named() {
        let keyring = keyring(1);
        let key = key(&keyring).await;
        let (_, kms) = wrap(&keyring, &key, false).await;
        let place = (key.region.as_str(), &key.id);
        keyring.store.delete_kms_key(place, |_| true).await.unwrap();

        let revealed = keyring.reveal(&Sealing::SseKms(kms.clone()), &object());

        let error = revealed.unwrap_err().to_string();
        assert_eq!(error, format!("Key '{}' does not exist", key.arn()));
        assert_eq!(used_material(&keyring.store, &kms).unwrap(), None);
        assert!(
            keyring
                .find_key(&asker("Decrypt"), key.id.as_str())
                .await
                .is_err()
        );
    }

    #[tokio::test]
    async fn every_material_of_a_key_is_checked() {
        let keyring = keyring(1);
        let mut key = key(&keyring).await;
        keyring.rotate_on_demand(&key).await.unwrap();
        key = keyring
            .store
            .kms_key(&key.region, &key.id)
            .unwrap()
            .unwrap();
        assert!(keyring.check_materials(&key).is_ok());

        for index in 0..2 {
            let mut damaged = key.clone();
            damaged.materials[index].wrapped.0[20] ^= 1;

            let error = keyring.check_materials(&damaged).unwrap_err().to_string();

            let expected = format!("cannot unwrap the material of `{}`", key.arn());
            assert!(error.starts_with(&expected), "{error}");
        }
    }

    #[tokio::test]
    async fn a_key_that_was_deleted_is_told_from_one_that_is_there() {
        let keyring = keyring(1);
        let key = key(&keyring).await;
        assert!(!keyring.is_gone(&key.arn()).unwrap());

        let place = (key.region.as_str(), &key.id);
        keyring.store.delete_kms_key(place, |_| true).await.unwrap();

        assert!(keyring.is_gone(&key.arn()).unwrap());
        assert!(!keyring.is_gone("no ARN").unwrap());
    }
}
