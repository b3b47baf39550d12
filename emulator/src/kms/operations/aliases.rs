//! Aliases: `CreateAlias`, `UpdateAlias`, `DeleteAlias`, `ListAliases`.
//!
//! Names that begin with `alias/aws/` are AWS's: they can be seen, and nobody else makes or changes one.

use serde_json::{Value, json};

use crate::keyring::lists::ListedAlias;
use crate::kms::alias_name;
use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::metadata::epoch;
use crate::kms::operation::{Entry, Operation};
use crate::kms::pages::{PageRequest, page};
use crate::model::kms_key::KmsKey;
use crate::model::kms_name::{ALIAS_PREFIX, alias_arn};

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<CreateAlias>(),
    Entry::of::<UpdateAlias>(),
    Entry::of::<DeleteAlias>(),
    Entry::of::<ListAliases>(),
];

/// Gives a key a name.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html>
#[derive(Debug)]
struct CreateAlias(Naming);

impl Operation for CreateAlias {
    const NAME: &'static str = "CreateAlias";

    fn parse(members: &mut Members) -> Self {
        Self(Naming::parse(members))
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let key = self.0.key(cx).await?;
        cx.keyring.create_alias(&key, &self.0.name).await?;
        Ok(Value::Null)
    }
}

/// Lets a name stand for another key.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdateAlias.html>
#[derive(Debug)]
struct UpdateAlias(Naming);

impl Operation for UpdateAlias {
    const NAME: &'static str = "UpdateAlias";

    fn parse(members: &mut Members) -> Self {
        Self(Naming::parse(members))
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let key = self.0.key(cx).await?;
        cx.keyring
            .update_alias((&cx.asker, &key), &self.0.name)
            .await?;
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
        authorize(&self.name, cx)?;
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
        cx.authorize("*")?;
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

/// A name, and the key that it is to stand for.
#[derive(Debug)]
struct Naming {
    name: String,
    target: String,
}

impl Naming {
    fn parse(members: &mut Members) -> Self {
        Self {
            name: parse_name(members),
            target: members.key_id("TargetKeyId"),
        }
    }

    /// The key, where the name can be given away.
    async fn key(&self, cx: &mut Context) -> Result<KmsKey, KmsError> {
        authorize(&self.name, cx)?;
        Ok(cx.key_by_id(&self.target).await?)
    }
}

/// Refuses a name that nobody may give or take, and a caller whose own policies do not let him do it; the policy of the key
/// comes after.
// AWS: unverified. Which of the two is looked at first.
fn authorize(name: &str, cx: &Context) -> Result<(), KmsError> {
    alias_name::check(name)?;
    cx.authorize(&alias_arn(&cx.asker.region, &cx.asker.account, name))
}

fn parse_name(members: &mut Members) -> String {
    let name = members.text("AliasName", 1..=alias_name::MOST_CHARACTERS);
    if !alias_name::fits(&name) {
        members.mismatch("AliasName", &name, alias_name::PATTERN);
    }
    name
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
