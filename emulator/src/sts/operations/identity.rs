//! `GetCallerIdentity`: the one operation that asks for no permission, whoever calls.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use crate::sts::context::Context;
use crate::sts::document::Node;
use crate::sts::error::StsError;
use crate::sts::form::Form;

/// Tells who calls.
#[expect(clippy::unnecessary_wraps, reason = "operations have one shape")]
pub(super) fn run(cx: &Context<'_>, _form: &Form) -> Result<Vec<Node>, StsError> {
    Ok(vec![
        Node::text("Arn", cx.caller.arn()),
        Node::text("UserId", cx.caller.user_id()),
        Node::text("Account", &cx.caller.account),
    ])
}
