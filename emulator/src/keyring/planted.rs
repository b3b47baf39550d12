//! Keys whose id and material somebody fixes: of a seed, so that what one run encrypts opens in the next. No client can.

use std::fmt;

use zeroize::Zeroizing;

use crate::crypto::digest::sha256;
use crate::keyring::asker::Asker;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::import_refusal::ImportRefusal;
use crate::model::kms_key::{KeyMaterial, KeySpec, MaterialId, RotationType};
use crate::model::kms_name::KeyId;
use crate::model::timestamp::Timestamp;

/// What the id of a fixed material is made of, beside key and material.
const MATERIAL_ID: &[u8] = b"strongroom/material-id/1";

/// What is fixed of a key that is to be made; by default nothing.
#[derive(Clone, Default)]
pub(crate) struct Planted {
    /// Its id; `None` for a random one.
    pub(crate) id: Option<KeyId>,
    /// Its first material, as its spec wants it; `None` for a random one, or for none where its owner brings it.
    pub(crate) material: Option<Zeroizing<Vec<u8>>>,
    /// When that goes, where the key's owner brought it; `None` for never.
    pub(crate) valid_to: Option<Timestamp>,
    /// The materials to which it was turned on demand since, each random where it is `None`.
    pub(crate) rotations: Vec<Option<Zeroizing<Vec<u8>>>>,
    /// After how many days it turns by itself; `None` for never.
    pub(crate) rotation_period_days: Option<u32>,
    /// Whether it begins switched off.
    pub(crate) is_disabled: bool,
}

impl fmt::Debug for Planted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let material = self.material.as_ref().map(|_| "…");
        f.debug_struct("Planted")
            .field("id", &self.id)
            .field("material", &material)
            .field("valid_to", &self.valid_to)
            .field("rotations", &self.rotations.len())
            .field("rotation_period_days", &self.rotation_period_days)
            .field("is_disabled", &self.is_disabled)
            .finish()
    }
}

impl Keyring {
    /// Whether a key began with these materials, the oldest first, be they here or not; it may have turned since. `false`
    /// where there is no such key.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(crate) async fn has_materials(
        &self,
        asker: &Asker,
        id: &KeyId,
        materials: &[&[u8]],
    ) -> Result<bool, KeyringError> {
        let Some(key) = self.settled(&asker.region, id).await? else {
            return Ok(false);
        };
        if key.materials.len() < materials.len() {
            return Ok(false);
        }
        for (kept, bytes) in key.materials.iter().zip(materials) {
            let bytes = Zeroizing::new(bytes.to_vec());
            let normal = self.normal_material(key.spec, bytes).await?;
            if !normal.is_ok_and(|normal| kept.id == fixed_id(id, &normal)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The material of a key that is to be made, in the form in which it is kept.
    ///
    /// # Errors
    ///
    /// [`ImportRefusal::IncorrectMaterial`] for what is no material for such a key.
    pub(super) async fn planted_material(
        &self,
        spec: KeySpec,
        planted: &Planted,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        let Some(bytes) = &planted.material else {
            return Ok(None);
        };
        let normal = self.normal_material(spec, bytes.clone()).await?;
        let normal = normal.map_err(ImportRefusal::IncorrectMaterial)?;
        Ok(Some(normal))
    }

    /// The materials to which a key is taken to have been turned.
    pub(super) fn planted_rotations(
        &self,
        (key, spec): (&KeyId, KeySpec),
        rotations: &[Option<Zeroizing<Vec<u8>>>],
        since: Timestamp,
    ) -> Vec<KeyMaterial> {
        let turned = rotations.iter().map(|bytes| {
            let material = match bytes {
                Some(bytes) => self.fixed_material(key, bytes, since),
                None => self.new_material(key, spec, since),
            };
            KeyMaterial {
                rotation: Some(RotationType::OnDemand),
                ..material
            }
        });
        turned.collect()
    }

    /// Material that is given. Its id comes of it, since a ciphertext names the material that opens it.
    pub(super) fn fixed_material(
        &self,
        key: &KeyId,
        bytes: &[u8],
        since: Timestamp,
    ) -> KeyMaterial {
        self.wrap_material((key, fixed_id(key, bytes)), bytes, since)
    }
}

fn fixed_id(key: &KeyId, bytes: &[u8]) -> MaterialId {
    let named = Zeroizing::new([MATERIAL_ID, &key.bytes(), bytes].concat());
    MaterialId(sha256(&named))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::fixtures::{asker, keyring};
    use crate::keyring::lifecycle::NewKey;
    use crate::model::context::EncryptionContext;
    use crate::model::kms_key::{KeyOrigin, KeyState, KmsKey};

    const ID: &str = "134f2428-cec1-4b25-a1ae-9048164dba47";

    /// OpenSSL's PKCS#8 and SPKI of the key of RFC 8032 §7.1, test 2.
    const PAIR: &str = "302e020100300506032b6570042204204ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
    const PUBLIC: &str =
        "302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";

    fn planted(material: u8) -> NewKey {
        NewKey {
            planted: Planted {
                id: KeyId::parse(ID),
                material: Some(Zeroizing::new(vec![material; 32])),
                ..Planted::default()
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
            let material: &[u8] = &[byte; 32];
            let known = keyring.has_materials(&asker, &key.id, &[material]).await;
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

    #[tokio::test]
    async fn a_pair_of_fixed_material_is_the_same_wherever_it_comes_from() {
        for origin in [KeyOrigin::AwsKms, KeyOrigin::External] {
            let (keyring, der) = (keyring(1), hex::decode(PAIR).unwrap());
            let mut new = planted(7);
            new.spec = KeySpec::EccNistEdwards25519;
            new.origin = origin;
            new.planted.material = Some(Zeroizing::new(der.clone()));

            let key = plant(&keyring, new).await.unwrap();

            let public = keyring.public_key(&key).await.unwrap();
            assert_eq!(hex::encode(public), PUBLIC);
            let asker = asker("DescribeKey");
            assert!(
                keyring
                    .has_materials(&asker, &key.id, &[&der])
                    .await
                    .unwrap()
            );
        }
    }

    #[tokio::test]
    async fn material_that_is_none_for_such_a_key_makes_no_key() {
        let mut new = planted(7);
        new.spec = KeySpec::EccNistP256;

        let made = plant(&keyring(1), new).await;

        assert_eq!(
            made.unwrap_err().exception(),
            "IncorrectKeyMaterialException"
        );
    }

    #[tokio::test]
    async fn a_key_that_is_turned_as_it_is_planted_opens_what_each_of_its_materials_sealed() {
        let [old, new] = [keyring(1), keyring(2)];
        let before = plant(&old, planted(7)).await.unwrap();
        let context = EncryptionContext::default();
        let ciphertext = old.encrypt((&asker("Encrypt"), &before), b"secret", &context);
        let ciphertext = ciphertext.unwrap();
        let mut turned = planted(7);
        turned.planted.rotations = vec![Some(Zeroizing::new(vec![8; 32])), None];
        turned.planted.rotation_period_days = Some(90);

        let key = plant(&new, turned).await.unwrap();

        let asker = asker("Decrypt");
        let opened = new.decrypt((&asker, &key), &ciphertext, &context);
        assert_eq!(*opened.unwrap().plaintext, b"secret");
        assert_eq!(key.materials.len(), 3);
        assert_eq!(key.rotation.unwrap().period_days, 90);
        let known = async |materials: &[&[u8]]| {
            let known = new.has_materials(&asker, &key.id, materials).await;
            known.unwrap()
        };
        assert!(known(&[&[7; 32], &[8; 32]]).await);
        assert!(!known(&[&[7; 32], &[9; 32]]).await);
        assert!(!known(&[&[7; 32], &[8; 32], &[9; 32], &[9; 32]]).await);
    }

    #[test]
    fn fixed_material_never_shows() {
        let shown = format!("{:?}", planted(77).planted);

        assert!(!shown.contains("77"), "{shown}");
    }
}
