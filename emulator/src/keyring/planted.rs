//! Keys whose id and material somebody fixes: of a seed, so that what one run encrypts opens in the next. No client can.

use std::fmt;

use zeroize::Zeroizing;

use crate::crypto::digest::{equal, sha256};
use crate::keyring::asker::Asker;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::model::kms_key::{KeyMaterial, MaterialId};
use crate::model::kms_name::KeyId;
use crate::model::timestamp::Timestamp;

/// What the id of a fixed material is made of, beside key and material.
const MATERIAL_ID: &[u8] = b"strongroom/material-id/1";

/// What is fixed of a key that is to be made; by default nothing.
#[derive(Clone, Default)]
pub(crate) struct Planted {
    /// Its id; `None` for a random one.
    pub(crate) id: Option<KeyId>,
    /// Its first material, as long as its spec wants; `None` for a random one.
    pub(crate) material: Option<Zeroizing<Vec<u8>>>,
    /// Whether it begins switched off.
    pub(crate) is_disabled: bool,
}

impl fmt::Debug for Planted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material = self.material.as_ref().map(|_| "…");
        f.debug_struct("Planted")
            .field("id", &self.id)
            .field("material", &material)
            .field("is_disabled", &self.is_disabled)
            .finish()
    }
}

impl Keyring {
    /// Whether the first material of a key is this one; `false` where there is no such key.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Material`] for a damaged one; [`KeyringError::Store`].
    pub(crate) async fn has_material(
        &self,
        asker: &Asker,
        id: &KeyId,
        bytes: &[u8],
    ) -> Result<bool, KeyringError> {
        let Some(key) = self.settled(&asker.region, id).await? else {
            return Ok(false);
        };
        let Some(first) = key.materials.first() else {
            return Ok(false);
        };
        Ok(equal(&self.material(&key, first)?, bytes))
    }

    /// Material that is given. Its id comes of it, since a ciphertext names the material that opens it.
    pub(super) fn fixed_material(
        &self,
        key: &KeyId,
        bytes: &[u8],
        since: Timestamp,
    ) -> KeyMaterial {
        let named = Zeroizing::new([MATERIAL_ID, &key.bytes(), bytes].concat());
        self.wrap_material((key, MaterialId(sha256(&named))), bytes, since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::fixtures::{asker, keyring};
    use crate::keyring::lifecycle::NewKey;
    use crate::model::context::EncryptionContext;
    use crate::model::kms_key::{KeyState, KmsKey};

    const ID: &str = "134f2428-cec1-4b25-a1ae-9048164dba47";

    fn planted(material: u8) -> NewKey {
        NewKey {
            planted: Planted {
                id: KeyId::parse(ID),
                material: Some(Zeroizing::new(vec![material; 32])),
                is_disabled: false,
            },
            ..NewKey::default()
        }
    }

    async fn plant(keyring: &Keyring, new: NewKey) -> Result<KmsKey, KeyringError> {
        keyring.create_key(&asker("CreateKey"), new).await
    }

    #[tokio::test]
    async fn what_one_keyring_encrypts_under_fixed_material_another_opens() {
        let (one, other) = (keyring(1), keyring(2));
        let key = plant(&one, planted(7)).await.unwrap();
        plant(&other, planted(7)).await.unwrap();
        let context = EncryptionContext::of_s3("arn:aws:s3:::photos");
        let ciphertext = one.encrypt((&asker("Encrypt"), &key), b"secret", &context);
        let ciphertext = ciphertext.unwrap();

        let asker = asker("Decrypt");
        let found = other.key_of_ciphertext(&asker, &ciphertext).await.unwrap();
        let opened = other.decrypt((&asker, &found), &ciphertext, &context);

        assert_eq!(*opened.unwrap().plaintext, b"secret");
    }

    #[tokio::test]
    async fn fixed_material_lies_wrapped_and_is_known_again() {
        let keyring = keyring(1);
        let key = plant(&keyring, planted(7)).await.unwrap();

        let known = async |byte| {
            let asker = asker("DescribeKey");
            let known = keyring.has_material(&asker, &key.id, &[byte; 32]).await;
            known.unwrap()
        };

        assert!(known(7).await);
        assert!(!known(8).await);
        let stored = &key.materials[0].wrapped.0;
        assert!(!stored.windows(32).any(|bytes| bytes == [7; 32]));
    }

    #[tokio::test]
    async fn an_id_that_is_taken_is_refused_and_its_key_stays() {
        let keyring = keyring(1);
        let before = plant(&keyring, planted(7)).await.unwrap();

        let again = plant(&keyring, planted(8)).await;

        assert!(matches!(again, Err(KeyringError::Store(_))));
        let kept = keyring.find_key(&asker("DescribeKey"), ID).await.unwrap();
        assert_eq!(kept, before);
    }

    #[tokio::test]
    async fn a_key_may_begin_switched_off() {
        let mut new = planted(7);
        new.planted.is_disabled = true;

        let key = plant(&keyring(1), new).await.unwrap();

        assert_eq!(key.state, KeyState::Disabled);
    }

    #[test]
    fn fixed_material_never_shows() {
        let shown = format!("{:?}", planted(77).planted);

        assert!(!shown.contains("77"), "{shown}");
    }
}
