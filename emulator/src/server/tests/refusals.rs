//! A client sees why it was refused, whatever it was doing at the time.

use tokio::io::AsyncWriteExt;

use super::*;

const BODY_BYTES: usize = 8 * 1_024 * 1_024;

#[tokio::test]
async fn a_client_that_sends_all_before_it_reads_sees_the_refusal() {
    let server = Server::start();
    let body = vec![b'x'; BODY_BYTES];

    for path in ["/refuse", "/begin"] {
        for _ in 0..20 {
            let mut stream = server.connect().await;
            let head =
                format!("PUT {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {BODY_BYTES}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&body).await.unwrap();
            let answer = read_to_end(&mut stream).await;

            assert!(answer.starts_with("HTTP/1.1 403 "), "{path}: {answer}");
            assert!(answer.ends_with("refused"), "{path}: {answer}");
            assert!(answer.contains("connection: close\r\n"), "{path}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_client_that_waits_is_refused_before_the_100() {
    let server = Server::start();

    let answer = server
        .exchange(
            b"PUT /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
        )
        .await;

    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

#[tokio::test]
async fn a_client_that_waits_is_told_to_go_on_once_its_body_is_wanted() {
    let server = Server::start();
    let mut stream = server.connect().await;

    stream
        .write_all(b"PUT /read HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let leave = read_until(&mut stream, "\r\n\r\n").await;
    stream.write_all(b"hello").await.unwrap();
    let answer = read_to_end(&mut stream).await;

    assert_eq!(leave, "HTTP/1.1 100 Continue\r\n\r\n");
    assert!(answer.ends_with("read 5"), "{answer}");
}

/// Source: `_handle_expect_response` of botocore 1.43.11's `awsrequest.py`, which stays with the status of an answer that
/// came instead of the 100 until its connection is closed.
#[tokio::test]
async fn a_client_that_waits_with_nothing_to_send_gets_its_answer_and_no_further_one() {
    let server = Server::start();

    let answer = server
        .exchange(
            b"PUT /read HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n",
        )
        .await;

    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    assert!(answer.ends_with("read 0"), "{answer}");
}

#[tokio::test]
async fn a_body_without_end_is_not_read_for_ever() {
    let server = Server::with(Bounds {
        drain_bytes: 1_024,
        ..Bounds::default()
    });
    let mut stream = server.connect().await;

    stream
        .write_all(b"PUT /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n")
        .await
        .unwrap();
    stream.write_all(&[b'x'; 4_096]).await.unwrap();
    let begun = read_until(&mut stream, "\r\n\r\n").await;

    assert!(begun.starts_with("HTTP/1.1 403 "), "{begun}");
}

#[tokio::test]
async fn a_body_that_never_comes_is_not_waited_for() {
    let server = Server::with(Bounds {
        drain: Duration::from_millis(50),
        ..Bounds::default()
    });

    let answer = server
        .exchange(b"PUT /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n")
        .await;

    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

#[tokio::test]
async fn a_refusal_without_a_body_keeps_the_connection() {
    let server = Server::start();
    let refused = b"GET /refuse HTTP/1.1\r\nHost: h\r\n\r\n";
    let last = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

    let answer = server.exchange(&[&refused[..], last].concat()).await;

    assert!(answer.contains("refused"), "{answer}");
    assert!(answer.contains("GET /last?"), "{answer}");
}
