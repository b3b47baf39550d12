//! `AssumeRole`: temporary credentials of a role, for whom it trusts.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>

use std::sync::Arc;
use std::time::Duration;

use crate::auth::iam_names::is_of_names;
use crate::auth::identity::Bearer;
use crate::auth::lookup::NewSession;
use crate::auth::role::Role;
use crate::auth::sessions::SessionOf;
use crate::sts::condition_keys;
use crate::sts::context::{Context, tell_credentials};
use crate::sts::document::Node;
use crate::sts::error::StsError;
use crate::sts::form::Form;
use crate::sts::members::{Members, Rule};
use crate::sts::permit;
use crate::sts::session::{Asked, Checked, NAME_PATTERN, refuse_devices};

/// The longest session of whoever is in a role already.
const CHAINED: Duration = Duration::from_hours(1);
const ROLE_ARN: Rule = Rule {
    length: (20, 2_048),
    pattern: None,
};
const SESSION_NAME: Rule = Rule {
    length: (2, 64),
    pattern: Some((NAME_PATTERN, is_of_names)),
};
const EXTERNAL_ID: Rule = Rule {
    length: (2, 1_224),
    pattern: Some((r"[\w+=,.@:\/-]*", is_external_id)),
};

/// What is asked of a role.
struct AssumeRole {
    arn: String,
    name: String,
    external_id: Option<String>,
    source_identity: Option<String>,
    lasts: Duration,
    asked: Checked,
}

/// Begins a session in a role.
pub(super) fn run(cx: &Context<'_>, form: &Form) -> Result<Vec<Node>, StsError> {
    let mut wanted = AssumeRole::parse(form)?;
    let role = wanted.permit(cx)?;
    wanted.check_length(cx, &role)?;
    wanted.inherit(cx)?;
    let AssumeRole { name, asked, .. } = wanted;
    let id = format!("{}:{name}", role.id());
    let short = role.name.rsplit('/').next().unwrap_or(&role.name);
    let arn = format!("arn:aws:sts::{}:assumed-role/{short}/{name}", role.account);
    let inherited = cx.caller.session.as_ref();
    let inherited = inherited.and_then(|session| session.source_identity.clone());
    let packed = asked.packed_percent;
    let source_identity = wanted.source_identity.or(inherited);
    let credentials = cx.begin(NewSession {
        of: SessionOf::Role {
            arn: role.arn(),
            name,
        },
        tags: asked.tags,
        transitive: asked.transitive,
        policy: asked.policy,
        source_identity: source_identity.clone(),
        lasts: wanted.lasts,
    });
    let user = vec![Node::text("AssumedRoleId", id), Node::text("Arn", arn)];
    let mut nodes = vec![
        Node::tree("AssumedRoleUser", user),
        tell_credentials(&credentials),
    ];
    nodes.extend(packed.map(|percent| Node::text("PackedPolicySize", percent.to_string())));
    nodes.extend(source_identity.map(|source| Node::text("SourceIdentity", source)));
    Ok(nodes)
}

impl AssumeRole {
    fn parse(form: &Form) -> Result<Self, StsError> {
        let mut members = Members::of(form);
        let arn = members.required("RoleArn", &ROLE_ARN);
        let name = members.required("RoleSessionName", &SESSION_NAME);
        let lasts = members.seconds(900..=43_200, 3_600)?;
        let external_id = members.optional("ExternalId", &EXTERNAL_ID);
        let source_identity = members.optional("SourceIdentity", &SESSION_NAME);
        let asked = Asked::read(&mut members);
        members.end()?;
        if !arn.starts_with("arn:") || arn.splitn(6, ':').count() < 6 {
            return Err(StsError::validation(format!("{arn} is invalid")));
        }
        let asked = asked.check(form)?;
        refuse_devices(form)?;
        Ok(Self {
            arn,
            name,
            external_id,
            source_identity,
            lasts,
            asked,
        })
    }

    /// The role, if it and the caller's own policies let him in. One that is not there is not told from one that does not.
    fn permit(&self, cx: &Context<'_>) -> Result<Arc<Role>, StsError> {
        let not_allowed = |action: &str| {
            StsError::denied(format!(
                "User: {} is not authorized to perform: {action} on resource: {}",
                cx.caller.arn(),
                self.arn
            ))
        };
        let mut actions = vec!["sts:AssumeRole"];
        if !self.asked.tags.is_empty() {
            actions.push("sts:TagSession");
        }
        if self.source_identity.is_some() {
            actions.push("sts:SetSourceIdentity");
        }
        let role = cx.authenticator.role(&self.arn);
        let role = role.ok_or_else(|| not_allowed(actions[0]))?;
        let mut keys = condition_keys::of(cx, &self.asked)
            .with("aws:ResourceAccount", &*role.account)
            .with("sts:RoleSessionName", &*self.name);
        if let Some(id) = &self.external_id {
            keys = keys.with("sts:ExternalId", id);
        }
        if let Some(source) = &self.source_identity {
            keys = keys.with("sts:SourceIdentity", source);
        }
        for (key, value) in &role.tags {
            keys = keys
                .with(&format!("aws:ResourceTag/{key}"), value)
                .with(&format!("iam:ResourceTag/{key}"), value);
        }
        let is_federated = cx.caller.bearer == Bearer::Federated;
        for action in actions {
            if is_federated || !permit::trusts(cx, &role, action, &keys) {
                return Err(not_allowed(action));
            }
        }
        Ok(role)
    }

    fn check_length(&self, cx: &Context<'_>, role: &Role) -> Result<(), StsError> {
        let is_chained = matches!(cx.caller.bearer, Bearer::Role { .. });
        if is_chained && self.lasts > CHAINED {
            return Err(StsError::validation(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
            ));
        }
        if self.lasts > role.max_session {
            return Err(StsError::validation(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            ));
        }
        Ok(())
    }

    /// Takes over the tags that the caller's own session passes on.
    // AWS: unverified. The words for a tag that cannot be changed.
    fn inherit(&mut self, cx: &Context<'_>) -> Result<(), StsError> {
        let Some(session) = &cx.caller.session else {
            return Ok(());
        };
        for key in &session.transitive {
            let Some(value) = cx.caller.tags.get(key) else {
                continue;
            };
            let lower = key.to_lowercase();
            let mut own = self.asked.tags.keys();
            if own.any(|own| own.to_lowercase() == lower) {
                return Err(StsError::parameter(
                    "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
                ));
            }
            self.asked.tags.insert(key.clone(), value.clone());
            self.asked.transitive.push(key.clone());
        }
        Ok(())
    }
}

/// `[\w+=,.@:\/-]*`.
fn is_external_id(text: &str) -> bool {
    is_of_names(&text.replace([':', '/'], ""))
}
