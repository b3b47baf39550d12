//! Who may use a key: kinds of callers, kinds of key policies, and what each of the one is told under each of the other.
//!
//! KMS's own clients and S3's are held to the same table.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>; the words are from refusals
//! quoted in public.

use std::fmt::Write as _;

/// A caller: access key and secret are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The access key.
    pub key: &'static str,
    /// The ARN.
    pub arn: &'static str,
    /// The policies of its own; `None` for who has none in the file.
    policies: Option<&'static str>,
}

/// What somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Nothing: he may.
    Yes,
    /// His own policies say nothing of it.
    IdentitySilent,
    /// His own policies deny it.
    IdentityDenies,
    /// The key's policy says nothing of it.
    KeySilent,
    /// The key's policy denies it.
    KeyDenies,
    /// Nothing but that he may not: the key is of another account.
    Foreign,
}

/// A key policy's statements, and what each of [`CALLERS`] is told under it.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The statements.
    pub statements: &'static str,
    /// What the callers are told.
    pub told: [Told; 10],
}

/// The account that has the keys.
pub const ACCOUNT: &str = "000000000000";
/// Another one.
pub const OTHER: &str = "111122223333";

const ALL: &str = r#"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#;
const ALL_BUT: &str = r#"{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":["kms:Encrypt","kms:GenerateDataKey"],"Resource":"arn:aws:kms:*:*:key/*"}"#;

/// Of each account its root, and users whom nobody gave policies, who have none, who may all, and who are denied this.
pub const CALLERS: [Caller; 10] = [
    caller("test", "arn:aws:iam::000000000000:root", None),
    caller("free", "arn:aws:iam::000000000000:user/free", None),
    caller("bare", "arn:aws:iam::000000000000:user/bare", Some("")),
    caller("may", "arn:aws:iam::000000000000:user/may", Some(ALL)),
    caller(
        "barred",
        "arn:aws:iam::000000000000:user/barred",
        Some(ALL_BUT),
    ),
    caller("111122223333", "arn:aws:iam::111122223333:root", None),
    caller("free2", "arn:aws:iam::111122223333:user/free2", None),
    caller("bare2", "arn:aws:iam::111122223333:user/bare2", Some("")),
    caller("may2", "arn:aws:iam::111122223333:user/may2", Some(ALL)),
    caller(
        "barred2",
        "arn:aws:iam::111122223333:user/barred2",
        Some(ALL_BUT),
    ),
];

/// All rows.
pub const ROWS: &[Row] = &[
    // It lets its account in.
    Row {
        statements: r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"kms:*","Resource":"*"}"#,
        told: [
            Told::Yes,
            Told::Yes,
            Told::IdentitySilent,
            Told::Yes,
            Told::IdentityDenies,
            Told::Foreign,
            Told::Foreign,
            Told::Foreign,
            Told::Foreign,
            Told::IdentityDenies,
        ],
    },
    // It names users.
    Row {
        statements: r#"{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::000000000000:user/bare","arn:aws:iam::000000000000:user/barred","arn:aws:iam::111122223333:user/bare2","arn:aws:iam::111122223333:user/may2"]},"Action":"kms:*","Resource":"*"}"#,
        told: [
            Told::KeySilent,
            Told::KeySilent,
            Told::Yes,
            Told::KeySilent,
            Told::IdentityDenies,
            Told::Foreign,
            Told::Foreign,
            Told::Foreign,
            Told::Yes,
            Told::IdentityDenies,
        ],
    },
    // It is for everybody.
    Row {
        statements: r#"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}"#,
        told: [
            Told::Yes,
            Told::Yes,
            Told::Yes,
            Told::Yes,
            Told::IdentityDenies,
            Told::Yes,
            Told::Yes,
            Told::Foreign,
            Told::Yes,
            Told::IdentityDenies,
        ],
    },
    // It names a role that nobody is in.
    Row {
        statements: r#"{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/admin"},"Action":"kms:*","Resource":"*"}"#,
        told: [
            Told::KeySilent,
            Told::KeySilent,
            Told::KeySilent,
            Told::KeySilent,
            Told::IdentityDenies,
            Told::Foreign,
            Told::Foreign,
            Told::Foreign,
            Told::Foreign,
            Told::IdentityDenies,
        ],
    },
    // It lets both accounts in.
    Row {
        statements: r#"{"Effect":"Allow","Principal":{"AWS":["000000000000","111122223333"]},"Action":"kms:*","Resource":"*"}"#,
        told: [
            Told::Yes,
            Told::Yes,
            Told::IdentitySilent,
            Told::Yes,
            Told::IdentityDenies,
            Told::Yes,
            Told::Yes,
            Told::Foreign,
            Told::Yes,
            Told::IdentityDenies,
        ],
    },
    // It lets both in, and denies this to all.
    Row {
        statements: r#"{"Effect":"Allow","Principal":{"AWS":["000000000000","111122223333"]},"Action":"kms:*","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":["kms:Encrypt","kms:GenerateDataKey"],"Resource":"*"}"#,
        told: [
            Told::KeyDenies,
            Told::KeyDenies,
            Told::KeyDenies,
            Told::KeyDenies,
            Told::IdentityDenies,
            Told::Foreign,
            Told::Foreign,
            Told::Foreign,
            Told::Foreign,
            Told::IdentityDenies,
        ],
    },
];

const fn caller(key: &'static str, arn: &'static str, policies: Option<&'static str>) -> Caller {
    Caller { key, arn, policies }
}

impl Caller {
    /// The account.
    pub fn account(self) -> &'static str {
        if self.arn.contains(OTHER) {
            OTHER
        } else {
            ACCOUNT
        }
    }

    fn is_root(self) -> bool {
        self.arn.ends_with(":root")
    }
}

impl Row {
    /// The whole policy.
    pub fn policy(&self) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
            self.statements
        )
    }
}

impl Told {
    /// In AWS's words; `None` for who may.
    pub fn words(self, caller: Caller, action: &str, key_arn: &str) -> Option<String> {
        let reason = match self {
            Self::Yes => return None,
            Self::Foreign => {
                return Some(format!(
                    "User: {} is not authorized to perform: {action} on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access",
                    caller.arn
                ));
            }
            Self::IdentitySilent => {
                format!("because no identity-based policy allows the {action} action")
            }
            Self::KeySilent => {
                format!("because no resource-based policy allows the {action} action")
            }
            Self::IdentityDenies => "with an explicit deny in an identity-based policy".to_owned(),
            Self::KeyDenies => "with an explicit deny in a resource-based policy".to_owned(),
        };
        Some(format!(
            "User: {} is not authorized to perform: {action} on resource: {key_arn} {reason}",
            caller.arn
        ))
    }
}

/// The file of `--identities` that has all users among [`CALLERS`].
pub fn identities() -> String {
    let mut users = String::new();
    for caller in CALLERS.into_iter().filter(|caller| !caller.is_root()) {
        let (key, account) = (caller.key, caller.account());
        let separator = if users.is_empty() { "" } else { "," };
        let _ = write!(
            users,
            r#"{separator}{{"name":"{key}","account":"{account}","access_key":"{key}","secret_key":"{key}""#
        );
        if let Some(statements) = caller.policies {
            let policy = match statements {
                "" => String::new(),
                statements => {
                    format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#)
                }
            };
            let _ = write!(users, r#","policies":[{policy}]"#);
        }
        users.push('}');
    }
    format!(r#"{{"users":[{users}]}}"#)
}
