//! What comes over the wire before any service: chunks, heads with signatures, whole connections.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::sync::watch;

use crate::fuzzing::bodies::first_line;
use crate::fuzzing::house::{BUCKET, request, with_header, within};
use crate::server::connection::{Shared, Signal, http1};
use crate::server::framing::{Framing, Head};
use crate::wire::aws_chunked::{ChunkError, ChunkParser, Piece};
use crate::wire::request::Connection;

/// What lies in a pipe at a time.
const PIPE_BYTES: usize = 65_536;

/// Chunks tell the same however they are cut; then they are put as an object.
pub(super) fn aws_chunked(bytes: &[u8]) {
    let Some((&first, body)) = bytes.split_first() else {
        return;
    };
    let (has_trailer, cut) = (first & 1 == 1, usize::from(first >> 1) + 1);
    let whole = read_chunks(&[body], has_trailer);
    let pieces: Vec<_> = body.chunks(cut).collect();
    assert_eq!(read_chunks(&pieces, has_trailer), whole);

    let length = whole.map_or(5, |(data, _)| data.len()).to_string();
    let signing = if has_trailer {
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    } else {
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    };
    let put = request(Method::PUT, &format!("/{BUCKET}/chunks"), "", body.to_vec());
    let put = with_header(put, "x-amz-content-sha256", signing);
    let put = with_header(put, "x-amz-decoded-content-length", &length);
    let put = with_header(put, "x-amz-trailer", "x-amz-checksum-crc32");
    within(|house| house.ask(&house.open, put));
}

type Told = (Vec<u8>, Vec<(String, String)>);

fn read_chunks(pieces: &[&[u8]], has_trailer: bool) -> Result<Told, ChunkError> {
    let mut parser = ChunkParser::new(has_trailer);
    let (mut data, mut trailers) = (Vec::new(), Vec::new());
    for piece in pieces {
        parser.push(piece, |piece| {
            match piece {
                Piece::Data(bytes) => data.extend_from_slice(bytes),
                Piece::Trailer { name, value } => trailers.push((name, value)),
                Piece::Head { .. } | Piece::End => {}
            }
            Ok::<(), ChunkError>(())
        })?;
    }
    parser.finish().map(|()| (data, trailers))
}

/// `METHOD TARGET`, lines of headers, an empty line, the body: whatever of it HTTP can carry.
pub(super) fn signature(bytes: &[u8]) {
    let (line, mut rest) = first_line(bytes);
    let (method, target) = line.split_once(' ').unwrap_or((&line, "/"));
    let (Ok(method), Ok(uri)) = (
        Method::from_bytes(method.as_bytes()),
        Uri::try_from(target.trim_end()),
    ) else {
        return;
    };
    let mut headers = Vec::new();
    loop {
        let (line, behind) = first_line(rest);
        rest = behind;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value.trim())) {
            headers.push((name, value));
        }
    }
    let query = uri.query().unwrap_or_default();
    let mut request = request(method, uri.path(), query, rest.to_vec());
    for (name, value) in headers {
        request.headers.append(name, value);
    }
    within(|house| house.ask(&house.strict, request));
}

/// Framing finds the same heads however the bytes are cut; a server answers them, and ends with its client.
pub(super) fn connection(bytes: &[u8]) {
    let whole = heads(&[bytes]);
    let cut = usize::from(bytes.first().copied().unwrap_or_default() % 7) + 1;
    assert_eq!(heads(&bytes.chunks(cut).collect::<Vec<_>>()), whole);

    within(|house| {
        let (_stop, stopping) = watch::channel(false);
        let (_crowd, crowded) = watch::channel(false);
        let shared = Shared {
            front: Arc::clone(&house.open),
            tls: Arc::clone(&house.tls),
            stopping: Signal(stopping),
            crowded: Signal(crowded),
        };
        let (near, far) = duplex(PIPE_BYTES);
        let (mut reading, mut writing) = tokio::io::split(near);
        let talk = async {
            let sending = async {
                // The server may have hung up before.
                writing.write_all(bytes).await.ok();
                writing.shutdown().await.ok();
            };
            let mut answer = Vec::new();
            let receiving = reading.read_to_end(&mut answer);
            let serving = http1(far, Connection::default(), shared);
            let ((), received, ()) = tokio::join!(sending, receiving, serving);
            received.expect("a pipe can be read");
            Bytes::from(answer)
        };
        let answer = house.wait(talk);

        assert!(
            answer.is_empty() || answer.starts_with(b"HTTP/1."),
            "{answer:?}"
        );
        assert_eq!(house.open.panics.count(), 0);
    });
}

fn heads(pieces: &[&[u8]]) -> Vec<Head> {
    let mut framing = Framing::default();
    for piece in pieces {
        framing.feed(piece);
    }
    std::iter::from_fn(|| framing.next_head()).collect()
}
