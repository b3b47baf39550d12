//! Objects that go under another KMS key where they lie: `UpdateObjectEncryption`.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UpdateObjectEncryption.html>

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::operation::update_object_encryption::builders::UpdateObjectEncryptionFluentBuilder;
use aws_sdk_s3::types::{ChecksumMode, ObjectEncryption, ServerSideEncryption, SsekmsEncryption};
use strongroom_testkit::{Mode, Stored, Strongroom, WrappedUnder};

use crate::keyed::{Keyed, RED, object_arn};
use crate::multipart::put_in_parts;
use crate::proof::holding;
use crate::sdk::{get, get_range, head, noise, put, read, upload, upload_under};
use crate::{tink, versioned};

const BUCKET: &str = "arn:aws:s3:::photos";

/// Asks for `photos/KEY` to go under a KMS key.
pub(crate) fn update(
    client: &Client,
    key: &str,
    kms_key: &str,
    bucket_key: Option<bool>,
) -> UpdateObjectEncryptionFluentBuilder {
    let target = SsekmsEncryption::builder()
        .kms_key_arn(kms_key)
        .set_bucket_key_enabled(bucket_key)
        .build();
    let target = ObjectEncryption::Ssekms(target.unwrap());
    let update = client.update_object_encryption();
    let update = update.bucket("photos").key(key);
    update.object_encryption(target)
}

async fn move_under(keyed: &Keyed, key: &str, kms_key: &str) {
    let update = update(&keyed.s3, key, kms_key, None);
    update.send().await.unwrap();
}

/// Every file of a data folder's blobs, by its path.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.append(&mut files(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}

async fn seen(client: &Client, key: &str) -> HeadObjectOutput {
    let head = head(client, key).checksum_mode(ChecksumMode::Enabled);
    head.send().await.unwrap()
}

/// What an update must leave alone: the bytes as they lie, in files and in the catalogue, and what HEAD tells of them.
async fn body_as_it_lies(keyed: &Keyed, key: &str) -> impl PartialEq + std::fmt::Debug + use<> {
    let (stored, seen) = (keyed.stored(key), seen(&keyed.s3, key).await);
    let files = files(&keyed.server.data_folder().join("blobs"));
    (
        (files, stored.raw, stored.blobs),
        (seen.e_tag, seen.last_modified, seen.content_length),
        (
            seen.checksum_crc32,
            seen.checksum_crc64_nvme,
            seen.checksum_type,
        ),
        (seen.metadata, seen.content_type, seen.storage_class),
    )
}

/// The data key of an object, if KMS decrypts it under a context of this one pair.
async fn data_key(keyed: &Keyed, stored: &Stored, arn: &str) -> Vec<u8> {
    let wrapped = stored.layers[0].wrapped_key.as_ref().unwrap();
    let opened = keyed.decrypt(wrapped, &[("aws:s3:arn", arn)]).await;
    opened.unwrap()
}

/// What was asked of KMS from the `from`th question on: operation, key, the ARN in the context, whether it was spared.
fn asked(keyed: &Keyed, from: usize) -> Vec<(String, String, String, bool)> {
    let calls = keyed.asked().into_iter().skip(from);
    let told = calls.map(|call| {
        assert_eq!((call.context.len(), call.error), (1, None));
        let arn = call.context["aws:s3:arn"].clone();
        (
            call.operation,
            call.key_arn.unwrap(),
            arn,
            call.bucket_key_hit,
        )
    });
    told.collect()
}

fn question(operation: &str, key: &str, arn: &str, is_hit: bool) -> (String, String, String, bool) {
    (operation.to_owned(), key.to_owned(), arn.to_owned(), is_hit)
}

#[tokio::test]
async fn an_object_goes_under_a_kms_key_and_not_a_byte_of_it_moves() {
    for size in [0, 9, 200_000] {
        let keyed = Keyed::believing().await;
        let put = upload(&keyed.s3, "key", noise(size)).metadata("owner", "ann");
        put.content_type("image/png").send().await.unwrap();
        let (before, lay) = (keyed.stored("key"), body_as_it_lies(&keyed, "key").await);
        assert_eq!((before.mode, before.is_file), (Mode::SseS3, size > 4_096));
        keyed.advance_days(1);

        move_under(&keyed, "key", &keyed.arn).await;

        assert_eq!(body_as_it_lies(&keyed, "key").await, lay);
        let after = keyed.stored("key");
        assert_eq!(after.mode, Mode::SseKms);
        assert_eq!(after.kms_key_arn.as_ref(), Some(&keyed.arn));
        assert_eq!(after.layers.len(), 1);
        assert_eq!(after.layers[0].under, WrappedUnder::KmsKey);
        assert_ne!(after.layers, before.layers);
        let head = head(&keyed.s3, "key").send().await.unwrap();
        assert_eq!(
            head.server_side_encryption(),
            Some(&ServerSideEncryption::AwsKms)
        );
        assert_eq!(head.ssekms_key_id(), Some(keyed.arn.as_str()));
        assert_eq!(head.bucket_key_enabled(), None);
        assert!(get(&keyed.s3, "key").await == noise(size));
    }
}

#[tokio::test]
async fn an_object_under_kms_may_have_the_md5_of_its_plaintext_for_a_tag() {
    let keyed = Keyed::start().await;
    put(&keyed.s3, "key", "hello").await;

    move_under(&keyed, "key", &keyed.arn).await;

    let head = head(&keyed.s3, "key").send().await.unwrap();
    assert_eq!(head.e_tag(), Some("\"5d41402abc4b2a76b9719d911017c592\""));
}

#[tokio::test]
async fn the_key_that_kms_holds_then_opens_the_body_as_it_lay_before() {
    let keyed = Keyed::start().await;
    put(&keyed.s3, "key", noise(200_000)).await;
    let before = keyed.stored("key");

    move_under(&keyed, "key", &keyed.arn).await;

    let data_key = data_key(&keyed, &keyed.stored("key"), &object_arn("key")).await;
    let opened = tink::open_body(&data_key, &before.blob_id, &before.raw);
    assert!(opened.unwrap() == noise(200_000));
    assert!(holding(keyed.server.data_folder(), &[data_key]).is_empty());
}

#[tokio::test]
async fn an_object_leaves_its_old_kms_key_for_good() {
    let keyed = Keyed::start().await;
    let upload = upload_under(&keyed.s3, &keyed.arn, "key", noise(70_000));
    let upload = upload.ssekms_encryption_context(RED);
    upload.send().await.unwrap();
    let (other, lay) = (
        keyed.another_key().await,
        body_as_it_lies(&keyed, "key").await,
    );
    let old = data_key_of_red(&keyed).await;

    move_under(&keyed, "key", &other).await;

    assert_eq!(body_as_it_lies(&keyed, "key").await, lay);
    let stored = keyed.stored("key");
    assert_eq!(stored.kms_key_arn.as_ref(), Some(&other));
    assert_eq!(data_key(&keyed, &stored, &object_arn("key")).await, old);
    keyed.disable().await;
    assert!(get(&keyed.s3, "key").await == noise(70_000));
}

async fn data_key_of_red(keyed: &Keyed) -> Vec<u8> {
    let stored = keyed.stored("key");
    let wrapped = stored.layers[0].wrapped_key.as_ref().unwrap();
    let arn = object_arn("key");
    let context = [("aws:s3:arn", arn.as_str()), ("team", "red")];
    keyed.decrypt(wrapped, &context).await.unwrap()
}

#[tokio::test]
async fn kms_opens_the_old_wrapping_and_makes_the_new_one() {
    let keyed = Keyed::start().await;
    let other = keyed.another_key().await;
    let arn = object_arn("key");
    put(&keyed.s3, "key", noise(9)).await;

    move_under(&keyed, "key", &keyed.arn).await;
    move_under(&keyed, "key", &other).await;
    get(&keyed.s3, "key").await;

    let expected = [
        question("Encrypt", &keyed.arn, &arn, false),
        question("Decrypt", &keyed.arn, &arn, false),
        question("Encrypt", &other, &arn, false),
        question("Decrypt", &other, &arn, false),
    ];
    assert_eq!(asked(&keyed, 0), expected);
}

#[tokio::test]
async fn a_bucket_key_serves_the_objects_that_go_under_it() {
    let keyed = Keyed::start().await;
    for key in ["one", "other"] {
        put(&keyed.s3, key, noise(9)).await;
        let lay = body_as_it_lies(&keyed, key).await;

        let update = update(&keyed.s3, key, &keyed.arn, Some(true));
        update.send().await.unwrap();

        assert_eq!(body_as_it_lies(&keyed, key).await, lay);
        let stored = keyed.stored(key);
        assert_eq!(stored.layers[0].under, WrappedUnder::BucketKey);
        assert_eq!(stored.context["aws:s3:arn"], BUCKET);
        assert_eq!(seen(&keyed.s3, key).await.bucket_key_enabled(), Some(true));
        assert_eq!(get(&keyed.s3, key).await, noise(9));
    }

    assert_eq!(
        keyed.stored("one").bucket_key,
        keyed.stored("other").bucket_key
    );
    let made = asked(&keyed, 0).into_iter();
    let made: Vec<_> = made.filter(|call| call.0 == "GenerateDataKey").collect();
    let expected = [
        question("GenerateDataKey", &keyed.arn, BUCKET, false),
        question("GenerateDataKey", &keyed.arn, BUCKET, true),
    ];
    assert_eq!(made, expected);
}

#[tokio::test]
async fn an_object_leaves_its_bucket_key() {
    let keyed = Keyed::start().await;
    let upload = upload_under(&keyed.s3, &keyed.arn, "key", noise(9));
    upload.bucket_key_enabled(true).send().await.unwrap();
    let lay = body_as_it_lies(&keyed, "key").await;

    move_under(&keyed, "key", &keyed.arn).await;

    assert_eq!(body_as_it_lies(&keyed, "key").await, lay);
    let stored = keyed.stored("key");
    assert_eq!(stored.layers[0].under, WrappedUnder::KmsKey);
    assert_eq!((stored.bucket_key, stored.context.len()), (None, 1));
    assert_eq!(stored.context["aws:s3:arn"], object_arn("key"));
    assert_eq!(get(&keyed.s3, "key").await, noise(9));
}

#[tokio::test]
async fn an_object_in_parts_goes_with_all_of_them() {
    for (mode, bucket_key) in [
        (None, None),
        (Some(ServerSideEncryption::AwsKms), Some(true)),
    ] {
        let keyed = Keyed::start().await;
        let whole = put_in_parts(&keyed.s3, mode).await;
        let lay = body_as_it_lies(&keyed, "key").await;

        let update = update(&keyed.s3, "key", &keyed.arn, bucket_key);
        update.send().await.unwrap();

        assert_eq!(keyed.stored("key").kms_key_arn.as_ref(), Some(&keyed.arn));
        assert_eq!(keyed.stored("key").blobs.len(), 3);
        assert!(body_as_it_lies(&keyed, "key").await == lay);
        assert!(get(&keyed.s3, "key").await == whole);
        let border = 5 * 1_024 * 1_024 + 1_000;
        let range = format!("{}-{}", border - 3, border + 3);
        let across = get_range(&keyed.s3, "key", &range).await;
        assert_eq!(across, whole[border - 3..=border + 3]);
        let second = read(&keyed.s3, "key").part_number(2).send().await.unwrap();
        assert_eq!(second.parts_count(), Some(3));
    }
}

#[tokio::test]
async fn an_upload_under_way_does_not_take_it_for_a_new_object() {
    let keyed = Keyed::start().await;
    put(&keyed.s3, "key", "hello").await;
    let create = keyed
        .s3
        .create_multipart_upload()
        .bucket("photos")
        .key("key");
    let begun = create.send().await.unwrap();
    let id = begun.upload_id().unwrap();
    let part = keyed.s3.upload_part().bucket("photos").key("key");
    let part = part.upload_id(id).part_number(1).body(noise(9).into());
    let part = part.send().await.unwrap();

    move_under(&keyed, "key", &keyed.arn).await;

    let part = aws_sdk_s3::types::CompletedPart::builder()
        .part_number(1)
        .set_e_tag(part.e_tag);
    let parts = aws_sdk_s3::types::CompletedMultipartUpload::builder().parts(part.build());
    let complete = keyed.s3.complete_multipart_upload();
    let complete = complete.bucket("photos").key("key").upload_id(id);
    let complete = complete.multipart_upload(parts.build());
    let complete = complete.if_match("\"5d41402abc4b2a76b9719d911017c592\"");
    complete.send().await.unwrap();
    assert_eq!(get(&keyed.s3, "key").await, noise(9));
}

#[tokio::test]
async fn a_version_that_is_named_goes_alone_and_keeps_its_place() {
    let keyed = Keyed::start().await;
    versioned::enable(&keyed.s3).await;
    let first = versioned::put(&keyed.s3, "key", "one").await;
    let second = versioned::put(&keyed.s3, "key", "two").await;
    let listed = versioned::listed(&keyed.s3).await;
    let mode_of = async |id: &str| {
        let head = head(&keyed.s3, "key").version_id(id).send().await;
        head.unwrap().server_side_encryption.unwrap()
    };

    let update = update(&keyed.s3, "key", &keyed.arn, None).version_id(&first);
    update.send().await.unwrap();

    assert_eq!(mode_of(&first).await, ServerSideEncryption::AwsKms);
    assert_eq!(mode_of(&second).await, ServerSideEncryption::Aes256);
    assert_eq!(versioned::listed(&keyed.s3).await, listed);
    assert_eq!(versioned::text_of(&keyed.s3, "key", &first).await, "one");
    move_under(&keyed, "key", &keyed.arn).await;
    assert_eq!(mode_of(&second).await, ServerSideEncryption::AwsKms);
    versioned::delete_version(&keyed.s3, "key", &second).await;
    assert_eq!(get(&keyed.s3, "key").await, b"one");
}

#[tokio::test]
async fn what_was_moved_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || Strongroom::builder().data(folder.path());
    let keyed = Keyed::of(builder()).await;
    put(&keyed.s3, "key", noise(70_000)).await;
    let lay = files(&folder.path().join("blobs"));
    move_under(&keyed, "key", &keyed.arn).await;
    drop(keyed);

    let server = builder().start().await;

    let stored = server.stored("photos", "key");
    assert_eq!(stored.mode, Mode::SseKms);
    assert_eq!(files(&folder.path().join("blobs")), lay);
    assert!(get(&server.s3_client(), "key").await == noise(70_000));
}

/// Every wrapping that is stored is of the body that lies beside it, whoever comes first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn updates_that_race_writes_and_each_other_leave_an_object_that_opens() {
    let keyed = Keyed::start().await;
    let other = keyed.another_key().await;
    put(&keyed.s3, "key", noise(5_000)).await;
    let mut works = Vec::new();
    for number in 0..16_usize {
        let (client, arn) = (keyed.s3.clone(), [&keyed.arn, &other][number % 2].clone());
        works.push(tokio::spawn(async move {
            if number % 4 == 3 {
                put(&client, "key", noise(5_000 + number)).await;
            }
            let bucket_key = Some(number % 3 == 0);
            let update = update(&client, "key", &arn, bucket_key);
            update.send().await.unwrap();
            get(&client, "key").await
        }));
    }

    for work in works {
        let body = work.await.unwrap();
        assert!(body == noise(body.len()));
    }

    assert_eq!(keyed.stored("key").mode, Mode::SseKms);
    let body = get(&keyed.s3, "key").await;
    assert!(body.len() > 5_000 && body == noise(body.len()));
}
