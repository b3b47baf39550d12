//! A server that stops finishes what it has begun.

use tokio::io::AsyncWriteExt;

use super::*;

#[tokio::test]
async fn a_request_in_flight_is_finished() {
    let server = Server::start();
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    server.service.reached.notified().await;

    let stopped = tokio::spawn(server.serving.stop());
    refused(server.address).await;
    server.service.go_on.notify_one();

    let answer = read_to_end(&mut stream).await;
    assert!(answer.ends_with("waited"), "{answer}");
    timeout(PATIENCE, stopped).await.unwrap().unwrap();
}

#[tokio::test]
async fn idle_and_half_open_connections_do_not_hold_it_up() {
    let server = Server::start();
    let _silent = server.connect().await;
    let mut half_open = Vec::new();
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost:"[..],
        b"\x16\x03\x01",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(bytes).await.unwrap();
        half_open.push(stream);
    }
    let mut used = server.connect().await;
    used.write_all(b"GET /once HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    read_until(&mut used, "GET /once").await;

    let stopped = timeout(PATIENCE / 4, server.serving.stop()).await;

    assert!(stopped.is_ok());
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_after_the_grace() {
    let server = Server::with(Bounds {
        grace: Duration::from_millis(50),
        ..Bounds::default()
    });
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
        .await
        .unwrap();
    server.service.reached.notified().await;

    timeout(PATIENCE, server.serving.stop()).await.unwrap();

    assert_eq!(read_to_end(&mut stream).await, "");
}

#[tokio::test]
async fn dropping_it_frees_the_port() {
    let server = Server::start();

    drop(server.serving);

    refused(server.address).await;
}

/// Waits until nobody listens any more.
async fn refused(address: SocketAddr) {
    let gone = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(PATIENCE, gone).await.expect("the port is free");
}
