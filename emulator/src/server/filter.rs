//! The one warp filter: a message from the wire to a service, and its answer back. It takes every request, so that no
//! router but S3's own decides what a path means.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Buf;
use futures_util::{Stream, StreamExt};
use http::header::{CONNECTION, CONTENT_LENGTH, DATE, EXPECT, HOST};
use http::{HeaderMap, HeaderValue, Method, Uri, Version};
use warp::{Filter, Rejection, Reply};

use crate::clock::Clock;
use crate::control::gate::Gate;
use crate::entropy::Entropy;
use crate::journal::requests::Requests;
use crate::server::bounds::{self, Bounds};
use crate::server::drain::{Afterwards, drain};
use crate::server::failure;
use crate::server::framing::Head;
use crate::server::inbound::{Pieces, Rest, Return, inbound};
use crate::server::journaling;
use crate::server::panics::Panics;
use crate::server::service::Service;
use crate::wire::body::Body;
use crate::wire::query::Query;
use crate::wire::request::{Connection, Request};
use crate::wire::response::Response;

/// What answers on every connection, and what it needs.
pub(crate) struct Front {
    /// Answers.
    pub(crate) service: Arc<dyn Service>,
    /// Dates the answers.
    pub(crate) clock: Clock,
    /// Names them.
    pub(crate) entropy: Entropy,
    /// Bounds the requests.
    pub(crate) bounds: Bounds,
    /// Remembers them.
    pub(crate) requests: Requests,
    /// Lets them in.
    pub(crate) gate: Gate,
    /// Counts what went wrong by a fault of ours.
    pub(crate) panics: Panics,
    /// Whether there is no room for another connection: those that are open end with their answers then, for who waits.
    pub(crate) is_crowded: AtomicBool,
}

/// What only the connection knows of a request; it travels as an extension, since no filter of warp's tells it.
#[derive(Clone, Debug)]
pub(crate) struct Arrival {
    /// The target as it was sent.
    pub(crate) uri: Uri,
    /// The version of HTTP.
    pub(crate) version: Version,
    /// How it came.
    pub(crate) connection: Connection,
    /// How its head tells the end of its body.
    pub(crate) head: Option<Head>,
    /// The length of its body in bytes, where it is known.
    pub(crate) length_bytes: Option<u64>,
}

/// The filter.
pub(crate) fn filter(
    front: Arc<Front>,
) -> impl Filter<Extract = (warp::reply::Response,), Error = Rejection> + Clone {
    warp::any()
        .map(move || Arc::clone(&front))
        .and(warp::method())
        .and(warp::ext::get::<Arrival>())
        .and(warp::header::headers_cloned())
        .and(warp::body::stream())
        .then(answer)
}

async fn answer(
    front: Arc<Front>,
    method: Method,
    arrival: Arrival,
    headers: HeaderMap,
    body: impl Stream<Item = Result<impl Buf, warp::Error>> + Send + Sync + 'static,
) -> warp::reply::Response {
    let refusal = bounds::find_refusal(arrival.version, arrival.head, &headers);
    let is_last = arrival.head == Some(Head::Both);
    let client_waits = waits_for_continue(&headers);
    // A body of no bytes gets no 100. Botocore then takes the next answer on the connection for a broken one.
    let waits_in_vain = client_waits && arrival.length_bytes == Some(0);
    let version = arrival.version;
    let (body, rest) = take_body(body, &arrival, &front.bounds);
    let request = request(method, arrival, headers, body);
    let draft = journaling::draft(&request, front.clock.now());
    let response = if let Some(refusal) = refusal {
        drop(request);
        refusal.respond(&front.clock, &front.entropy)
    } else {
        front.gate.pass().await;
        ask(&front, request).await
    };
    // Before the answer leaves: who has got it finds his request in the journal.
    journaling::record(&front.requests, draft, &response, rest.read_bytes());
    let afterwards = finish(&rest, client_waits, &front.bounds).await;
    let is_over = refusal.is_some() || afterwards == Afterwards::Close;
    let is_crowded = front.is_crowded.load(Ordering::Relaxed);
    let close = is_last || waits_in_vain || is_over || is_crowded;
    let mut sent = send(response, &front);
    if close && version < Version::HTTP_2 {
        sent.headers_mut()
            .insert(CONNECTION, HeaderValue::from_static("close"));
    }
    sent
}

/// Asks the service; where it panics, an answer says so.
async fn ask(front: &Front, request: Request) -> Response {
    let seen = failure::Seen::of(&request);
    let service = Arc::clone(&front.service);
    let answered = async { service.answer(request).await };
    match front.panics.catch(answered).await {
        Ok(response) => response,
        Err(panicked) => seen.respond(panicked, &front.clock, &front.entropy),
    }
}

/// Pieces of bytes stay what they are: `copy_to_bytes` of all that is left of a `Bytes` copies nothing.
fn take_body(
    body: impl Stream<Item = Result<impl Buf, warp::Error>> + Send + Sync + 'static,
    arrival: &Arrival,
    bounds: &Bounds,
) -> (Body, Return) {
    if arrival.length_bytes == Some(0) {
        return (Body::empty(), Return::default());
    }
    let pieces: Pieces = Box::pin(body.map(|piece| match piece {
        Ok(mut piece) => Ok(piece.copy_to_bytes(piece.remaining())),
        Err(error) => Err(error.into()),
    }));
    let (stream, rest) = inbound(pieces, arrival.length_bytes, bounds.body);
    (Body::stream(stream, arrival.length_bytes), rest)
}

fn request(method: Method, arrival: Arrival, mut headers: HeaderMap, body: Body) -> Request {
    let uri = arrival.uri;
    // HTTP/2 has an authority instead of the `Host` that signatures name.
    if let (false, Some(authority)) = (headers.contains_key(HOST), uri.authority())
        && let Ok(host) = HeaderValue::from_str(authority.as_str())
    {
        headers.insert(HOST, host);
    }
    let host = headers.get(HOST).map(HeaderValue::as_bytes);
    let raw_query = uri.query().unwrap_or_default();
    Request {
        host: String::from_utf8_lossy(host.unwrap_or_default()).into_owned(),
        query: Query::parse(raw_query),
        headers,
        connection: arrival.connection,
        body,
        ..Request::new(method, uri.path(), raw_query)
    }
}

fn waits_for_continue(headers: &HeaderMap) -> bool {
    let expected = headers.get(EXPECT).map(HeaderValue::as_bytes);
    expected.is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"))
}

async fn finish(rest: &Return, client_waits: bool, bounds: &Bounds) -> Afterwards {
    match rest.take() {
        Rest::Unread(unread) => drain(unread, client_waits, bounds).await,
        Rest::Broken => Afterwards::Close,
        Rest::Nothing => Afterwards::Keep,
    }
}

fn send(response: Response, front: &Front) -> warp::reply::Response {
    let mut headers = response.headers;
    let length_bytes = response.body.length_bytes();
    let mut sent = match response.body.into_parts() {
        Ok(bytes) => warp::reply::Response::new(bytes.into()),
        Err(stream) => {
            if let Some(length) = length_bytes {
                headers.entry(CONTENT_LENGTH).or_insert(length.into());
            }
            warp::reply::stream(front.panics.guard(stream)).into_response()
        }
    };
    // Never the system's date: SDKs correct their own clocks by it.
    if !headers.contains_key(DATE)
        && let Ok(date) = HeaderValue::from_str(&front.clock.now().http_date())
    {
        headers.insert(DATE, date);
    }
    *sent.status_mut() = response.status;
    *sent.headers_mut() = headers;
    sent
}
