//! Who asks for a key, and through whom: what every decision about it goes by.

use std::sync::Arc;

use crate::journal::kms_calls::Through;
use crate::model::context::EncryptionContext;
use crate::policy::caller::Caller;
use crate::policy::keys::ContextKeys;
use crate::policy::permissions::Permissions;

/// Somebody who wants something of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    /// Who he is, as policies see him.
    pub(crate) who: Caller,
    /// His ARN, as he is told of himself.
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
    /// What else conditions may look at: of him, of how his request came, and of what it says beside the context. All of
    /// it is told before a key is looked up, since that is when it is decided.
    pub(crate) facts: ContextKeys,
}

impl Asker {
    /// Tells what conditions may look at.
    pub(crate) fn tell(&mut self, key: &str, value: impl Into<String>) {
        self.facts = std::mem::take(&mut self.facts).with(key, value);
    }

    /// Tells what has any number of values.
    pub(crate) fn tell_set<V: Into<String>>(
        &mut self,
        key: &str,
        values: impl IntoIterator<Item = V>,
    ) {
        self.facts = std::mem::take(&mut self.facts).with_set(key, values);
    }

    /// The same under an encryption context.
    pub(super) fn under(&self, context: &EncryptionContext) -> Self {
        Self {
            context: context.clone(),
            ..self.clone()
        }
    }
}
