//! Many clients for a while: what is answered wrong, what it costs in memory, and whether connections that only stand there
//! slow those that work.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::process::{OPEN_BUCKET, Served};
use crate::{KIB, MIB, Row, row};

const CLIENTS: usize = 256;
const HALF_OPEN: usize = 500;
/// How many keys a client writes over and over.
const KEYS: usize = 4;
/// How long the answers beside half-open connections are measured; shorter than any of these is waited for.
const WINDOW: Duration = Duration::from_secs(4);
/// How connections are left half open: silent, within a head, within a TLS hello.
const BEGINNINGS: [&[u8]; 3] = [
    b"",
    b"GET /bench/key HTTP/1.1\r\nHost:",
    b"\x16\x03\x01\x02\x00",
];

/// The rows of the table.
pub(crate) async fn rows(rows: &mut Vec<Row>, seconds: u64) {
    let server = Served::command(&OPEN_BUCKET);
    mixed(rows, &server, Duration::from_secs(seconds)).await;
    half_open(rows, &server).await;
}

async fn mixed(rows: &mut Vec<Row>, server: &Served, duration: Duration) {
    let idle = server.resident_kib();
    let counts = Arc::new([const { AtomicU64::new(0) }; 2]);
    let begun = Instant::now();
    let clients = (0..CLIENTS).map(|index| {
        let (counts, address) = (Arc::clone(&counts), server.address());
        tokio::spawn(async move {
            let mut client = Client::new(address, index);
            while begun.elapsed() < duration {
                let done = client.round().await;
                counts[usize::from(done.is_err())].fetch_add(1, Ordering::Relaxed);
                if let Err(error) = done {
                    println!("client {index}: {error}");
                    client.stream = None;
                }
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
    let rounds = counts[0].load(Ordering::Relaxed);
    let rate = rounds as f64 * 3.0 / begun.elapsed().as_secs_f64();
    rows.push(row(
        &format!(
            "{CLIENTS} connections of PUT, GET and LIST for {} s",
            duration.as_secs()
        ),
        format!("{} errors", counts[1].load(Ordering::Relaxed)),
        &format!("{} requests, {rate:.0}/s", rounds * 3),
        "no error, every body right",
    ));
    let mebibytes = |kib: u64| kib as f64 / 1_024.0;
    rows.push(row(
        "memory of it",
        format!("{:.1} MiB at most", mebibytes(server.peak_kib())),
        &format!(
            "{:.1} MiB before, {:.1} MiB after",
            mebibytes(idle),
            mebibytes(server.resident_kib())
        ),
        "bounded",
    ));
}

async fn half_open(rows: &mut Vec<Row>, server: &Served) {
    let address = server.address();
    let alone = percentiles(address).await;
    let mut standing = Vec::new();
    for index in 0..HALF_OPEN {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let beginning = BEGINNINGS[index % BEGINNINGS.len()];
        stream.write_all(beginning).await.unwrap();
        standing.push(stream);
    }
    let beside = percentiles(address).await;
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let ratio = |index: usize| micros(beside[index]) / micros(alone[index]);
    rows.push(row(
        &format!("GET 1 KiB beside {HALF_OPEN} half-open connections"),
        format!(
            "p50 {:.0} µs, p99 {:.0} µs",
            micros(beside[0]),
            micros(beside[1])
        ),
        &format!("{:.2} × and {:.2} × alone", ratio(0), ratio(1)),
        "not slowed",
    ));
}

/// The median and the 99th percentile.
async fn percentiles(address: SocketAddr) -> [Duration; 2] {
    let mut client = Client::new(address, CLIENTS);
    let body = vec![7; KIB];
    client.ask("PUT /bench/alone", &body).await.unwrap();
    let (mut times, begun) = (Vec::new(), Instant::now());
    while begun.elapsed() < WINDOW {
        let asked = Instant::now();
        let read = client.ask("GET /bench/alone", b"").await.unwrap();
        times.push(asked.elapsed());
        assert_eq!(read, body);
    }
    times.sort();
    [times[times.len() / 2], times[times.len() * 99 / 100]]
}

struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
    index: usize,
    rounds: usize,
}

impl Client {
    fn new(address: SocketAddr, index: usize) -> Self {
        Self {
            address,
            stream: None,
            index,
            rounds: 0,
        }
    }

    /// Puts an object, reads it, and lists all that this client has put.
    async fn round(&mut self) -> io::Result<()> {
        let (index, round) = (self.index, self.rounds);
        self.rounds += 1;
        let path = format!("/bench/{index}/{}", round % KEYS);
        let body = content(index, round);
        self.ask(&format!("PUT {path}"), &body).await?;
        if self.ask(&format!("GET {path}"), b"").await? != body {
            return Err(io::Error::other(format!("{path} is not what was put")));
        }
        let list = format!("GET /bench?list-type=2&prefix={index}/");
        let listed = self.ask(&list, b"").await?;
        let listed = String::from_utf8_lossy(&listed).matches("<Key>").count();
        if listed != KEYS.min(round + 1) {
            return Err(io::Error::other(format!("{listed} keys are listed")));
        }
        Ok(())
    }

    async fn ask(&mut self, target: &str, body: &[u8]) -> io::Result<Vec<u8>> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        let stream = self.stream.as_mut().unwrap();
        let length = body.len();
        let head =
            format!("{target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(&[head.as_bytes(), body].concat()).await?;
        read_answer(stream).await
    }
}

async fn read_answer(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut answer = Vec::with_capacity(2 * KIB);
    let end = loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    let begun = answer.len();
    answer.resize(end + length, 0);
    stream.read_exact(&mut answer[begun..]).await?;
    if !head.starts_with("http/1.1 200") {
        let text = String::from_utf8_lossy(&answer).into_owned();
        return Err(io::Error::other(text));
    }
    Ok(answer.split_off(end))
}

/// Bytes that no other round has; most are small, and one in sixteen is a large one.
fn content(index: usize, round: usize) -> Vec<u8> {
    let size = match round % 16 {
        0 => MIB,
        small if small.is_multiple_of(4) => 100 * KIB,
        _ => KIB,
    };
    let mark = format!("{index}-{round} ");
    mark.bytes().cycle().take(size).collect()
}
