//! Conditional reads and writes.

use aws_sdk_s3::primitives::ByteStream;

use crate::sdk::{get, is, photos, put, refusal};

#[tokio::test]
async fn a_matching_if_none_match_is_not_modified() {
    let (_server, client) = photos().await;
    put(&client, "key", "x").await;
    let head = client
        .head_object()
        .bucket("photos")
        .key("key")
        .send()
        .await
        .unwrap();

    let read = client
        .get_object()
        .bucket("photos")
        .key("key")
        .if_none_match(head.e_tag().unwrap());

    assert_eq!(refusal(read.send().await).1, 304);
}

#[tokio::test]
async fn another_if_match_fails() {
    let (_server, client) = photos().await;
    put(&client, "key", "x").await;

    let read = client
        .get_object()
        .bucket("photos")
        .key("key")
        .if_match("\"other\"")
        .send()
        .await;

    assert_eq!(refusal(read), is("PreconditionFailed", 412));
}

#[tokio::test]
async fn a_write_may_demand_absence() {
    let (_server, client) = photos().await;
    let write = |body: &'static [u8]| {
        let body = ByteStream::from_static(body);
        client
            .put_object()
            .bucket("photos")
            .key("key")
            .if_none_match("*")
            .body(body)
            .send()
    };

    write(b"first").await.unwrap();
    let second = write(b"second").await;

    assert_eq!(refusal(second), is("PreconditionFailed", 412));
    assert_eq!(get(&client, "key").await, b"first");
}

#[tokio::test]
async fn a_write_may_demand_what_it_replaces() {
    let (_server, client) = photos().await;
    put(&client, "key", "first").await;
    let etag = client
        .head_object()
        .bucket("photos")
        .key("key")
        .send()
        .await
        .unwrap()
        .e_tag
        .unwrap();
    let write = |key: &'static str| {
        client
            .put_object()
            .bucket("photos")
            .key(key)
            .if_match(&etag)
            .body(ByteStream::from_static(b"x"))
            .send()
    };

    write("key").await.unwrap();

    assert_eq!(refusal(write("key").await), is("PreconditionFailed", 412));
    assert_eq!(refusal(write("absent").await), is("NoSuchKey", 404));
}

/// Source: recorded from AWS; general purpose buckets take no other forms.
#[tokio::test]
async fn other_write_conditions_are_not_implemented() {
    let (_server, client) = photos().await;
    let write = || {
        client
            .put_object()
            .bucket("photos")
            .key("key")
            .body(ByteStream::from_static(b"x"))
    };

    assert_eq!(
        refusal(write().if_none_match("\"x\"").send().await),
        is("NotImplemented", 501)
    );
    assert_eq!(
        refusal(write().if_match("*").send().await),
        is("NotImplemented", 501)
    );
    assert_eq!(
        refusal(write().if_match("\"x\"").if_none_match("*").send().await),
        is("NotImplemented", 501)
    );
}

#[tokio::test]
async fn of_64_writers_that_demand_absence_one_wins() {
    let (_server, client) = photos().await;
    let writers = (0..64).map(|index: u32| {
        let body = ByteStream::from(index.to_string().into_bytes());
        let write = client
            .put_object()
            .bucket("photos")
            .key("key")
            .if_none_match("*")
            .body(body);
        tokio::spawn(async move { write.send().await.is_ok() })
    });

    let mut wins = 0;
    for writer in writers.collect::<Vec<_>>() {
        wins += u32::from(writer.await.unwrap());
    }

    assert_eq!(wins, 1);
}

#[tokio::test]
async fn no_object_outlives_its_bucket() {
    let (_server, client) = photos().await;
    for round in 0..50 {
        let write = client
            .put_object()
            .bucket("photos")
            .key("key")
            .body(ByteStream::from_static(b"x"));
        let writer = tokio::spawn(async move { write.send().await.is_ok() });
        let deleted = client.delete_bucket().bucket("photos").send().await.is_ok();
        let written = writer.await.unwrap();

        assert!(
            written != deleted,
            "round {round}: written {written}, deleted {deleted}"
        );
        if written {
            assert_eq!(get(&client, "key").await, b"x");
            client
                .delete_object()
                .bucket("photos")
                .key("key")
                .send()
                .await
                .unwrap();
        } else {
            client
                .create_bucket()
                .bucket("photos")
                .send()
                .await
                .unwrap();
        }
    }
}
