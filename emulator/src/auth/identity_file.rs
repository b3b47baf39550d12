//! The file of identities: `{"users": […], "roles": […]}`. `docs/identities.md` tells its form.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::auth::iam_names::{Tags, flaw_of_tags, is_name, is_path};
use crate::auth::identity::{Bearer, Identity, canonical_id};
use crate::auth::role::{Role, trust_of_account};
use crate::policy::document::{Document, Kind};
use crate::policy::permissions::Permissions;
use crate::wire::json_lines::{self, Finding};

/// How long a session in a role lasts at most, in seconds: what a role may say, and what it has that says nothing.
///
/// Source: <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>
const MAX_SESSION_SECONDS: std::ops::RangeInclusive<u64> = 3_600..=43_200;

/// What a file holds, each with its line.
#[derive(Debug, Default)]
pub(super) struct IdentityFile {
    pub(super) users: Vec<(usize, Identity)>,
    pub(super) roles: Vec<(usize, Role)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File<'a> {
    #[serde(borrow, default)]
    users: Vec<&'a RawValue>,
    #[serde(borrow, default)]
    roles: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct User<'a> {
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
    #[serde(default = "top")]
    path: String,
    #[serde(borrow)]
    policies: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    boundary: Option<&'a RawValue>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleItem<'a> {
    name: String,
    account: String,
    #[serde(default = "top")]
    path: String,
    #[serde(borrow)]
    trust: Option<&'a RawValue>,
    #[serde(borrow)]
    policies: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    boundary: Option<&'a RawValue>,
    #[serde(default)]
    tags: Tags,
    #[serde(default = "an_hour")]
    max_session_seconds: u64,
}

fn top() -> String {
    "/".to_owned()
}

fn an_hour() -> u64 {
    *MAX_SESSION_SECONDS.start()
}

impl IdentityFile {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`Finding`], with the line of what cannot be read, of who is impossible, or of the policy that is none.
    pub(super) fn parse(json: &[u8]) -> Result<Self, Finding> {
        let text = json_lines::text_of(json)?;
        let file: File<'_> = json_lines::parse_object(text)?;
        let mut read = Self::default();
        for raw in file.users {
            let (line, user) = json_lines::parse_item(text, raw)?;
            let item = Item { text, line };
            read.users.push((line, item.user(user)?));
        }
        for raw in file.roles {
            let (line, role) = json_lines::parse_item(text, raw)?;
            let item = Item { text, line };
            read.roles.push((line, item.role(role)?));
        }
        Ok(read)
    }
}

/// A user or a role, and where it stands.
struct Item<'t> {
    text: &'t str,
    line: usize,
}

/// What users and roles have alike.
struct Common<'a> {
    name: &'a str,
    account: &'a str,
    path: &'a str,
    tags: &'a Tags,
}

impl Item<'_> {
    fn user(&self, user: User<'_>) -> Result<Identity, Finding> {
        self.check(&Common {
            name: &user.name,
            account: &user.account,
            path: &user.path,
            tags: &user.tags,
        })?;
        if user.access_key.is_empty() || user.access_key.starts_with("ASIA") {
            return Err(self.finding(format!(
                "`{}` needs an access key, and one that does not begin with ASIA as those of sessions do",
                user.name
            )));
        }
        if user.root && (user.policies.is_some() || user.boundary.is_some()) {
            return Err(self.finding(format!(
                "`{}` is the root of its account, whom no policies of its own bind",
                user.name
            )));
        }
        let permissions = self.permissions(&user.name, user.policies, user.boundary)?;
        Ok(Identity {
            canonical_id: user
                .canonical_id
                .unwrap_or_else(|| canonical_id(&user.account)),
            name: user.name,
            account: user.account,
            access_key: user.access_key,
            secret_key: Zeroizing::new(user.secret_key),
            bearer: if user.root {
                Bearer::Root
            } else {
                Bearer::User { path: user.path }
            },
            permissions: Arc::new(permissions),
            tags: user.tags,
            session: None,
        })
    }

    fn role(&self, role: RoleItem<'_>) -> Result<Role, Finding> {
        let RoleItem { name, account, .. } = role;
        self.check(&Common {
            name: &name,
            account: &account,
            path: &role.path,
            tags: &role.tags,
        })?;
        if !MAX_SESSION_SECONDS.contains(&role.max_session_seconds) {
            return Err(self.finding(format!(
                "a session of `{name}` may last from 3600 to 43200 seconds, not {}",
                role.max_session_seconds
            )));
        }
        let permissions = self.permissions(&name, role.policies, role.boundary)?;
        let trust = match role.trust {
            Some(raw) => self.policy(raw, Kind::Trust, &format!("the trust of `{name}`"))?,
            None => trust_of_account(&account),
        };
        Ok(Role {
            name: format!("{}{name}", role.path.trim_start_matches('/')),
            account,
            trust,
            permissions: Arc::new(permissions),
            tags: role.tags,
            max_session: Duration::from_secs(role.max_session_seconds),
        })
    }

    fn check(&self, common: &Common<'_>) -> Result<(), Finding> {
        let Common {
            name,
            account,
            path,
            tags,
        } = common;
        let flaw = match flaw_of_tags(tags) {
            _ if !is_account(account) => {
                format!("the account `{account}` of `{name}` is not twelve digits")
            }
            _ if !is_name(name) => {
                format!("`{name}` is no name; one has 1 to 64 letters, digits and _+=,.@-")
            }
            _ if !is_path(path) => {
                format!("`{path}` of `{name}` is no path; one is like / or /team/")
            }
            Some(flaw) => format!("the tags of `{name}`: {flaw}"),
            None => return Ok(()),
        };
        Err(self.finding(flaw))
    }

    fn permissions(
        &self,
        name: &str,
        policies: Option<Vec<&RawValue>>,
        boundary: Option<&RawValue>,
    ) -> Result<Permissions, Finding> {
        let read = |(raw, number): (&RawValue, usize)| {
            let which = format!("policy {number} of `{name}`");
            self.policy(raw, Kind::Identity, &which)
        };
        let read_all = |raw: Vec<&RawValue>| raw.into_iter().zip(1..).map(read).collect();
        let identity: Option<Result<_, _>> = policies.map(read_all);
        let which = format!("the boundary of `{name}`");
        let boundary = boundary.map(|raw| self.policy(raw, Kind::Identity, &which));
        Ok(Permissions {
            identity: identity.transpose()?,
            boundary: boundary.transpose()?,
            session: Vec::new(),
        })
    }

    fn policy(&self, raw: &RawValue, kind: Kind, which: &str) -> Result<Document, Finding> {
        Document::parse(raw.get(), kind).map_err(|bad| {
            let statement = bad.statement.map(|name| format!(", statement {name}"));
            Finding {
                line: json_lines::line_of(self.text, raw),
                message: format!("{which}{}: {}", statement.unwrap_or_default(), bad.flaw),
            }
        })
    }

    fn finding(&self, message: String) -> Finding {
        Finding {
            line: self.line,
            message,
        }
    }
}

/// Twelve digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOW: &str = r#"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*"}}"#;

    /// Of a file with one user or role, which stands on line 2 and has these members behind the usual ones on line 3.
    fn parse(list: &str, members: &str) -> Result<IdentityFile, Finding> {
        let key = match list {
            "users" => r#","access_key":"AK","secret_key":"hunter2""#,
            _ => "",
        };
        let text = format!(
            "{{\"{list}\": [\n{{\"name\":\"ann\",\"account\":\"111122223333\"{key}{}\n{members}\n}}]}}",
            if members.is_empty() { "" } else { "," }
        );
        IdentityFile::parse(text.as_bytes())
    }

    fn refused(list: &str, members: &str) -> (usize, String) {
        let Finding { line, message } = parse(list, members).unwrap_err();
        assert!(!message.contains("hunter2"), "{message}");
        (line, message)
    }

    #[test]
    fn whoever_has_no_policies_is_not_bound_and_whoever_has_none_of_them_may_nothing() {
        for list in ["users", "roles"] {
            let of = |members: &str| {
                let file = parse(list, members).unwrap();
                let users = file.users.iter().map(|(_, user)| &user.permissions);
                let roles = file.roles.iter().map(|(_, role)| &role.permissions);
                let mut all = users.chain(roles);
                (**all.next().unwrap()).clone()
            };

            assert_eq!(of(""), Permissions::default());
            assert_eq!(of(r#""policies":[]"#).identity, Some(Vec::new()));
            let both = of(&format!(
                r#""policies":[{ALLOW},{ALLOW}],"boundary":{ALLOW}"#
            ));
            assert_eq!(both.identity.unwrap().len(), 2);
            assert!(both.boundary.is_some() && both.session.is_empty());
        }
    }

    #[test]
    fn paths_are_part_of_an_arn() {
        let user = parse("users", r#""path":"/team/""#)
            .unwrap()
            .users
            .remove(0)
            .1;
        let role = parse("roles", r#""path":"/team/""#)
            .unwrap()
            .roles
            .remove(0)
            .1;

        assert_eq!(user.arn(), "arn:aws:iam::111122223333:user/team/ann");
        assert_eq!(role.arn(), "arn:aws:iam::111122223333:role/team/ann");
        assert_eq!(role.max_session, Duration::from_hours(1));
    }

    #[test]
    fn a_bad_policy_is_told_with_its_line() {
        let principal =
            r#"{"Statement":{"Effect":"Allow","Action":"kms:*","Resource":"*","Principal":"*"}}"#;
        let rows = [
            (
                "users",
                format!("\"policies\":[{ALLOW},\n{principal}]"),
                "policy 2 of `ann`, statement NO_ID-0: Unknown element: Principal",
            ),
            (
                "roles",
                "\"policies\":[\n[]]".to_owned(),
                "policy 1 of `ann`: Policies must be valid JSON and the first byte must be '{'",
            ),
            (
                "users",
                "\"boundary\":\n{}".to_owned(),
                "the boundary of `ann`: Missing required field Statement",
            ),
            (
                "roles",
                format!("\"trust\":\n{ALLOW}"),
                "the trust of `ann`, statement NO_ID-0: Missing required field Principal",
            ),
        ];
        for (list, members, message) in rows {
            assert_eq!(refused(list, &members), (4, message.to_owned()));
        }
    }

    #[test]
    fn who_is_impossible_is_told() {
        let rows = [
            ("users", r#""path":"team""#, "no path"),
            ("users", r#""tags":{"aws:x":"y"}"#, "AWS's own"),
            (
                "users",
                r#""root":true,"policies":[]"#,
                "no policies of its own bind",
            ),
            (
                "roles",
                r#""max_session_seconds":900"#,
                "from 3600 to 43200 seconds, not 900",
            ),
            ("roles", r#""max_session_seconds":43201"#, "not 43201"),
        ];
        for (list, members, message) in rows {
            let (line, told) = refused(list, members);
            assert!(line == 2 && told.contains(message), "{line} {told}");
        }
        let unknown = refused("roles", r#""acess_key":"x""#);
        assert!(
            unknown.0 == 3 && unknown.1.starts_with("unknown field"),
            "{unknown:?}"
        );
        let session = br#"{"users":[{"name":"a","account":"111122223333","access_key":"ASIA1","secret_key":"s"}]}"#;
        assert!(
            IdentityFile::parse(session)
                .unwrap_err()
                .message
                .contains("ASIA")
        );
    }
}
