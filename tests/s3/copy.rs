//! Copies.

use aws_sdk_s3::types::{MetadataDirective, ServerSideEncryption};

use crate::sdk::{get, is, noise, photos, put, refusal};

#[tokio::test]
async fn a_copy_has_the_bytes_and_the_metadata() {
    let (server, client) = photos().await;
    let body = noise(200_000);
    let upload = client
        .put_object()
        .bucket("photos")
        .key("a")
        .content_type("image/png")
        .metadata("owner", "ann");
    upload.body(body.clone().into()).send().await.unwrap();

    client
        .copy_object()
        .bucket("photos")
        .key("b")
        .copy_source("photos/a")
        .send()
        .await
        .unwrap();

    let head = client
        .head_object()
        .bucket("photos")
        .key("b")
        .send()
        .await
        .unwrap();
    assert_eq!(get(&client, "b").await, body);
    assert_eq!(head.content_type(), Some("image/png"));
    assert_eq!(head.metadata().unwrap()["owner"], "ann");
    let (one, other) = (server.stored("photos", "a"), server.stored("photos", "b"));
    assert_ne!(
        one.layers, other.layers,
        "a copy is sealed under a key of its own"
    );
    assert_ne!(one.raw, other.raw);
}

#[tokio::test]
async fn a_copy_onto_itself_has_to_change_something() {
    let (_server, client) = photos().await;
    put(&client, "a", "x").await;
    let copy = || {
        client
            .copy_object()
            .bucket("photos")
            .key("a")
            .copy_source("photos/a")
    };

    assert_eq!(refusal(copy().send().await), is("InvalidRequest", 400));
    copy()
        .server_side_encryption(ServerSideEncryption::Aes256)
        .send()
        .await
        .unwrap();
    let replaced = copy()
        .metadata_directive(MetadataDirective::Replace)
        .metadata("new", "1");
    replaced.send().await.unwrap();

    let head = client
        .head_object()
        .bucket("photos")
        .key("a")
        .send()
        .await
        .unwrap();
    assert_eq!(head.metadata().unwrap()["new"], "1");
}

#[tokio::test]
async fn the_source_may_have_conditions() {
    let (_server, client) = photos().await;
    put(&client, "a", "x").await;

    let copy = client
        .copy_object()
        .bucket("photos")
        .key("b")
        .copy_source("photos/a");
    let refused = copy.copy_source_if_match("\"other\"").send().await;

    assert_eq!(refusal(refused), is("PreconditionFailed", 412));
}

#[tokio::test]
async fn an_absent_source_is_no_such_key() {
    let (_server, client) = photos().await;

    let copy = client
        .copy_object()
        .bucket("photos")
        .key("b")
        .copy_source("photos/nothing")
        .send()
        .await;

    assert_eq!(refusal(copy), is("NoSuchKey", 404));
}
