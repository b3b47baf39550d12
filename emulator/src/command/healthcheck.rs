//! `strongroom healthcheck`: for images that have no curl.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::command::arguments::Settings;

const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the server of `--listen`.
///
/// # Errors
///
/// One line, where nobody answers or the answer is not 200.
pub(crate) fn run(settings: &Settings) -> Result<(), String> {
    let address = settings.client_address();
    let status = ask(&address).map_err(|error| format!("cannot reach {address}: {error}"))?;
    if status.starts_with("HTTP/1.1 200 ") {
        Ok(())
    } else {
        Err(format!("{address} answers `{status}`"))
    }
}

/// The status line of the answer.
fn ask(address: &str) -> std::io::Result<String> {
    let target = address
        .to_socket_addrs()?
        .next()
        .ok_or(std::io::ErrorKind::AddrNotAvailable)?;
    let mut stream = TcpStream::connect_timeout(&target, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(
        format!("GET /_emulator/health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
            .as_bytes(),
    )?;
    let mut answer = String::new();
    stream.take(65_536).read_to_string(&mut answer)?;
    Ok(answer.lines().next().unwrap_or_default().to_owned())
}
