//! Who asks for a key, and through whom: what every decision about it goes by.

use crate::journal::kms_calls::Through;

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
    /// KMS's operation, which is also the action that policies name.
    pub(crate) operation: &'static str,
}
