//! Under which conditions a statement counts.

use serde_json::{Value, json};

use super::own;

/// Operator, key, values, and whether it holds.
fn check(rows: &[(&str, &str, Value, bool)]) {
    for (operator, key, values, expected) in rows {
        let statement = json!({ "Condition": { *operator: { *key: values } } });
        assert_eq!(own(&statement, None), *expected, "{statement}");
    }
}

#[test]
fn texts_and_numbers_compare_in_their_own_way() {
    let rows = [
        ("StringEquals", "AWS:USERNAME", json!("ann"), true),
        ("StringEquals", "aws:username", json!("Ann"), false),
        ("StringEquals", "aws:username", json!("a*"), false),
        (
            "StringNotEquals",
            "aws:username",
            json!(["bob", "ann"]),
            false,
        ),
        (
            "StringNotEquals",
            "aws:username",
            json!(["bob", "Ann"]),
            true,
        ),
        ("StringEqualsIgnoreCase", "aws:username", json!("ANN"), true),
        (
            "StringNotEqualsIgnoreCase",
            "aws:username",
            json!("ANN"),
            false,
        ),
        ("StringLike", "s3:prefix", json!("h?me*"), true),
        ("StringLike", "s3:prefix", json!("H*"), false),
        ("StringNotLike", "s3:prefix", json!("home*"), false),
        ("NumericEquals", "s3:max-keys", json!(100), true),
        ("NumericEquals", "s3:max-keys", json!("100.0"), true),
        ("NumericNotEquals", "s3:max-keys", json!(99), true),
        ("NumericLessThan", "s3:max-keys", json!("100"), false),
        ("NumericLessThan", "s3:max-keys", json!(100.5), true),
        ("NumericLessThanEquals", "s3:max-keys", json!(100), true),
        ("NumericGreaterThan", "s3:max-keys", json!(99), true),
        ("NumericGreaterThan", "s3:max-keys", json!("-1000"), true),
        ("NumericGreaterThanEquals", "s3:max-keys", json!(101), false),
        ("NumericEquals", "s3:max-keys", json!("many"), false),
        ("NumericLessThan", "x:words", json!(1000), false),
    ];
    check(&rows);
}

#[test]
fn dates_addresses_arns_and_flags_compare_in_their_own_way() {
    let ip = "aws:SourceIp";
    let (time, arn, tls) = ("aws:CurrentTime", "aws:SourceArn", "aws:SecureTransport");
    let rows = [
        ("DateEquals", time, json!(1_767_225_600), true),
        ("DateNotEquals", time, json!("2026-01-01"), false),
        (
            "DateLessThan",
            time,
            json!("2026-01-01T00:00:00.000000001Z"),
            true,
        ),
        (
            "DateLessThanEquals",
            time,
            json!("2026-01-01T00:00:00Z"),
            true,
        ),
        (
            "DateGreaterThan",
            time,
            json!("2026-01-01T00:00:00Z"),
            false,
        ),
        (
            "DateGreaterThanEquals",
            time,
            json!("2025-12-31T23:59:59Z"),
            true,
        ),
        ("DateLessThan", time, json!("tomorrow"), false),
        ("DateGreaterThan", time, json!("tomorrow"), false),
        ("Bool", tls, json!(true), true),
        ("Bool", tls, json!("True"), true),
        ("Bool", tls, json!("false"), false),
        ("Bool", tls, json!("yes"), false),
        ("BinaryEquals", "x:bytes", json!("QmluYXJ5"), true),
        ("BinaryEquals", "x:bytes", json!("QmluYXJ6"), false),
        ("IpAddress", ip, json!("10.0.0.0/8"), true),
        ("IpAddress", ip, json!("10.1.2.3"), true),
        ("IpAddress", ip, json!("10.1.2.0/31"), false),
        ("IpAddress", ip, json!(["::/0", "11.0.0.0/8"]), false),
        ("IpAddress", ip, json!("0.0.0.0/0"), true),
        ("NotIpAddress", ip, json!("::/0"), true),
        ("NotIpAddress", ip, json!("10.0.0.0/8"), false),
        ("ArnEquals", arn, json!("arn:aws:s3:::photos/*"), true),
        ("ArnLike", arn, json!("arn:*:s3:::photos/a?b"), true),
        ("ArnLike", arn, json!("arn:aws:*:photos/a:b"), false),
        ("ArnLike", arn, json!("arn:aws:S3:::*"), false),
        ("ArnNotEquals", arn, json!("arn:aws:s3:::*"), false),
        ("ArnNotLike", arn, json!("arn:aws:sqs:::*"), true),
        ("Null", "aws:username", json!("false"), true),
        ("Null", "aws:username", json!(true), false),
        ("Null", "aws:none", json!(true), true),
        ("Null", "aws:none", json!("false"), false),
        ("Null", "x:empty", json!("true"), true),
    ];
    check(&rows);
}

#[test]
fn a_missing_key_fails_what_is_asked_and_passes_what_is_negated() {
    let positive = [
        ("StringEquals", "a"),
        ("StringEqualsIgnoreCase", "a"),
        ("StringLike", "*"),
        ("NumericEquals", "1"),
        ("NumericLessThan", "1"),
        ("NumericLessThanEquals", "1"),
        ("NumericGreaterThan", "1"),
        ("NumericGreaterThanEquals", "1"),
        ("DateEquals", "1"),
        ("DateLessThan", "1"),
        ("DateLessThanEquals", "1"),
        ("DateGreaterThan", "1"),
        ("DateGreaterThanEquals", "1"),
        ("Bool", "true"),
        ("BinaryEquals", "QQ=="),
        ("IpAddress", "0.0.0.0/0"),
        ("ArnEquals", "arn:aws:s3:::a"),
        ("ArnLike", "arn:aws:s3:::a"),
    ];
    let negated = [
        ("StringNotEquals", "a"),
        ("StringNotEqualsIgnoreCase", "a"),
        ("StringNotLike", "*"),
        ("NumericNotEquals", "1"),
        ("DateNotEquals", "1"),
        ("NotIpAddress", "0.0.0.0/0"),
        ("ArnNotEquals", "arn:aws:s3:::a"),
        ("ArnNotLike", "arn:aws:s3:::a"),
    ];
    let holds = |operator: &str, value: &str, key: &str| {
        own(&json!({ "Condition": { operator: { key: value } } }), None)
    };
    for (operators, expected) in [(&positive[..], false), (&negated[..], true)] {
        for (operator, value) in operators {
            for key in ["aws:none", "x:empty"] {
                let rows = [
                    ("", "", expected),
                    ("", "IfExists", true),
                    ("ForAnyValue:", "", false),
                    ("ForAllValues:", "", true),
                    ("ForAnyValue:", "IfExists", false),
                    ("ForAllValues:", "IfExists", true),
                ];
                for (before, behind, expected) in rows {
                    let name = format!("{before}{operator}{behind}");
                    assert_eq!(holds(&name, value, key), expected, "{name}");
                }
            }
        }
    }
    assert!(!holds("StringEqualsIfExists", "bob", "aws:username"));
}

#[test]
fn quantifiers_ask_for_some_or_for_every_value() {
    let rows = [
        ("ForAnyValue:StringEquals", json!(["green", "red"]), true),
        ("ForAnyValue:StringEquals", json!("red"), false),
        ("ForAnyValue:StringNotEquals", json!("green"), true),
        (
            "ForAnyValue:StringNotEquals",
            json!(["green", "blue"]),
            false,
        ),
        (
            "ForAllValues:StringEquals",
            json!(["green", "blue", "red"]),
            true,
        ),
        ("ForAllValues:StringEquals", json!("green"), false),
        ("ForAllValues:StringLike", json!("*e*"), true),
        ("ForAllValues:StringNotEquals", json!("red"), true),
        ("ForAllValues:StringNotEquals", json!("green"), false),
    ];
    for (operator, values, expected) in rows {
        let statement = json!({ "Condition": { operator: { "aws:TagKeys": values } } });
        assert_eq!(own(&statement, None), expected, "{statement}");
    }
}

#[test]
fn operators_and_keys_are_all_to_hold() {
    let rows = [
        (
            json!({ "StringEquals": { "aws:username": "ann", "s3:prefix": "home/ann" } }),
            true,
        ),
        (
            json!({ "StringEquals": { "aws:username": "ann", "s3:prefix": "home" } }),
            false,
        ),
        (
            json!({ "StringEquals": { "aws:username": "ann" }, "Bool": { "aws:SecureTransport": "false" } }),
            false,
        ),
        (json!({ "StringEquals": { "aws:username": [] } }), false),
        (json!({ "StringEquals": {} }), true),
        (json!({}), true),
    ];
    for (condition, expected) in rows {
        let statement = json!({ "Condition": condition });
        assert_eq!(own(&statement, None), expected, "{statement}");
    }
}
