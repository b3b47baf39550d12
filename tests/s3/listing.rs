//! Listings, over the wire: pages, delimiters, both versions. The law of listings is the store's own test.

use strongroom_testkit::{Authentication, Config, Strongroom};
use strongroom_tests::send;

use crate::sdk::{is, photos, put, refusal};

#[tokio::test]
async fn pages_join_to_the_listing() {
    let (_server, client) = photos().await;
    for index in 0..25 {
        put(&client, &format!("key-{index:02}"), "x").await;
    }
    let (mut keys, mut token) = (Vec::new(), None);
    loop {
        let page = client
            .list_objects_v2()
            .bucket("photos")
            .max_keys(7)
            .set_continuation_token(token)
            .send()
            .await
            .unwrap();
        keys.extend(
            page.contents()
                .iter()
                .filter_map(|object| object.key().map(str::to_owned)),
        );
        token = page.next_continuation_token().map(str::to_owned);
        if page.is_truncated() != Some(true) {
            break;
        }
    }

    assert_eq!(
        keys,
        (0..25)
            .map(|index| format!("key-{index:02}"))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn a_delimiter_rolls_up() {
    let (_server, client) = photos().await;
    for key in ["2025/a", "2025/b", "2026/a", "index"] {
        put(&client, key, "x").await;
    }

    let listed = client
        .list_objects_v2()
        .bucket("photos")
        .delimiter("/")
        .send()
        .await
        .unwrap();
    let below = client
        .list_objects_v2()
        .bucket("photos")
        .prefix("2025/")
        .start_after("2025/a")
        .send()
        .await
        .unwrap();

    let prefixes: Vec<_> = listed
        .common_prefixes()
        .iter()
        .filter_map(|prefix| prefix.prefix())
        .collect();
    assert_eq!(prefixes, ["2025/", "2026/"]);
    assert_eq!(listed.contents()[0].key(), Some("index"));
    assert_eq!(listed.key_count(), Some(3));
    assert_eq!(
        below
            .contents()
            .iter()
            .filter_map(|object| object.key())
            .collect::<Vec<_>>(),
        ["2025/b"]
    );
}

#[tokio::test]
async fn the_first_version_names_a_marker_where_it_rolls_up() {
    let (_server, client) = photos().await;
    for key in ["a/1", "a/2", "b", "c"] {
        put(&client, key, "x").await;
    }

    let first = client
        .list_objects()
        .bucket("photos")
        .delimiter("/")
        .max_keys(1)
        .send()
        .await
        .unwrap();
    let next = first.next_marker().unwrap();
    let second = client
        .list_objects()
        .bucket("photos")
        .delimiter("/")
        .marker(next)
        .send()
        .await
        .unwrap();

    assert_eq!(next, "a/");
    assert_eq!(
        second
            .contents()
            .iter()
            .filter_map(|object| object.key())
            .collect::<Vec<_>>(),
        ["b", "c"]
    );
    assert!(second.common_prefixes().is_empty());
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let (_server, client) = photos().await;

    let page = client
        .list_objects_v2()
        .bucket("photos")
        .continuation_token("nonsense")
        .send()
        .await;
    let negative = client
        .list_objects_v2()
        .bucket("photos")
        .max_keys(-1)
        .send()
        .await;

    assert_eq!(refusal(page), is("InvalidArgument", 400));
    assert_eq!(refusal(negative), is("InvalidArgument", 400));
}

/// Source: recorded from AWS; nothing is encrypted by a listing.
#[tokio::test]
async fn a_listing_takes_no_encryption() {
    let off = |config: &mut Config| {
        config.authentication = Authentication::Off;
    };
    let server = Strongroom::builder()
        .bucket("photos")
        .config(off)
        .start()
        .await;
    let header = ("x-amz-server-side-encryption", "AES256");

    let answer = send(server.address(), "GET /photos?list-type=2", &[header]).await;

    let message = "x-amz-server-side-encryption header is not supported for this operation.";
    assert_eq!(
        (answer.status, answer.element("Message").as_deref()),
        (400, Some(message))
    );
}
