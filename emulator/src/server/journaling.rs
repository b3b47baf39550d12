//! What the journal is told of a request: some when it comes, the rest when it is answered.

use crate::journal::kept::{Draft, Outcome};
use crate::journal::requests::Requests;
use crate::model::timestamp::Timestamp;
use crate::wire::request::Request;
use crate::wire::response::Response;

/// Writes down what can be known before anybody has read it.
pub(super) fn draft(request: &Request, now: Timestamp) -> Draft {
    let line = (request.method.as_str(), request.path.as_str());
    let mut draft = Draft::new(now, request.connection.tls, line);
    for (name, value) in request.query.pairs() {
        draft.parameter(name, value);
    }
    for (name, value) in &request.headers {
        draft.header(name.as_str(), value.as_bytes());
    }
    draft
}

/// Remembers an answered request, unless whoever answered it keeps it out of the journal.
pub(super) fn record(requests: &Requests, draft: Draft, response: &Response, received_bytes: u64) {
    let Some(about) = &response.about else { return };
    let outcome = Outcome {
        operation: about.operation,
        bucket: about.bucket.as_deref(),
        key: about.key.as_deref(),
        access_key: about.access_key.as_deref(),
        account: about.account.as_deref(),
        status: response.status.as_u16(),
        error: about.error,
        received_bytes,
        sent_bytes: response.body.length_bytes().unwrap_or_default(),
        request_id: &about.request_id,
    };
    requests.record(draft, &outcome);
}
