//! `healthcheck`: for images that have no curl.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use strongroom::reachable;

use crate::command::Done;

const PATIENCE: Duration = Duration::from_secs(5);

/// Asks the server at `endpoint`, or the one that `listen` describes, whether it is ready.
pub(crate) fn run(listen: SocketAddr, endpoint: Option<&str>) -> Done {
    let authority = match endpoint {
        Some(url) => authority(url),
        None => reachable(listen).to_string(),
    };
    let status = ask(&authority).map_err(|error| format!("cannot ask {authority}: {error}"))?;
    if status.starts_with("HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(format!("{authority} is not ready: `{status}`").into())
    }
}

/// Host and port of a URL. HTTP and HTTPS share a port, so that HTTP is asked either way.
fn authority(url: &str) -> String {
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

/// The status line of the answer.
fn ask(authority: &str) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let address = authority.to_socket_addrs()?.next().ok_or("no such host")?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /_emulator/health HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(64 * 1_024).read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer);
    Ok(text.lines().next().unwrap_or_default().to_owned())
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
