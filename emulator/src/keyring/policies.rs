//! The policies of keys: as they were put, else the ones that they are born with. Each is read once.
//!
//! Source: answers recorded from AWS; <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::kms_key::{KeyManager, KmsKey};
use crate::policy::document::{Document, Kind};

/// The most policies that are remembered: all are forgotten before there are more.
const MOST: usize = 256;

/// What was read, by its text.
#[derive(Debug, Default)]
pub(super) struct KeyPolicies(Mutex<HashMap<String, Arc<Document>>>);

impl KeyPolicies {
    /// The policy of a key; `None` for a text that is none, which nobody could put.
    pub(super) fn of(&self, key: &KmsKey) -> Option<Arc<Document>> {
        let text = text_of(key);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = known.get(&*text) {
            return Some(Arc::clone(document));
        }
        let document = Arc::new(Document::parse(&text, Kind::Key).ok()?);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(text.into_owned(), Arc::clone(&document));
        Some(document)
    }
}

/// The policy of a key: as it was put, else the one it was born with, set out as KMS does.
pub(crate) fn text_of(key: &KmsKey) -> Cow<'_, str> {
    match (&key.policy, key.manager) {
        (Some(policy), _) => policy.into(),
        (None, KeyManager::Customer) => customers(&key.account).into(),
        (None, KeyManager::Aws) => managed(&key.account, &key.region).into(),
    }
}

/// What a key of a customer is born with.
pub(crate) fn customers(account: &str) -> String {
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

/// What a key is born with that AWS manages for S3.
pub(crate) fn managed(account: &str, region: &str) -> String {
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
