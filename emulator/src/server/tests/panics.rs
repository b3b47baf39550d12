//! A fault of ours costs one answer, and no more.

use tokio::io::AsyncWriteExt;

use super::*;

const LAST: &[u8] = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn a_panic_is_answered_as_a_failure_of_s3() {
    let server = Server::start();

    for path in ["/panic", "/panic-at-once"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        let answer = server.exchange(request.as_bytes()).await;

        assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
        assert!(answer.contains("<Code>InternalError</Code>"), "{answer}");
        assert!(answer.contains("<RequestId>"), "{answer}");
        assert!(answer.contains("x-amz-request-id: "), "{answer}");
        assert!(!answer.contains("a fault of ours"), "{answer}");
    }
    assert_eq!(server.panics.count(), 2);
}

#[tokio::test]
async fn a_panic_in_a_call_of_kms_is_answered_as_a_failure_of_kms() {
    let server = Server::start();

    let answer = server
        .exchange(
            b"POST /panic HTTP/1.1\r\nHost: h\r\nX-Amz-Target: TrentService.Encrypt\r\nConnection: close\r\n\r\n",
        )
        .await;

    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(
        answer.contains("{\"__type\":\"KMSInternalException\""),
        "{answer}"
    );
    assert!(answer.contains("x-amzn-requestid: "), "{answer}");
}

#[tokio::test]
async fn a_panic_leaves_its_connection_to_the_next_request() {
    let server = Server::start();

    let answer = server
        .exchange(&[&b"GET /panic HTTP/1.1\r\nHost: h\r\n\r\n"[..], LAST].concat())
        .await;

    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(answer.contains("GET /last?"), "{answer}");
}

#[tokio::test]
async fn a_client_that_is_still_sending_sees_the_answer_to_a_panic() {
    let server = Server::start();
    let size = 4 * 1_024 * 1_024;
    let head = format!("PUT /panic HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n");

    let answer = server
        .exchange(&[head.as_bytes(), &vec![b'x'; size]].concat())
        .await;

    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
}

#[tokio::test]
async fn a_panic_within_a_body_cuts_its_connection_and_no_other() {
    let server = Server::start();
    let mut neighbour = server.connect().await;
    neighbour
        .write_all(b"GET /first HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut neighbour, "GET /first").await;

    let cut = server
        .exchange(b"GET /panic-late HTTP/1.1\r\nHost: h\r\n\r\n")
        .await;
    neighbour.write_all(LAST).await.unwrap();
    let answer = read_to_end(&mut neighbour).await;

    assert!(!cut.ends_with("0\r\n\r\n"), "{cut}");
    assert!(answer.contains("GET /last?"), "{answer}");
    assert_eq!(server.panics.count(), 1);
}
