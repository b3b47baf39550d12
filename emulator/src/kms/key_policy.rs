//! What the policy of a key must be to be put. It is kept as it was put and answered so.
//!
//! Source: answers recorded from AWS; <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>

use std::borrow::Cow;

use crate::keyring::asker::Asker;
use crate::kms::error::KmsError;
use crate::kms::lockout;
use crate::kms::members::Members;
use crate::policy::document::{Document, Kind};
use crate::policy::flaw::{Element, Flaw};

/// The most characters of a policy: KMS's quota.
const MOST_POLICY: usize = 32_768;
/// The most that a request can carry, by KMS's service model.
const MOST_TEXT: usize = 131_072;

/// What lets a policy lock its own sender out, and the key by which conditions look at that.
pub(crate) const FLAG: &str = "BypassPolicyLockoutSafetyCheck";
pub(crate) const BYPASS: &str = "kms:BypassPolicyLockoutSafetyCheck";

/// What a policy is made of.
const PATTERN: &str = r"[\u0009\u000A\u000D\u0020-\u00FF]+";
const LOCKED_OUT: &str =
    "The new key policy will not allow you to update the key policy in the future.";

/// A policy that somebody wants to put.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewPolicy {
    /// As it was sent.
    pub(crate) text: String,
    /// Whether it may lock its own sender out.
    pub(crate) may_lock_out: bool,
}

/// Reads `Policy`, and whether it is to be checked for locking its sender out.
pub(crate) fn parse(members: &mut Members) -> Option<NewPolicy> {
    let may_lock_out = members.flag(FLAG);
    let text = members.maybe_text("Policy", 1..=MOST_TEXT)?;
    let is_allowed = |letter: char| matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    if !text.chars().all(is_allowed) {
        members.mismatch("Policy", &text, PATTERN);
    }
    Some(NewPolicy { text, may_lock_out })
}

/// Refuses what is no policy, and one that would lock its sender out; `key_arn` is `None` for a key that is not made yet.
///
/// # Errors
///
/// `MalformedPolicyDocumentException`; `LimitExceededException` for one beyond the quota.
// AWS: unverified. The words about the quota. That a statement's own flaws come before the lockout.
pub(crate) fn check(
    policy: &NewPolicy,
    asker: &Asker,
    key_arn: Option<&str>,
) -> Result<(), KmsError> {
    if policy.text.chars().count() > MOST_POLICY {
        let message = format!("The key policy has more than {MOST_POLICY} characters.");
        return Err(KmsError::new("LimitExceededException", message));
    }
    let refuse = |message| KmsError::new("MalformedPolicyDocumentException", message);
    let document = Document::parse(&policy.text, Kind::Key);
    let document = document.map_err(|bad| refuse(told(&bad.flaw)))?;
    if !policy.may_lock_out && !lockout::lets_in(&document, asker, key_arn) {
        return Err(refuse(LOCKED_OUT.into()));
    }
    Ok(())
}

/// How KMS tells a flaw.
// AWS: unverified. The words about statements, but for those about principals; and whether it still says nothing of what
// is no JSON, as it did in 2018 (aws/aws-sdk-ruby#1784).
fn told(flaw: &Flaw) -> Cow<'static, str> {
    match flaw {
        Flaw::NoObject | Flaw::BrokenJson | Flaw::TooLong | Flaw::TooDeep => "".into(),
        Flaw::Missing(Element::Statement) | Flaw::Empty(Element::Statement) => {
            "Policy has no statement.".into()
        }
        Flaw::Missing(Element::Principal) | Flaw::Empty(Element::Principal) => {
            "Policy contains a statement with no principal.".into()
        }
        Flaw::Principal(..) => {
            "Policy contains a statement with one or more invalid principals.".into()
        }
        Flaw::Empty(Element::Action) => "Policy contains a statement with no action.".into(),
        Flaw::Missing(Element::Effect) | Flaw::Effect(_) => {
            "Policy contains a statement with no effect.".into()
        }
        other => other.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::fixtures::asker;
    use crate::keyring::policies::{customers, managed};

    fn checked(text: &str) -> Result<(), KmsError> {
        let policy = NewPolicy {
            text: text.to_owned(),
            may_lock_out: false,
        };
        check(&policy, &asker("PutKeyPolicy"), None)
    }

    #[test]
    fn the_policy_that_a_key_is_born_with_can_be_put() {
        checked(&customers("000000000000")).unwrap();
    }

    #[test]
    fn the_policy_of_awss_own_keys_lets_nobody_put_another() {
        let refused = checked(&managed("000000000000", "us-east-1")).unwrap_err();

        assert_eq!(refused.message, LOCKED_OUT);
    }

    #[test]
    fn a_policy_is_json_with_statements_about_somebody() {
        for policy in [
            "",
            "[]",
            "{}",
            r#"{"Statement":[]}"#,
            r#"{"Statement":{"Effect":"Allow"}}"#,
            r#"{"Statement":{"Effect":"Allow","Principal":{},"Action":"kms:*"}}"#,
            r#"{"Statement":{"Effect":"Allow","Principal":"*"}}"#,
            r#"{"Statement":{"Effect":"Perhaps","Principal":"*","Action":"kms:*"}}"#,
            r#"{"Statement":{"Effect":"Allow","NotPrincipal":"*","Action":"kms:*","Resource":"*"}}"#,
            r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"ann"},"Action":"kms:*","Resource":"*"}}"#,
        ] {
            let error = checked(policy).unwrap_err();
            assert_eq!(error.exception, "MalformedPolicyDocumentException");
        }
    }
}
