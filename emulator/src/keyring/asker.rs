//! Who asks for a key, and through whom: what every decision about it goes by.

use std::sync::Arc;

use crate::journal::kms_calls::Through;
use crate::model::context::EncryptionContext;
use crate::policy::keys::ContextKeys;
use crate::policy::permissions::Permissions;

/// Somebody who wants something of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    /// His ARN.
    pub(crate) caller: String,
    /// His account, in which a bare name is looked up.
    pub(crate) account: String,
    /// His policies.
    pub(crate) permissions: Arc<Permissions>,
    /// The region in which it is looked up.
    pub(crate) region: String,
    /// Whether he asks himself, or S3 for him.
    pub(crate) through: Through,
    /// KMS's operation.
    pub(crate) operation: &'static str,
    /// The action that policies name: mostly the operation, but `ReEncrypt` is two.
    pub(crate) action: &'static str,
    /// The encryption context; empty for none.
    pub(crate) context: EncryptionContext,
    /// What else conditions may look at of the request: how it came, and what it says beside the context.
    pub(crate) facts: ContextKeys,
}

impl Asker {
    /// The same under an encryption context.
    pub(super) fn under(&self, context: &EncryptionContext) -> Self {
        Self {
            context: context.clone(),
            ..self.clone()
        }
    }
}
