//! One connection, from its first bytes to its end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::server::dispatch::Front;
use crate::server::filter::{self, Envelope};
use crate::server::peek::{self, Protocol};
use crate::server::tls::Tls;
use crate::wire::request::Connection;

/// How long a client may take to send its headers, or to begin its next request.
const HEADERS: Duration = Duration::from_secs(30);
/// How long it may take to finish a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How often an HTTP/2 client is asked whether it is there, and how long it may take to say so.
const PING: Duration = Duration::from_secs(20);
/// How many headers a request may have.
const MAX_HEADERS: usize = 256;
/// HTTP/2 windows: large enough that a body never waits for them on loopback, in bytes.
const WINDOW_BYTES: u32 = 4 * 1_024 * 1_024;

/// What every connection of a listener shares.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) front: Arc<dyn Front>,
    pub(super) tls: Arc<Tls>,
}

/// Serves a connection to its end. What goes wrong with it is the client's to see, and ours to log.
pub(super) async fn serve(stream: TcpStream, peer: SocketAddr, shared: Shared, watcher: Watcher) {
    stream.set_nodelay(true).ok();
    let served = match peek::protocol(&stream).await {
        Ok(Protocol::Tls) => serve_tls(stream, peer, shared, watcher).await,
        Ok(protocol) => {
            serve_http(
                stream,
                Connection {
                    tls: false,
                    peer: Some(peer),
                },
                protocol,
                shared,
                watcher,
            )
            .await
        }
        Err(error) => Err(error.into()),
    };
    if let Err(error) = served {
        tracing::debug!(%peer, %error, "a connection ended");
    }
}

type Served = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn serve_tls(
    stream: TcpStream,
    peer: SocketAddr,
    shared: Shared,
    watcher: Watcher,
) -> Served {
    let acceptor = shared.tls.acceptor()?;
    let stream = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await??;
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let protocol = if is_h2 {
        Protocol::H2c
    } else {
        Protocol::Http1
    };
    serve_http(
        stream,
        Connection {
            tls: true,
            peer: Some(peer),
        },
        protocol,
        shared,
        watcher,
    )
    .await
}

async fn serve_http<S>(
    stream: S,
    connection: Connection,
    protocol: Protocol,
    shared: Shared,
    watcher: Watcher,
) -> Served
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let filtered = TowerToHyperService::new(warp::service(filter::filter(shared.front)));
    let service = service_fn(move |mut request: Request<Incoming>| {
        let envelope = Envelope {
            uri: request.uri().clone(),
            version: request.version(),
            connection,
        };
        request.extensions_mut().insert(envelope);
        filtered.call(request)
    });
    let builder = builder(protocol);
    let served = builder.serve_connection(TokioIo::new(stream), service);
    watcher.watch(served.into_owned()).await
}

fn builder(protocol: Protocol) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_headers(MAX_HEADERS)
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING)
        .initial_stream_window_size(WINDOW_BYTES)
        .initial_connection_window_size(WINDOW_BYTES);
    if protocol == Protocol::H2c {
        builder.http2_only()
    } else {
        builder.http1_only()
    }
}
