//! Roles: what whoever is let in may do.

use std::sync::Arc;
use std::time::Duration;

use crate::auth::iam_names::Tags;
use crate::crypto::digest::sha256;
use crate::policy::document::{Document, Kind};
use crate::policy::permissions::Permissions;

/// A role.
#[derive(Debug)]
pub(crate) struct Role {
    /// Its account: twelve digits.
    pub(crate) account: String,
    /// Its path and name, without the first slash: `reader`, `team/reader`.
    pub(crate) name: String,
    /// Whom it trusts.
    pub(crate) trust: Document,
    /// What it may do.
    pub(crate) permissions: Arc<Permissions>,
    /// Its tags.
    pub(crate) tags: Tags,
    /// How long a session in it lasts at most.
    pub(crate) max_session: Duration,
}

impl Role {
    /// `arn:aws:iam::ACCOUNT:role/PATH/NAME`.
    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role/{}", self.account, self.name)
    }

    /// Its id, which begins that of each of its sessions.
    pub(crate) fn id(&self) -> String {
        // IAM's names are unique in an account, whatever their paths and their case.
        let name = self.name.rsplit('/').next().unwrap_or(&self.name);
        let name = name.to_ascii_lowercase();
        let digest = sha256(format!("role/{}/{name}", self.account).as_bytes());
        format!("AROA{}", hex::encode_upper(&digest[..8]))
    }
}

/// The trust of a role that says nothing of it: the role's account, whose own policies say who of it.
pub(crate) fn trust_of_account(account: &str) -> Document {
    let text = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{account}:root"}},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}}}}"#
    );
    Document::parse(&text, Kind::Trust).expect("the policy above is one, for twelve digits")
}
