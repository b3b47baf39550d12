//! One connection, from its first byte to its last: what it speaks, TLS, then HTTP/1.1 or HTTP/2.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulConnection;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep, timeout};
use tokio_rustls::server::TlsStream;

use crate::server::bounds::{Bounds, MAX_BUFFER_BYTES, MAX_HEADERS};
use crate::server::filter::{Arrival, Front, filter};
use crate::server::flights::{Flights, Outlook};
use crate::server::framing::Head;
use crate::server::peek::{Spoken, spoken};
use crate::server::tap::{Heads, Tap};
use crate::server::tls::Tls;
use crate::wire::request::Connection;

/// How much of a body HTTP/2 may send ahead of its reader, for each stream.
const STREAM_WINDOW_BYTES: u32 = 1_024 * 1_024;
/// And for all streams of a connection.
const CONNECTION_WINDOW_BYTES: u32 = 4 * STREAM_WINDOW_BYTES;
/// What HTTP/2 takes of headers, so that it is our own, smaller bound that answers.
const HTTP2_HEADER_BYTES: u32 = 64 * 1_024;
/// How many requests of a connection HTTP/2 answers at the same time.
const HTTP2_STREAMS: u32 = 100;
/// How many requests HTTP/2 lets a peer take back before anybody looked at them, and how many of its mistakes it answers
/// with a reset: beyond, the connection ends (CVE-2023-44487, "rapid reset", and its kin).
const HTTP2_RESETS: usize = 50;
/// How long a connection without a request has once the server stops, or needs the room: for the end of its last answer to
/// leave, or for its first request to come.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// What all connections share.
#[derive(Clone)]
pub(crate) struct Shared {
    /// What answers.
    pub(crate) front: Arc<Front>,
    /// Who HTTPS says we are.
    pub(crate) tls: Arc<Tls>,
    /// Whether the server stops.
    pub(crate) stopping: Signal,
    /// Whether there is no room for another connection.
    pub(crate) crowded: Signal,
}

/// Something that may come to be.
#[derive(Clone, Debug)]
pub(crate) struct Signal(pub(crate) watch::Receiver<bool>);

impl Signal {
    /// Waits for it; also when whoever would tell of it is gone.
    pub(crate) async fn wait(&mut self) {
        let _ = self.0.wait_for(|is_there| *is_there).await;
    }

    fn is_there(&self) -> bool {
        *self.0.borrow()
    }
}

type Stream = Tap<TcpStream>;

/// Serves a connection until it ends, or until the server stops and its requests in flight are answered.
pub(crate) async fn serve(stream: TcpStream, peer: SocketAddr, shared: Shared) {
    // Small answers leave at once.
    let _ = stream.set_nodelay(true);
    let mut stopping = shared.stopping.clone();
    let opened = tokio::select! {
        opened = open(stream, &shared) => opened,
        () = stopping.wait() => return,
        () = in_the_way(shared.crowded.clone()) => return,
    };
    match opened {
        Some(Opened::Http1(stream)) => http1(stream, of(peer, false), shared).await,
        Some(Opened::Http2(stream)) => http2(stream, of(peer, false), shared).await,
        Some(Opened::Tls(stream)) if speaks_http2(&stream) => {
            http2(*stream, of(peer, true), shared).await;
        }
        Some(Opened::Tls(stream)) => http1(*stream, of(peer, true), shared).await,
        None => {}
    }
}

/// Waits until a connection that has said nothing yet takes the room of another.
async fn in_the_way(mut crowded: Signal) {
    sleep(LAST_BYTES).await;
    crowded.wait().await;
}

enum Opened {
    Http1(Stream),
    Http2(Stream),
    Tls(Box<TlsStream<Stream>>),
}

/// `None` where nothing came in time, or no handshake succeeded.
async fn open(mut stream: TcpStream, shared: &Shared) -> Option<Opened> {
    let bounds = &shared.front.bounds;
    let first = timeout(bounds.first_bytes, spoken(&mut stream)).await;
    let (spoken, seen) = first.ok()?.ok()?;
    let stream = Tap::new(stream, seen);
    match spoken {
        Spoken::Http1 => Some(Opened::Http1(stream)),
        Spoken::Http2 => Some(Opened::Http2(stream)),
        Spoken::Tls => handshake(stream, &shared.tls, bounds).await,
    }
}

async fn handshake(stream: Stream, tls: &Tls, bounds: &Bounds) -> Option<Opened> {
    let acceptor = match tls.acceptor() {
        Ok(acceptor) => acceptor,
        Err(error) => {
            tracing::error!("cannot offer TLS: {error}");
            return None;
        }
    };
    match timeout(bounds.handshake, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some(Opened::Tls(Box::new(stream))),
        Ok(Err(error)) => {
            tracing::debug!("a TLS handshake failed: {error}");
            None
        }
        Err(_) => None,
    }
}

fn of(peer: SocketAddr, tls: bool) -> Connection {
    Connection {
        tls,
        peer: Some(peer),
    }
}

fn speaks_http2(stream: &TlsStream<Stream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(b"h2")
}

/// Serves HTTP/1.1.
pub(crate) async fn http1<S>(stream: S, connection: Connection, shared: Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let heads = Heads::default();
    let flights = Flights::new(Instant::now());
    let watched = Tap::new(stream, Bytes::new()).watched_by(heads.clone());
    let service = service(
        Arc::clone(&shared.front),
        connection,
        flights.clone(),
        move || heads.next(),
    );
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(shared.front.bounds.head)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_BUFFER_BYTES)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(watched), service);
    drive(serving, flights, shared).await;
}

async fn http2<S>(stream: S, connection: Connection, shared: Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let bounds = shared.front.bounds;
    let flights = Flights::new(Instant::now());
    // Frames say where a body ends, and nothing else does.
    let service = service(
        Arc::clone(&shared.front),
        connection,
        flights.clone(),
        || Some(Head::Plain),
    );
    let serving = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(HTTP2_HEADER_BYTES)
        .max_concurrent_streams(HTTP2_STREAMS)
        .max_pending_accept_reset_streams(HTTP2_RESETS)
        .max_local_error_reset_streams(HTTP2_RESETS)
        .keep_alive_interval(bounds.ping)
        .keep_alive_timeout(bounds.ping)
        .auto_date_header(false)
        .serve_connection(TokioIo::new(stream), service);
    drive(serving, flights, shared).await;
}

/// The filter, told what the connection knows of each request.
fn service(
    front: Arc<Front>,
    connection: Connection,
    flights: Flights,
    next_head: impl Fn() -> Option<Head>,
) -> impl Service<
    http::Request<Incoming>,
    Response = http::Response<impl Body<Data = Bytes, Error: Error + Send + Sync> + Send + 'static>,
    Error = Infallible,
    Future: Future + Send,
> {
    let inner = TowerToHyperService::new(warp::service(filter(front)));
    service_fn(move |mut request: http::Request<Incoming>| {
        let flight = flights.begin();
        let arrival = Arrival {
            uri: request.uri().clone(),
            version: request.version(),
            connection,
            head: next_head(),
            length_bytes: request.body().size_hint().exact(),
        };
        request.extensions_mut().insert(arrival);
        let answer = inner.call(request);
        async move { Ok(flight.answered(answer.await?)) }
    })
}

/// Drives it to its end: its own, that of a peer who leaves it idle or an answer unread, that of who needs the room, or the
/// server's.
async fn drive<C>(connection: C, flights: Flights, shared: Shared)
where
    C: GracefulConnection,
    C::Error: std::fmt::Display,
{
    let Shared {
        front,
        mut stopping,
        mut crowded,
        ..
    } = shared;
    let bounds = &front.bounds;
    let mut connection = pin!(connection);
    let mut looks = every(bounds.unread.min(bounds.head) / 4);
    let (mut is_stopping, mut was_crowded) = (false, false);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!("a connection ended early: {error}");
                }
                return;
            }
            () = stopping.wait(), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
                looks = every(LAST_BYTES);
            }
            () = crowded.wait(), if !was_crowded => {
                was_crowded = true;
                looks = every(LAST_BYTES);
            }
            _ = looks.tick() => match flights.outlook(Instant::now(), bounds) {
                // It holds half a head, or the end of an answer that its peer does not read.
                _ if (is_stopping || crowded.is_there()) && flights.idle() >= LAST_BYTES => return,
                Outlook::Fine => {}
                Outlook::Idle => connection.as_mut().graceful_shutdown(),
                Outlook::Stuck => {
                    tracing::debug!("a connection was cut: its peer does not read");
                    return;
                }
            },
        }
    }
}

/// Ticks from one period on.
fn every(period: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
