//! Who may do what with a key: asked at every use, for callers of KMS and for S3 acting for its caller alike.
//!
//! Each identity of an account may do everything with the account's own keys, and nobody else anything. A key that AWS
//! manages serves S3 alone; its owner can look at it, as the policy says that it is born with.

use crate::journal::kms_calls::Through;
use crate::keyring::asker::Asker;
use crate::keyring::refusal::Refusal;
use crate::model::kms_key::{KeyManager, KmsKey};

/// Refuses whoever may not do this with the key.
///
/// # Errors
///
/// [`Refusal::ForeignAccount`], [`Refusal::NotAllowed`].
pub(super) fn authorize(asker: &Asker, key: &KmsKey) -> Result<(), Refusal> {
    if asker.account != key.account {
        return Err(foreign(asker));
    }
    let only_looks = ["Describe", "Get", "List"]
        .iter()
        .any(|verb| asker.operation.starts_with(verb));
    if key.manager == KeyManager::Aws && asker.through == Through::Direct && !only_looks {
        return Err(Refusal::NotAllowed {
            caller: asker.caller.clone(),
            operation: asker.operation,
            key_arn: key.arn(),
        });
    }
    Ok(())
}

/// What somebody is told who asks for a key of another account: whether there is one is not his business.
pub(super) fn foreign(asker: &Asker) -> Refusal {
    Refusal::ForeignAccount {
        caller: asker.caller.clone(),
        operation: asker.operation,
    }
}
