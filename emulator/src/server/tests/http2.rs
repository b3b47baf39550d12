//! What HTTP/2 lets a peer do before its connection ends.

use tokio::io::AsyncWriteExt;

use super::*;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00";
/// `GET /` with the authority `h`, in indexed headers.
///
/// Source: RFC 7541 appendix A.
const GET: &[u8] = b"\x82\x86\x84\x41\x01h";
/// Types, flags and an error of frames: RFC 9113 §6 and §7.
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GO_AWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ENHANCE_YOUR_CALM: u8 = 0xb;

#[tokio::test]
async fn streams_and_headers_are_bounded_and_the_peer_is_told() {
    let server = Server::start();
    let mut stream = server.connect().await;

    stream.write_all(PREFACE).await.unwrap();
    let (kind, settings) = read_frame(&mut stream).await.unwrap();

    assert_eq!(kind, SETTINGS);
    let told: Vec<_> = settings
        .chunks(6)
        .map(|setting| {
            (
                setting[1],
                u32::from_be_bytes(setting[2..].try_into().unwrap()),
            )
        })
        .collect();
    // MAX_CONCURRENT_STREAMS and MAX_HEADER_LIST_SIZE: RFC 9113 §6.5.2.
    assert!(told.contains(&(3, 100)), "{told:?}");
    assert!(told.contains(&(6, 65_536)), "{told:?}");
}

#[tokio::test]
async fn a_peer_that_takes_back_what_it_asks_for_is_sent_away() {
    let server = Server::start();
    let mut stream = server.connect().await;
    let mut flood = PREFACE.to_vec();
    for id in (1..4_000).step_by(2) {
        flood.extend(frame(HEADERS, END_STREAM | END_HEADERS, id, GET));
        flood.extend(frame(RESET, 0, id, &[0, 0, 0, 8]));
    }

    // The server may have closed before it has all of it.
    stream.write_all(&flood).await.ok();

    assert_eq!(last_words(&mut stream).await, Some(ENHANCE_YOUR_CALM));
}

#[tokio::test]
async fn headers_without_end_are_not_gathered() {
    let server = Server::start();
    let mut stream = server.connect().await;
    // A literal of 16,000 bytes named `x`: RFC 7541 §6.2.2, its length in a prefix of seven bits.
    let literal = [&b"\x00\x01x\x7f\x81\x7c"[..], &[b'v'; 16_000]].concat();
    stream.write_all(PREFACE).await.unwrap();
    stream
        .write_all(&frame(HEADERS, END_STREAM, 1, GET))
        .await
        .unwrap();

    let flood = frame(CONTINUATION, 0, 1, &literal);
    let (mut reading, mut writing) = stream.into_split();
    let flooding = tokio::spawn(async move { while writing.write_all(&flood).await.is_ok() {} });
    while read_frame(&mut reading).await.is_some() {}

    let ended = timeout(PATIENCE, flooding).await;
    assert!(ended.is_ok());
}

#[tokio::test]
async fn headers_above_8_kb_get_the_answer_of_s3_here_too() {
    let server = Server::start();
    let mut stream = server.connect().await;
    let literal = [&b"\x00\x01x\x7f\xa9\x45"[..], &[b'v'; 9_000]].concat();

    let request = frame(
        HEADERS,
        END_STREAM | END_HEADERS,
        1,
        &[GET, &literal].concat(),
    );
    stream
        .write_all(&[PREFACE, &request].concat())
        .await
        .unwrap();
    let mut body = Vec::new();
    while !body.ends_with(b"</Error>") {
        let (kind, payload) = read_frame(&mut stream).await.unwrap();
        if kind == 0 {
            body.extend(payload);
        }
    }

    let body = String::from_utf8(body).unwrap();
    assert!(body.contains("RequestHeaderSectionTooLarge"), "{body}");
}

#[tokio::test]
async fn a_peer_whose_window_stays_shut_is_given_up_though_it_answers_pings() {
    const SHORT: Duration = Duration::from_millis(200);
    let server = Server::with(Bounds {
        unread: SHORT,
        ping: SHORT / 4,
        ..Bounds::default()
    });
    let (mut reading, mut writing) = server.connect().await.into_split();
    // INITIAL_WINDOW_SIZE is 0, and the path is `/endless`: RFC 9113 §6.5.2, RFC 7541 §6.2.2.
    let shut = frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]);
    let asked = b"\x82\x86\x04\x08/endless\x41\x01h";
    let asked = frame(HEADERS, END_STREAM | END_HEADERS, 1, asked);
    let begun = [&PREFACE[..24], &shut, &asked].concat();
    writing.write_all(&begun).await.unwrap();

    let mut pings = 0;
    while let Some((kind, payload)) = read_frame(&mut reading).await {
        if kind == PING {
            pings += 1;
            // Ping's own flag ACK has the value of END_STREAM.
            let pong = frame(PING, END_STREAM, 0, &payload);
            writing.write_all(&pong).await.ok();
        }
    }

    assert!(pings > 0);
    let given_up = timeout(PATIENCE, server.service.go_on.notified()).await;
    assert!(given_up.is_ok());
}

#[tokio::test]
async fn an_idle_connection_is_closed_though_its_peer_answers_nothing() {
    const SHORT: Duration = Duration::from_millis(100);
    let server = Server::with(Bounds {
        head: SHORT,
        unread: SHORT,
        ..Bounds::default()
    });
    let mut stream = server.connect().await;

    stream.write_all(PREFACE).await.unwrap();

    // With no error: it is only over.
    assert_eq!(last_words(&mut stream).await, Some(0));
}

fn frame(kind: u8, flags: u8, id: u32, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&size[1..], &[kind, flags], &id.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// Its type and payload; `None` once the server has closed.
async fn read_frame(stream: &mut (impl AsyncReadExt + Unpin)) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 9];
    let read = timeout(PATIENCE, stream.read_exact(&mut head)).await;
    read.expect("a frame comes, or the end").ok()?;
    let size = usize::from(head[1]) * 256 + usize::from(head[2]);
    let mut payload = vec![0; size];
    stream.read_exact(&mut payload).await.ok()?;
    Some((head[3], payload))
}

/// The error that the server closes with.
async fn last_words(stream: &mut TcpStream) -> Option<u8> {
    let mut told = None;
    while let Some((kind, payload)) = read_frame(stream).await {
        if kind == GO_AWAY {
            told = payload.get(7).copied();
        }
    }
    told
}
