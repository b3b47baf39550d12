//! The facts about policies, one row each.
//!
//! Source: IAM's, S3's and KMS's guides, and answers of AWS that were measured.

mod conditions;
mod decisions;
mod documents;
mod scopes;

use serde_json::{Value, json};

use crate::policy::caller::{Caller, Who};
use crate::policy::decision::{By, Denial, IdentityPolicies, Policies, Rule, decide};
use crate::policy::document::{Document, Kind};
use crate::policy::keys::ContextKeys;
use crate::policy::question::{About, Question};

const HOME: &str = "111122223333";
const AWAY: &str = "444455556666";
const THING: &str = "arn:aws:s3:::photos/2026/cat.png";
const ANN: &str = "arn:aws:iam::111122223333:user/team/ann";
const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/admin/monday";
const ROLE: &str = "arn:aws:iam::111122223333:role/ops/admin";
const ROOT: &str = "arn:aws:iam::111122223333:root";

fn known(arn: &str) -> Caller {
    Caller::parse(arn).unwrap()
}

fn anonymous() -> Caller {
    Caller {
        who: Who::Anonymous,
        canonical_id: None,
    }
}

/// Somebody in the role whose path a session's ARN does not tell.
fn in_role() -> Caller {
    Caller {
        who: Who::Session {
            account: HOME.to_owned(),
            role: "ops/admin".to_owned(),
            session: "monday".to_owned(),
        },
        canonical_id: None,
    }
}

fn read(policy: &Value, kind: Kind) -> Document {
    Document::parse(&policy.to_string(), kind).unwrap_or_else(|bad| panic!("{policy}: {bad:?}"))
}

fn with_statements(statements: &Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// Two objects as one.
fn joined(mut left: Value, right: &Value) -> Value {
    let members = right.as_object().unwrap().clone();
    left.as_object_mut().unwrap().extend(members);
    left
}

fn ask(caller: &Caller, keys: &ContextKeys, policies: &Policies<'_>) -> Result<By, Denial> {
    let question = Question {
        caller,
        action: "s3:GetObject",
        about: About::Request {
            resource: THING,
            keys,
        },
        owner: HOME,
    };
    decide(&question, policies)
}

/// Who may read the thing, where a bucket's policy alone has a say.
fn by_resource(statement: &Value, caller: &Caller) -> Result<By, Denial> {
    let resource = read(&with_statements(statement), Kind::Bucket);
    let policies = Policies {
        identity: IdentityPolicies::Documents(&[]),
        boundary: None,
        session: &[],
        resource: Some(&resource),
        rule: Rule::AccountDecides,
        is_granted: false,
    };
    ask(caller, &keys(), &policies)
}

/// Whether ann's own policy allows it to her.
fn by_identity(policy: &Value) -> bool {
    let identity = [read(policy, Kind::Identity)];
    let policies = Policies {
        identity: IdentityPolicies::Documents(&identity),
        boundary: None,
        session: &[],
        resource: None,
        rule: Rule::AccountDecides,
        is_granted: false,
    };
    ask(&known(ANN), &keys(), &policies).is_ok()
}

/// Whether her policy allows it by a statement that would allow all, but for these members.
fn own(members: &Value, version: Option<&str>) -> bool {
    let whole = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let mut policy = json!({ "Statement": joined(whole, members) });
    if let Some(version) = version {
        policy["Version"] = json!(version);
    }
    by_identity(&policy)
}

fn keys() -> ContextKeys {
    ContextKeys::default()
        .with("aws:username", "ann")
        .with("aws:PrincipalTag/team", "a*b")
        .with("aws:SourceIp", "10.1.2.3")
        .with("aws:CurrentTime", "2026-01-01T00:00:00Z")
        .with("aws:SecureTransport", "true")
        .with("aws:SourceArn", "arn:aws:s3:::photos/a:b")
        .with("s3:max-keys", "100")
        .with("s3:prefix", "home/ann")
        .with("x:bytes", "QmluYXJ5")
        .with("x:words", "no number")
        .with_set("aws:TagKeys", ["blue", "green"])
        .with_set("x:empty", [] as [&str; 0])
}
