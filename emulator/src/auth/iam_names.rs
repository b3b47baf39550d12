//! What IAM takes as names, paths and tags.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html>

use std::collections::BTreeMap;

/// The longest name of a user, a role or a session.
const MOST_NAME: usize = 64;
const MOST_PATH: usize = 512;
/// The most tags of one bearer.
pub(crate) const MOST_TAGS: usize = 50;
/// The longest key of a tag, in characters.
pub(crate) const MOST_TAG_KEY: usize = 128;
/// The longest value of a tag, in characters.
pub(crate) const MOST_TAG_VALUE: usize = 256;

/// Tags: keys with their values.
pub(crate) type Tags = BTreeMap<String, String>;

/// Whether IAM takes it as the name of a user or a role.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= MOST_NAME && is_of_names(text)
}

/// Letters and digits of ASCII, and `_+=,.@-`: what IAM writes `[\w+=,.@-]*`.
pub(crate) fn is_of_names(text: &str) -> bool {
    let is_taken = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    text.bytes().all(is_taken)
}

/// Whether IAM takes it as a path: `/`, or `/team/`.
pub(crate) fn is_path(text: &str) -> bool {
    let is_taken = |byte: u8| (0x21..=0x7e).contains(&byte);
    text.len() <= MOST_PATH
        && text.starts_with('/')
        && text.ends_with('/')
        && text.bytes().all(is_taken)
}

/// What is wrong with tags; `None` where nothing is.
pub(crate) fn flaw_of_tags(tags: &Tags) -> Option<String> {
    if tags.len() > MOST_TAGS {
        return Some(format!("{} tags, at most {MOST_TAGS}", tags.len()));
    }
    let mut known = Vec::with_capacity(tags.len());
    for (key, value) in tags {
        let lower = key.to_lowercase();
        let is_good = is_tag_text(key) && is_tag_text(value);
        if !is_good || key.is_empty() || key.chars().count() > MOST_TAG_KEY {
            return Some(format!("IAM takes no tag `{key}`"));
        }
        if value.chars().count() > MOST_TAG_VALUE {
            return Some(format!("the value of the tag `{key}` is too long"));
        }
        if lower.starts_with("aws:") {
            return Some(format!("the tag `{key}` begins as AWS's own do"));
        }
        if known.contains(&lower) {
            return Some(format!(
                "the tag `{key}` is there twice: case does not count"
            ));
        }
        known.push(lower);
    }
    None
}

/// Whether a tag may be written so: `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`.
pub(crate) fn is_tag_text(text: &str) -> bool {
    let is_taken =
        |sign: char| sign.is_alphanumeric() || is_blank(sign) || "_.:/=+-@".contains(sign);
    text.chars().all(is_taken)
}

/// Separators alone: a tab is none.
fn is_blank(sign: char) -> bool {
    sign.is_whitespace() && !sign.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_iams() {
        for good in ["a", "Ann_1+=,.@-", &"x".repeat(64)] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "a b", "a/b", "ä", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
        for good in ["/", "/team/", "/a/b!/"] {
            assert!(is_path(good), "{good}");
        }
        for bad in [
            "",
            "team/",
            "/team",
            "/a b/",
            &format!("/{}/", "x".repeat(511)),
        ] {
            assert!(!is_path(bad), "{bad}");
        }
    }

    #[test]
    fn tags_are_iams() {
        let flaw = |pairs: &[(&str, &str)]| {
            let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
            flaw_of_tags(&pairs.iter().map(owned).collect()).unwrap_or_default()
        };
        let long = "v".repeat(257);

        assert_eq!(flaw(&[("Team", "rot und grün"), ("a:b/c", "")]), "");
        assert!(flaw(&[("team", "a"), ("Team", "b")]).contains("twice"));
        assert!(flaw(&[("aws:x", "a")]).contains("AWS's own"));
        assert!(flaw(&[("a", &long)]).contains("too long"));
        for bad in ["", "a\tb", "a*", &"k".repeat(129)] {
            assert!(flaw(&[(bad, "v")]).contains("takes no tag"), "{bad}");
        }
        let many: Tags = (0..51)
            .map(|number| (number.to_string(), String::new()))
            .collect();
        assert!(flaw_of_tags(&many).is_some());
    }
}
