//! Objects under DSSE-KMS: two layers, of which KMS has the key of one.

use std::fs;

use aws_sdk_s3::types::ServerSideEncryption;
use strongroom_testkit::{Mode, Stored, Strongroom, WrappedUnder};

use crate::keyed::{Keyed, object_arn};
use crate::sdk::{copy, get, get_range, head, is, noise, read, refusal, upload, upload_in};
use crate::tink;

async fn put(keyed: &Keyed, key: &str, body: Vec<u8>) {
    let upload = upload_in(Mode::DsseKms, &keyed.s3, &keyed.arn, (key, body));
    upload.send().await.unwrap();
}

/// The keys of the outer and the inner layer, had of the root key and of KMS.
async fn keys(keyed: &Keyed, root: &[u8], stored: &Stored) -> (Vec<u8>, Vec<u8>) {
    let wrapped = |layer: usize| stored.layers[layer].wrapped_key.as_deref().unwrap();
    let outer = tink::open_key(root, &stored.context, wrapped(0)).unwrap();
    let own = &stored.context["aws:s3:arn"];
    let inner = keyed.decrypt(wrapped(1), &[("aws:s3:arn", own)]).await;
    (outer, inner.unwrap())
}

#[tokio::test]
async fn every_answer_tells_the_mode_and_the_arn_of_the_key() {
    let keyed = Keyed::start().await;
    let upload = upload_in(
        Mode::DsseKms,
        &keyed.s3,
        "alias/app",
        ("key", b"x".to_vec()),
    );

    let put = upload.send().await.unwrap();
    let copied = copy(&keyed.s3, "key", "copy")
        .server_side_encryption(ServerSideEncryption::AwsKmsDsse)
        .ssekms_key_id("alias/app")
        .send()
        .await
        .unwrap();
    let got = read(&keyed.s3, "key").send().await.unwrap();
    let seen = head(&keyed.s3, "key").send().await.unwrap();

    let answers = [
        (put.server_side_encryption(), put.ssekms_key_id()),
        (copied.server_side_encryption(), copied.ssekms_key_id()),
        (got.server_side_encryption(), got.ssekms_key_id()),
        (seen.server_side_encryption(), seen.ssekms_key_id()),
    ];
    let dsse = (
        Some(&ServerSideEncryption::AwsKmsDsse),
        Some(keyed.arn.as_str()),
    );
    assert_eq!(answers, [dsse; 4]);
}

/// Source: a PUT without a key answered 200, as quoted from AWS.
#[tokio::test]
async fn without_a_key_it_is_the_one_that_aws_manages() {
    let keyed = Keyed::start().await;

    let upload = upload(&keyed.s3, "key", "x");
    let upload = upload.server_side_encryption(ServerSideEncryption::AwsKmsDsse);
    let put = upload.send().await.unwrap();

    let managed = keyed
        .kms
        .describe_key()
        .key_id("alias/aws/s3")
        .send()
        .await
        .unwrap();
    assert_eq!(put.ssekms_key_id(), managed.key_metadata().unwrap().arn());
    assert_eq!(get(&keyed.s3, "key").await, b"x");
}

/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingDSSEncryption.html>
#[tokio::test]
async fn two_layers_know_no_bucket_key() {
    let keyed = Keyed::start().await;
    let upload = upload_in(Mode::DsseKms, &keyed.s3, &keyed.arn, ("key", b"x".to_vec()));

    let put = upload.bucket_key_enabled(true).send().await.unwrap();

    let stored = keyed.stored("key");
    assert_eq!(put.bucket_key_enabled(), None);
    assert_eq!(
        head(&keyed.s3, "key")
            .send()
            .await
            .unwrap()
            .bucket_key_enabled(),
        None
    );
    assert_eq!(stored.bucket_key, None);
    assert_eq!(stored.context["aws:s3:arn"], object_arn("key"));
}

#[tokio::test]
async fn the_store_shows_two_layers_the_outermost_first() {
    let keyed = Keyed::start().await;
    put(&keyed, "key", noise(300_000)).await;

    let stored = keyed.stored("key");

    let under: Vec<_> = stored.layers.iter().map(|layer| layer.under).collect();
    assert_eq!(under, [WrappedUnder::RootKey, WrappedUnder::KmsKey]);
    assert_ne!(stored.layers[0].wrapped_key, stored.layers[1].wrapped_key);
    assert_eq!(
        (stored.mode, stored.kms_key_arn.as_deref()),
        (Mode::DsseKms, Some(keyed.arn.as_str()))
    );
    // Each layer adds a header, and a tag to each of its five segments.
    assert_eq!(stored.raw.len(), 300_000 + 2 * (40 + 5 * 32));
}

#[tokio::test]
async fn both_keys_open_the_body_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let keyed = Keyed::of(Strongroom::builder().data(folder.path())).await;
    let root = fs::read(folder.path().join("root.key")).unwrap();
    for size in [0, 9, 150_000] {
        put(&keyed, "key", noise(size)).await;
        let stored = keyed.stored("key");

        let (outer, inner) = keys(&keyed, &root, &stored).await;

        let between = tink::open_body(&outer, &stored.blob_id, &stored.raw).unwrap();
        let opened = tink::open_body(&inner, &stored.blob_id, &between);
        assert!(opened == Some(noise(size)), "{size} bytes");
    }
}

#[tokio::test]
async fn neither_key_opens_the_body_alone() {
    let folder = tempfile::tempdir().unwrap();
    let keyed = Keyed::of(Strongroom::builder().data(folder.path())).await;
    let root = fs::read(folder.path().join("root.key")).unwrap();
    put(&keyed, "key", noise(9_000)).await;
    let stored = keyed.stored("key");

    let (outer, inner) = keys(&keyed, &root, &stored).await;

    assert_eq!(tink::open_body(&inner, &stored.blob_id, &stored.raw), None);
    let between = tink::open_body(&outer, &stored.blob_id, &stored.raw).unwrap();
    assert_eq!(tink::open_body(&outer, &stored.blob_id, &between), None);
    assert_ne!(between, noise(9_000));
}

#[tokio::test]
async fn ranges_cross_the_borders_of_segments_in_both_layers() {
    let keyed = Keyed::start().await;
    let body = noise(300_000);
    put(&keyed, "key", body.clone()).await;

    // Of the plaintext, the outer layer's first segment holds 65,424 bytes and the inner one's 65,464.
    for (first, last) in [
        (0, 0),
        (65_423, 65_424),
        (65_463, 65_464),
        (65_000, 200_000),
        (130_967, 299_999),
    ] {
        let piece = get_range(&keyed.s3, "key", &format!("{first}-{last}")).await;
        assert!(piece == body[first..=last], "{first}-{last}");
    }
    assert!(get_range(&keyed.s3, "key", "299999-").await == body[299_999..]);
}

#[tokio::test]
async fn a_disabled_key_keeps_both_layers_shut() {
    let keyed = Keyed::start().await;
    put(&keyed, "key", noise(9)).await;

    keyed.disable().await;
    let refused = read(&keyed.s3, "key").send().await;
    keyed.enable().await;

    assert_eq!(refusal(refused), is("KMS.DisabledException", 400));
    assert_eq!(get(&keyed.s3, "key").await, noise(9));
}

#[tokio::test]
async fn a_write_and_a_read_ask_kms_once_each() {
    let keyed = Keyed::start().await;

    put(&keyed, "key", noise(9)).await;
    get(&keyed.s3, "key").await;

    let calls = keyed.asked();
    let asked: Vec<_> = calls
        .iter()
        .map(|call| (call.operation.as_str(), call.context["aws:s3:arn"].as_str()))
        .collect();
    let own = object_arn("key");
    assert_eq!(
        asked,
        [("GenerateDataKey", own.as_str()), ("Decrypt", own.as_str())]
    );
}
