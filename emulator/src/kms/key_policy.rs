//! The policy of a key: the one it is born with, and what a policy must be to be put.
//!
//! It is kept as it was put and answered so. It does not decide anything yet.
//!
//! Source: answers recorded from AWS; <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>

use serde_json::Value;

use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::model::kms_key::{KeyManager, KmsKey};

/// The most characters of a policy: KMS's quota. Its service model lets a request carry four times as many.
// AWS: unverified. That the quota is refused as a bound of the member.
const MOST_POLICY: usize = 32_768;

/// Reads `Policy`.
pub(crate) fn parse(members: &mut Members) -> Option<String> {
    // The lockout check needs an evaluator of policies: nobody is locked out as long as no policy decides.
    members.flag("BypassPolicyLockoutSafetyCheck");
    members.maybe_text("Policy", 1..=MOST_POLICY)
}

/// Refuses what is no policy.
///
/// # Errors
///
/// `MalformedPolicyDocumentException`.
// AWS: unverified. The words about statements, and whether it still says nothing of what is no JSON, as it did in 2018
// (aws/aws-sdk-ruby#1784).
pub(crate) fn check(policy: &str) -> Result<(), KmsError> {
    let refuse =
        |message: &'static str| Err(KmsError::new("MalformedPolicyDocumentException", message));
    let Ok(Value::Object(document)) = serde_json::from_str(policy) else {
        return refuse("");
    };
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => return refuse("Policy has no statement."),
    };
    let has_principal = |statement: &&Value| {
        statement.get("Principal").is_some() || statement.get("NotPrincipal").is_some()
    };
    if statements.is_empty() || !statements.iter().all(has_principal) {
        return refuse("Policy contains a statement with no principal.");
    }
    Ok(())
}

/// The policy of a key: as it was put, else the one it was born with, set out as KMS does.
pub(crate) fn of(key: &KmsKey) -> String {
    match (&key.policy, key.manager) {
        (Some(policy), _) => policy.clone(),
        (None, KeyManager::Customer) => customers(&key.account),
        (None, KeyManager::Aws) => managed(&key.account, &key.region),
    }
}

fn customers(account: &str) -> String {
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {{
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{account}:root"
    }},
    "Action" : "kms:*",
    "Resource" : "*"
  }} ]
}}"#
    )
}

fn managed(account: &str, region: &str) -> String {
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "auto-s3-2",
  "Statement" : [ {{
    "Sid" : "Allow access through S3 for all principals in the account that are authorized to use S3",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "*"
    }},
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {{
      "StringEquals" : {{
        "kms:CallerAccount" : "{account}",
        "kms:ViaService" : "s3.{region}.amazonaws.com"
      }}
    }}
  }}, {{
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{account}:root"
    }},
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  }} ]
}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policies_that_keys_are_born_with_are_policies() {
        check(&customers("000000000000")).unwrap();
        check(&managed("000000000000", "us-east-1")).unwrap();
    }

    #[test]
    fn a_policy_is_json_with_statements_about_somebody() {
        for policy in [
            "",
            "[]",
            "{}",
            r#"{"Statement":[]}"#,
            r#"{"Statement":{"Effect":"Allow"}}"#,
        ] {
            let error = check(policy).unwrap_err();
            assert_eq!(error.exception, "MalformedPolicyDocumentException");
        }
    }
}
