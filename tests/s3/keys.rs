//! Odd keys: they come back as they went, and never become paths.

use crate::sdk::{get, photos, put};

#[tokio::test]
async fn odd_keys_come_back_and_never_become_paths() {
    let (server, client) = photos().await;
    let long = "\u{fc}".repeat(512);
    let keys = [
        "../../x",
        "a//b",
        ".",
        "..",
        "/",
        "//",
        "%2F",
        "a\nb",
        "a b+c",
        "\u{1f600}",
        "a?b#c",
        "&<>\"'",
        &long,
    ];

    for key in keys {
        put(&client, key, key).await;
    }

    for key in keys {
        assert_eq!(get(&client, key).await, key.as_bytes(), "{key:?}");
    }
    let listed = client
        .list_objects_v2()
        .bucket("photos")
        .send()
        .await
        .unwrap();
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    assert_eq!(
        listed
            .contents()
            .iter()
            .filter_map(|object| object.key())
            .collect::<Vec<_>>(),
        sorted
    );
    let names: Vec<_> = std::fs::read_dir(server.data_folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        names
            .iter()
            .all(|name| ["blobs", "staging", "strongroom.redb"].contains(&name.to_str().unwrap())),
        "{names:?}"
    );
}
