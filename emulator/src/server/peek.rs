//! What speaks on a new connection, told by its first bytes without taking them.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;

/// How long a client may take to say its first bytes.
const DEADLINE: Duration = Duration::from_secs(30);
/// How often it is looked whether more than a first `P` has come.
const PAUSE: Duration = Duration::from_millis(5);
/// The first byte of a TLS handshake record (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 0x16;
/// What HTTP/2 begins with where it was not negotiated (RFC 9113 §3.4).
const H2C_PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    /// TLS, with whatever inside.
    Tls,
    /// HTTP/2 in the clear.
    H2c,
    /// HTTP/1.1, or something that its parser will refuse.
    Http1,
}

/// Waits for the first bytes.
///
/// # Errors
///
/// When the client says nothing in time, or leaves.
pub(super) async fn protocol(stream: &TcpStream) -> io::Result<Protocol> {
    let told = tokio::time::timeout(DEADLINE, look(stream)).await;
    told.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

async fn look(stream: &TcpStream) -> io::Result<Protocol> {
    let mut seen = [0; H2C_PREFACE.len()];
    loop {
        let length = stream.peek(&mut seen).await?;
        let seen = &seen[..length];
        match seen.first() {
            None => return Err(io::ErrorKind::UnexpectedEof.into()),
            Some(&TLS_HANDSHAKE) => return Ok(Protocol::Tls),
            Some(_) if seen == H2C_PREFACE => return Ok(Protocol::H2c),
            Some(_) if !H2C_PREFACE.starts_with(seen) => return Ok(Protocol::Http1),
            Some(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
