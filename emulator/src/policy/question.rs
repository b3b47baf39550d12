//! What policies are asked.

use crate::policy::caller::Caller;
use crate::policy::keys::ContextKeys;

/// May this caller do this?
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'q> {
    /// Who.
    pub(crate) caller: &'q Caller,
    /// What: `kms:Decrypt`.
    pub(crate) action: &'q str,
    /// With which resource, and under which circumstances.
    pub(crate) about: About<'q>,
    /// The account that owns the resource.
    pub(crate) owner: &'q str,
}

/// What is known of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum About<'q> {
    /// All.
    Request {
        /// The ARN of the resource.
        resource: &'q str,
        /// What conditions look at.
        keys: &'q ContextKeys,
    },
    /// Nothing: some request some day. Doubt speaks for the caller: conditions of an `Allow` hold, those of a `Deny` do not.
    Anything {
        /// The ARN of the resource; `None` where that has none yet.
        resource: Option<&'q str>,
    },
}
