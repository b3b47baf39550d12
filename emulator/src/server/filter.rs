//! The one warp filter: every request becomes a `wire::Request`, every `wire::Response` an answer.
//!
//! No other filter stands beside it: one that rejects by itself would answer in words that are not AWS's.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Uri, Version, header};
use warp::Filter;
use warp::reply::Reply;

use crate::server::body::RequestBody;
use crate::server::dispatch::Front;
use crate::wire::query::Query;
use crate::wire::request::{Connection, Request};
use crate::wire::response::Response;

/// What warp does not tell of a request; it travels in an extension.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    pub(super) uri: Uri,
    pub(super) version: Version,
    pub(super) connection: Connection,
}

/// The filter over whoever answers.
pub(super) fn filter(
    front: Arc<dyn Front>,
) -> impl Filter<Extract = (warp::reply::Response,), Error = warp::Rejection> + Clone {
    warp::ext::get::<Envelope>()
        .and(warp::method())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(
            move |envelope: Envelope, method: Method, headers: HeaderMap, body| {
                let front = Arc::clone(&front);
                let body = RequestBody::new(body);
                async move { answer(front.as_ref(), envelope, (method, headers), body).await }
            },
        )
}

async fn answer(
    front: &dyn Front,
    envelope: Envelope,
    (method, headers): (Method, HeaderMap),
    body: RequestBody,
) -> warp::reply::Response {
    let waits = expects_continue(&headers);
    let is_http1 = envelope.version < Version::HTTP_2;
    let request = request(envelope, method, headers, &body);
    let mut response = reply(front.answer(request).await);
    if is_http1 && !body.is_over() {
        // A client that waits for `100 Continue` has not begun to send, and nothing must ask for it now.
        if body.is_touched() || !waits {
            body.drain().await;
        }
        if !body.is_over() || waits {
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
    }
    response
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers
        .get(header::EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

fn request(envelope: Envelope, method: Method, headers: HeaderMap, body: &RequestBody) -> Request {
    let Envelope {
        uri, connection, ..
    } = envelope;
    let raw_query = uri.query().unwrap_or_default();
    let named = headers
        .get(header::HOST)
        .map(|host| String::from_utf8_lossy(host.as_bytes()).into_owned());
    let host = named
        .or_else(|| uri.authority().map(ToString::to_string))
        .unwrap_or_default();
    Request {
        method,
        path: uri.path().to_owned(),
        query: Query::parse(raw_query),
        body: body.to_wire(length_of(&headers)),
        headers,
        host,
        connection,
        document: bytes::Bytes::new(),
    }
}

/// The length that the client announced; `None` where it comes in pieces, 0 where it announced nothing.
fn length_of(headers: &HeaderMap) -> Option<u64> {
    if headers.contains_key(header::TRANSFER_ENCODING) {
        return None;
    }
    let length = headers.get(header::CONTENT_LENGTH);
    match length {
        Some(length) => length.to_str().ok().and_then(|length| length.parse().ok()),
        None => Some(0),
    }
}

fn reply(response: Response) -> warp::reply::Response {
    let Response {
        status,
        headers,
        body,
    } = response;
    let mut reply = match body.into_parts() {
        Ok(bytes) => warp::reply::Response::new(bytes.into()),
        Err(stream) => warp::reply::stream(stream).into_response(),
    };
    *reply.status_mut() = status;
    *reply.headers_mut() = headers;
    reply
}
