//! What a client gets where answering it panicked: the failure that AWS tells of itself, in the words of the protocol that
//! was spoken.

use http::Method;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::kms::service::{self, TARGET};
use crate::s3::error::{ErrorForm, S3Error};
use crate::s3::respond::{self, MessageIds};
use crate::server::panics::Panicked;
use crate::wire::request::Request;
use crate::wire::response::Response;

/// What is kept of a request for the case that it is never answered. Neither query nor headers: signatures and keys travel
/// there, and what is kept is logged.
#[derive(Debug)]
pub(crate) struct Seen {
    method: Method,
    path: String,
    is_kms: bool,
}

impl Seen {
    /// Of a request.
    pub(crate) fn of(request: &Request) -> Self {
        let target = request.header("x-amz-target").unwrap_or_default();
        Self {
            method: request.method.clone(),
            path: request.path.clone(),
            is_kms: target.starts_with(TARGET),
        }
    }

    /// The answer; the cause is logged beside its id, and not told.
    pub(crate) fn respond(self, cause: Panicked, clock: &Clock, entropy: &Entropy) -> Response {
        let ids = MessageIds::draw(entropy);
        let id = if self.is_kms {
            entropy.uuid()
        } else {
            ids.request.clone()
        };
        tracing::error!(request = %id, method = %self.method, path = self.path, "could not be answered");
        if self.is_kms {
            return service::failed(cause, &id, clock);
        }
        let error = S3Error::internal(cause);
        let answer = respond::error(&error, &ids, &self.method, ErrorForm::Declared);
        respond::finish(answer, &ids, clock)
    }
}
