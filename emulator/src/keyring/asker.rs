//! Who asks for a key, and through whom: what every decision about it goes by.

use crate::journal::kms_calls::Through;
use crate::model::context::EncryptionContext;

/// Somebody who wants something of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    /// His ARN.
    pub(crate) caller: String,
    /// His account, in which a bare name is looked up.
    pub(crate) account: String,
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
