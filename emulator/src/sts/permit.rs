//! Who may: the trust of a role and the caller's own policies.
//!
//! A role that trusts somebody by name lets him in; one that trusts an account lets in whom the account's policies let
//! assume it. Across accounts it takes both.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics.html>

use crate::auth::role::Role;
use crate::policy::decision::decide;
use crate::policy::keys::ContextKeys;
use crate::policy::question::{About, Question};
use crate::sts::context::Context;
use crate::sts::error::StsError;

/// Whether the caller may do this with a role.
pub(super) fn trusts(cx: &Context<'_>, role: &Role, action: &str, keys: &ContextKeys) -> bool {
    let question = Question {
        caller: &cx.caller.policy_caller(),
        action,
        about: About::Request {
            resource: &role.arn(),
            keys,
        },
        owner: &role.account,
    };
    decide(&question, &cx.caller.permissions.with_role(&role.trust)).is_ok()
}

/// Refuses what the caller's own policies do not allow.
///
/// # Errors
///
/// `AccessDenied`.
pub(super) fn ask_caller(
    cx: &Context<'_>,
    action: &str,
    resource: &str,
    keys: &ContextKeys,
) -> Result<(), StsError> {
    let question = Question {
        caller: &cx.caller.policy_caller(),
        action,
        about: About::Request { resource, keys },
        owner: &cx.caller.account,
    };
    let Err(denial) = decide(&question, &cx.caller.permissions.alone()) else {
        return Ok(());
    };
    let reason = denial.reason(action).unwrap_or_default();
    let caller = cx.caller.arn();
    let message = format!(
        "User: {caller} is not authorized to perform: {action} on resource: {resource} {reason}"
    );
    Err(StsError::denied(message))
}
