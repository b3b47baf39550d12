//! What the state of a key allows.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>, and recorded answers.

use crate::keyring::asker::Asker;
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
        let turns = matches!(self, Self::Rotation | Self::RotationStatus);
        let works = matches!(self, Self::Cryptography | Self::RotationNow);
        match (self, key.state) {
            (Self::CancelDeletion, KeyState::PendingDeletion { .. }) => Ok(()),
            (Self::CancelDeletion, _) => Err(Refusal::NotPendingDeletion(key.arn())),
            (Self::Anything, _) | (Self::RotationStatus, KeyState::PendingDeletion { .. }) => {
                Ok(())
            }
            (_, KeyState::PendingDeletion { .. }) => Err(Refusal::PendingDeletion(key.arn())),
            (Self::Rotation | Self::RotationNow, _) if !is_symmetric => Err(Refusal::NeverTurns),
            _ if is_imported && turns => Err(Refusal::ImportedMaterial(key.arn())),
            (Self::Rotation, KeyState::Disabled) => Err(Refusal::Disabled(key.arn())),
            (_, KeyState::Disabled) if works => Err(Refusal::Disabled(key.arn())),
            (Self::Switch, KeyState::PendingImport) => Err(Refusal::PendingImport(key.arn())),
            (_, KeyState::PendingImport) if works => Err(Refusal::PendingImport(key.arn())),
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
    if key.spec.usage() == usage {
        return Ok(());
    }
    Err(Refusal::WrongUsage {
        key_arn: key.arn(),
        usage: key.spec.usage().name(),
        operation: asker.operation,
    })
}
