//! Material that the owner of a key brings, brings again, and takes away.
//!
//! A key of a symmetric spec may have several: the first one encrypts at once, and each further one waits until the key is
//! turned on demand. Whatever once encrypted belongs to the key for good, and the key works while all of it is here.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html>,
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteImportedKeyMaterial.html>; answers recorded from AWS in
//! November 2025

use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::import_refusal::ImportRefusal;
use crate::keyring::states::Need;
use crate::model::kms_key::{Import, KeyMaterial, KeySpec, KmsKey, MaterialId};

/// What somebody says of the material that he brings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Brought<'b> {
    /// Whether it is to be new to the key; `None` for what the key expects.
    pub(crate) is_new: Option<bool>,
    /// The id that it is to have.
    pub(crate) id: Option<&'b str>,
    /// What is to be known of it; no description for the one that it had.
    pub(crate) import: Import,
}

impl Keyring {
    /// Takes the material of a key, which is wrapped under the key that a token tells, and tells its id.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Refused`] for a key of another origin or state, for the token, for what was wrapped, and for what is not
    /// expected; [`KeyringError::Store`].
    pub(crate) async fn import_material(
        &self,
        key: &KmsKey,
        (token, wrapped): (&[u8], &[u8]),
        brought: Brought<'_>,
    ) -> Result<MaterialId, KeyringError> {
        Need::Import.check(key)?;
        check_members(key, &brought)?;
        let bytes = self.unwrap_material(key, token, wrapped).await?;
        self.keep_material(key, &bytes, brought).await
    }

    async fn keep_material(
        &self,
        key: &KmsKey,
        bytes: &[u8],
        brought: Brought<'_>,
    ) -> Result<MaterialId, KeyringError> {
        let material = KeyMaterial {
            import: Some(brought.import),
            ..self.fixed_material(&key.id, bytes, self.clock.now())
        };
        if brought.id.is_some_and(|id| id != material.id.to_string()) {
            return Err(ImportRefusal::IncorrectMaterial(OTHER_ID).into());
        }
        let take = |key: &mut KmsKey| {
            let is_new = brought.is_new.unwrap_or(key.materials.is_empty());
            if is_new {
                add(key, &material)?;
            } else {
                replace(key, &material)?;
            }
            key.settle_import();
            Ok(())
        };
        self.change_key(key, Need::Import, take).await?;
        Ok(material.id)
    }

    /// Takes the bytes of a material away: of this one, else of the one that encrypts. Tells which; `None` where there
    /// was never any.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Refused`] for a key of another origin; [`ImportRefusal::NoSuchMaterial`]; [`KeyringError::Store`].
    pub(crate) async fn delete_material(
        &self,
        key: &KmsKey,
        id: Option<&str>,
    ) -> Result<Option<MaterialId>, KeyringError> {
        let mut deleted = None;
        let delete = |key: &mut KmsKey| {
            deleted = drop_material(key, id)?;
            key.settle_import();
            Ok(())
        };
        self.change_key(key, Need::DropMaterial, delete).await?;
        Ok(deleted)
    }
}

const OTHER_ID: &str = "The key material does not have the key material ID that was specified.";
const UNKNOWN: &str = "The key material is not one that was imported into the KMS key before.";
const KNOWN: &str = "The key material is associated with the KMS key already.";

/// Refuses what is said of the material of a key that has but one.
fn check_members(key: &KmsKey, brought: &Brought<'_>) -> Result<(), ImportRefusal> {
    let said = [
        ("ImportType", brought.is_new.is_some()),
        ("KeyMaterialId", brought.id.is_some()),
        (
            "KeyMaterialDescription",
            brought.import.description.is_some(),
        ),
    ];
    let mut said = said.into_iter().filter(|(_, is_said)| *is_said);
    match said.next() {
        Some((member, _)) if key.spec != KeySpec::SymmetricDefault => {
            Err(ImportRefusal::OneMaterial(member))
        }
        _ => Ok(()),
    }
}

/// Material that the key never had.
fn add(key: &mut KmsKey, material: &KeyMaterial) -> Result<(), ImportRefusal> {
    let mut all = key.materials.iter().chain(&key.pending_rotation);
    if all.any(|known| known.id == material.id) {
        return Err(ImportRefusal::IncorrectMaterial(KNOWN));
    }
    if key.materials.is_empty() {
        key.materials.push(material.clone());
        return Ok(());
    }
    if let Some(pending) = &key.pending_rotation {
        return Err(ImportRefusal::RotationPending {
            key_arn: key.arn(),
            brought: material.id.to_string(),
            pending: pending.id.to_string(),
        });
    }
    key.pending_rotation = Some(material.clone());
    Ok(())
}

/// Material that the key has, or had.
fn replace(key: &mut KmsKey, material: &KeyMaterial) -> Result<(), ImportRefusal> {
    let mut all = key.materials.iter_mut().chain(&mut key.pending_rotation);
    let known = all.find(|known| known.id == material.id);
    let known = known.ok_or(ImportRefusal::IncorrectMaterial(UNKNOWN))?;
    let described = |import: &Option<Import>| import.clone()?.description;
    let description = described(&material.import).or_else(|| described(&known.import));
    let valid_to = material.import.as_ref().and_then(|import| import.valid_to);
    known.wrapped = material.wrapped.clone();
    known.import = Some(Import {
        description,
        valid_to,
    });
    Ok(())
}

// AWS: unverified. That deleting what waits for its rotation leaves the state of the key alone: that material does not
// belong to it yet, as is documented.
fn drop_material(key: &mut KmsKey, id: Option<&str>) -> Result<Option<MaterialId>, ImportRefusal> {
    let is_meant =
        |material: &KeyMaterial| id.is_none_or(|wanted| wanted == material.id.to_string());
    if id.is_some()
        && let Some(pending) = key.pending_rotation.take_if(|pending| is_meant(pending))
    {
        return Ok(Some(pending.id));
    }
    let mut found = key.materials.iter_mut().rev().filter(|one| is_meant(one));
    match (found.next(), id) {
        (Some(material), _) => {
            material.drop_bytes();
            Ok(Some(material.id))
        }
        (None, Some(id)) => Err(ImportRefusal::NoSuchMaterial(id.to_owned())),
        (None, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::keyring::fixtures::{asker, keyring};
    use crate::keyring::lifecycle::NewKey;
    use crate::model::context::EncryptionContext;
    use crate::model::kms_key::{KeyOrigin, KeyState};

    /// What its owner does to a key; materials are told apart by a byte.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Import(u8, Option<bool>),
        Delete(Option<u8>),
        Rotate,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => (0_u8..3, any::<Option<bool>>()).prop_map(|(byte, is_new)| Step::Import(byte, is_new)),
            2 => prop::option::of(0_u8..3).prop_map(Step::Delete),
            2 => Just(Step::Rotate),
        ];
        prop::collection::vec(step, 1..24)
    }

    /// What is to come of it: the materials that belong to the key and whether they are here, and the one that waits.
    #[derive(Debug, Default)]
    struct Expected {
        materials: Vec<(u8, bool)>,
        pending: Option<u8>,
    }

    impl Expected {
        fn is_complete(&self) -> bool {
            !self.materials.is_empty() && self.materials.iter().all(|(_, is_here)| *is_here)
        }

        /// Takes a step; `false` where it is refused.
        fn take(&mut self, step: Step) -> bool {
            match step {
                Step::Import(byte, is_new) => {
                    self.import(byte, is_new.unwrap_or(self.materials.is_empty()))
                }
                Step::Delete(None) => {
                    if let Some(last) = self.materials.last_mut() {
                        last.1 = false;
                    }
                    true
                }
                Step::Delete(Some(byte)) if self.pending == Some(byte) => {
                    self.pending = None;
                    true
                }
                Step::Delete(Some(byte)) => {
                    let found = self.materials.iter_mut().find(|(known, _)| *known == byte);
                    found.map(|found| found.1 = false).is_some()
                }
                Step::Rotate if self.is_complete() => {
                    let pending = self.pending.take();
                    self.materials.extend(pending.map(|byte| (byte, true)));
                    pending.is_some()
                }
                Step::Rotate => false,
            }
        }

        fn import(&mut self, byte: u8, is_new: bool) -> bool {
            let is_first = self.materials.is_empty();
            let known = self.materials.iter_mut().find(|(known, _)| *known == byte);
            match (known, is_new) {
                (Some(known), false) => known.1 = true,
                (None, false) => return self.pending == Some(byte),
                (None, true) if is_first => self.materials.push((byte, true)),
                (None, true) if self.pending.is_none() => self.pending = Some(byte),
                (_, true) => return false,
            }
            true
        }
    }

    async fn waiting(keyring: &Keyring) -> KmsKey {
        let new = NewKey {
            origin: KeyOrigin::External,
            ..NewKey::default()
        };
        keyring.create_key(&asker("CreateKey"), new).await.unwrap()
    }

    async fn take(keyring: &Keyring, key: &KmsKey, step: Step) -> bool {
        let id = |byte: u8| {
            let material = keyring.fixed_material(&key.id, &[byte; 32], key.created);
            material.id.to_string()
        };
        match step {
            Step::Import(byte, is_new) => {
                let brought = Brought {
                    is_new,
                    ..Brought::default()
                };
                let kept = keyring.keep_material(key, &[byte; 32], brought).await;
                kept.is_ok()
            }
            Step::Delete(byte) => {
                let id = byte.map(id);
                let deleted = keyring.delete_material(key, id.as_deref()).await;
                deleted.is_ok()
            }
            Step::Rotate => keyring.rotate_on_demand(key).await.is_ok(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn ciphertexts_open_exactly_while_all_material_of_their_key_is_here(steps in steps()) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let keyring = keyring(1);
                let mut key = waiting(&keyring).await;
                let context = EncryptionContext::default();
                let (mut expected, mut ciphertexts) = (Expected::default(), Vec::new());

                for step in steps {
                    let is_taken = take(&keyring, &key, step).await;

                    prop_assert_eq!(is_taken, expected.take(step), "{:?}", step);
                    key = keyring.find_key(&asker("DescribeKey"), key.id.as_str()).await.unwrap();
                    let is_complete = expected.is_complete();
                    prop_assert_eq!(key.state == KeyState::Enabled, is_complete);
                    let sealed = keyring.encrypt((&asker("Encrypt"), &key), b"secret", &context);
                    prop_assert_eq!(sealed.is_ok(), is_complete);
                    ciphertexts.extend(sealed.ok());
                    for ciphertext in &ciphertexts {
                        let opened = keyring.decrypt((&asker("Decrypt"), &key), ciphertext, &context);
                        prop_assert_eq!(opened.is_ok(), is_complete);
                    }
                    for (material, (_, is_here)) in key.materials.iter().zip(&expected.materials) {
                        prop_assert_eq!(!material.wrapped.0.is_empty(), *is_here);
                    }
                }
                Ok(())
            })?;
        }
    }
}
