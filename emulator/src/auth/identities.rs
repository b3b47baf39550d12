//! All known identities: the default one, those of a file, and the root of every account whose twelve digits are both
//! access key and secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::auth::identity::{Identity, canonical_id};
use crate::wire::json_lines::{self, Finding};

/// Looks identities up by their access keys.
#[derive(Clone, Debug)]
pub(crate) struct Identities {
    by_key: BTreeMap<String, Arc<Identity>>,
    default: Arc<Identity>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    #[serde(borrow)]
    users: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User {
    name: String,
    account: String,
    access_key: String,
    secret_key: String,
    canonical_id: Option<String>,
    #[serde(rename = "display_name")]
    _display_name: Option<String>,
    #[serde(rename = "email")]
    _email: Option<String>,
    #[serde(default)]
    root: bool,
    #[serde(default, rename = "policies")]
    _policies: Vec<serde_json::Value>,
}

impl Identities {
    /// The default identity alone.
    pub(crate) fn new(default: Identity) -> Self {
        let default = Arc::new(default);
        Self {
            by_key: BTreeMap::from([(default.access_key.clone(), Arc::clone(&default))]),
            default,
        }
    }

    /// Adds those of a file: `{"users":[{"name", "account", "access_key", "secret_key", …}]}`.
    ///
    /// # Errors
    ///
    /// [`Finding`], with the line of what cannot be read or of who is impossible.
    pub(crate) fn add_file(&mut self, json: &[u8]) -> Result<(), Finding> {
        let text = json_lines::text_of(json)?;
        let file: File<'_> = json_lines::parse_object(text)?;
        for item in file.users {
            let (line, user) = json_lines::parse_item(text, item)?;
            self.add(user)
                .map_err(|message| Finding { line, message })?;
        }
        Ok(())
    }

    fn add(&mut self, user: User) -> Result<(), String> {
        if !is_account(&user.account) {
            return Err(format!(
                "the account `{}` of `{}` is not twelve digits",
                user.account, user.name
            ));
        }
        let identity = Arc::new(Identity {
            canonical_id: user
                .canonical_id
                .unwrap_or_else(|| canonical_id(&user.account)),
            name: user.name,
            account: user.account,
            access_key: user.access_key,
            secret_key: Zeroizing::new(user.secret_key),
            is_root: user.root,
            permissions: Arc::default(),
        });
        let key = identity.access_key.clone();
        let known = self.by_key.insert(key.clone(), identity);
        match known {
            Some(known) if known.access_key != self.default.access_key => {
                Err(format!("two users have the access key `{key}`"))
            }
            _ => Ok(()),
        }
    }

    /// Who has an access key.
    pub(crate) fn find(&self, access_key: &str) -> Option<Arc<Identity>> {
        let known = self.by_key.get(access_key).map(Arc::clone);
        let root = || {
            is_account(access_key)
                .then(|| Arc::new(Identity::root(access_key, access_key, access_key)))
        };
        known.or_else(root)
    }

    /// Who everybody is while signatures are not verified.
    pub(crate) fn default(&self) -> Arc<Identity> {
        Arc::clone(&self.default)
    }
}

/// Twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identities() -> Identities {
        Identities::new(Identity::root("000000000000", "test", "test"))
    }

    #[test]
    fn twelve_digits_are_the_root_of_that_account() {
        let root = identities().find("111122223333").unwrap();

        assert_eq!(root.arn(), "arn:aws:iam::111122223333:root");
        assert_eq!(root.secret_key.as_str(), "111122223333");
        assert!(identities().find("11112222333").is_none());
    }

    #[test]
    fn a_file_adds_users() {
        let mut identities = identities();
        let file = br#"{"users":[{"name":"ann","account":"111122223333","access_key":"AK","secret_key":"SK"}]}"#;

        identities.add_file(file).unwrap();

        assert_eq!(
            identities.find("AK").unwrap().arn(),
            "arn:aws:iam::111122223333:user/ann"
        );
        assert!(!format!("{identities:?}").contains("SK"));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_line() {
        let user = |account: &str, secret: &str| {
            format!(
                r#"{{"name":"a","account":"{account}","access_key":"k","secret_key":{secret}}}"#
            )
        };
        let good = user("111122223333", "\"s\"");
        for (users, line, message) in [
            ("1".to_owned(), 1, "expected a sequence"),
            (format!("[\n{}]", user("1", "\"s\"")), 2, "twelve digits"),
            (format!("[\n\n{}]", user("1", "4711")), 3, "integer"),
            (
                format!("[{good},\n{good}]"),
                2,
                "two users have the access key",
            ),
        ] {
            let json = format!("{{\"users\": {users}}}");

            let found = identities().add_file(json.as_bytes()).unwrap_err();

            assert_eq!(found.line, line, "{json}");
            assert!(found.message.contains(message), "{}", found.message);
            assert!(!found.message.contains("4711"), "{}", found.message);
        }
    }
}
