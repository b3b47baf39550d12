//! Whether a key policy would still let whoever puts it put another one: KMS refuses one that would not.
//!
//! Conditions are taken to hold, so that nobody is refused who might be let in.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>

use crate::keyring::asker::Asker;
use crate::policy::decision::decide;
use crate::policy::document::Document;
use crate::policy::question::{About, Question};

/// Whether the asker is let in by some statement, and kept out by none without a condition.
pub(super) fn lets_in(policy: &Document, asker: &Asker) -> bool {
    let question = Question {
        caller: &asker.who,
        action: "kms:PutKeyPolicy",
        about: About::Anything,
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

    const ROOT: &str = "arn:aws:iam::000000000000:root";

    fn is_let_in(statements: &Value) -> bool {
        let asker = Asker {
            who: Caller::parse("arn:aws:iam::000000000000:user/ann").unwrap(),
            ..asker("PutKeyPolicy")
        };
        let policy = json!({ "Statement": statements }).to_string();
        lets_in(&Document::parse(&policy, Kind::Key).unwrap(), &asker)
    }

    fn statement(effect: &str, principal: &Value, action: &Value) -> Value {
        json!({ "Effect": effect, "Principal": principal, "Action": action, "Resource": "*" })
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
