//! Whether a key policy would still let whoever puts it put another one: KMS refuses one that would not.
//!
//! Conditions are taken to hold, so that nobody is refused who might be let in.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>

use serde_json::Value;

use crate::keyring::asker::Asker;

const ACTION: &str = "kms:putkeypolicy";

/// Whether the asker is let in by some statement, and kept out by none without a condition.
pub(super) fn lets_in(statements: &[&Value], asker: &Asker) -> bool {
    let concerned = |statement: &&&Value| names_action(statement) && names_asker(statement, asker);
    let has_effect = |statement: &Value, effect: &str| statement["Effect"] == effect;
    let mut allowed = false;
    for statement in statements.iter().filter(concerned) {
        if has_effect(statement, "Deny") && statement.get("Condition").is_none() {
            return false;
        }
        allowed |= has_effect(statement, "Allow");
    }
    allowed
}

fn names_action(statement: &Value) -> bool {
    let matches = |pattern: &str| matches(&pattern.to_ascii_lowercase(), ACTION);
    match statement.get("NotAction") {
        Some(others) => !texts(others).any(matches),
        None => texts(&statement["Action"]).any(matches),
    }
}

/// The root of an account stands for everybody in it: who may do what there is the account's own business.
fn names_asker(statement: &Value, asker: &Asker) -> bool {
    let root = format!("arn:aws:iam::{}:root", asker.account);
    let is_asker =
        |name: &str| name == "*" || name == root || name == asker.account || name == asker.caller;
    let names = |principal: &Value| match principal {
        Value::Object(kinds) => kinds
            .get("AWS")
            .is_some_and(|names| texts(names).any(is_asker)),
        other => texts(other).any(is_asker),
    };
    match statement.get("NotPrincipal") {
        Some(others) => !names(others),
        None => names(&statement["Principal"]),
    }
}

/// A text, or those of a list.
fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = value.as_array().map_or_else(
        || std::slice::from_ref(value).iter(),
        |values| values.iter(),
    );
    list.filter_map(Value::as_str)
}

/// Whether a pattern with `*` (any bytes) and `?` (any one) matches all of a text. It goes back to the last star alone,
/// so that a pattern full of stars costs no more than its length times the text's.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut position) = (0, 0);
    let mut last_star = None;
    while position < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                last_star = Some((at, position));
                at += 1;
            }
            Some(&wanted) if wanted == b'?' || wanted == text[position] => {
                at += 1;
                position += 1;
            }
            _ => {
                let Some((star, eaten)) = last_star else {
                    return false;
                };
                last_star = Some((star, eaten + 1));
                (at, position) = (star + 1, eaten + 1);
            }
        }
    }
    pattern[at..].iter().all(|&byte| byte == b'*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::journal::kms_calls::Through;

    const ROOT: &str = "arn:aws:iam::000000000000:root";

    fn is_let_in(statements: &Value) -> bool {
        let asker = Asker {
            caller: "arn:aws:iam::000000000000:user/ann".to_owned(),
            account: "000000000000".to_owned(),
            region: "us-east-1".to_owned(),
            through: Through::Direct,
            operation: "PutKeyPolicy",
        };
        let statements: Vec<_> = statements.as_array().unwrap().iter().collect();
        lets_in(&statements, &asker)
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
            json!([{ "Effect": "Allow", "Principal": own, "NotAction": "kms:Put*" }]),
            json!([{ "Effect": "Allow", "NotPrincipal": own, "Action": "kms:*" }]),
        ];
        for policy in policies {
            assert!(!is_let_in(&policy), "{policy}");
        }
    }

    #[test]
    fn patterns_match_as_globs_do() {
        let cases = [
            ("", "", true),
            ("*", "", true),
            ("kms:*policy", ACTION, true),
            ("k?s:*key*", ACTION, true),
            ("kms:put", ACTION, false),
            ("?", "", false),
            ("*z", ACTION, false),
        ];
        for (pattern, text, fits) in cases {
            assert_eq!(matches(pattern, text), fits, "{pattern}");
        }
    }

    #[test]
    fn a_pattern_full_of_stars_is_no_burden() {
        let stars = "*".repeat(32_000);

        assert!(matches(&stars, ACTION));
        assert!(!matches(&format!("{stars}z"), ACTION));
    }
}
