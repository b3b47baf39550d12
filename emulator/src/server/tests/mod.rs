//! The server under its clients: a service of our own behind it, and raw bytes in front of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::clock::Clock;
use crate::config::Config;
use crate::control::gate::Gate;
use crate::entropy::Entropy;
use crate::journal::requests::Requests;
use crate::model::timestamp::Timestamp;
use crate::server::bounds::Bounds;
use crate::server::filter::Front;
use crate::server::listener::{Listener, Serving};
use crate::server::panics::Panics;
use crate::server::service::{Answer, Service};
use crate::server::tls::Tls;
use crate::wire::body::{Body, BodyError};
use crate::wire::request::Request;
use crate::wire::response::Response;

mod bounds;
mod handshakes;
mod http2;
mod load;
mod messages;
mod panics;
mod refusals;
mod smuggling;
mod spoken;
mod stopping;

/// When the server of every test believes to be: 9 September 2001.
const NOW_MILLIS: u64 = 1_000_000_000_000;
/// Longer than any test should wait: what never comes fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(20);

/// A server on a port of its own.
struct Server {
    address: SocketAddr,
    tls: Arc<Tls>,
    service: Arc<Probe>,
    panics: Panics,
    serving: Serving,
}

impl Server {
    fn start() -> Self {
        Self::with(Bounds::default())
    }

    fn with(bounds: Bounds) -> Self {
        let service = Arc::new(Probe::default());
        let front = Front {
            service: Arc::clone(&service) as Arc<dyn Service>,
            clock: Clock::at(Timestamp::from_unix_millis(NOW_MILLIS)),
            entropy: Entropy::seeded(1),
            bounds,
            requests: Requests::default(),
            gate: Gate::default(),
            panics: Panics::default(),
            is_crowded: AtomicBool::new(false),
        };
        let panics = front.panics.clone();
        let tls = Arc::new(Tls::prepare(&Config::default()).unwrap());
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = Listener::bind(any).unwrap();
        Self {
            address: listener.address(),
            service,
            panics,
            tls: Arc::clone(&tls),
            serving: listener.serve(Arc::new(front), tls).unwrap(),
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends bytes, and reads until the server closes.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        read_to_end(&mut stream).await
    }
}

/// Answers by path, as no S3 would.
#[derive(Default)]
struct Probe {
    /// Tells that `/wait` was reached.
    reached: Notify,
    /// Lets `/wait` go on.
    go_on: Notify,
    /// How many requests are at `/meet`, and the most that ever were.
    met: [AtomicUsize; 2],
}

impl Service for Probe {
    fn answer(self: Arc<Self>, request: Request) -> Answer {
        assert!(request.path != "/panic-at-once", "a fault of ours");
        Box::pin(async move {
            match request.path.as_str() {
                "/echo" => echo(request),
                "/read" => read(request).await,
                "/refuse" => Response::new(StatusCode::FORBIDDEN).body("refused".to_owned()),
                "/begin" => begin(request).await,
                "/pieces" => pieces(),
                "/fail" => fail(),
                "/endless" => endless(self),
                "/panic" => panic!("a fault of ours"),
                "/panic-late" => panic_late(),
                "/meet" => self.meet().await,
                "/wait" => self.wait().await,
                _ => describe(&request),
            }
        })
    }
}

impl Probe {
    async fn wait(&self) -> Response {
        self.reached.notify_one();
        self.go_on.notified().await;
        Response::ok().body("waited".to_owned())
    }

    async fn meet(&self) -> Response {
        let [here, most] = &self.met;
        let count = here.fetch_add(1, Ordering::SeqCst) + 1;
        most.fetch_max(count, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(5)).await;
        here.fetch_sub(1, Ordering::SeqCst);
        Response::ok().body("met".to_owned())
    }
}

fn echo(request: Request) -> Response {
    Response::ok().body(request.body)
}

async fn read(mut request: Request) -> Response {
    let mut count = 0;
    while let Some(piece) = request.body.next().await {
        match piece {
            Ok(piece) => count += piece.len(),
            Err(BodyError::Idle) => return Response::ok().body("idle".to_owned()),
            Err(error) => return Response::ok().body(error.to_string()),
        }
    }
    Response::ok().body(format!("read {count}"))
}

async fn begin(mut request: Request) -> Response {
    request.body.next().await.unwrap().unwrap();
    Response::new(StatusCode::FORBIDDEN).body("refused".to_owned())
}

fn pieces() -> Response {
    let pieces = ["one", "two"].map(|piece| Ok(Bytes::from(piece)));
    Response::ok().body(Body::stream(Box::pin(stream::iter(pieces)), None))
}

fn fail() -> Response {
    let pieces = [
        Ok(Bytes::from("one")),
        Err(BodyError::Failed("disk".into())),
    ];
    Response::ok().body(Body::stream(Box::pin(stream::iter(pieces)), None))
}

/// Tells when it is dropped.
fn endless(probe: Arc<Probe>) -> Response {
    let told = TellDrop(probe);
    let pieces = stream::repeat_with(move || {
        let TellDrop(_) = &told;
        Ok(Bytes::from(vec![0; 65_536]))
    });
    Response::ok().body(Body::stream(Box::pin(pieces), None))
}

struct TellDrop(Arc<Probe>);

impl Drop for TellDrop {
    fn drop(&mut self) {
        self.0.go_on.notify_one();
    }
}

fn panic_late() -> Response {
    let one = stream::once(async { Ok(Bytes::from("one")) });
    let two = stream::once(async { panic!("a fault of ours") });
    Response::ok().body(Body::stream(Box::pin(one.chain(two)), None))
}

fn describe(request: &Request) -> Response {
    let headers = request.headers.get_all("x-probe").iter();
    let values = headers.map(|value| value.as_bytes().escape_ascii().to_string());
    let query = request
        .query
        .pairs()
        .map(|(name, value)| format!("{name}={value}"));
    let text = format!(
        "{} {}?{} host={} probe=[{}] tls={} body={:?}",
        request.method,
        request.path,
        query.collect::<Vec<_>>().join("&"),
        request.host,
        values.collect::<Vec<_>>().join(","),
        request.connection.tls,
        request.body.length_bytes(),
    );
    Response::ok().body(text)
}

async fn read_to_end(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut answer));
    read.await.expect("the server closes").unwrap();
    String::from_utf8(answer).unwrap()
}

/// Reads until `end` has come, and answers all that came.
async fn read_until(stream: &mut (impl AsyncReadExt + Unpin), end: &str) -> String {
    let mut answer = String::new();
    while !answer.contains(end) {
        let byte = timeout(PATIENCE, stream.read_u8()).await;
        answer.push(char::from(byte.expect("an answer comes").unwrap()));
    }
    answer
}
