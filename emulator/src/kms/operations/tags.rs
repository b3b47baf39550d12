//! Tags of a key: `TagResource`, `UntagResource`, `ListResourceTags`.

use serde_json::{Value, json};

use crate::keyring::states::Need;
use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::operation::{Entry, Operation};
use crate::kms::pages::{PageRequest, page};
use crate::kms::tags;
use crate::model::kms_key::KmsKey;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<TagResource>(),
    Entry::of::<UntagResource>(),
    Entry::of::<ListResourceTags>(),
];

/// Adds tags; one whose key is there gets the new value.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html>
#[derive(Debug)]
struct TagResource {
    key_id: String,
    tags: Vec<(String, String)>,
}

impl Operation for TagResource {
    const NAME: &'static str = "TagResource";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            tags: tags::parse_required(members, "Tags"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        tags::check(&self.tags)?;
        cx.tell_tags(&self.tags);
        let key = cx.key_by_id(&self.key_id).await?;
        let change = |key: &mut KmsKey| {
            key.tags = tags::merged(&key.tags, &self.tags)?;
            Ok(())
        };
        cx.keyring.change_key(&key, Need::Change, change).await?;
        Ok(Value::Null)
    }
}

/// Takes tags away; one that is not there is no error.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_UntagResource.html>
#[derive(Debug)]
struct UntagResource {
    key_id: String,
    tag_keys: Vec<String>,
}

impl Operation for UntagResource {
    const NAME: &'static str = "UntagResource";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            tag_keys: members.texts("TagKeys", 1..=128),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.tell_tag_keys(&self.tag_keys);
        let key = cx.key_by_id(&self.key_id).await?;
        let change = |key: &mut KmsKey| {
            key.tags.retain(|(name, _)| !self.tag_keys.contains(name));
            Ok(())
        };
        cx.keyring.change_key(&key, Need::Change, change).await?;
        Ok(Value::Null)
    }
}

/// Lists the tags of a key.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListResourceTags.html>
#[derive(Debug)]
struct ListResourceTags {
    key_id: String,
    page: PageRequest,
}

impl Operation for ListResourceTags {
    const NAME: &'static str = "ListResourceTags";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            page: PageRequest::parse(members, 50),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        let after = self.page.after(Some)?;
        let key = cx.key_by_id(&self.key_id).await?;
        let rest = key
            .tags
            .iter()
            .filter(|(name, _)| after.as_ref().is_none_or(|after| name > after));
        let found: Vec<_> = rest.take(self.page.limit + 1).collect();
        let shown = &found[..found.len().min(self.page.limit)];
        let tags = shown
            .iter()
            .map(|(name, value)| json!({ "TagKey": name, "TagValue": value }));
        let last = shown.last().filter(|_| found.len() > shown.len());
        Ok(page(
            "Tags",
            &tags.collect::<Vec<_>>(),
            last.map(|(name, _)| name.as_str()),
        ))
    }
}
