//! Aliases: `CreateAlias`, `UpdateAlias`, `DeleteAlias`, `ListAliases`.
//!
//! Names that begin with `alias/aws/` are AWS's: they can be seen, and nobody else makes or changes one.

use serde_json::{Value, json};

use crate::keyring::lists::ListedAlias;
use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::metadata::epoch;
use crate::kms::operation::{Entry, Operation};
use crate::kms::pages::{PageRequest, page};
use crate::model::kms_name::ALIAS_PREFIX;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<CreateAlias>(),
    Entry::of::<UpdateAlias>(),
    Entry::of::<DeleteAlias>(),
    Entry::of::<ListAliases>(),
];

const PATTERN: &str = "^[a-zA-Z0-9:/_-]+$";
const NO_PREFIX: &str = "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";

/// Gives a key a name.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html>
#[derive(Debug)]
struct CreateAlias {
    name: String,
    target: String,
}

impl Operation for CreateAlias {
    const NAME: &'static str = "CreateAlias";

    fn parse(members: &mut Members) -> Self {
        Self {
            name: parse_name(members),
            target: members.key_id("TargetKeyId"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        check_name(&self.name)?;
        let key = cx.key_by_id(&self.target).await?;
        cx.keyring.create_alias(&key, &self.name).await?;
        Ok(Value::Null)
    }
}

/// Lets a name stand for another key.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html>
#[derive(Debug)]
struct UpdateAlias {
    name: String,
    target: String,
}

impl Operation for UpdateAlias {
    const NAME: &'static str = "UpdateAlias";

    fn parse(members: &mut Members) -> Self {
        Self {
            name: parse_name(members),
            target: members.key_id("TargetKeyId"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        check_name(&self.name)?;
        let key = cx.key_by_id(&self.target).await?;
        cx.keyring.update_alias(&key, &self.name).await?;
        Ok(Value::Null)
    }
}

/// Takes a name away; its key stays.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_DeleteAlias.html>
#[derive(Debug)]
struct DeleteAlias {
    name: String,
}

impl Operation for DeleteAlias {
    const NAME: &'static str = "DeleteAlias";

    fn parse(members: &mut Members) -> Self {
        Self {
            name: parse_name(members),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        check_name(&self.name)?;
        cx.keyring.delete_alias(&cx.asker, &self.name).await?;
        Ok(Value::Null)
    }
}

/// Lists the aliases of the account in the region, or those of one key.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListAliases.html>
#[derive(Debug)]
struct ListAliases {
    key_id: Option<String>,
    page: PageRequest,
}

impl Operation for ListAliases {
    const NAME: &'static str = "ListAliases";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.maybe_key_id("KeyId"),
            page: PageRequest::parse(members, 50),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let is_alias = |name: &String| name.starts_with(ALIAS_PREFIX);
        let after = self.page.after(|name| Some(name).filter(is_alias))?;
        let key = match &self.key_id {
            Some(name) => Some(cx.key_by_id(name).await?.id),
            None => None,
        };
        let found = cx
            .keyring
            .list_aliases(&cx.asker, key.as_ref(), after.as_deref(), self.page.limit)
            .await?;
        let aliases: Vec<_> = found.rows.iter().map(render).collect();
        Ok(page("Aliases", &aliases, found.next.as_deref()))
    }
}

fn parse_name(members: &mut Members) -> String {
    let name = members.text("AliasName", 1..=256);
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b":/_-".contains(&byte);
    if !name.bytes().all(is_allowed) {
        members.mismatch("AliasName", &name, PATTERN);
    }
    name
}

fn check_name(name: &str) -> Result<(), KmsError> {
    let Some(rest) = name.strip_prefix(ALIAS_PREFIX) else {
        return Err(KmsError::validation(NO_PREFIX));
    };
    if rest.starts_with("aws/") {
        // AWS: unverified. The words; the exception is known.
        return Err(KmsError::new("NotAuthorizedException", ""));
    }
    if rest.is_empty() {
        // AWS: unverified.
        return Err(KmsError::new(
            "InvalidAliasNameException",
            "Alias name is empty.",
        ));
    }
    Ok(())
}

fn render(alias: &ListedAlias) -> Value {
    let mut entry = json!({ "AliasName": alias.name, "AliasArn": alias.arn });
    if let Some((key, created, updated)) = &alias.target {
        entry["TargetKeyId"] = json!(key.as_str());
        entry["CreationDate"] = epoch(*created);
        entry["LastUpdatedDate"] = epoch(*updated);
    }
    entry
}
