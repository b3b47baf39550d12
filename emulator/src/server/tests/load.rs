//! Connections that only stand there: they take nothing from those that work, and are closed at their deadlines.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::AsyncWriteExt;

use super::*;

const HALF_OPEN: usize = 500;
const DEADLINE: Duration = Duration::from_secs(2);
/// Silent, within a head, within a TLS hello.
const BEGINNINGS: [&[u8]; 3] = [
    b"",
    b"GET / HTTP/1.1\r\nHost:",
    b"\x16\x03\x01\x02\x00\x01\x00",
];

#[tokio::test]
async fn half_open_connections_stand_in_nobodys_way_and_are_closed() {
    raise_open_files();
    let server = Server::with(Bounds {
        first_bytes: DEADLINE,
        handshake: DEADLINE,
        head: DEADLINE,
        connections: 2 * HALF_OPEN,
        ..Bounds::default()
    });
    let mut standing = Vec::new();
    for index in 0..HALF_OPEN {
        let mut stream = server.connect().await;
        let beginning = BEGINNINGS[index % BEGINNINGS.len()];
        stream.write_all(beginning).await.unwrap();
        standing.push(stream);
    }

    for _ in 0..20 {
        let answer = server
            .exchange(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            .await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    }

    for mut stream in standing {
        let closed = timeout(PATIENCE, stream.read_to_end(&mut Vec::new())).await;
        assert!(closed.is_ok());
    }
}

#[tokio::test]
async fn where_another_may_wait_a_connection_ends_with_its_answer() {
    let request = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let with_room = |connections| Bounds {
        connections,
        ..Bounds::default()
    };
    let crowded = Server::with(with_room(1));
    let roomy = Server::with(with_room(2));

    let answer = crowded.exchange(request).await;
    let mut stream = roomy.connect().await;
    stream.write_all(request).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }

    assert!(answer.contains("connection: close"), "{answer}");
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(!head.contains("connection: close"), "{head}");
}

#[tokio::test]
async fn where_another_waits_those_that_only_stand_there_make_room() {
    let ever = Duration::from_hours(1);
    let server = Server::with(Bounds {
        first_bytes: ever,
        handshake: ever,
        head: ever,
        unread: ever,
        connections: 3,
        ..Bounds::default()
    });
    let mut standing = Vec::new();
    for beginning in BEGINNINGS {
        let mut stream = server.connect().await;
        stream.write_all(beginning).await.unwrap();
        standing.push(stream);
    }

    let request = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    let answer = timeout(PATIENCE, server.exchange(request)).await;

    let answer = answer.expect("somebody makes room");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

/// Both ends of each connection are files of this process.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
}
