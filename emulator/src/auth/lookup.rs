//! Whose an access key is: somebody's for good, or that of a session, whose token says all about it.
//!
//! What a session may do is looked up at every use: the policies that its role, or its maker, has then.
//!
//! Source: refusals recorded from AWS; their order too.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::auth::authenticator::Authenticator;
use crate::auth::error::{AuthError, SentToken};
use crate::auth::iam_names::Tags;
use crate::auth::identity::{Bearer, Identity, InSession};
use crate::auth::role::Role;
use crate::auth::sessions::{Session, SessionOf};
use crate::crypto::aead::IV_BYTES;
use crate::model::timestamp::Timestamp;
use crate::policy::document::{Document, Kind};
use crate::policy::permissions::Permissions;

/// A session that is to begin.
#[derive(Debug)]
pub(crate) struct NewSession {
    /// Whose.
    pub(crate) of: SessionOf,
    /// Its tags, those that it inherits among them.
    pub(crate) tags: Tags,
    /// The keys of those that a next one inherits.
    pub(crate) transitive: Vec<String>,
    /// The policy that caps it.
    pub(crate) policy: Option<Document>,
    /// Who it says to be behind all roles.
    pub(crate) source_identity: Option<String>,
    /// How long it lasts.
    pub(crate) lasts: Duration,
}

/// What is random about a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Drawn {
    /// For its access key.
    pub(crate) key: [u8; 5],
    /// For its token.
    pub(crate) iv: [u8; IV_BYTES],
}

/// Temporary credentials, as they are given out once.
pub(crate) struct Credentials {
    /// `ASIA…`.
    pub(crate) access_key: String,
    /// Forty characters.
    pub(crate) secret_key: Zeroizing<String>,
    /// What has to be sent with each request.
    pub(crate) token: Zeroizing<String>,
    /// From when on they are refused.
    pub(crate) expires: Timestamp,
}

impl Authenticator {
    /// Begins a session.
    pub(crate) fn begin(&self, new: NewSession, now: Timestamp, drawn: Drawn) -> Credentials {
        let access_key = self.sessions.access_key(drawn.key);
        // Credentials tell whole seconds.
        let issued = now.to_seconds();
        let expires = issued.plus(new.lasts);
        let policy = new.policy.map(|policy| policy.to_string());
        let session = Session {
            access_key: access_key.clone(),
            issued,
            expires,
            of: new.of,
            tags: new.tags,
            transitive: new.transitive,
            policy: policy.and_then(|text| RawValue::from_string(text).ok()),
            source_identity: new.source_identity,
        };
        Credentials {
            secret_key: self.sessions.secret_key(&access_key),
            token: self.sessions.token(drawn.iv, &session),
            access_key,
            expires,
        }
    }

    /// The role of an ARN.
    pub(crate) fn role(&self, arn: &str) -> Option<Arc<Role>> {
        self.identities.role(arn)
    }

    /// Whose an access key is. The token of a session counts; that of somebody else is refused later, behind his signature.
    ///
    /// # Errors
    ///
    /// [`AuthError::UnknownKey`], [`AuthError::ExpiredToken`], [`AuthError::BadToken`].
    pub(super) fn find(
        &self,
        access_key: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Arc<Identity>, AuthError> {
        if let Some(known) = self.identities.find(access_key) {
            return Ok(known);
        }
        let found = self.find_session(access_key, token, now);
        match found {
            Err(_) if !self.verifies => Ok(self.identities.default()),
            found => found.map(Arc::new),
        }
    }

    fn find_session(
        &self,
        access_key: &str,
        token: Option<&str>,
        now: Timestamp,
    ) -> Result<Identity, AuthError> {
        let unknown = || AuthError::UnknownKey(access_key.to_owned());
        let token = token
            .filter(|token| !token.is_empty())
            .ok_or_else(unknown)?;
        let sent = || SentToken(token.to_owned());
        let session = match self.sessions.open(token) {
            Some(session) => session,
            None if self.sessions.is_ours(access_key) => return Err(AuthError::BadToken(sent())),
            None => return Err(unknown()),
        };
        if self.verifies && now >= session.expires {
            return Err(AuthError::ExpiredToken(sent()));
        }
        if session.access_key != access_key {
            return Err(unknown());
        }
        self.bear(session).ok_or_else(unknown)
    }

    /// Refuses a token beside a key that is for good.
    ///
    /// # Errors
    ///
    /// [`AuthError::BadToken`].
    pub(super) fn refuse_token(
        &self,
        caller: &Identity,
        token: Option<&str>,
    ) -> Result<(), AuthError> {
        match token {
            Some(token) if self.verifies && caller.session.is_none() => {
                Err(AuthError::BadToken(SentToken(token.to_owned())))
            }
            _ => Ok(()),
        }
    }

    /// Who a session is; `None` once its role or its maker is gone.
    fn bear(&self, session: Session) -> Option<Identity> {
        let secret_key = self.sessions.secret_key(&session.access_key);
        let policy = session.policy.as_ref().map(|text| text.get());
        let policy = policy
            .map(|text| Document::parse(text, Kind::Identity))
            .transpose()
            .ok()?;
        let bearer = match session.of {
            SessionOf::Role { arn, name } => {
                let role = self.identities.role(&arn)?;
                self.in_role(&role, name)
            }
            SessionOf::Owner(key) => (*self.identities.find(&key)?).clone(),
            SessionOf::Federated { by, name } => {
                let by = self.identities.find(&by)?;
                federated(&by, name, policy.is_some())
            }
        };
        let permissions = match policy {
            None => bearer.permissions,
            Some(policy) => Arc::new(Permissions {
                session: vec![policy],
                ..(*bearer.permissions).clone()
            }),
        };
        Some(Identity {
            access_key: session.access_key,
            secret_key,
            permissions,
            tags: overlaid(bearer.tags, session.tags),
            session: Some(InSession {
                issued: session.issued,
                transitive: session.transitive,
                source_identity: session.source_identity,
            }),
            ..bearer
        })
    }

    fn in_role(&self, role: &Role, session: String) -> Identity {
        Identity {
            name: session,
            canonical_id: self.identities.canonical_id(&role.account),
            bearer: Bearer::Role {
                role: role.name.clone(),
                id: role.id(),
            },
            permissions: Arc::clone(&role.permissions),
            tags: role.tags.clone(),
            ..Identity::root(&role.account, "", "")
        }
    }
}

/// A federated user has what its maker has, as far as a policy of the session lets it; without one, nothing.
fn federated(by: &Identity, name: String, has_policy: bool) -> Identity {
    let permissions = if has_policy {
        Arc::clone(&by.permissions)
    } else {
        Arc::new(Permissions {
            identity: Some(Vec::new()),
            ..Permissions::default()
        })
    };
    Identity {
        name,
        bearer: Bearer::Federated,
        permissions,
        ..by.clone()
    }
}

/// Tags over others: the same key in another case is the same tag.
fn overlaid(mut under: Tags, over: Tags) -> Tags {
    under.retain(|key, _| {
        let mut others = over.keys();
        !others.any(|other| other.to_lowercase() == key.to_lowercase())
    });
    under.extend(over);
    under
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key", &self.access_key)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}
