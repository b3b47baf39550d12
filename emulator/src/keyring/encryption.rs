//! Encrypts and decrypts under KMS keys: what all of `Encrypt`, `Decrypt`, `ReEncrypt` and data keys come down to.
//!
//! The encryption context is the associated data: under any other the ciphertext does not open.

use zeroize::Zeroizing;

use crate::keyring::asker::Asker;
use crate::keyring::ciphertext::Ciphertext;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::refusal::Refusal;
use crate::keyring::states::{check_algorithm, check_use};
use crate::model::context::EncryptionContext;
use crate::model::kms_key::{KeyUsage, KmsKey, MaterialId};

const SYMMETRIC_DEFAULT: &str = "SYMMETRIC_DEFAULT";

/// A plaintext, wiped when it is dropped, and the material that it was under.
pub(crate) struct Decrypted {
    /// The plaintext.
    pub(crate) plaintext: Zeroizing<Vec<u8>>,
    /// Which material of the key had sealed it; `None` for a pair, which has but one.
    pub(crate) material: Option<MaterialId>,
}

impl Keyring {
    /// Encrypts under the current material of a symmetric key.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for a key that cannot be used now; [`KeyringError::Unwrap`] for damaged material.
    pub(crate) fn encrypt(
        &self,
        (asker, key): (&Asker, &KmsKey),
        plaintext: &[u8],
        context: &EncryptionContext,
    ) -> Result<Vec<u8>, KeyringError> {
        check_use(asker, key, KeyUsage::EncryptDecrypt)?;
        check_algorithm(key, SYMMETRIC_DEFAULT)?;
        let material = key
            .current()
            .ok_or_else(|| Refusal::PendingImport(key.arn()))?;
        let sealed =
            self.cipher(key, material)?
                .seal(self.entropy.bytes(), plaintext, &context.canonical());
        Ok(Ciphertext::of(&key.id, material.id, &sealed).render())
    }

    /// The key that a ciphertext names, if the asker may use it.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidCiphertext`], [`Refusal::UnknownCiphertext`] or why he may not; [`KeyringError::Store`].
    pub(crate) async fn key_of_ciphertext(
        &self,
        asker: &Asker,
        ciphertext: &[u8],
    ) -> Result<KmsKey, KeyringError> {
        let ciphertext = Ciphertext::parse(ciphertext).ok_or(Refusal::InvalidCiphertext)?;
        let key = self.settled(&asker.region, &ciphertext.key_id()).await?;
        let key = key.ok_or(Refusal::UnknownCiphertext)?;
        match self.authorize(asker, &key) {
            Ok(()) => Ok(key),
            // So AWS told it of another account's key (data-dot-all/dataall#539).
            Err(KeyringError::Refused(Refusal::ForeignAccount { .. })) => {
                Err(Refusal::UnknownCiphertext.into())
            }
            Err(error) => Err(error),
        }
    }

    /// Decrypts what a key of [`Keyring::key_of_ciphertext`] had encrypted.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidCiphertext`] for a changed one and for another context; for a key that cannot be used now;
    /// [`KeyringError::Unwrap`] for damaged material.
    pub(crate) fn decrypt(
        &self,
        (asker, key): (&Asker, &KmsKey),
        ciphertext: &[u8],
        context: &EncryptionContext,
    ) -> Result<Decrypted, KeyringError> {
        check_use(asker, key, KeyUsage::EncryptDecrypt)?;
        let ciphertext = Ciphertext::parse(ciphertext).ok_or(Refusal::InvalidCiphertext)?;
        let material = key
            .material(ciphertext.material)
            .filter(|_| ciphertext.key_id() == key.id)
            .ok_or(Refusal::InvalidCiphertext)?;
        let opened = self
            .cipher(key, material)?
            .open(ciphertext.sealed, &context.canonical());
        Ok(Decrypted {
            plaintext: opened.map_err(|_| Refusal::InvalidCiphertext)?,
            material: Some(material.id),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::keyring::fixtures::{asker, key, keyring};
    use crate::keyring::states::Need;

    fn context(pairs: &BTreeMap<String, String>) -> EncryptionContext {
        EncryptionContext::new(pairs.clone())
    }

    fn run<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(work)
    }

    async fn open(
        keyring: &Keyring,
        ciphertext: &[u8],
        context: &EncryptionContext,
    ) -> Result<Vec<u8>, KeyringError> {
        let key = keyring
            .key_of_ciphertext(&asker("Decrypt"), ciphertext)
            .await?;
        let opened = keyring.decrypt((&asker("Decrypt"), &key), ciphertext, context)?;
        Ok(opened.plaintext.to_vec())
    }

    fn is_invalid(opened: &Result<Vec<u8>, KeyringError>) -> bool {
        matches!(
            opened,
            Err(KeyringError::Refused(Refusal::InvalidCiphertext))
        )
    }

    type Pairs = BTreeMap<String, String>;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn what_was_encrypted_opens_under_its_own_context_alone(plaintext in prop::collection::vec(any::<u8>(), 1..100), pairs: Pairs, other: Pairs) {
            run(async {
                let keyring = keyring(1);
                let key = key(&keyring).await;

                let ciphertext = keyring.encrypt((&asker("Encrypt"), &key), &plaintext, &context(&pairs)).unwrap();

                prop_assert_eq!(open(&keyring, &ciphertext, &context(&pairs)).await.unwrap(), plaintext);
                if pairs != other {
                    prop_assert!(is_invalid(&open(&keyring, &ciphertext, &context(&other)).await));
                }
                Ok(())
            })?;
        }

        #[test]
        fn a_flipped_bit_anywhere_is_an_invalid_ciphertext(position: prop::sample::Index, bit in 0_u32..8) {
            run(async {
                let keyring = keyring(1);
                let key = key(&keyring).await;
                let context = EncryptionContext::default();
                let mut ciphertext = keyring.encrypt((&asker("Encrypt"), &key), b"secret", &context).unwrap();

                let position = position.index(ciphertext.len());
                ciphertext[position] ^= 1_u8 << bit;

                prop_assert!(is_invalid(&open(&keyring, &ciphertext, &context).await));
                Ok(())
            })?;
        }

        #[test]
        fn after_any_rotations_every_old_ciphertext_opens(rotations in 0_usize..12, automatic: bool) {
            run(async {
                let keyring = keyring(1);
                let mut key = key(&keyring).await;
                if automatic {
                    key = rotate_every_90_days(&keyring, &key).await;
                }
                let context = EncryptionContext::default();
                let mut ciphertexts = Vec::new();
                for _ in 0..rotations {
                    ciphertexts.push(keyring.encrypt((&asker("Encrypt"), &key), b"secret", &context).unwrap());
                    key = turn(&keyring, &key, automatic).await;
                }

                prop_assert_eq!(key.materials.len(), rotations + 1);
                for ciphertext in ciphertexts {
                    prop_assert_eq!(open(&keyring, &ciphertext, &context).await.unwrap(), b"secret");
                }
                Ok(())
            })?;
        }
    }

    async fn rotate_every_90_days(keyring: &Keyring, key: &KmsKey) -> KmsKey {
        let next = key.created.plus(std::time::Duration::from_hours(90 * 24));
        let rotation = crate::model::kms_key::AutomaticRotation {
            period_days: 90,
            next,
        };
        let change = |key: &mut KmsKey| {
            key.rotation = Some(rotation);
            Ok(())
        };
        keyring
            .change_key(key, Need::Rotation, change)
            .await
            .unwrap()
    }

    async fn turn(keyring: &Keyring, key: &KmsKey, automatic: bool) -> KmsKey {
        if !automatic {
            return keyring.rotate_on_demand(key).await.unwrap();
        }
        keyring
            .clock
            .advance(std::time::Duration::from_hours(90 * 24));
        let id = key.id.as_str();
        keyring.find_key(&asker("Encrypt"), id).await.unwrap()
    }

    #[tokio::test]
    async fn a_ciphertext_of_a_key_that_is_not_here_says_so() {
        let elsewhere = keyring(2);
        let foreign = key(&elsewhere).await;
        let context = EncryptionContext::default();
        let ciphertext = elsewhere
            .encrypt((&asker("Encrypt"), &foreign), b"secret", &context)
            .unwrap();

        let opened = open(&keyring(1), &ciphertext, &context).await;

        assert!(matches!(
            opened,
            Err(KeyringError::Refused(Refusal::UnknownCiphertext))
        ));
    }
}
