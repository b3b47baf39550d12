//! All known identities: the default one, those of a file, and the root of every account whose twelve digits are both
//! access key and secret.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::auth::identity::{Identity, canonical_id};

/// Looks identities up by their access keys.
#[derive(Clone, Debug)]
pub(crate) struct Identities {
    by_key: BTreeMap<String, Arc<Identity>>,
    default: Arc<Identity>,
}

/// A file of identities that cannot be read; holds why, with the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BadIdentities(pub(crate) String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    users: Vec<User>,
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
    /// [`BadIdentities`] with the line of what cannot be read, or the name of who is impossible.
    pub(crate) fn add_file(&mut self, json: &[u8]) -> Result<(), BadIdentities> {
        let file: File =
            serde_json::from_slice(json).map_err(|error| BadIdentities(error.to_string()))?;
        for user in file.users {
            if !is_account(&user.account) {
                let message = format!(
                    "the account `{}` of `{}` is not twelve digits",
                    user.account, user.name
                );
                return Err(BadIdentities(message));
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
            });
            let key = identity.access_key.clone();
            if self
                .by_key
                .insert(key.clone(), identity)
                .is_some_and(|known| known.access_key != self.default.access_key)
            {
                return Err(BadIdentities(format!(
                    "two users have the access key `{key}`"
                )));
            }
        }
        Ok(())
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
    fn what_is_wrong_with_a_file_is_told() {
        let told = |json: &str| identities().add_file(json.as_bytes()).unwrap_err().0;

        assert!(told("{\n\"users\": 1}").contains("line 2"));
        assert!(
            told(r#"{"users":[{"name":"a","account":"1","access_key":"k","secret_key":"s"}]}"#)
                .contains("twelve")
        );
    }
}
