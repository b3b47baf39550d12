//! What a connection is about to speak, told by its first bytes.

use bytes::Bytes;
use tokio::io::{self, AsyncRead, AsyncReadExt};

/// How HTTP/2 begins where no TLS agreed on it.
///
/// Source: RFC 9113 §3.4.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The first byte of a TLS record that carries a handshake.
///
/// Source: RFC 8446 §5.1.
const TLS_HANDSHAKE: u8 = 0x16;

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    /// TLS, and something within.
    Tls,
    /// HTTP/2 without TLS.
    Http2,
    /// HTTP/1.1, or nothing that we know: hyper answers that.
    Http1,
}

/// Reads until it is clear: one byte is enough for most, two or three where the first is the `P` of `PUT`, `POST`, `PATCH`
/// and `PRI`; of HTTP/2 the whole preface, so that silence behind a `PRI` meets the caller's deadline here.
///
/// # Errors
///
/// When the connection ends before it is clear.
pub(crate) async fn spoken(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(Spoken, Bytes)> {
    let mut seen = [0; PREFACE.len()];
    let mut count = 0;
    loop {
        let more = stream.read(&mut seen[count..]).await?;
        if more == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        count += more;
        if let Some(spoken) = tell(&seen[..count]) {
            return Ok((spoken, Bytes::copy_from_slice(&seen[..count])));
        }
    }
}

/// `None` while it may be either.
fn tell(seen: &[u8]) -> Option<Spoken> {
    match seen {
        [TLS_HANDSHAKE, ..] => Some(Spoken::Tls),
        _ if seen == PREFACE => Some(Spoken::Http2),
        _ if PREFACE.starts_with(seen) => None,
        _ => Some(Spoken::Http1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_bytes_tell() {
        for (bytes, expected) in [
            (&b"\x16\x03\x01"[..], Spoken::Tls),
            (b"GET / HTTP/1.1\r\n", Spoken::Http1),
            (b"PUT / HTTP/1.1\r\n", Spoken::Http1),
            (b"PROPFIND / HTTP/1.1\r\n", Spoken::Http1),
            (b"PRINT / HTTP/1.1\r\nHost: x\r\n", Spoken::Http1),
            (PREFACE, Spoken::Http2),
        ] {
            let (spoken, seen) = spoken(&mut &bytes[..]).await.unwrap();

            assert_eq!(spoken, expected);
            assert!(bytes.starts_with(&seen));
        }
    }

    #[tokio::test]
    async fn one_byte_at_a_time_tells_the_same() {
        let (mut near, far) = io::duplex(1);
        let writer = tokio::spawn(async move { io::copy(&mut &PREFACE[..], &mut { far }).await });

        let (spoken, seen) = spoken(&mut near).await.unwrap();

        assert_eq!((spoken, &seen[..]), (Spoken::Http2, &PREFACE[..]));
        writer.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn an_end_within_the_preface_is_an_error() {
        let ended = spoken(&mut &b"PRI * HT"[..]).await;

        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }
}
