//! `GetFederationToken`: temporary credentials for somebody whom IAM does not know. He may do what its maker may, as far as
//! the policy of the session lets him; without one, nothing but what others give him by name.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetFederationToken.html>

use crate::auth::iam_names::is_of_names;
use crate::auth::lookup::NewSession;
use crate::auth::sessions::SessionOf;
use crate::sts::condition_keys;
use crate::sts::context::{Context, tell_credentials};
use crate::sts::document::Node;
use crate::sts::error::StsError;
use crate::sts::form::Form;
use crate::sts::members::{Members, Rule};
use crate::sts::permit;
use crate::sts::session::{Asked, NAME_PATTERN, OWNERS_DEFAULT, OWNERS_SECONDS, lasting};

const NAME: Rule = Rule {
    length: (2, 32),
    pattern: Some((NAME_PATTERN, is_of_names)),
};

/// Begins a session of a federated user.
pub(super) fn run(cx: &Context<'_>, form: &Form) -> Result<Vec<Node>, StsError> {
    let mut members = Members::of(form);
    let name = members.required("Name", &NAME);
    let lasts = members.seconds(OWNERS_SECONDS, OWNERS_DEFAULT)?;
    let asked = Asked::read(&mut members);
    members.end()?;
    if cx.caller.session.is_some() {
        return Err(StsError::denied(
            "Cannot call GetFederationToken with session credentials",
        ));
    }
    let asked = asked.check(form)?;
    let account = &cx.caller.account;
    let arn = format!("arn:aws:sts::{account}:federated-user/{name}");
    let keys = condition_keys::of(cx, &asked);
    permit::ask_caller(cx, "sts:GetFederationToken", &arn, &keys)?;
    let packed = asked.packed_percent;
    let credentials = cx.begin(NewSession {
        of: SessionOf::Federated {
            by: cx.caller.access_key.clone(),
            name: name.clone(),
        },
        tags: asked.tags,
        transitive: asked.transitive,
        policy: asked.policy,
        source_identity: None,
        lasts: lasting(&cx.caller, lasts),
    });
    let user = vec![
        Node::text("FederatedUserId", format!("{account}:{name}")),
        Node::text("Arn", arn),
    ];
    let mut nodes = vec![
        Node::tree("FederatedUser", user),
        tell_credentials(&credentials),
    ];
    nodes.extend(packed.map(|percent| Node::text("PackedPolicySize", percent.to_string())));
    Ok(nodes)
}
