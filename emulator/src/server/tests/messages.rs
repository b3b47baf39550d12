//! What is said on one side is heard on the other.

use tokio::io::AsyncWriteExt;

use super::*;

#[tokio::test]
async fn paths_and_queries_arrive_as_they_were_sent() {
    let server = Server::start();

    for (target, seen) in [
        ("/b//k?x=%2F+&y", "/b//k?x=/ &y="),
        ("/b/./../%2e%2e/k?", "/b/./../%2e%2e/k?"),
        ("/b/a%2Fb%0A%ff%zz?prefix=%7E", "/b/a%2Fb%0A%ff%zz?prefix=~"),
        ("/?list-type=2&a&a=", "/?list-type=2&a=&a="),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
        let answer = server.exchange(request.as_bytes()).await;

        assert!(answer.contains(&format!("GET {seen} ")), "{answer}");
    }
}

#[tokio::test]
async fn headers_arrive_with_duplicates_and_any_bytes() {
    let server = Server::start();

    let answer = server
        .exchange(b"GET / HTTP/1.1\r\nHost: h:1\r\nX-Probe: a\r\nx-probe: \xc3\xa4\xff\r\nConnection: close\r\n\r\n")
        .await;

    assert!(
        answer.contains(r"host=h:1 probe=[a,\xc3\xa4\xff] tls=false body=Some(0)"),
        "{answer}"
    );
}

#[tokio::test]
async fn unknown_methods_reach_the_service() {
    let server = Server::start();

    let answer = server
        .exchange(b"BREW / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await;

    assert!(answer.contains("BREW /?"), "{answer}");
}

#[tokio::test]
async fn a_body_streams_both_ways_at_once() {
    let server = Server::start();
    let mut stream = server.connect().await;

    stream
        .write_all(b"PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\nConnection: close\r\n\r\nfirst")
        .await
        .unwrap();
    let begun = read_until(&mut stream, "first").await;
    stream.write_all(b"later").await.unwrap();
    let ended = read_to_end(&mut stream).await;

    assert!(begun.contains("content-length: 10\r\n"), "{begun}");
    assert_eq!(ended, "later");
}

#[tokio::test]
async fn a_body_of_unknown_length_goes_out_in_chunks() {
    let server = Server::start();

    let answer = server
        .exchange(b"GET /pieces HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await;

    assert!(
        answer.contains("transfer-encoding: chunked\r\n"),
        "{answer}"
    );
    assert!(
        answer.ends_with("3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_chunked_body_is_read_to_its_end() {
    let server = Server::start();

    let answer = server
        .exchange(b"PUT /read HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        .await;

    assert!(answer.ends_with("read 5"), "{answer}");
}

#[tokio::test]
async fn a_connection_carries_many_requests() {
    let server = Server::start();
    let put = b"PUT /read HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
    let get = b"GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

    let answer = server.exchange(&[&put[..], put, get].concat()).await;

    assert_eq!(answer.matches("read 3").count(), 2, "{answer}");
    assert!(answer.contains("GET /last?"), "{answer}");
}

#[tokio::test]
async fn dates_come_from_the_clock() {
    let server = Server::start();

    let answer = server
        .exchange(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        .await;

    assert!(
        answer.contains("date: Sun, 09 Sep 2001 01:46:40 GMT\r\n"),
        "{answer}"
    );
    assert_eq!(answer.matches("date:").count(), 1);
}

#[tokio::test]
async fn a_broken_body_is_told_to_the_service() {
    let server = Server::start();

    let answer = server
        .exchange(b"PUT /read HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n")
        .await;

    assert!(answer.contains("the body ended early"), "{answer}");
}

#[tokio::test]
async fn an_answer_that_fails_midway_never_looks_whole() {
    let server = Server::start();

    let answer = server
        .exchange(b"GET /fail HTTP/1.1\r\nHost: h\r\n\r\n")
        .await;

    assert!(!answer.contains("0\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn a_compressed_transfer_is_refused_as_aws_does() {
    let server = Server::start();
    let statuses = [
        ("gzip", "HTTP/1.1 501 "),
        ("br", "HTTP/1.1 400 "),
        ("unknown", "HTTP/1.1 400 "),
    ];

    for (coding, status) in statuses {
        let head = format!(
            "PUT /read HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: {coding}\r\nContent-Length: 3\r\n\r\nabc"
        );
        let answer = server.exchange(head.as_bytes()).await;

        assert!(answer.starts_with(status), "{coding}: {answer}");
        assert!(answer.ends_with("content-length: 0\r\n\r\n"), "{answer}");
    }
}
