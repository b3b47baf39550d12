//! What is a policy, and what is wrong with what is none.

use serde_json::{Value, json};

use super::{ANN, HOME, ROLE, ROOT, SESSION, joined, read, with_statements};
use crate::policy::document::{Document, Kind};
use crate::policy::flaw::{BadPolicy, Element, Flaw};

/// A good statement with another member; without it for `null`.
fn with(member: &str, value: Value) -> Value {
    let mut statement =
        json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*" });
    statement[member] = value;
    if statement[member].is_null() {
        statement.as_object_mut().unwrap().remove(member);
    }
    json!({ "Statement": [statement] })
}

fn refused(policy: &Value) -> BadPolicy {
    let read = Document::parse(&policy.to_string(), Kind::Bucket);
    read.expect_err(&policy.to_string())
}

#[test]
fn a_document_has_a_version_an_id_and_statements() {
    let twice =
        json!({ "Effect": "Deny", "NotPrincipal": "*", "NotAction": "s3:*", "NotResource": "*" });
    read(
        &json!({ "Version": "2008-10-17", "Id": "x", "Statement": twice }),
        Kind::Bucket,
    );
    let unknown = "Statements".to_owned();
    let version = "2012-10-18".to_owned();
    let rows = [
        (json!({}), Flaw::Missing(Element::Statement)),
        (json!({ "Statement": [] }), Flaw::Empty(Element::Statement)),
        (
            json!({ "Version": version, "Statement": [] }),
            Flaw::Version(version),
        ),
        (
            json!({ "Statement": [], "Statements": [] }),
            Flaw::UnknownElement(unknown),
        ),
        (
            json!({ "Id": 5, "Statement": [] }),
            Flaw::Syntax("Id".to_owned()),
        ),
    ];
    for (policy, flaw) in rows {
        assert_eq!(refused(&policy), flaw.of_document());
    }
}

#[test]
fn what_may_stand_in_a_statement_is_read() {
    let condition = |operator: &str, key: &str, value: Value| {
        with("Condition", json!({ operator: { key: value } }))
    };
    let good = [
        with("Sid", json!("with blanks")),
        with("Action", json!(["*", "S3:Get?bject"])),
        with("Principal", json!({ "CanonicalUser": "0a".repeat(32) })),
        condition("NumericLessThan", "s3:max-keys", json!(5)),
        condition("Bool", "aws:SecureTransport", json!(true)),
        condition("DateLessThan", "aws:CurrentTime", json!("garbage")),
    ];
    for policy in good {
        read(&policy, Kind::Bucket);
    }
}

#[test]
fn the_first_flaw_of_a_statement_is_told() {
    let condition =
        |operator: &str, value: &str| ("Condition", json!({ operator: { "x:y": value } }));
    let text = str::to_owned;
    let rows = [
        (
            ("Principal", Value::Null),
            Flaw::Missing(Element::Principal),
        ),
        (
            ("Principal", json!({ "AWS": [] })),
            Flaw::Empty(Element::Principal),
        ),
        (("Principal", json!(ROOT)), Flaw::Syntax(text("Principal"))),
        (("Effect", Value::Null), Flaw::Missing(Element::Effect)),
        (("Effect", json!("allow")), Flaw::Effect(text("allow"))),
        (("Action", Value::Null), Flaw::Missing(Element::Action)),
        (("Action", json!([])), Flaw::Empty(Element::Action)),
        (("Action", json!("Get")), Flaw::Action(text("Get"))),
        (("Action", json!([5])), Flaw::Syntax(text("Action"))),
        (("NotAction", json!("s3:*")), Flaw::Both(Element::Action)),
        (("Resource", Value::Null), Flaw::Missing(Element::Resource)),
        (
            ("Resource", json!("photos")),
            Flaw::Resource(text("photos")),
        ),
        (("Condition", json!([])), Flaw::Syntax(text("Condition"))),
        (
            ("Effort", json!("Allow")),
            Flaw::UnknownElement(text("Effort")),
        ),
        (
            condition("StringMatches", "a"),
            Flaw::Operator(text("StringMatches")),
        ),
        (
            condition("NullIfExists", "true"),
            Flaw::Operator(text("NullIfExists")),
        ),
        (
            condition("ForMost:StringLike", "a"),
            Flaw::Operator(text("ForMost:StringLike")),
        ),
        (
            condition("IpAddress", "127.0.0.*"),
            Flaw::IpAddress(text("127.0.0.*")),
        ),
        (condition("BinaryEquals", "a"), Flaw::Base64(text("a"))),
    ];
    for ((member, value), flaw) in rows {
        let statement = Some("NO_ID-0".to_owned());
        assert_eq!(refused(&with(member, value)), BadPolicy { statement, flaw });
    }
}

#[test]
fn a_flaw_names_its_statement() {
    let allow = |sid: &str| json!({ "Sid": sid, "Effect": "Allow", "NotPrincipal": "*", "Action": "s3:*", "Resource": "*" });
    let expected = BadPolicy {
        statement: Some("mine".to_owned()),
        flaw: Flaw::AllowNotPrincipal,
    };
    assert_eq!(refused(&with_statements(&allow("mine"))), expected);
}

#[test]
fn a_statement_of_a_key_may_say_nothing_of_actions() {
    let statement = json!({ "Effect": "Allow", "Principal": "*", "Resource": "*" });
    let text = json!({ "Statement": [statement] }).to_string();

    assert!(Document::parse(&text, Kind::Key).is_ok());
    let bad = Document::parse(&text, Kind::Bucket).unwrap_err();
    assert_eq!(bad.flaw, Flaw::Missing(Element::Action));
}

#[test]
fn each_kind_of_policy_has_its_own_elements() {
    let plain = json!({ "Effect": "Allow", "Action": "sts:AssumeRole" });
    let with = |members: Value| {
        let statement = joined(plain.clone(), &members);
        json!({ "Statement": [statement] }).to_string()
    };
    let everybody = json!({ "Principal": "*" });
    let whole = json!({ "Principal": "*", "Resource": "*" });
    let canonical = json!({ "Principal": { "CanonicalUser": "0a".repeat(32) }, "Resource": "*" });
    let web = json!({ "Principal": { "Federated": "accounts.example" } });
    let rows = [
        (Kind::Identity, json!({ "Resource": "*" }), true),
        (Kind::Identity, whole.clone(), false),
        (Kind::Identity, json!({}), false),
        (
            Kind::Identity,
            json!({ "Resource": "*", "Sid": "no blanks" }),
            false,
        ),
        (Kind::Bucket, whole.clone(), true),
        (Kind::Bucket, everybody.clone(), false),
        (Kind::Bucket, canonical.clone(), true),
        (Kind::Key, whole.clone(), true),
        (Kind::Key, everybody.clone(), true),
        (Kind::Key, canonical, false),
        (Kind::Trust, everybody, true),
        (Kind::Trust, web, true),
        (Kind::Trust, whole, false),
    ];
    for (kind, members, is_good) in rows {
        let text = with(members);
        assert_eq!(
            Document::parse(&text, kind).is_ok(),
            is_good,
            "{kind:?} {text}"
        );
    }
    let twice = json!({ "Statement": [{ "Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Sid": "A", "Effect": "Deny", "Action": "*", "Resource": "*" }] });
    let refused = Document::parse(&twice.to_string(), Kind::Identity).unwrap_err();
    assert_eq!(refused.flaw, Flaw::Sid("A".to_owned()));
}

#[test]
fn a_principal_is_somebody_and_never_a_pattern() {
    let good = [
        HOME,
        ROOT,
        ANN,
        ROLE,
        SESSION,
        "*",
        "arn:aws:sts::111122223333:federated-user/bob",
        "AIDACKCEVSQ6C2EXAMPLE",
        "AROACKCEVSQ6C2EXAMPLE",
    ];
    let bad = [
        "",
        "ann",
        "11112222333",
        "arn:aws:iam::111122223333:user/*",
        "arn:aws:iam::111122223333:user/",
        "arn:aws:iam::*:root",
        "arn:aws:iam::111122223333:nonexistent-thing",
        "arn:aws:iam::111122223333:group/g",
        "arn:aws:sts::111122223333:assumed-role/admin",
        "arn:aws:s3:::photos",
    ];
    let parses = |name: &str| {
        let statement = json!({ "Effect": "Allow", "Principal": { "AWS": name },
            "Action": "s3:*", "Resource": "*" });
        Document::parse(&with_statements(&statement).to_string(), Kind::Bucket)
    };
    for name in good {
        assert!(parses(name).is_ok(), "{name}");
    }
    for name in bad {
        let flaw = Flaw::Principal("AWS".to_owned(), name.to_owned());
        assert_eq!(parses(name).unwrap_err().flaw, flaw);
    }
}

#[test]
fn a_policy_reads_back_in_the_order_of_s3() {
    let sent = r#"{ "Statement": { "Resource": ["*"], "Condition": {"Bool": {"aws:SecureTransport": [true]}, "StringLike": {"s3:prefix": ["a","b"]}},
        "NotAction": ["s3:Put*"], "Principal": {"Service": "x.amazonaws.com", "AWS": ["111122223333"]}, "Effect": "Deny", "Sid": "S" }, "Id": "I", "Version": "2012-10-17" }"#;
    let bare = r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::a/*"}}"#;
    let written = |text| Document::parse(text, Kind::Bucket).unwrap().to_string();

    let expected = r#"{"Version":"2012-10-17","Id":"I","Statement":[{"Sid":"S","Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:root","Service":"x.amazonaws.com"},"NotAction":"s3:Put*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"},"StringLike":{"s3:prefix":["a","b"]}}}]}"#;
    assert_eq!(written(sent), expected);
    let expected = r#"{"Statement":[{"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::a/*"}]}"#;
    assert_eq!(written(bare), expected);
}
