//! What is refused before any service sees it, and how long the server waits.

use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use super::*;
use crate::server::bounds::Pace;

const SHORT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn two_hundred_headers_are_taken() {
    let server = Server::start();
    let headers = "X-Probe: 1\r\n".repeat(200);
    let request = format!("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n");

    let answer = server.exchange(request.as_bytes()).await;

    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[tokio::test]
async fn headers_above_8_kb_get_the_answer_of_s3() {
    let server = Server::start();
    let value = "v".repeat(8_192);
    let request = format!("GET / HTTP/1.1\r\nHost: h\r\nX-Probe: {value}\r\n\r\n");

    let answer = server.exchange(request.as_bytes()).await;

    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(
        answer.contains("<Code>RequestHeaderSectionTooLarge</Code>"),
        "{answer}"
    );
    assert!(
        answer.contains("<MaxSizeAllowed>8192</MaxSizeAllowed>"),
        "{answer}"
    );
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn more_headers_than_hyper_holds_end_the_connection() {
    let server = Server::start();
    let headers = "X-Probe: 1\r\n".repeat(300);
    let request = format!("GET / HTTP/1.1\r\nHost: h\r\n{headers}\r\n");

    let answer = server.exchange(request.as_bytes()).await;

    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn whatever_ends_a_body_twice_nothing_behind_it_is_read() {
    let server = Server::start();
    let smuggled = "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

    for fields in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 6",
    ] {
        let request = format!("PUT /echo HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n{smuggled}");
        let answer = server.exchange(request.as_bytes()).await;

        assert_eq!(
            answer.contains("200 OK"),
            fields.contains("chunked"),
            "{fields}: {answer}"
        );
        assert!(!answer.contains("smuggled"), "{fields}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{fields}: {answer}");
    }
}

#[tokio::test]
async fn an_ambiguous_request_is_told_why() {
    let server = Server::start();

    let answer = server
        .exchange(
            b"PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        )
        .await;

    assert!(answer.contains("<Code>BadRequest</Code>"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn silence_closes_whatever_came_before_it() {
    let server = Server::with(Bounds {
        first_bytes: SHORT,
        handshake: SHORT,
        head: SHORT,
        ping: SHORT,
        ..Bounds::default()
    });

    for bytes in [
        &b""[..],
        b"PR",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        b"PRI * HTTP/2.0\r\n",
        b"\x16\x03\x01",
        b"GET / HTTP/1.1\r\nHost:",
    ] {
        let begun = Instant::now();
        let mut stream = server.connect().await;
        stream.write_all(bytes).await.unwrap();
        let closed = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;

        assert!(closed.is_ok(), "{bytes:?}");
        assert!(begun.elapsed() >= SHORT, "{bytes:?}");
    }
}

#[tokio::test]
async fn a_body_that_stops_coming_is_idle() {
    let server = Server::with(Bounds {
        body: Pace {
            least_bytes: 1,
            within: SHORT,
        },
        ..Bounds::default()
    });

    let answer = server
        .exchange(b"PUT /read HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")
        .await;

    assert!(answer.ends_with("idle"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_head_that_drips_meets_the_deadline_of_the_whole() {
    let server = Server::with(Bounds {
        head: SHORT,
        ..Bounds::default()
    });
    let (mut reading, mut writing) = server.connect().await.into_split();
    writing.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();

    let dripping = async {
        while writing.write_all(b"x").await.is_ok() {
            tokio::time::sleep(SHORT / 20).await;
        }
    };
    let mut answer = Vec::new();
    let ended = tokio::select! {
        ended = timeout(PATIENCE, reading.read_to_end(&mut answer)) => ended.is_ok(),
        () = dripping => true,
    };

    assert!(ended);
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let server = Server::with(Bounds {
        unread: SHORT,
        ..Bounds::default()
    });
    let mut stream = server.connect().await;

    stream
        .write_all(b"GET /endless HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();

    // The service's body is dropped with the connection, though nothing was read.
    let given_up = timeout(PATIENCE, server.service.go_on.notified()).await;
    assert!(given_up.is_ok());
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_for_their_turn() {
    let server = Server::with(Bounds {
        connections: 2,
        ..Bounds::default()
    });

    let request = b"GET /meet HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let answers = futures_util::future::join_all((0..16).map(|_| server.exchange(request))).await;

    assert!(answers.iter().all(|answer| answer.ends_with("met")));
    assert!(server.service.met[1].load(Ordering::SeqCst) <= 2);
}
