//! The materials of a key: the first one, and what rotation adds. An old material goes on decrypting for ever.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html>

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::crypto::aead::Aead;
use crate::crypto::error::CryptoError;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::import_refusal::ImportRefusal;
use crate::keyring::refusal::Refusal;
use crate::keyring::states::Need;
use crate::model::context::EncryptionContext;
use crate::model::kms_key::{
    KeyMaterial, KeyOrigin, KeySpec, KeyState, KmsKey, MaterialId, RotationType,
};
use crate::model::kms_name::KeyId;
use crate::model::sealing::WrappedKey;
use crate::model::timestamp::Timestamp;

/// How often a key may be rotated on demand.
const MOST_ON_DEMAND: usize = 25;

impl Keyring {
    /// Gives a key new material now: where its owner brings it, what he has brought for this. Its id, its automatic rotation and its old ciphertexts stay as they are.
    ///
    /// # Errors
    ///
    /// [`Refusal::TooManyRotations`], [`ImportRefusal::NothingPending`], and for its state; [`KeyringError::Store`].
    pub(crate) async fn rotate_on_demand(&self, key: &KmsKey) -> Result<KmsKey, KeyringError> {
        let now = self.clock.now();
        let rotate = |key: &mut KmsKey| {
            let material = match key.origin {
                KeyOrigin::AwsKms => self.new_material(&key.id, key.spec, now),
                KeyOrigin::External => {
                    let pending = key.pending_rotation.take();
                    pending.ok_or_else(|| ImportRefusal::NothingPending(key.arn()))?
                }
            };
            let on_demand =
                |material: &&KeyMaterial| material.rotation == Some(RotationType::OnDemand);
            if key.materials.iter().filter(on_demand).count() >= MOST_ON_DEMAND {
                return Err(Refusal::TooManyRotations(key.arn()));
            }
            key.materials.push(KeyMaterial {
                since: now,
                rotation: Some(RotationType::OnDemand),
                ..material
            });
            Ok(())
        };
        self.change_key(key, Need::RotationNow, rotate).await
    }

    /// Lets a key work again. A rotation that it missed meanwhile is made up for: one, however many it were.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for its state; [`KeyringError::Store`].
    pub(crate) async fn enable(&self, key: &KmsKey) -> Result<KmsKey, KeyringError> {
        let now = self.clock.now();
        let enable = |key: &mut KmsKey| {
            key.state = KeyState::Enabled;
            // A replica turns with its primary.
            let is_replica = key.multi_region.is_replica();
            if let Some(rotation) = &mut key.rotation
                && rotation.next <= now
                && !is_replica
            {
                rotation.next = now.plus_days(rotation.period_days);
                let material = self.new_material(&key.id, key.spec, now);
                key.materials.push(KeyMaterial {
                    rotation: Some(RotationType::Automatic),
                    ..material
                });
            }
            Ok(())
        };
        self.change_key(key, Need::Switch, enable).await
    }

    /// Material that is random, and wrapped at once: bound to its key and its own id. Not for pairs, which never turn.
    pub(super) fn new_material(&self, key: &KeyId, spec: KeySpec, since: Timestamp) -> KeyMaterial {
        let id = MaterialId(self.entropy.bytes());
        let length = spec
            .material_bytes()
            .expect("pairs never turn, and nobody draws them");
        let mut bytes = Zeroizing::new(vec![0; length]);
        self.entropy.fill(&mut bytes);
        self.wrap_material((key, id), &bytes, since)
    }

    /// Material as it is kept: under the root key.
    pub(super) fn wrap_material(
        &self,
        (key, id): (&KeyId, MaterialId),
        bytes: &[u8],
        since: Timestamp,
    ) -> KeyMaterial {
        let context = bound_to(key, id).canonical();
        let wrapped = self.root.seal(self.entropy.bytes(), bytes, &context);
        KeyMaterial {
            id,
            wrapped: WrappedKey(wrapped),
            import: None,
            since,
            rotation: None,
        }
    }

    /// The bytes of a material.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Material`] for a damaged one.
    pub(super) fn material(
        &self,
        key: &KmsKey,
        material: &KeyMaterial,
    ) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        let context = bound_to(&key.id, material.id).canonical();
        self.root
            .open(&material.wrapped.0, &context)
            .map_err(|source| damaged(key, source))
    }

    /// What a material of a symmetric key encrypts with.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Material`] for a damaged one.
    pub(super) fn cipher(
        &self,
        key: &KmsKey,
        material: &KeyMaterial,
    ) -> Result<Aead, KeyringError> {
        let bytes = self.material(key, material)?;
        let bytes = bytes.as_slice().try_into();
        let bytes = bytes.map_err(|_| damaged(key, CryptoError::BadLength))?;
        Ok(Aead::derive(bytes))
    }
}

fn damaged(key: &KmsKey, source: CryptoError) -> KeyringError {
    KeyringError::Material {
        key_arn: key.arn(),
        source,
    }
}

/// What the wrapped bytes of a material are bound to.
pub(super) fn bound_to(key: &KeyId, material: MaterialId) -> EncryptionContext {
    EncryptionContext::new(BTreeMap::from([
        ("strongroom:kms-key".to_owned(), key.to_string()),
        ("strongroom:material".to_owned(), material.to_string()),
    ]))
}
