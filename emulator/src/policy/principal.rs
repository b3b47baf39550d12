//! Whom a statement is about.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>

use crate::policy::caller::{Caller, Who, is_account, parts};

/// `Principal` or what stands in `NotPrincipal`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Principals {
    /// Whether it is the bare `"*"`, and not `{"AWS":"*"}`, which means the same.
    pub(super) is_bare: bool,
    /// Each of them.
    pub(super) listed: Vec<Principal>,
}

/// Somebody or some people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Principal {
    /// `*`: whoever it is, signed or not.
    Everybody,
    /// An account: twelve digits.
    Account(String),
    /// A user, by its ARN.
    User(String),
    /// Everybody in a role, by the role's ARN.
    Role(String),
    /// A session of a role, or a federated user, by its ARN.
    Session(String),
    /// A user or role that is gone, by its id: nobody.
    Gone(String),
    /// An account, by its canonical id.
    CanonicalUser(String),
    /// A service of AWS.
    Service(String),
    /// A provider of identities, in trust policies.
    Federated(String),
}

/// How a statement reaches somebody: what an `Allow` is worth. The last is worth most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// By their account: its own policies have to allow it as well.
    Account,
    /// As one of many, those in a role or everybody: policies of the session and the boundary have to allow it as well.
    OneOfMany,
    /// By name: that is enough.
    Named,
}

impl Principals {
    /// Everybody.
    pub(super) fn everybody() -> Self {
        Self {
            is_bare: true,
            listed: vec![Principal::Everybody],
        }
    }

    /// How they reach somebody, in the way that is worth most.
    pub(super) fn reach(&self, caller: &Caller) -> Option<Reach> {
        let reaches = self.listed.iter();
        reaches.filter_map(|listed| listed.reach(caller)).max()
    }

    /// Whether `NotPrincipal` spares somebody: it has to list all that they are, account and role too.
    // AWS: unverified for users: documented for sessions.
    pub(super) fn spare(&self, caller: &Caller) -> bool {
        let lists = |reach| {
            let mut listed = self.listed.iter();
            listed.any(|listed| listed.reach(caller) == Some(reach))
        };
        if self.listed.contains(&Principal::Everybody) {
            return true;
        }
        match caller.who {
            Who::Anonymous => false,
            Who::Root { .. } => lists(Reach::Account),
            Who::User { .. } | Who::FederatedUser { .. } => {
                lists(Reach::Account) && lists(Reach::Named)
            }
            Who::Session { .. } => {
                lists(Reach::Account) && lists(Reach::OneOfMany) && lists(Reach::Named)
            }
            Who::Service(_) => lists(Reach::Named),
        }
    }
}

impl Principal {
    /// Reads one of a kind: `AWS`, `CanonicalUser`, `Service`, `Federated`. There are no patterns here.
    pub(super) fn parse(kind: &str, name: &str) -> Option<Self> {
        let owned = || name.to_owned();
        if kind == "AWS" && name == "*" {
            return Some(Self::Everybody);
        }
        if name.is_empty() || name.contains(['*', '?']) {
            return None;
        }
        match kind {
            "AWS" => Self::parse_aws(name),
            "CanonicalUser" => {
                let is_id = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
                is_id.then(|| Self::CanonicalUser(owned()))
            }
            "Service" => name
                .contains(".amazonaws.com")
                .then(|| Self::Service(owned())),
            "Federated" => Some(Self::Federated(owned())),
            _ => None,
        }
    }

    fn parse_aws(name: &str) -> Option<Self> {
        if is_account(name) {
            return Some(Self::Account(name.to_owned()));
        }
        let is_id = |name: &str| {
            name.len() >= 16
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        };
        if (name.starts_with("AIDA") || name.starts_with("AROA")) && is_id(name) {
            return Some(Self::Gone(name.to_owned()));
        }
        let (service, account, resource) = parts(name)?;
        if (service, resource) == ("iam", "root") {
            return Some(Self::Account(account.to_owned()));
        }
        let (kind, rest) = resource.split_once('/')?;
        let whole = rest.split('/').all(|part| !part.is_empty());
        let parts = rest.split('/').count();
        match (service, kind, parts) {
            _ if !whole => None,
            ("iam", "user", _) => Some(Self::User(name.to_owned())),
            ("iam", "role", _) => Some(Self::Role(name.to_owned())),
            ("sts", "assumed-role", 2) | ("sts", "federated-user", 1) => {
                Some(Self::Session(name.to_owned()))
            }
            _ => None,
        }
    }

    /// Kind and name, as they are read back.
    pub(super) fn names(&self) -> (&'static str, String) {
        match self {
            Self::Everybody => ("AWS", "*".to_owned()),
            Self::Account(account) => ("AWS", format!("arn:aws:iam::{account}:root")),
            Self::User(name) | Self::Role(name) | Self::Session(name) | Self::Gone(name) => {
                ("AWS", name.clone())
            }
            Self::CanonicalUser(id) => ("CanonicalUser", id.clone()),
            Self::Service(name) => ("Service", name.clone()),
            Self::Federated(name) => ("Federated", name.clone()),
        }
    }

    fn reach(&self, caller: &Caller) -> Option<Reach> {
        let is = |is: bool, reach| is.then_some(reach);
        match self {
            Self::Everybody => Some(Reach::OneOfMany),
            Self::Account(account) => is(caller.account() == Some(account), Reach::Account),
            Self::CanonicalUser(id) => is(
                caller.canonical_id.as_ref() == Some(id) && caller.account().is_some(),
                Reach::Account,
            ),
            Self::Role(arn) => is(caller.role_arn().as_ref() == Some(arn), Reach::OneOfMany),
            Self::User(arn) | Self::Session(arn) => {
                is(caller.arn().as_ref() == Some(arn), Reach::Named)
            }
            Self::Service(name) => is(
                matches!(&caller.who, Who::Service(service) if service == name),
                Reach::Named,
            ),
            Self::Gone(_) | Self::Federated(_) => None,
        }
    }
}
