//! Handshakes that come slowly: nobody holds a connection open by them.

use tokio::io::AsyncWriteExt;
use tokio::time::interval;

use super::*;

/// A record of 16 KiB, and in it a hello as long; all that follows is its content.
const LONGEST_HELLO: &[u8] = b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc";

#[tokio::test]
async fn a_hello_without_an_end_is_cut_however_steadily_it_comes() {
    let server = Server::with(Bounds {
        handshake: Duration::from_millis(100),
        ..Bounds::default()
    });
    let (mut answers, mut bytes) = server.connect().await.into_split();
    bytes.write_all(LONGEST_HELLO).await.unwrap();

    let trickle = async {
        let mut ticks = interval(Duration::from_millis(10));
        while bytes.write_u8(0).await.is_ok() {
            ticks.tick().await;
        }
    };
    let closed = async {
        tokio::select! {
            // An end or a reset: bytes of ours may be on their way.
            _ = answers.read_u8() => {}
            () = trickle => {}
        }
    };

    assert!(timeout(PATIENCE, closed).await.is_ok());
}
