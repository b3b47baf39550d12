//! A person or program that the server knows, and whoever else calls.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::auth::iam_names::Tags;
use crate::crypto::digest::sha256;
use crate::model::timestamp::Timestamp;
use crate::policy::caller::{Caller as PolicyCaller, Who};
use crate::policy::keys::ContextKeys;
use crate::policy::permissions::Permissions;

/// A known identity, by credentials of its own or by those of a session.
#[derive(Clone)]
pub(crate) struct Identity {
    /// Its name; `root` for the root of an account. Who is in a role has the name of the session.
    pub(crate) name: String,
    /// Its account: twelve digits.
    pub(crate) account: String,
    /// Its access key.
    pub(crate) access_key: String,
    /// Its secret key.
    pub(crate) secret_key: Zeroizing<String>,
    /// Its canonical id: 64 hex digits.
    pub(crate) canonical_id: String,
    /// What it is.
    pub(crate) bearer: Bearer,
    /// What it may do; no policy of its own stops a root.
    pub(crate) permissions: Arc<Permissions>,
    /// Its tags; those of a session are the role's and its own.
    pub(crate) tags: Tags,
    /// What is known of its temporary credentials; `None` where they are for good.
    pub(crate) session: Option<InSession>,
}

/// What somebody can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// The root of its account.
    Root,
    /// A user.
    User {
        /// `/`, or `/team/`.
        path: String,
    },
    /// Somebody in a role.
    Role {
        /// Path and name, without the first slash.
        role: String,
        /// The role's id.
        id: String,
    },
    /// A federated user.
    Federated,
}

/// What temporary credentials say beside who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InSession {
    /// When they were given out.
    pub(crate) issued: Timestamp,
    /// The keys of those tags that a next session inherits.
    pub(crate) transitive: Vec<String>,
    /// Who it says to be behind all roles.
    pub(crate) source_identity: Option<String>,
}

/// Who sent a request.
#[derive(Clone, Debug)]
pub(crate) enum Caller {
    /// Nobody in particular.
    Anonymous,
    /// Somebody.
    Known(Arc<Identity>),
}

impl Identity {
    /// The root of an account.
    pub(crate) fn root(account: &str, access_key: &str, secret_key: &str) -> Self {
        Self {
            name: "root".to_owned(),
            account: account.to_owned(),
            access_key: access_key.to_owned(),
            secret_key: Zeroizing::new(secret_key.to_owned()),
            canonical_id: canonical_id(account),
            bearer: Bearer::Root,
            permissions: Arc::default(),
            tags: Tags::new(),
            session: None,
        }
    }

    /// Whether it is the root of its account.
    pub(crate) fn is_root(&self) -> bool {
        self.bearer == Bearer::Root
    }

    /// `arn:aws:iam::ACCOUNT:root`, `…:user/PATH/NAME`, `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`,
    /// `…:federated-user/NAME`.
    pub(crate) fn arn(&self) -> String {
        self.policy_caller().arn().unwrap_or_default()
    }

    /// What `GetCallerIdentity` calls it: the account for a root, else an id derived from account and name.
    pub(crate) fn user_id(&self) -> String {
        let Self { account, name, .. } = self;
        match &self.bearer {
            Bearer::Root => account.clone(),
            Bearer::User { .. } => {
                let digest = sha256(format!("{account}/{name}").as_bytes());
                format!("AIDA{}", hex::encode_upper(&digest[..8]))
            }
            Bearer::Role { id, .. } => format!("{id}:{name}"),
            Bearer::Federated => format!("{account}:{name}"),
        }
    }

    /// As policies see it.
    pub(crate) fn policy_caller(&self) -> PolicyCaller {
        let account = self.account.clone();
        let name = self.name.clone();
        let who = match &self.bearer {
            Bearer::Root => Who::Root { account },
            Bearer::User { path } => Who::User {
                account,
                name: format!("{}{name}", path.trim_start_matches('/')),
            },
            Bearer::Role { role, .. } => Who::Session {
                account,
                role: role.clone(),
                session: name,
            },
            Bearer::Federated => Who::FederatedUser { account, name },
        };
        PolicyCaller {
            who,
            canonical_id: Some(self.canonical_id.clone()),
        }
    }

    /// What conditions may look at of it.
    ///
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
    pub(crate) fn caller_keys(&self) -> ContextKeys {
        let caller = self.policy_caller();
        let arn = caller.role_arn().or_else(|| caller.arn());
        let mut keys = ContextKeys::default()
            .with("aws:PrincipalAccount", &*self.account)
            .with("aws:PrincipalArn", arn.unwrap_or_default())
            .with("aws:PrincipalType", self.bearer.principal_type())
            .with("aws:userid", self.user_id());
        if let Some(name) = caller.user_name() {
            keys = keys.with("aws:username", name);
        }
        for (key, value) in &self.tags {
            keys = keys.with(&format!("aws:PrincipalTag/{key}"), value);
        }
        let Some(session) = &self.session else {
            return keys;
        };
        if let Some(source) = &session.source_identity {
            keys = keys.with("aws:SourceIdentity", source);
        }
        keys.with("aws:TokenIssueTime", session.issued.iso8601_seconds())
            .with("aws:MultiFactorAuthPresent", "false")
    }
}

impl Bearer {
    fn principal_type(&self) -> &'static str {
        match self {
            Self::Root => "Account",
            Self::User { .. } => "User",
            Self::Role { .. } => "AssumedRole",
            Self::Federated => "FederatedUser",
        }
    }
}

impl Caller {
    /// Its ARN; AWS has none for anonymous callers and says `*`.
    pub(crate) fn arn(&self) -> String {
        match self {
            Self::Anonymous => "*".to_owned(),
            Self::Known(identity) => identity.arn(),
        }
    }
}

/// The canonical id of an account for which none was given.
pub(crate) fn canonical_id(account: &str) -> String {
    hex::encode(sha256(
        format!("strongroom/canonical-id/{account}").as_bytes(),
    ))
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("arn", &self.arn())
            .field("access_key", &self.access_key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "111122223333";

    fn of(name: &str, bearer: Bearer) -> Identity {
        let named = |text: &str| text.to_owned();
        Identity {
            name: named(name),
            bearer,
            tags: Tags::from([(named("team"), named("red"))]),
            ..Identity::root(ACCOUNT, "AK", "hunter2")
        }
    }

    fn in_role() -> Identity {
        let bearer = Bearer::Role {
            role: "team/reader".to_owned(),
            id: "AROA1".to_owned(),
        };
        let issued = Timestamp::parse_iso8601("2026-03-15T13:23:28Z").unwrap();
        Identity {
            session: Some(InSession {
                issued,
                transitive: Vec::new(),
                source_identity: Some("ann".to_owned()),
            }),
            ..of("job", bearer)
        }
    }

    fn in_path() -> Identity {
        let path = "/team/".to_owned();
        of("ann", Bearer::User { path })
    }

    #[test]
    fn everybody_has_an_arn_and_an_id() {
        let rows = [
            (
                Identity::root(ACCOUNT, "AK", "SK"),
                "arn:aws:iam::111122223333:root",
                ACCOUNT,
            ),
            (in_path(), "arn:aws:iam::111122223333:user/team/ann", "AIDA"),
            (
                in_role(),
                "arn:aws:sts::111122223333:assumed-role/reader/job",
                "AROA1:job",
            ),
            (
                of("bob", Bearer::Federated),
                "arn:aws:sts::111122223333:federated-user/bob",
                "111122223333:bob",
            ),
        ];
        for (identity, arn, id) in rows {
            assert_eq!(identity.arn(), arn);
            assert!(identity.user_id().starts_with(id), "{}", identity.user_id());
        }
        let caller = in_role().policy_caller();
        let role = "arn:aws:iam::111122223333:role/team/reader";
        assert_eq!(caller.role_arn().as_deref(), Some(role));
    }

    #[test]
    fn conditions_see_the_role_behind_a_session_and_when_it_began() {
        let keys = ContextKeys::default()
            .with("aws:PrincipalAccount", ACCOUNT)
            .with(
                "aws:PrincipalArn",
                "arn:aws:iam::111122223333:role/team/reader",
            )
            .with("aws:PrincipalType", "AssumedRole")
            .with("aws:userid", "AROA1:job")
            .with("aws:PrincipalTag/team", "red")
            .with("aws:SourceIdentity", "ann")
            .with("aws:TokenIssueTime", "2026-03-15T13:23:28Z")
            .with("aws:MultiFactorAuthPresent", "false");

        assert_eq!(in_role().caller_keys(), keys);
    }

    #[test]
    fn conditions_see_the_name_of_a_user_without_its_path() {
        let keys = ContextKeys::default()
            .with("aws:PrincipalAccount", ACCOUNT)
            .with(
                "aws:PrincipalArn",
                "arn:aws:iam::111122223333:user/team/ann",
            )
            .with("aws:PrincipalType", "User")
            .with("aws:userid", in_path().user_id())
            .with("aws:PrincipalTag/team", "red")
            .with("aws:username", "ann");

        assert_eq!(in_path().caller_keys(), keys);
    }

    #[test]
    fn no_secret_is_shown() {
        assert!(!format!("{:?}", in_path()).contains("hunter2"));
    }
}
