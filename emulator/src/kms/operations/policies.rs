//! The policy of a key: `GetKeyPolicy`, `PutKeyPolicy`, `ListKeyPolicies`.
//!
//! A key has one, and it is called `default`.

use serde_json::{Value, json};

use crate::keyring::policies::text_of;
use crate::keyring::states::Need;
use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::key_policy::{self, NewPolicy};
use crate::kms::members::Members;
use crate::kms::operation::{Entry, Operation};
use crate::kms::pages::{PageRequest, page};
use crate::model::kms_key::KmsKey;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<GetKeyPolicy>(),
    Entry::of::<PutKeyPolicy>(),
    Entry::of::<ListKeyPolicies>(),
];

const NAME: &str = "default";

/// Tells a key's policy.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html>
#[derive(Debug)]
struct GetKeyPolicy {
    key_id: String,
    name: Option<String>,
}

impl Operation for GetKeyPolicy {
    const NAME: &'static str = "GetKeyPolicy";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            name: name(members),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        check_name(self.name.as_deref())?;
        let key = cx.key_by_id(&self.key_id).await?;
        Ok(json!({ "Policy": text_of(&key), "PolicyName": NAME }))
    }
}

/// Gives a key another policy.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html>
#[derive(Debug)]
struct PutKeyPolicy {
    key_id: String,
    name: Option<String>,
    policy: NewPolicy,
}

impl Operation for PutKeyPolicy {
    const NAME: &'static str = "PutKeyPolicy";

    fn parse(members: &mut Members) -> Self {
        let policy = key_policy::parse(members);
        Self {
            key_id: members.key_id("KeyId"),
            name: name(members),
            policy: members.demand("Policy", policy),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        check_name(self.name.as_deref())?;
        cx.tell(key_policy::BYPASS, self.policy.may_lock_out.to_string());
        let key = cx.key_by_id(&self.key_id).await?;
        key_policy::check(&self.policy, &cx.asker, Some(&key.arn()))?;
        let change = |key: &mut KmsKey| {
            key.policy = Some(self.policy.text.clone());
            Ok(())
        };
        cx.keyring.change_key(&key, Need::Anything, change).await?;
        Ok(Value::Null)
    }
}

/// Lists the names of a key's policies.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyPolicies.html>
#[derive(Debug)]
struct ListKeyPolicies {
    key_id: String,
    page: PageRequest,
}

impl Operation for ListKeyPolicies {
    const NAME: &'static str = "ListKeyPolicies";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            page: PageRequest::parse(members, 100),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        // One name is one page, so that no marker was ever given.
        self.page.after(|_| None::<String>)?;
        cx.key_by_id(&self.key_id).await?;
        Ok(page("PolicyNames", &[json!(NAME)], None))
    }
}

/// `PolicyName`, where it is there.
fn name(members: &mut Members) -> Option<String> {
    let name = members.maybe_text("PolicyName", 1..=128)?;
    let is_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if !name.chars().all(is_word) {
        members.mismatch("PolicyName", &name, r"[\w]+");
    }
    Some(name)
}

// AWS: unverified. The words.
fn check_name(name: Option<&str>) -> Result<(), KmsError> {
    match name {
        None | Some(NAME) => Ok(()),
        Some(_) => Err(KmsError::new("NotFoundException", "No such policy exists")),
    }
}
