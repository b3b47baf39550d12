//! Many clients at once: each gets its own objects back, and its own listing.

use strongroom_testkit::{Authentication, Config, Strongroom};
use strongroom_tests::{send, send_body};
use tokio::task::JoinSet;

const CLIENTS: usize = 256;
const ROUNDS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_clients_get_back_what_they_put() {
    let server = Strongroom::builder()
        .bucket("photos")
        .config(|config: &mut Config| config.authentication = Authentication::Off)
        .start()
        .await;
    let address = server.address();

    let mut clients = JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(async move {
            for round in 0..ROUNDS {
                let target = format!("/photos/{client}/{round}");
                let body = content(client, round);
                let put = send_body(address, &format!("PUT {target}"), &[], &body).await;
                let get = send(address, &format!("GET {target}"), &[]).await;
                let query = format!("list-type=2&prefix={client}/");
                let list = send(address, &format!("GET /photos?{query}"), &[]).await;

                assert_eq!((put.status, get.status, list.status), (200, 200, 200));
                assert!(get.body == body, "{target}");
                let keys = list.text().matches("<Key>").count();
                assert_eq!(keys, round + 1, "{target}");
            }
        });
    }

    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
}

/// Bytes that no other object has: most fit into the catalogue, and some are files.
fn content(client: usize, round: usize) -> Vec<u8> {
    let size = if (client + round).is_multiple_of(4) {
        100_000
    } else {
        1_000
    };
    let mark = format!("{client}-{round} ");
    mark.bytes().cycle().take(size).collect()
}
