//! What holds of all policies.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::policy::caller::Caller;
use crate::policy::decision::{By, Denial, IdentityPolicies, Policies, Rule, decide};
use crate::policy::document::{Document, Kind};
use crate::policy::keys::ContextKeys;
use crate::policy::question::{About, Question};

const CALLERS: &[&str] = &[
    "arn:aws:iam::111122223333:root",
    "arn:aws:iam::111122223333:user/ann",
    "arn:aws:sts::111122223333:assumed-role/admin/monday",
    "arn:aws:iam::444455556666:user/v",
];
const ACTIONS: &[&str] = &[
    "kms:Decrypt",
    "KMS:De*",
    "kms:*",
    "*",
    "kms:Encrypt",
    "kms:?ecrypt",
];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:kms:us-east-1:111122223333:key/a",
    "arn:aws:kms:*:111122223333:key/*",
    "arn:aws:kms:us-east-1:111122223333:key/${aws:username}",
    "arn:aws:kms:us-east-1:111122223333:key/${x:none, 'b'}",
];
const OPERATORS: &[&str] = &[
    "StringEquals",
    "StringNotLike",
    "ForAnyValue:StringLike",
    "ForAllValues:StringNotEquals",
    "StringEqualsIfExists",
    "ArnLike",
    "Null",
    "NumericLessThan",
];
const KEYS: &[&str] = &["aws:username", "AWS:TagKeys", "aws:none"];
const VALUES: &[&str] = &["a", "b", "*", "${aws:username}", "true", "5"];

/// One or some of them.
fn some(of: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop_oneof![
        select(of).prop_map(|one| json!(one)),
        prop::collection::vec(select(of), 1..4).prop_map(|list| json!(list)),
    ]
}

fn condition() -> impl Strategy<Value = Value> {
    let keys = prop::collection::btree_map(select(KEYS), some(VALUES), 0..3);
    prop::collection::btree_map(select(OPERATORS), keys, 0..3)
        .prop_map(|operators| json!(operators))
}

/// A statement of a key's policy.
fn statement() -> impl Strategy<Value = Value> {
    let principal = prop_oneof![
        Just(json!("*")),
        some(CALLERS).prop_map(|names| json!({ "AWS": names })),
    ];
    let shape = (
        any::<[bool; 4]>(),
        principal,
        some(ACTIONS),
        some(RESOURCES),
        condition(),
    );
    shape.prop_map(
        |([denies, but_whom, but_what, but_where], principal, actions, resources, condition)| {
            let spelled = |name: &str, is_opposite| {
                if is_opposite {
                    format!("Not{name}")
                } else {
                    name.to_owned()
                }
            };
            json!({
                "Effect": if denies { "Deny" } else { "Allow" },
                spelled("Principal", denies && but_whom): principal,
                spelled("Action", but_what): actions,
                spelled("Resource", but_where): resources,
                "Condition": condition,
            })
        },
    )
}

fn statements() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(statement(), 1..6)
}

fn version() -> impl Strategy<Value = &'static str> {
    select(vec!["2008-10-17", "2012-10-17"])
}

/// Names, actions and values of one request.
fn keys() -> impl Strategy<Value = ContextKeys> {
    let tags = prop::collection::vec(select(VALUES), 0..3);
    (select(VALUES), tags).prop_map(|(name, tags)| {
        ContextKeys::default()
            .with("aws:username", name)
            .with_set("aws:TagKeys", tags)
    })
}

fn document(version: &str, statements: &[Value]) -> Document {
    let policy = json!({ "Version": version, "Statement": statements });
    Document::parse(&policy.to_string(), Kind::Key).unwrap()
}

fn answer(
    document: &Document,
    rule: Rule,
    caller: &str,
    keys: &ContextKeys,
    is_granted: bool,
) -> Result<By, Denial> {
    let caller = Caller::parse(caller).unwrap();
    let about = About::Request {
        resource: "arn:aws:kms:us-east-1:111122223333:key/a",
        keys,
    };
    let question = Question {
        caller: &caller,
        action: "kms:Decrypt",
        about,
        owner: "111122223333",
    };
    let policies = Policies {
        identity: IdentityPolicies::Unlimited,
        boundary: None,
        session: &[],
        resource: Some(document),
        rule,
        is_granted,
    };
    decide(&question, &policies)
}

/// The same statement with the values of its lists turned around by so many places.
fn turned(value: &Value, by: usize) -> Value {
    match value {
        Value::Array(list) => {
            let mut list: Vec<_> = list.iter().map(|value| turned(value, by)).collect();
            list.reverse();
            let middle = by % list.len().max(1);
            list.rotate_left(middle);
            json!(list)
        }
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), turned(value, by)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        scalar => scalar.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn an_explicit_deny_wins_whatever_else_is_allowed(
        version in version(), mut statements in statements(), at: Index, caller in select(CALLERS),
        keys in keys(), is_granted: bool, decides: bool,
    ) {
        let deny = json!({ "Effect": "Deny", "Principal": { "AWS": caller }, "Action": "kms:Decrypt", "Resource": "*" });
        statements.insert(at.index(statements.len() + 1), deny);
        let document = document(version, &statements);
        let rule = if decides { Rule::ResourceDecides } else { Rule::AccountDecides };

        let answer = answer(&document, rule, caller, &keys, is_granted);

        prop_assert!(matches!(answer, Err(Denial::Explicit(_) | Denial::Foreign)), "{:?}", answer);
    }

    #[test]
    fn the_order_of_statements_and_of_values_never_matters(
        version in version(), statements in statements(), by in 0_usize..5, caller in select(CALLERS), keys in keys(),
    ) {
        let turned = turned(&json!(statements), by);
        let document_turned = document(version, turned.as_array().unwrap());
        let document = document(version, &statements);

        for rule in [Rule::ResourceDecides, Rule::AccountDecides] {
            let answers = [&document, &document_turned].map(|document| answer(document, rule, caller, &keys, false));
            prop_assert_eq!(answers[0], answers[1]);
        }
    }

    #[test]
    fn a_policy_that_is_rendered_and_read_again_is_the_same(
        version in version(), statements in statements(), caller in select(CALLERS), keys in keys(),
    ) {
        let document = document(version, &statements);

        let again = Document::parse(&document.to_string(), Kind::Key).unwrap();

        prop_assert_eq!(&again, &document);
        let answers = [&document, &again].map(|document| answer(document, Rule::ResourceDecides, caller, &keys, false));
        prop_assert_eq!(answers[0], answers[1]);
    }

    #[test]
    fn no_text_breaks_the_reader(text in r#"(\{|\}|\[|\]|"|,|:|\*|Statement|Effect|Allow|Principal|AWS|Action|kms|\\u00| ){0,40}"#) {
        for kind in [Kind::Identity, Kind::Bucket, Kind::Key, Kind::Trust] {
            if let Ok(document) = Document::parse(&text, kind) {
                prop_assert_eq!(Document::parse(&document.to_string(), kind), Ok(document));
            }
        }
    }
}
