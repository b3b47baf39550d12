//! What the state of a key allows.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>, and recorded answers.

use crate::keyring::asker::Asker;
use crate::keyring::import_refusal::ImportRefusal;
use crate::keyring::refusal::Refusal;
use crate::model::kms_key::{KeyOrigin, KeySpec, KeyState, KeyUsage, KmsKey};

/// What somebody wants to do with a key, as far as its state matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// To encrypt and decrypt, and all else that uses the material.
    Cryptography,
    /// What every state allows: to change its policy.
    Anything,
    /// To change what is said of it: tags, description, aliases; to schedule its deletion.
    Change,
    /// To enable or disable it.
    Switch,
    /// To have it turn by itself, or not.
    Rotation,
    /// To turn it now.
    RotationNow,
    /// To read how it is rotated.
    RotationStatus,
    /// To call its deletion off.
    CancelDeletion,
    /// To replicate it to another region, or to make a replica of it the primary.
    Replication,
    /// To bring its material.
    Import,
    /// To take away what was brought.
    DropMaterial,
}

impl Need {
    /// Refuses what the state of the key does not allow.
    ///
    /// # Errors
    ///
    /// [`Refusal`], one of those that name a state.
    pub(crate) fn check(self, key: &KmsKey) -> Result<(), Refusal> {
        let is_symmetric = key.spec == KeySpec::SymmetricDefault;
        let is_imported = key.origin == KeyOrigin::External;
        match (key.state, self) {
            (_, Self::Import | Self::DropMaterial) if !is_imported => {
                Err(ImportRefusal::MadeHere(key.arn()).into())
            }
            (_, Self::Anything | Self::DropMaterial)
            | (
                KeyState::PendingDeletion { .. } | KeyState::PendingReplicaDeletion { .. },
                Self::RotationStatus | Self::CancelDeletion,
            ) => Ok(()),
            (_, Self::Replication) if !key.is_multi_region_primary() => {
                Err(Refusal::NotPrimary(key.arn()))
            }
            (KeyState::PendingReplicaDeletion { .. }, _) => {
                Err(Refusal::PendingReplicaDeletion(key.arn()))
            }
            (KeyState::PendingDeletion { .. }, _) => Err(Refusal::PendingDeletion(key.arn())),
            (_, Self::CancelDeletion) => Err(Refusal::NotPendingDeletion(key.arn())),

            // What a key is comes before how it is.
            (_, Self::Rotation | Self::RotationNow) if !is_symmetric => Err(Refusal::NeverTurns),
            // AWS: unverified. The words; that the primary alone is asked for it is documented.
            (_, Self::Rotation | Self::RotationNow) if key.multi_region.is_replica() => {
                Err(Refusal::NotPrimary(key.arn()))
            }
            (_, Self::Rotation | Self::RotationStatus) if is_imported => {
                Err(Refusal::ImportedMaterial(key.arn()))
            }

            (
                KeyState::Disabled,
                Self::Cryptography | Self::Rotation | Self::RotationNow | Self::Replication,
            ) => Err(Refusal::Disabled(key.arn())),
            (
                KeyState::PendingImport,
                Self::Cryptography | Self::Switch | Self::RotationNow | Self::Replication,
            ) => Err(Refusal::PendingImport(key.arn())),
            _ => Ok(()),
        }
    }
}

/// Refuses to use a key now, or for what it is not made for.
///
/// # Errors
///
/// [`Refusal`] for its state; [`Refusal::WrongUsage`].
pub(super) fn check_use(asker: &Asker, key: &KmsKey, usage: KeyUsage) -> Result<(), Refusal> {
    Need::Cryptography.check(key)?;
    if key.usage() == usage {
        return Ok(());
    }
    Err(Refusal::WrongUsage {
        key_arn: key.arn(),
        usage: key.usage().name(),
        operation: asker.operation,
    })
}

/// Refuses an algorithm that a key does not work by.
///
/// # Errors
///
/// [`Refusal::WrongAlgorithm`].
pub(super) fn check_algorithm(key: &KmsKey, algorithm: &'static str) -> Result<(), Refusal> {
    if key.algorithms().contains(&algorithm) {
        return Ok(());
    }
    Err(wrong_algorithm(key, algorithm))
}

/// What is said of an algorithm that a key does not work by.
pub(super) fn wrong_algorithm(key: &KmsKey, algorithm: &'static str) -> Refusal {
    Refusal::WrongAlgorithm {
        algorithm,
        spec: key.spec.name(),
    }
}
