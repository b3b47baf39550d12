//! All known identities: the default one, those of a file, and the root of every account whose twelve digits are both
//! access key and secret. Roles, in which sessions can be.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::auth::identity::{Identity, canonical_id};
use crate::auth::identity_file::{self, IdentityFile};
use crate::auth::role::Role;
use crate::wire::json_lines::Finding;

/// Looks identities up by their access keys, and roles by their ARNs.
#[derive(Clone, Debug)]
pub(crate) struct Identities {
    by_key: BTreeMap<String, Arc<Identity>>,
    roles: BTreeMap<String, Arc<Role>>,
    default: Arc<Identity>,
}

impl Identities {
    /// The default identity alone.
    pub(crate) fn new(default: Identity) -> Self {
        let default = Arc::new(default);
        Self {
            by_key: BTreeMap::from([(default.access_key.clone(), Arc::clone(&default))]),
            roles: BTreeMap::new(),
            default,
        }
    }

    /// Adds those of a file: `{"users":[{"name", "account", "access_key", "secret_key", …}], "roles":[…]}`.
    ///
    /// # Errors
    ///
    /// [`Finding`], with the line of what cannot be read or of who is impossible.
    pub(crate) fn add_file(&mut self, json: &[u8]) -> Result<(), Finding> {
        let IdentityFile { users, roles } = IdentityFile::parse(json)?;
        for (line, user) in users {
            self.add(user)
                .map_err(|message| Finding { line, message })?;
        }
        for (line, role) in roles {
            self.add_role(role)
                .map_err(|message| Finding { line, message })?;
        }
        Ok(())
    }

    fn add(&mut self, user: Identity) -> Result<(), String> {
        let key = user.access_key.clone();
        let known = self.by_key.insert(key.clone(), Arc::new(user));
        match known {
            Some(known) if known.access_key != self.default.access_key => {
                Err(format!("two users have the access key `{key}`"))
            }
            _ => Ok(()),
        }
    }

    /// The name of a role is its account's alone, whatever its path and its case.
    fn add_role(&mut self, role: Role) -> Result<(), String> {
        let id = role.id();
        if self.roles.values().any(|known| known.id() == id) {
            let arn = role.arn();
            return Err(format!("two roles have the name of `{arn}`"));
        }
        self.roles.insert(role.arn(), Arc::new(role));
        Ok(())
    }

    /// Who has an access key for good.
    pub(crate) fn find(&self, access_key: &str) -> Option<Arc<Identity>> {
        let known = self.by_key.get(access_key).map(Arc::clone);
        let root = || {
            is_account(access_key)
                .then(|| Arc::new(Identity::root(access_key, access_key, access_key)))
        };
        known.or_else(root)
    }

    /// The role of an ARN.
    pub(crate) fn role(&self, arn: &str) -> Option<Arc<Role>> {
        self.roles.get(arn).map(Arc::clone)
    }

    /// The canonical id of an account: as one of its users has it, else derived.
    pub(super) fn canonical_id(&self, account: &str) -> String {
        let mut known = self.by_key.values();
        let of_account = known.find(|identity| identity.account == account);
        of_account.map_or_else(
            || canonical_id(account),
            |identity| identity.canonical_id.clone(),
        )
    }

    /// Who everybody is while signatures are not verified.
    pub(crate) fn default(&self) -> Arc<Identity> {
        Arc::clone(&self.default)
    }
}

/// Twelve digits.
pub(crate) fn is_account(text: &str) -> bool {
    identity_file::is_account(text)
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

    #[test]
    fn a_role_is_found_by_its_whole_arn() {
        let mut identities = identities();
        let file = br#"{"roles":[{"name":"reader","path":"/team/","account":"111122223333"}]}"#;

        identities.add_file(file).unwrap();

        let arn = "arn:aws:iam::111122223333:role/team/reader";
        assert_eq!(identities.role(arn).unwrap().arn(), arn);
        assert!(
            identities
                .role("arn:aws:iam::111122223333:role/reader")
                .is_none()
        );
    }

    #[test]
    fn a_name_is_one_roles_whatever_its_path_and_case() {
        let role = |name: &str, path: &str| {
            format!(r#"{{"name":"{name}","path":"{path}","account":"111122223333"}}"#)
        };
        let json = format!(
            "{{\"roles\":[{},\n{}]}}",
            role("reader", "/"),
            role("Reader", "/a/")
        );

        let found = identities().add_file(json.as_bytes()).unwrap_err();

        assert_eq!(found.line, 2);
        assert!(
            found.message.starts_with("two roles have the name"),
            "{}",
            found.message
        );
    }

    #[test]
    fn an_account_has_the_canonical_id_of_its_users() {
        let mut identities = identities();
        let id = "ab".repeat(32);
        let file = format!(
            r#"{{"users":[{{"name":"a","account":"111122223333","access_key":"k","secret_key":"s","canonical_id":"{id}"}}]}}"#
        );

        identities.add_file(file.as_bytes()).unwrap();

        assert_eq!(identities.canonical_id("111122223333"), id);
        assert_eq!(
            identities.canonical_id("444455556666"),
            canonical_id("444455556666")
        );
    }
}
