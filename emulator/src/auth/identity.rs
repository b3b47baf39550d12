//! A person or program that the server knows, and whoever else calls.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::crypto::digest::sha256;
use crate::policy::permissions::Permissions;

/// A known identity.
pub(crate) struct Identity {
    /// Its name; `root` for the root of an account.
    pub(crate) name: String,
    /// Its account: twelve digits.
    pub(crate) account: String,
    /// Its access key.
    pub(crate) access_key: String,
    /// Its secret key.
    pub(crate) secret_key: Zeroizing<String>,
    /// Its canonical id: 64 hex digits.
    pub(crate) canonical_id: String,
    /// Whether it is the root of its account.
    pub(crate) is_root: bool,
    /// What it may do; no policy of its own stops a root.
    pub(crate) permissions: Arc<Permissions>,
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
            is_root: true,
            permissions: Arc::default(),
        }
    }

    /// `arn:aws:iam::ACCOUNT:root` or `…:user/NAME`.
    pub(crate) fn arn(&self) -> String {
        let resource = if self.is_root {
            "root".to_owned()
        } else {
            format!("user/{}", self.name)
        };
        format!("arn:aws:iam::{}:{resource}", self.account)
    }

    /// What `GetCallerIdentity` calls it: the account for a root, else an id derived from account and name.
    pub(crate) fn user_id(&self) -> String {
        if self.is_root {
            return self.account.clone();
        }
        let digest = sha256(format!("{}/{}", self.account, self.name).as_bytes());
        format!("AIDA{}", hex::encode_upper(&digest[..8]))
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
