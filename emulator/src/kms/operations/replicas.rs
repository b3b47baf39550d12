//! Keys of many regions: `ReplicateKey`, `UpdatePrimaryRegion`.
//!
//! Related keys have one id and one material, so that any of them decrypts what another encrypted. All else is each one's own.

use serde_json::{Value, json};

use crate::keyring::policies::text_of;
use crate::keyring::replicas::NewReplica;
use crate::kms::context::Context;
use crate::kms::error::KmsError;
use crate::kms::key_policy::{self, NewPolicy};
use crate::kms::members::Members;
use crate::kms::metadata::metadata;
use crate::kms::operation::{Entry, Operation};
use crate::kms::tags;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<ReplicateKey>(),
    Entry::of::<UpdatePrimaryRegion>(),
];

/// The most characters of a description.
const MOST_DESCRIPTION: usize = 8_192;
/// How a region is named.
const REGION: &str = r"([a-z]+-){2,3}\d+";

/// Makes a key of the same id and material in another region.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ReplicateKey.html>
#[derive(Debug)]
struct ReplicateKey {
    key_id: String,
    region: String,
    policy: Option<NewPolicy>,
    description: Option<String>,
    tags: Option<Vec<(String, String)>>,
}

impl Operation for ReplicateKey {
    const NAME: &'static str = "ReplicateKey";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            region: region(members, "ReplicaRegion"),
            policy: key_policy::parse(members),
            description: members.maybe_text("Description", 0..=MOST_DESCRIPTION),
            tags: tags::parse(members, "Tags"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.tell("kms:ReplicaRegion", &self.region);
        let tags = self.tags.unwrap_or_default();
        if !tags.is_empty() {
            cx.tell_tags(&tags);
        }
        let key = cx.key_by_id(&self.key_id).await?;
        authorize_abroad(cx, &self.region, !tags.is_empty())?;
        tags::check(&tags)?;
        if let Some(policy) = &self.policy {
            key_policy::check(policy, &cx.asker, None)?;
        }
        let new = NewReplica {
            region: self.region,
            description: self.description.unwrap_or_default(),
            tags: tags::sorted(tags),
            policy: self.policy.map(|policy| policy.text),
        };
        let replica = cx.keyring.replicate(&key, &new).await?;
        let tags = replica.tags.iter();
        let tags = tags.map(|(name, value)| json!({ "TagKey": name, "TagValue": value }));
        Ok(json!({
            "ReplicaKeyMetadata": metadata(&cx.keyring, &replica).await?,
            "ReplicaPolicy": text_of(&replica),
            "ReplicaTags": tags.collect::<Vec<_>>(),
        }))
    }
}

/// Makes a replica the primary, and the primary a replica.
///
/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_UpdatePrimaryRegion.html>
#[derive(Debug)]
struct UpdatePrimaryRegion {
    key_id: String,
    region: String,
}

impl Operation for UpdatePrimaryRegion {
    const NAME: &'static str = "UpdatePrimaryRegion";

    fn parse(members: &mut Members) -> Self {
        Self {
            key_id: members.key_id("KeyId"),
            region: region(members, "PrimaryRegion"),
        }
    }

    async fn run(self, cx: &mut Context) -> Result<Value, KmsError> {
        cx.tell("kms:PrimaryRegion", &self.region);
        let key = cx.key_by_id(&self.key_id).await?;
        let moved = cx.keyring.move_primary((&cx.asker, &key), &self.region);
        moved.await?;
        Ok(Value::Null)
    }
}

/// A replica is a new key of its region, and may have tags as such.
// AWS: unverified. That it is asked for after the right to replicate, and that tags need a right of their own.
fn authorize_abroad(cx: &Context, region: &str, has_tags: bool) -> Result<(), KmsError> {
    let mut asker = cx.asker.clone();
    region.clone_into(&mut asker.region);
    asker.action = "CreateKey";
    cx.keyring.authorize_without_key(&asker, "*")?;
    if has_tags {
        asker.action = "TagResource";
        cx.keyring.authorize_new_key(&asker)?;
    }
    Ok(())
}

/// The name of a region.
fn region(members: &mut Members, name: &str) -> String {
    let region = members.text(name, 1..=32);
    if !region.is_empty() && !is_region(&region) {
        members.mismatch(name, &region, REGION);
    }
    region
}

/// Two or three words of small letters and a number, hyphens between them.
fn is_region(name: &str) -> bool {
    let parts: Vec<_> = name.split('-').collect();
    let Some((number, words)) = parts.split_last() else {
        return false;
    };
    let is_of = |text: &str, kind: fn(&u8) -> bool| {
        !text.is_empty() && text.bytes().all(|byte| kind(&byte))
    };
    matches!(words.len(), 2 | 3)
        && words.iter().all(|word| is_of(word, u8::is_ascii_lowercase))
        && is_of(number, u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_told_from_what_is_none() {
        for name in ["eu-west-1", "us-gov-east-1", "ap-southeast-12"] {
            assert!(is_region(name), "{name}");
        }
        for name in [
            "",
            "eu",
            "eu-west",
            "eu-1",
            "EU-west-1",
            "eu--west-1",
            "eu-west-1a",
            "eu-a-b-c-1",
            "eu-west-",
        ] {
            assert!(!is_region(name), "{name}");
        }
    }
}
