//! Who wants something, as policies see them.

/// Somebody, or nobody in particular.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    /// Who it is.
    pub(crate) who: Who,
    /// The canonical id of the account, where the service knows such a thing.
    pub(crate) canonical_id: Option<String>,
}

/// Kinds of callers.
#[cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "callers without a name and services, whom only policies of buckets meet"
    )
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Somebody who did not sign.
    Anonymous,
    /// The root of an account.
    Root {
        /// The account: twelve digits.
        account: String,
    },
    /// A user.
    User {
        /// The account.
        account: String,
        /// Path and name: `ann`, `team/ann`.
        name: String,
    },
    /// Somebody in a role.
    Session {
        /// The account of the role.
        account: String,
        /// Path and name of the role.
        role: String,
        /// The name of the session.
        session: String,
    },
    /// A federated user.
    FederatedUser {
        /// The account.
        account: String,
        /// The name.
        name: String,
    },
    /// A service of AWS, for itself: `logging.s3.amazonaws.com`.
    Service(String),
}

impl Caller {
    /// Whoever has this ARN; the path of a session's role is not in it. `None` for what is nobody's.
    pub(crate) fn parse(arn: &str) -> Option<Self> {
        let (service, account, resource) = parts(arn)?;
        let account = account.to_owned();
        let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
        let who = match (service, kind) {
            ("iam", "root") => Who::Root { account },
            ("iam", "user") => Who::User {
                account,
                name: name.to_owned(),
            },
            ("sts", "assumed-role") => {
                let (role, session) = name.split_once('/')?;
                Who::Session {
                    account,
                    role: role.to_owned(),
                    session: session.to_owned(),
                }
            }
            ("sts", "federated-user") => Who::FederatedUser {
                account,
                name: name.to_owned(),
            },
            _ => return None,
        };
        Some(Self {
            who,
            canonical_id: None,
        })
    }

    /// The account; neither services nor anonymous callers have one.
    pub(crate) fn account(&self) -> Option<&str> {
        match &self.who {
            Who::Anonymous | Who::Service(_) => None,
            Who::Root { account }
            | Who::User { account, .. }
            | Who::Session { account, .. }
            | Who::FederatedUser { account, .. } => Some(account),
        }
    }

    /// Whether it is the root of its account.
    pub(crate) fn is_root(&self) -> bool {
        matches!(self.who, Who::Root { .. })
    }

    /// The ARN; `None` for services and anonymous callers.
    pub(crate) fn arn(&self) -> Option<String> {
        match &self.who {
            Who::Anonymous | Who::Service(_) => None,
            Who::Root { account } => Some(format!("arn:aws:iam::{account}:root")),
            Who::User { account, name } => Some(format!("arn:aws:iam::{account}:user/{name}")),
            Who::Session {
                account,
                role,
                session,
            } => {
                let name = role.rsplit('/').next().unwrap_or(role);
                Some(format!(
                    "arn:aws:sts::{account}:assumed-role/{name}/{session}"
                ))
            }
            Who::FederatedUser { account, name } => {
                Some(format!("arn:aws:sts::{account}:federated-user/{name}"))
            }
        }
    }

    /// The ARN of the role that a session is in.
    pub(crate) fn role_arn(&self) -> Option<String> {
        match &self.who {
            Who::Session { account, role, .. } => {
                Some(format!("arn:aws:iam::{account}:role/{role}"))
            }
            _ => None,
        }
    }

    /// `aws:username`: users have one.
    pub(crate) fn user_name(&self) -> Option<&str> {
        match &self.who {
            Who::User { name, .. } => name.rsplit('/').next(),
            _ => None,
        }
    }
}

/// Service, account and resource of an ARN that has no region.
pub(super) fn parts(arn: &str) -> Option<(&str, &str, &str)> {
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    let [scheme, partition, service, region, account, resource] = parts[..] else {
        return None;
    };
    let is_arn = scheme == "arn" && partition.starts_with("aws") && region.is_empty();
    (is_arn && is_account(account)).then_some((service, account, resource))
}

/// Twelve digits.
pub(super) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
