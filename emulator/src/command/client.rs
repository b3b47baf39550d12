//! A client of a running server, for commands that ask one: plain HTTP, one request.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    /// The first line.
    pub(super) status: String,
    /// What follows the headers.
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Whether the server did as it was asked.
    pub(super) fn is_ok(&self) -> bool {
        self.status.starts_with("HTTP/1.1 200 ")
    }
}

/// Host and port of a URL. HTTP and HTTPS share a port, so that HTTP is asked either way.
pub(super) fn authority(url: &str) -> String {
    let (port, rest) = match url.split_once("://") {
        Some(("https", rest)) => (443, rest),
        Some((_, rest)) => (80, rest),
        None => (80, url),
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let after_host = authority.rsplit(']').next().unwrap_or_default();
    if after_host.contains(':') {
        authority.to_owned()
    } else {
        format!("{authority}:{port}")
    }
}

/// Asks for a path; of the answer, `most_bytes` are read.
///
/// # Errors
///
/// One line, where nobody answers.
pub(super) fn get(authority: &str, path: &str, most_bytes: u64) -> Result<Answer, String> {
    let asked = ask(authority, path, most_bytes);
    asked.map_err(|error| format!("cannot ask {authority}: {error}"))
}

fn ask(
    authority: &str,
    path: &str,
    most_bytes: u64,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let address = authority.to_socket_addrs()?.next().ok_or("no such host")?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(most_bytes).read_to_end(&mut answer)?;
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let body = head.map_or_else(Vec::new, |end| answer[end + 4..].to_vec());
    let text = String::from_utf8_lossy(&answer[..head.unwrap_or(answer.len())]);
    Ok(Answer {
        status: text.lines().next().unwrap_or_default().to_owned(),
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_names_host_and_port() {
        for (url, expected) in [
            ("http://127.0.0.1:4566", "127.0.0.1:4566"),
            ("https://localhost/", "localhost:443"),
            ("http://[::1]:9000/x", "[::1]:9000"),
            ("http://[::1]", "[::1]:80"),
            ("s3:4566", "s3:4566"),
        ] {
            assert_eq!(authority(url), expected);
        }
    }
}
