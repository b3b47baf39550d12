//! Copies.

use aws_sdk_s3::types::{MetadataDirective, ServerSideEncryption};
use strongroom_testkit::Mode;

use crate::keyed::{Keyed, object_arn};
use crate::sdk::{self, get, is, noise, photos, put, refusal, upload, upload_under};

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

#[tokio::test]
async fn a_copy_leaves_the_kms_key_of_its_source() {
    let keyed = Keyed::start().await;
    let body = noise(100_000);
    upload_under(&keyed.s3, &keyed.arn, "a", body.clone())
        .send()
        .await
        .unwrap();

    let copied = sdk::copy(&keyed.s3, "a", "b").send().await.unwrap();

    assert_eq!(
        copied.server_side_encryption(),
        Some(&ServerSideEncryption::Aes256)
    );
    assert_eq!(copied.ssekms_key_id(), None);
    assert_eq!(keyed.stored("b").mode, Mode::SseS3);
    keyed.disable().await;
    assert_eq!(get(&keyed.s3, "b").await, body);
}

#[tokio::test]
async fn a_copy_comes_under_the_kms_key_that_it_names() {
    let keyed = Keyed::start().await;
    let body = noise(100_000);
    put(&keyed.s3, "a", body.clone()).await;

    let copy = sdk::copy(&keyed.s3, "a", "b").server_side_encryption(ServerSideEncryption::AwsKms);
    copy.ssekms_key_id("alias/app").send().await.unwrap();

    let stored = keyed.stored("b");
    assert_eq!(stored.kms_key_arn.as_deref(), Some(keyed.arn.as_str()));
    assert_eq!(stored.context["aws:s3:arn"], object_arn("b"));
    assert_eq!(get(&keyed.s3, "b").await, body);
}

#[tokio::test]
async fn a_copy_goes_from_one_kms_key_to_another() {
    let keyed = Keyed::start().await;
    let other = keyed.another_key().await;
    upload_under(&keyed.s3, &keyed.arn, "a", "x")
        .send()
        .await
        .unwrap();

    let copy = sdk::copy(&keyed.s3, "a", "b").server_side_encryption(ServerSideEncryption::AwsKms);
    copy.ssekms_key_id(&other).send().await.unwrap();

    let (one, copied) = (keyed.stored("a"), keyed.stored("b"));
    assert_eq!(copied.kms_key_arn, Some(other));
    assert_ne!(one.raw, copied.raw);
    keyed.disable().await;
    assert_eq!(get(&keyed.s3, "b").await, b"x");
}

#[tokio::test]
async fn a_copy_in_place_under_kms_leaves_the_key_for_aws_own() {
    let keyed = Keyed::start().await;
    upload_under(&keyed.s3, &keyed.arn, "a", "x")
        .send()
        .await
        .unwrap();

    let copy = sdk::copy(&keyed.s3, "a", "a").server_side_encryption(ServerSideEncryption::AwsKms);
    let copied = copy.send().await.unwrap();

    let managed = keyed
        .kms
        .describe_key()
        .key_id("alias/aws/s3")
        .send()
        .await
        .unwrap();
    assert_eq!(
        copied.ssekms_key_id(),
        managed.key_metadata().unwrap().arn()
    );
    assert_eq!(get(&keyed.s3, "a").await, b"x");
}

/// Source: recorded from AWS: what is not AES256 changes by becoming it.
#[tokio::test]
async fn a_copy_in_place_takes_kms_off() {
    let keyed = Keyed::start().await;
    upload_under(&keyed.s3, &keyed.arn, "a", "x")
        .send()
        .await
        .unwrap();

    sdk::copy(&keyed.s3, "a", "a").send().await.unwrap();

    assert_eq!(keyed.stored("a").mode, Mode::SseS3);
    assert_eq!(
        refusal(sdk::copy(&keyed.s3, "a", "a").send().await),
        is("InvalidRequest", 400)
    );
}

#[tokio::test]
async fn the_pairs_of_a_context_are_not_copied() {
    let keyed = Keyed::start().await;
    let source = upload_under(&keyed.s3, &keyed.arn, "a", "x");
    let red = "eyJ0ZWFtIjoicmVkIn0=";
    source.ssekms_encryption_context(red).send().await.unwrap();

    let copy = sdk::copy(&keyed.s3, "a", "b").server_side_encryption(ServerSideEncryption::AwsKms);
    let copied = copy.ssekms_key_id(&keyed.arn).send().await.unwrap();

    assert_eq!(copied.ssekms_encryption_context(), None);
    let own = [("aws:s3:arn".to_owned(), object_arn("b"))];
    assert_eq!(keyed.stored("b").context, own.into());
}

#[tokio::test]
async fn a_copy_of_two_layers_has_the_bytes() {
    let keyed = Keyed::start().await;
    let body = noise(200_000);
    let dsse = upload(&keyed.s3, "a", body.clone());
    let dsse = dsse.server_side_encryption(ServerSideEncryption::AwsKmsDsse);
    dsse.ssekms_key_id(&keyed.arn).send().await.unwrap();

    let copy = sdk::copy(&keyed.s3, "a", "b");
    let copy = copy.server_side_encryption(ServerSideEncryption::AwsKmsDsse);
    copy.ssekms_key_id(&keyed.arn).send().await.unwrap();

    assert_eq!(keyed.stored("b").mode, Mode::DsseKms);
    assert!(get(&keyed.s3, "b").await == body);
}
