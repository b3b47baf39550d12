//! Tags of a key, as requests bring them and as they may be.
//!
//! Source: answers recorded from AWS in February 2026.

use std::collections::{BTreeMap, BTreeSet};

use crate::keyring::refusal::Refusal;
use crate::kms::error::KmsError;
use crate::kms::members::Members;

/// The most tags of a key.
const MOST_TAGS: usize = 50;

/// Reads a list of `TagKey` and `TagValue`; `None` where it is not there.
pub(crate) fn parse(members: &mut Members, name: &str) -> Option<Vec<(String, String)>> {
    let list = members.objects(name)?;
    let tags = list.iter().enumerate().map(|(index, tag)| {
        let within = format!("tags.{}.member", index + 1);
        let key = members.text_of(tag, (&within, "TagKey"), &(1..=128));
        let value = members.text_of(tag, (&within, "TagValue"), &(0..=256));
        (key, value)
    });
    Some(tags.collect())
}

/// The same, which must be there.
pub(crate) fn parse_required(members: &mut Members, name: &str) -> Vec<(String, String)> {
    let tags = parse(members, name);
    members.demand(name, tags)
}

/// Tags, and others over them: the later value of a key counts.
///
/// # Errors
///
/// [`Refusal::TooManyTags`].
pub(crate) fn merged(
    before: &[(String, String)],
    over: &[(String, String)],
) -> Result<Vec<(String, String)>, Refusal> {
    let pairs = before.iter().chain(over).cloned();
    let merged: BTreeMap<String, String> = pairs.collect();
    if merged.len() > MOST_TAGS {
        return Err(Refusal::TooManyTags);
    }
    Ok(merged.into_iter().collect())
}

/// Refuses tags that no key may get.
///
/// # Errors
///
/// `TagException`.
pub(crate) fn check(tags: &[(String, String)]) -> Result<(), KmsError> {
    let refuse = |message: &'static str| Err(KmsError::new("TagException", message));
    let keys: BTreeSet<_> = tags.iter().map(|(key, _)| key).collect();
    if keys.len() != tags.len() {
        return refuse("Duplicate tag keys");
    }
    if tags.len() > MOST_TAGS {
        return Err(Refusal::TooManyTags.into());
    }
    if keys.iter().any(|key| is_reserved(key)) {
        return refuse("Tags beginning with aws: are reserved");
    }
    Ok(())
}

/// In the order in which they are kept and listed: by their keys.
pub(crate) fn sorted(mut tags: Vec<(String, String)>) -> Vec<(String, String)> {
    tags.sort();
    tags
}

fn is_reserved(key: &str) -> bool {
    key.get(..4)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("aws:"))
}
