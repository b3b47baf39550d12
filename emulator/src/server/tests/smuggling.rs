//! Requests that two readers could part in two ways: each is refused, and nothing behind it is read.

use super::*;
use crate::server::bounds::Pace;

const SMUGGLED: &str = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";

#[tokio::test]
async fn heads_that_can_be_read_in_two_ways_are_refused() {
    let server = Server::start();

    for fields in [
        "Content-Length: +5",
        "Content-Length: -5",
        "Content-Length: 0x5",
        "Content-Length: 5 5",
        "Content-Length: 5, 5",
        "Content-Length: 99999999999999999999999",
        "Content-Length:",
        "Content-Length : 5",
        "Content-Length\t: 5",
        " Content-Length: 5",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: identity, chunked",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: \u{b}chunked",
        "Transfer-Encoding:\r\n chunked",
        "X-Folded: a\r\n Content-Length: 5",
        "X-Folded: a\r\n\tb",
        "X-Nul: a\0b",
        "X-Return: a\rContent-Length: 5",
        "X Blank: a",
        ": nameless",
        "No colon",
        "Host: other",
        "Host: h",
        "host:",
    ] {
        let request =
            format!("PUT /read HTTP/1.1\r\nHost: h\r\n{fields}\r\n\r\n0\r\n\r\n{SMUGGLED}");
        let answer = server.exchange(request.as_bytes()).await;

        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(matches!(status, "400" | "501"), "{fields:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{fields:?}");
        assert!(!answer.contains("smuggled"), "{fields:?}: {answer}");
    }
}

#[tokio::test]
async fn request_lines_that_are_none_are_refused() {
    let server = Server::start();

    for line in [
        "GET /a b HTTP/1.1",
        "GET  /a HTTP/1.1",
        "GET /a",
        "GET /a HTTP/3.0",
        "GET /\0 HTTP/1.1",
        "G\tT / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / HTTP/1.1\rHost: h",
    ] {
        let request = format!("{line}\r\nHost: h\r\n\r\n{SMUGGLED}");
        let answer = server.exchange(request.as_bytes()).await;

        assert!(answer.starts_with("HTTP/1.1 400 "), "{line:?}: {answer}");
        assert!(!answer.contains("smuggled"), "{line:?}: {answer}");
    }
}

#[tokio::test]
async fn chunks_of_http_1_0_are_refused() {
    let server = Server::start();
    let request =
        format!("PUT /read HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{SMUGGLED}");

    let answer = server.exchange(request.as_bytes()).await;

    assert!(answer.contains(" 400 "), "{answer}");
    assert!(!answer.contains("smuggled"), "{answer}");
}

#[tokio::test]
async fn nothing_is_read_behind_a_broken_chunk() {
    // For the one that announces more bytes than anybody will send.
    let body = Pace {
        least_bytes: 1_024,
        within: Duration::from_millis(100),
    };
    let server = Server::with(Bounds {
        body,
        ..Bounds::default()
    });
    let extensions = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(20_000));
    let trailers = format!("0\r\nX-Trailer: {}\r\n\r\n", "x".repeat(20_000));

    for chunks in [
        "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
        "FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5;a\nhello\r\n0\r\n\r\n",
        "5\rhello\r\n0\r\n\r\n",
        "4\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        &extensions,
        &trailers,
    ] {
        let head = "PUT /read HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        let answer = server
            .exchange(format!("{head}{chunks}{SMUGGLED}").as_bytes())
            .await;

        let begin = &chunks[..chunks.len().min(40)];
        assert!(!answer.contains("smuggled"), "{begin:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{begin:?}");
    }
}

#[tokio::test]
async fn an_absolute_target_is_a_path_and_its_host_does_not_count() {
    let server = Server::start();

    let answer = server
        .exchange(b"GET http://other/a?b=c HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await;

    assert!(answer.contains("GET /a?b=c host=h "), "{answer}");
}

/// Source: <https://github.com/versity/versitygw/issues/1530>, where S3 itself was asked; its empty body comes in chunks.
#[tokio::test]
async fn a_request_of_http_1_1_without_a_host_is_refused_in_no_words() {
    let server = Server::start();

    for target in ["/a", "http://h/a"] {
        let request = format!("PUT {target} HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello{SMUGGLED}");
        let answer = server.exchange(request.as_bytes()).await;

        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.contains("server: AmazonS3\r\n"), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert!(!answer.contains("x-amz-"), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
}

/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>, where the path names the bucket of a
/// request whose host is omitted; RFC 9112 §3.2.
#[tokio::test]
async fn a_host_may_be_empty_and_in_http_1_0_be_missing() {
    let server = Server::start();

    for head in [
        "GET /a HTTP/1.0",
        "GET /a HTTP/1.1\r\nConnection: close\r\nHost:",
    ] {
        let answer = server.exchange(format!("{head}\r\n\r\n").as_bytes()).await;

        assert!(answer.contains(" 200 OK\r\n"), "{answer}");
        assert!(answer.contains("GET /a? host= "), "{answer}");
    }
}
