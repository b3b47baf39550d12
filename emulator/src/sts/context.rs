//! What an operation may reach.

use std::sync::Arc;

use crate::auth::authenticator::Authenticator;
use crate::auth::identity::Identity;
use crate::auth::lookup::{Credentials, Drawn, NewSession};
use crate::entropy::Entropy;
use crate::model::timestamp::Timestamp;
use crate::sts::document::Node;
use crate::wire::request::Request;

/// The world of one request.
#[derive(Debug)]
pub(super) struct Context<'c> {
    /// Roles, and what begins sessions.
    pub(super) authenticator: &'c Authenticator,
    /// Randomness.
    pub(super) entropy: &'c Entropy,
    /// When.
    pub(super) now: Timestamp,
    /// Who calls.
    pub(super) caller: Arc<Identity>,
    /// The region that he signed for.
    pub(super) region: String,
    /// How it came.
    pub(super) request: &'c Request,
}

impl Context<'_> {
    /// Begins a session.
    pub(super) fn begin(&self, session: NewSession) -> Credentials {
        let drawn = Drawn {
            key: self.entropy.bytes(),
            iv: self.entropy.bytes(),
        };
        self.authenticator.begin(session, self.now, drawn)
    }
}

/// Temporary credentials, as every operation tells them.
pub(super) fn tell_credentials(credentials: &Credentials) -> Node {
    let nodes = vec![
        Node::text("AccessKeyId", &credentials.access_key),
        Node::text("SecretAccessKey", credentials.secret_key.as_str()),
        Node::text("SessionToken", credentials.token.as_str()),
        Node::text("Expiration", credentials.expires.iso8601_seconds()),
    ];
    Node::tree("Credentials", nodes)
}
