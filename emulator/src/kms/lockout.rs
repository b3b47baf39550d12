//! Whether a key policy would still let whoever puts it put another one: KMS refuses one that would not.
//!
//! Conditions are taken to hold, so that nobody is refused who might be let in.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>

use crate::keyring::asker::Asker;
use crate::policy::decision::decide;
use crate::policy::document::Document;
use crate::policy::question::{About, Question};

/// Whether the asker is let in by some statement, and kept out by none without a condition; `key_arn` is `None` for a key
/// that is not made yet.
pub(super) fn lets_in(policy: &Document, asker: &Asker, key_arn: Option<&str>) -> bool {
    let question = Question {
        caller: &asker.who,
        action: "kms:PutKeyPolicy",
        about: About::Anything { resource: key_arn },
        owner: &asker.account,
    };
    decide(&question, &asker.permissions.with_key(policy)).is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::keyring::fixtures::asker;
    use crate::policy::caller::Caller;
    use crate::policy::document::Kind;

    const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/134f2428-cec1-4b25-a1ae-9048164dba47";
    const ROOT: &str = "arn:aws:iam::000000000000:root";

    fn is_let_in(statements: &Value) -> bool {
        let asker = Asker {
            who: Caller::parse("arn:aws:iam::000000000000:user/ann").unwrap(),
            ..asker("PutKeyPolicy")
        };
        let policy = json!({ "Statement": statements }).to_string();
        lets_in(
            &Document::parse(&policy, Kind::Key).unwrap(),
            &asker,
            Some(KEY),
        )
    }

    fn statement(effect: &str, principal: &Value, action: &Value) -> Value {
        json!({ "Effect": effect, "Principal": principal, "Action": action, "Resource": "*" })
    }

    #[test]
    fn a_statement_counts_for_the_key_that_it_is_about() {
        let about = |effect: &str, element: &str, resource: &str| json!({ "Effect": effect, "Principal": "*", "Action": "kms:*", element: resource });
        let other = KEY.replace("134f", "ffff");
        let all = about("Allow", "Resource", "*");
        for (statements, expected) in [
            (json!([about("Allow", "Resource", KEY)]), true),
            (json!([about("Allow", "Resource", &other)]), false),
            (json!([about("Allow", "NotResource", &other)]), true),
            (json!([all, about("Deny", "Resource", KEY)]), false),
            (json!([all, about("Deny", "Resource", &other)]), true),
            (json!([all, about("Deny", "NotResource", &other)]), false),
            (json!([all, about("Deny", "NotResource", KEY)]), true),
        ] {
            assert_eq!(is_let_in(&statements), expected, "{statements}");
        }
    }

    #[test]
    fn whoever_is_named_for_the_action_is_let_in() {
        let principals = [
            json!("*"),
            json!({ "AWS": "*" }),
            json!({ "AWS": ROOT }),
            json!({ "AWS": ["000000000000"] }),
            json!({ "AWS": ["arn:aws:iam::000000000000:user/ann"] }),
        ];
        for principal in principals {
            for action in [json!("*"), json!(["kms:Put*"]), json!("kms:PutKeyPolic?")] {
                let policy = json!([statement("Allow", &principal, &action)]);
                assert!(is_let_in(&policy), "{policy}");
            }
        }
    }

    #[test]
    fn conditions_are_taken_to_hold_for_him() {
        let (own, all) = (json!({ "AWS": ROOT }), json!("kms:*"));
        let via = json!({ "StringEquals": { "kms:ViaService": "s3.us-east-1.amazonaws.com" } });
        let with_condition = |effect| {
            let mut statement = statement(effect, &own, &all);
            statement["Condition"] = via.clone();
            statement
        };

        assert!(is_let_in(&json!([
            with_condition("Allow"),
            with_condition("Deny")
        ])));
        assert!(!is_let_in(&json!([
            with_condition("Allow"),
            statement("Deny", &own, &all)
        ])));
    }

    #[test]
    fn strangers_other_actions_and_denials_keep_him_out() {
        let (own, all) = (json!({ "AWS": ROOT }), json!("kms:*"));
        let stranger = json!({ "AWS": "arn:aws:iam::111122223333:root" });
        let policies = [
            json!([statement("Allow", &stranger, &all)]),
            json!([statement("Allow", &own, &json!("kms:Decrypt"))]),
            json!([
                statement("Allow", &own, &all),
                statement("Deny", &json!("*"), &all)
            ]),
            json!([{ "Effect": "Allow", "Principal": own, "NotAction": "kms:Put*", "Resource": "*" }]),
            json!([{ "Effect": "Allow", "Principal": own, "Action": "kms:*" }]),
        ];
        for policy in policies {
            assert!(!is_let_in(&policy), "{policy}");
        }
    }
}
