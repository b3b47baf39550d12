//! A client of a running server, for commands that ask one: plain HTTP, one request.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
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
    asked.map_err(|error| {
        format!(
            "cannot ask {authority}: {error}; is a server there? --listen or --endpoint says where"
        )
    })
}

fn ask(authority: &str, path: &str, most_bytes: u64) -> io::Result<Answer> {
    let mut stream = connect(authority.to_socket_addrs()?)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
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

/// By the first of its addresses at which somebody listens: `localhost` may be `::1` first.
fn connect(addresses: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "no such host");
    for address in addresses {
        match TcpStream::connect_timeout(&address, PATIENCE) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

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

    #[test]
    fn the_first_address_that_listens_is_asked() {
        let closed = TcpListener::bind("127.0.0.1:0").unwrap();
        let gone = closed.local_addr().unwrap();
        drop(closed);
        let open = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = open.local_addr().unwrap();

        let connected = connect([gone, here].into_iter()).unwrap();

        assert_eq!(connected.peer_addr().unwrap(), here);
        assert!(connect([gone].into_iter()).is_err());
        assert!(connect([].into_iter()).is_err());
    }
}
