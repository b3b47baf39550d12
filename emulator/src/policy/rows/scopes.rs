//! Whom and what a statement is about.

use serde_json::{Value, json};

use super::{
    ANN, AWAY, HOME, ROLE, ROOT, SESSION, THING, anonymous, by_identity, by_resource, in_role,
    joined, known, own, with_statements,
};
use crate::policy::caller::{Caller, Who};
use crate::policy::decision::{By, Denial, Layer};

#[test]
fn an_allow_reaches_whom_it_names() {
    let (named, none) = (Ok(By::Resource), Err(Denial::Silent(Layer::Identity)));
    let other = known("arn:aws:iam::444455556666:root");
    let service = Caller {
        who: Who::Service("logging.s3.amazonaws.com".to_owned()),
        canonical_id: None,
    };
    let canonical = Caller {
        canonical_id: Some("0a".repeat(32)),
        ..other.clone()
    };
    let aws = |name: &str| json!({ "AWS": name });
    let rows = [
        (json!("*"), anonymous(), named),
        (aws("*"), known(ANN), named),
        (aws("*"), in_role(), named),
        (aws(HOME), known(ANN), none),
        (aws(ROOT), known(ANN), none),
        (aws(ROOT), anonymous(), Err(Denial::Foreign)),
        (aws(ANN), known(ANN), named),
        (aws(ANN), known("arn:aws:iam::111122223333:user/ann"), none),
        (aws(ROLE), in_role(), named),
        (aws(ROLE), known(SESSION), none),
        (aws(SESSION), in_role(), named),
        (
            aws("arn:aws:sts::111122223333:assumed-role/admin/friday"),
            in_role(),
            none,
        ),
        (aws("AIDACKCEVSQ6C2EXAMPLE"), known(ANN), none),
        (aws(AWAY), other.clone(), named),
        (aws(HOME), other, Err(Denial::Foreign)),
        (
            json!({ "Service": "logging.s3.amazonaws.com" }),
            service.clone(),
            named,
        ),
        (
            json!({ "Service": "s3.amazonaws.com" }),
            service,
            Err(Denial::Foreign),
        ),
        (
            json!({ "CanonicalUser": "0a".repeat(32) }),
            canonical.clone(),
            named,
        ),
        (
            json!({ "CanonicalUser": "0b".repeat(32) }),
            canonical,
            Err(Denial::Foreign),
        ),
    ];
    for (principal, caller, expected) in rows {
        let statement = json!({ "Effect": "Allow", "Principal": principal, "Action": "s3:*",
            "Resource": "*" });
        let decided = by_resource(&statement, &caller);
        assert_eq!(decided, expected, "{principal} {caller:?}");
    }
}

#[test]
fn a_deny_hits_whom_it_names_and_spares_those_listed_whole() {
    let only = |names: Value| json!({ "Principal": { "AWS": names } });
    let but = |names: Value| json!({ "NotPrincipal": { "AWS": names } });
    let rows = [
        (only(json!(ROOT)), known(ROOT), true),
        (only(json!(ROOT)), known(ANN), true),
        (only(json!(HOME)), in_role(), true),
        (only(json!(ANN)), known(ROOT), false),
        (only(json!(AWAY)), known(ANN), false),
        (but(json!(ROOT)), known(ROOT), false),
        (but(json!(ROOT)), known(ANN), true),
        (but(json!(ANN)), known(ANN), true),
        (but(json!([ROOT, ANN])), known(ANN), false),
        (but(json!([ROOT, ROLE])), in_role(), true),
        (but(json!([ROOT, ROLE, SESSION])), in_role(), false),
        (but(json!([ROOT, ANN])), anonymous(), true),
        (but(json!("*")), anonymous(), false),
    ];
    for (who, caller, is_denied) in rows {
        let statement = joined(
            json!({ "Effect": "Deny", "Action": "s3:*", "Resource": "*" }),
            &who,
        );
        let allow =
            json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*" });
        let decided = by_resource(&json!([allow, statement]), &caller);
        assert_eq!(decided.is_err(), is_denied, "{who} {caller:?}");
    }
}

#[test]
fn actions_and_resources_are_patterns() {
    let rows = [
        (json!({ "Action": "S3:getOBJECT" }), true),
        (json!({ "Action": ["kms:*", "s3:Get*"] }), true),
        (json!({ "Action": "s3:GetObject?" }), false),
        (json!({ "Action": "*:GetObject" }), true),
        (json!({ "Resource": THING }), true),
        (json!({ "Resource": "arn:aws:s3:::photos/*" }), true),
        (
            json!({ "Resource": "arn:aws:s3:::photos/????/*.png" }),
            true,
        ),
        (json!({ "Resource": "arn:aws:s3:::PHOTOS/*" }), false),
        (json!({ "Resource": "arn:aws:s3:::photos" }), false),
        (
            json!({ "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::*"] }),
            true,
        ),
    ];
    for (statement, expected) in rows {
        assert_eq!(own(&statement, None), expected, "{statement}");
    }
    let opposite = |members: Value| {
        let mut whole = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
        for name in members.as_object().unwrap().keys() {
            whole.as_object_mut().unwrap().remove(&name[3..]);
        }
        by_identity(&with_statements(&joined(whole, &members)))
    };
    assert!(opposite(json!({ "NotAction": ["s3:Put*", "kms:*"] })));
    assert!(!opposite(json!({ "NotAction": ["s3:Get*", "kms:*"] })));
    assert!(opposite(json!({ "NotResource": "arn:aws:s3:::photos" })));
    assert!(!opposite(
        json!({ "NotResource": ["arn:aws:s3:::photos/*"] })
    ));
}

#[test]
fn variables_stand_where_they_have_a_meaning() {
    let new = Some("2012-10-17");
    let like = |pattern: &str| json!({ "Condition": { "StringLike": { "s3:prefix": pattern } } });
    let rows = [
        (
            json!({ "Resource": "arn:aws:s3:::photos/${s3:year, '2026'}/*" }),
            new,
            true,
        ),
        (
            json!({ "Resource": "arn:aws:s3:::photos/${s3:year}/*" }),
            new,
            false,
        ),
        (
            json!({ "Resource": "arn:aws:${s3:service, 's3'}:::photos/*" }),
            new,
            false,
        ),
        (like("home/${aws:username}"), new, true),
        (like("home/${AWS:UserName}"), new, true),
        (like("home/${aws:username}"), None, false),
        (like("home/${aws:username}"), Some("2008-10-17"), false),
        (like("home/${aws:PrincipalTag/team}"), new, false),
        (like("home/${aws:PrincipalTag/none, 'ann'}"), new, true),
        (like("home/${aws:PrincipalTag/none}"), new, false),
        (like("home/${*}"), new, false),
        (like("home/*"), new, true),
        (
            json!({ "Condition": { "StringNotLike": { "s3:prefix": "${aws:PrincipalTag/none}" } } }),
            new,
            true,
        ),
        (
            json!({ "Condition": { "NumericEquals": { "s3:max-keys": "${s3:max-keys}" } } }),
            new,
            false,
        ),
        (
            json!({ "Condition": { "Bool": { "aws:SecureTransport": "${x:none, 'true'}" } } }),
            new,
            true,
        ),
    ];
    for (statement, version, expected) in rows {
        assert_eq!(
            own(&statement, version),
            expected,
            "{statement} {version:?}"
        );
    }
}

#[test]
fn callers_have_the_arns_that_policies_name() {
    let session = in_role();
    assert_eq!(session.arn().as_deref(), Some(SESSION));
    assert_eq!(session.role_arn().as_deref(), Some(ROLE));
    assert_eq!(known(ANN).user_name(), Some("ann"));
    assert_eq!(session.user_name(), None);
    let bob = "arn:aws:sts::111122223333:federated-user/bob";
    for arn in [ROOT, ANN, SESSION, bob] {
        assert_eq!(known(arn).arn().as_deref(), Some(arn));
    }
    assert_eq!(Caller::parse(ROLE), None);
    assert_eq!(Caller::parse("*"), None);
}
