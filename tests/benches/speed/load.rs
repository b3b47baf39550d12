//! The load: plain HTTP/1.1 over kept connections, written and read by hand, so that the client costs little.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{KIB, MIB};

/// How long a rate is measured.
const WINDOW: Duration = Duration::from_secs(2);
/// What is sent of a large body at once.
const PIECE: usize = 256 * KIB;

/// One client.
pub(crate) struct Load {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

impl Load {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
        }
    }

    /// Puts a body of `size` bytes.
    pub(crate) async fn put(&mut self, key: &str, size: usize) {
        self.put_with(key, size, "").await;
    }

    /// The same, with further headers, each with its line end.
    async fn put_with(&mut self, key: &str, size: usize, headers: &str) {
        let head = format!(
            "PUT /bench/{key} HTTP/1.1\r\nHost: {}\r\nContent-Length: {size}\r\n{headers}\r\n",
            self.address
        );
        let piece = vec![7; size.min(PIECE)];
        let stream = self.stream().await;
        if size <= KIB {
            stream
                .write_all(&[head.as_bytes(), &piece].concat())
                .await
                .unwrap();
        } else {
            stream.write_all(head.as_bytes()).await.unwrap();
            let mut left = size;
            while left > 0 {
                let length = left.min(piece.len());
                stream.write_all(&piece[..length]).await.unwrap();
                left -= length;
            }
        }
        self.read_answer(false, None).await;
    }

    /// Calls an operation of KMS; gives the body of the answer.
    pub(crate) async fn call(&mut self, operation: &str, body: &str) -> Vec<u8> {
        let request = format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: TrentService.{operation}\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        let stream = self.stream().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        self.read_answer(false, Some(&mut answer)).await;
        answer
    }

    /// Asks for what has no body; gives the length of the answer's.
    pub(crate) async fn ask(&mut self, target: &str) -> usize {
        let request = format!("{target} HTTP/1.1\r\nHost: {}\r\n\r\n", self.address);
        let is_head = target.starts_with("HEAD");
        self.stream()
            .await
            .write_all(request.as_bytes())
            .await
            .unwrap();
        self.read_answer(is_head, None).await
    }

    async fn stream(&mut self) -> &mut TcpStream {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            self.stream = Some(stream);
        }
        self.stream.as_mut().unwrap()
    }

    /// Reads an answer to its end, and keeps its body where there is a place for it.
    async fn read_answer(&mut self, is_head: bool, mut body: Option<&mut Vec<u8>>) -> usize {
        let stream = self.stream.as_mut().unwrap();
        let mut buffer = vec![0; PIECE];
        let mut filled = 0;
        let end = loop {
            filled += stream.read(&mut buffer[filled..]).await.unwrap();
            if let Some(end) = buffer[..filled]
                .windows(4)
                .position(|four| four == b"\r\n\r\n")
            {
                break end + 4;
            }
            assert!(filled > 0, "the server answers");
        };
        let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 20"), "{head}");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().unwrap());
        if let Some(body) = &mut body {
            body.extend_from_slice(&buffer[end..filled]);
        }
        let mut left = if is_head { 0 } else { length - (filled - end) };
        while left > 0 {
            let room = left.min(buffer.len());
            let read = stream.read(&mut buffer[..room]).await.unwrap();
            assert!(read > 0, "the body is whole");
            if let Some(body) = &mut body {
                body.extend_from_slice(&buffer[..read]);
            }
            left -= read;
        }
        length
    }
}

/// PUTs a second of objects of 1 KiB, with further headers, each with its line end.
pub(crate) async fn put_rate(
    address: SocketAddr,
    connections: usize,
    headers: &'static str,
) -> f64 {
    rate_with(address, "PUT", connections, headers).await
}

/// Requests a second for objects of 1 KiB.
pub(crate) async fn rate(address: SocketAddr, kind: &'static str, connections: usize) -> f64 {
    rate_with(address, kind, connections, "").await
}

async fn rate_with(
    address: SocketAddr,
    kind: &'static str,
    connections: usize,
    headers: &'static str,
) -> f64 {
    let begun = Instant::now();
    let clients = (0..connections).map(|client| {
        tokio::spawn(async move {
            let mut load = Load::new(address);
            let key = format!("small-{client}");
            load.put(&key, KIB).await;
            let mut count = 0_u32;
            while begun.elapsed() < WINDOW {
                match kind {
                    "PUT" => load.put_with(&key, KIB, headers).await,
                    _ => drop(load.ask(&format!("{kind} /bench/{key}")).await),
                }
                count += 1;
            }
            count
        })
    });
    let mut total = 0;
    for client in clients.collect::<Vec<_>>() {
        total += client.await.unwrap();
    }
    f64::from(total) / begun.elapsed().as_secs_f64()
}

/// GB/s of one client with objects of a size. Uploads carry a SHA-256 that the server has to check.
pub(crate) async fn throughput(address: SocketAddr, kind: &str, size: usize) -> f64 {
    let checksum = format!("x-amz-checksum-sha256: {}\r\n", sha256_of_sevens(size));
    let mut load = Load::new(address);
    load.put_with("large", size, &checksum).await;
    let rounds = (256 * MIB / size).clamp(3, 64);
    let begun = Instant::now();
    for _ in 0..rounds {
        match kind {
            "PUT" => load.put_with("large", size, &checksum).await,
            _ => drop(load.ask("GET /bench/large").await),
        }
    }
    (size * rounds) as f64 / begun.elapsed().as_secs_f64() / 1e9
}

/// GB/s of one client that puts a body of a size three times, with further headers and a SHA-256 to check.
pub(crate) async fn put_throughput(address: SocketAddr, size: usize, headers: &str) -> f64 {
    let checksum = sha256_of_sevens(size);
    let headers = format!("x-amz-checksum-sha256: {checksum}\r\n{headers}");
    let mut load = Load::new(address);
    let rounds = 3;
    let begun = Instant::now();
    for _ in 0..rounds {
        load.put_with("large", size, &headers).await;
    }
    (size * rounds) as f64 / begun.elapsed().as_secs_f64() / 1e9
}

fn sha256_of_sevens(size: usize) -> String {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(vec![7_u8; size]);
    STANDARD.encode(digest)
}

/// The 99th percentile of a GET of 1 KiB, alone and beside 16 clients that PUT 64 MiB.
pub(crate) async fn neighbour(address: SocketAddr) -> (Duration, Duration) {
    let calm = percentile_99(address).await;
    let uploads: Vec<_> = (0..16)
        .map(|client| {
            tokio::spawn(async move {
                let mut load = Load::new(address);
                loop {
                    load.put(&format!("busy-{client}"), 64 * MIB).await;
                }
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let busy = percentile_99(address).await;
    uploads.iter().for_each(tokio::task::JoinHandle::abort);
    (calm, busy)
}

async fn percentile_99(address: SocketAddr) -> Duration {
    let mut load = Load::new(address);
    load.put("neighbour", KIB).await;
    let mut times = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < WINDOW * 2 {
        let asked = Instant::now();
        load.ask("GET /bench/neighbour").await;
        times.push(asked.elapsed());
    }
    times.sort();
    times[times.len() * 99 / 100]
}

/// Puts so many small objects.
pub(crate) async fn fill(address: SocketAddr, count: usize) {
    let clients = (0..16).map(|client| {
        tokio::spawn(async move {
            let mut load = Load::new(address);
            for index in (client..count).step_by(16) {
                load.put(&format!("key-{index:08}"), 16).await;
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.unwrap();
    }
}

/// The median time of a page of 1,000 keys from the middle of the bucket.
pub(crate) async fn list_time(address: SocketAddr) -> Duration {
    let mut load = Load::new(address);
    let mut times = Vec::new();
    for _ in 0..31 {
        let asked = Instant::now();
        load.ask("GET /bench?list-type=2&max-keys=1000").await;
        times.push(asked.elapsed());
    }
    times.sort();
    times[times.len() / 2]
}
