//! Versions, each under an encryption of its own: keys, refusals, copies and parts by version.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    CompletedMultipartUpload, CompletedPart, ObjectAttributes, ServerSideEncryption,
};
use strongroom_testkit::Mode;
use strongroom_tests::send_body;

use crate::forms::Form;
use crate::keyed::Keyed;
use crate::sdk::{
    body_of, copy, get, is, put_default, read, read_customers, refusal, refused, says, upload_in,
};
use crate::versioned::{delete, enable, listed, put, suspend, text_of, versioned};

/// A customer's key, another than most tests bring.
const OTHER_KEY: (&str, &str) = (
    "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=",
    "DWygnHRtgiJ77HCm+1rvHw==",
);

/// One version of `key` in each mode, its text that of the mode; their ids.
async fn in_every_mode(keyed: &Keyed) -> Vec<(Mode, String)> {
    enable(&keyed.s3).await;
    let mut ids = Vec::new();
    for mode in [Mode::SseS3, Mode::SseC, Mode::SseKms, Mode::DsseKms] {
        let body = format!("{mode:?}").into_bytes();
        let put = upload_in(mode, &keyed.s3, &keyed.arn, ("key", body));
        ids.push((mode, put.send().await.unwrap().version_id.unwrap()));
    }
    ids
}

fn reading(
    client: &Client,
    mode: Mode,
) -> aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder {
    if mode == Mode::SseC {
        read_customers(client, "key")
    } else {
        read(client, "key")
    }
}

#[tokio::test]
async fn each_version_has_a_mode_of_its_own() {
    let keyed = Keyed::start().await;

    for (mode, id) in in_every_mode(&keyed).await {
        let answer = reading(&keyed.s3, mode).version_id(&id).send().await;
        let answer = answer.unwrap();

        assert_eq!(answer.version_id(), Some(id.as_str()));
        let algorithm = answer.server_side_encryption().cloned();
        let expected = match mode {
            Mode::SseS3 => Some(ServerSideEncryption::Aes256),
            Mode::SseKms => Some(ServerSideEncryption::AwsKms),
            Mode::DsseKms => Some(ServerSideEncryption::AwsKmsDsse),
            _ => None,
        };
        assert_eq!(algorithm, expected);
        let body = answer.body.collect().await.unwrap().to_vec();
        assert_eq!(body, format!("{mode:?}").as_bytes());
    }
}

#[tokio::test]
async fn each_version_has_a_customers_key_of_its_own() {
    let keyed = Keyed::start().await;
    enable(&keyed.s3).await;
    let first = upload_in(Mode::SseC, &keyed.s3, "", ("key", b"one".to_vec()));
    let first = first.send().await.unwrap().version_id.unwrap();
    let second = upload_in(Mode::SseC, &keyed.s3, "", ("key", b"two".to_vec()))
        .sse_customer_key(OTHER_KEY.0)
        .sse_customer_key_md5(OTHER_KEY.1);
    let second = second.send().await.unwrap().version_id.unwrap();
    let other = |id: &str| {
        let read = read_customers(&keyed.s3, "key").version_id(id);
        read.sse_customer_key(OTHER_KEY.0)
            .sse_customer_key_md5(OTHER_KEY.1)
    };

    assert_eq!(body_of(other(&second)).await, b"two");
    let own = read_customers(&keyed.s3, "key").version_id(&first);
    assert_eq!(body_of(own).await, b"one");
    assert_eq!(refusal(other(&first).send().await), is("AccessDenied", 403));
    let newest = read_customers(&keyed.s3, "key").send().await;
    assert_eq!(refusal(newest), is("AccessDenied", 403));
}

#[tokio::test]
async fn a_version_under_a_disabled_key_is_refused_and_the_others_are_not() {
    let keyed = Keyed::start().await;
    let ids = in_every_mode(&keyed).await;
    keyed.disable().await;
    let disabled = format!("{} is disabled.", keyed.arn);

    for (mode, id) in ids {
        let answer = reading(&keyed.s3, mode).version_id(&id).send().await;
        if matches!(mode, Mode::SseKms | Mode::DsseKms) {
            assert_eq!(
                refused(answer),
                says("KMS.DisabledException", 400, &disabled)
            );
        } else {
            assert!(answer.is_ok(), "{mode:?}");
        }
    }
}

#[tokio::test]
async fn a_version_is_deleted_without_any_key() {
    let keyed = Keyed::start().await;
    let ids = in_every_mode(&keyed).await;
    keyed.delete().await;

    for (_, id) in ids {
        crate::versioned::delete_version(&keyed.s3, "key", &id).await;
    }

    assert!(listed(&keyed.s3).await.is_empty());
}

#[tokio::test]
async fn a_copy_takes_the_version_that_it_names() {
    let (server, client) = versioned().await;
    let first = put(&client, "key", "one").await;
    let second = put(&client, "key", "two").await;

    let older = copy(&client, &format!("key?versionId={first}"), "copy");
    let older = older.send().await.unwrap();
    let newest = copy(&client, "key", "newest").send().await.unwrap();

    assert_eq!(older.copy_source_version_id, Some(first));
    assert_eq!(newest.copy_source_version_id, Some(second));
    assert!(older.version_id.is_some_and(|id| id != "null"));
    assert_eq!(get(&client, "copy").await, b"one");
    assert_eq!(get(&client, "newest").await, b"two");
    let both = ["copy", "newest"].map(|key| server.stored("photos", key).layers);
    assert_ne!(both[0], both[1]);
}

#[tokio::test]
async fn an_older_version_copied_onto_its_key_is_current_again() {
    let (_server, client) = versioned().await;
    let first = put(&client, "key", "one").await;
    put(&client, "key", "two").await;

    let restored = copy(&client, &format!("key?versionId={first}"), "key");
    restored.send().await.unwrap();

    assert_eq!(get(&client, "key").await, b"one");
    assert_eq!(listed(&client).await.len(), 3);
}

#[tokio::test]
async fn a_marker_cannot_be_copied() {
    let (_server, client) = versioned().await;
    put(&client, "key", "x").await;
    let marker = delete(&client, "key").await;

    let named = copy(&client, &format!("key?versionId={marker}"), "copy");
    let current = copy(&client, "key", "copy");

    let message =
        "The source of a copy request may not specifically refer to a delete marker by version id.";
    assert_eq!(
        refused(named.send().await),
        says("InvalidRequest", 400, message)
    );
    assert_eq!(refusal(current.send().await), is("NoSuchKey", 404));
}

#[tokio::test]
async fn a_copy_into_a_suspended_bucket_says_null() {
    let (_server, client) = versioned().await;
    put(&client, "key", "x").await;
    suspend(&client).await;

    let copied = copy(&client, "key", "copy").send().await.unwrap();

    assert_eq!(copied.version_id.as_deref(), Some("null"));
}

/// Source: answers recorded from AWS in February 2026.
#[tokio::test]
async fn a_copy_says_nothing_of_null_in_a_suspended_bucket() {
    let (_server, client) = versioned().await;
    let version = put(&client, "key", "one").await;
    suspend(&client).await;
    put(&client, "key", "two").await;

    let null = copy(&client, "key", "copy").send().await.unwrap();
    let named = copy(&client, &format!("key?versionId={version}"), "copy");
    let named = named.send().await.unwrap();

    assert_eq!(null.copy_source_version_id, None);
    assert_eq!(named.copy_source_version_id, Some(version));
}

#[tokio::test]
async fn an_upload_in_parts_makes_a_version_and_takes_parts_of_one() {
    let keyed = Keyed::start().await;
    let client = &keyed.s3;
    let ids = in_every_mode(&keyed).await;
    let create = client.create_multipart_upload().bucket("photos").key("key");
    let id = create.send().await.unwrap().upload_id.unwrap();
    let part = client.upload_part_copy().bucket("photos").key("key");
    let part = part.upload_id(&id).part_number(1);
    let source = format!("photos/key?versionId={}", ids[2].1);

    let copied = part.copy_source(source).send().await.unwrap();
    let part = CompletedPart::builder()
        .part_number(1)
        .set_e_tag(copied.copy_part_result().unwrap().e_tag.clone());
    let parts = CompletedMultipartUpload::builder().parts(part.build());
    let complete = client.complete_multipart_upload();
    let complete = complete.bucket("photos").key("key").upload_id(&id);
    let done = complete.multipart_upload(parts.build()).send().await;

    let version = done.unwrap().version_id.unwrap();
    assert_eq!(copied.copy_source_version_id, Some(ids[2].1.clone()));
    assert_eq!(text_of(client, "key", &version).await, "SseKms");
    assert_eq!(text_of(client, "key", &ids[0].1).await, "SseS3");
    assert_eq!(listed(client).await.len(), 5);
}

#[tokio::test]
async fn parts_of_a_version_that_is_deleted_go_with_it() {
    let (server, client) = versioned().await;
    let create = client.create_multipart_upload().bucket("photos").key("key");
    let id = create.send().await.unwrap().upload_id.unwrap();
    let part = client.upload_part().bucket("photos").key("key");
    let part = part.upload_id(&id).part_number(1);
    let part = part.body(ByteStream::from(vec![7; 100_000])).send().await;
    let part = CompletedPart::builder()
        .part_number(1)
        .set_e_tag(part.unwrap().e_tag);
    let parts = CompletedMultipartUpload::builder().parts(part.build());
    let complete = client.complete_multipart_upload();
    let complete = complete.bucket("photos").key("key").upload_id(&id);
    let done = complete.multipart_upload(parts.build()).send().await;
    let version = done.unwrap().version_id.unwrap();
    put(&client, "key", "small").await;
    let files = || {
        let shards = std::fs::read_dir(server.data_folder().join("blobs")).unwrap();
        let files = shards.flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap());
        files.count()
    };
    assert_eq!(files(), 1);

    crate::versioned::delete_version(&client, "key", &version).await;

    assert_eq!(files(), 0);
}

#[tokio::test]
async fn a_form_makes_a_version() {
    let (server, client) = crate::forms::photos().await;
    enable(&client).await;

    let answer = Form::new("key", "hello").signed().post(&server).await;

    let id = answer.header("x-amz-version-id").unwrap();
    assert_eq!(text_of(&client, "key", id).await, "hello");
}

#[tokio::test]
async fn a_changed_default_leaves_older_versions_as_they_are() {
    let keyed = Keyed::start().await;
    enable(&keyed.s3).await;
    let first = put(&keyed.s3, "key", "one").await;
    let kms = ServerSideEncryption::AwsKms;
    put_default(&keyed.s3, kms.clone(), Some(&keyed.arn), Some(true)).await;
    let second = put(&keyed.s3, "key", "two").await;
    let under = async |id: &str| {
        let read = read(&keyed.s3, "key").version_id(id).send().await.unwrap();
        read.server_side_encryption
    };

    assert_eq!(under(&first).await, Some(ServerSideEncryption::Aes256));
    assert_eq!(under(&second).await, Some(kms));
}

#[tokio::test]
async fn attributes_are_told_of_the_version_that_is_named() {
    let (_server, client) = versioned().await;
    let first = put(&client, "key", "one").await;
    put(&client, "key", "three").await;
    let marker = delete(&client, "key").await;
    let attributes = |id: Option<&str>| {
        let ask = client.get_object_attributes().bucket("photos").key("key");
        let ask = ask.object_attributes(ObjectAttributes::ObjectSize);
        ask.set_version_id(id.map(str::to_owned)).send()
    };

    let told = attributes(Some(&first)).await.unwrap();

    assert_eq!((told.object_size, told.version_id), (Some(3), Some(first)));
    assert_eq!(refusal(attributes(None).await), is("NoSuchKey", 404));
    let of_marker = attributes(Some(&marker)).await;
    assert_eq!(refusal(of_marker), is("MethodNotAllowed", 405));
}

#[tokio::test]
async fn the_encryption_of_an_older_version_changes_alone() {
    let keyed = Keyed::believing().await;
    let ids = in_every_mode(&keyed).await;
    let document = format!(
        "<ObjectEncryption><SSE-KMS><KMSKeyArn>{}</KMSKeyArn></SSE-KMS></ObjectEncryption>",
        keyed.arn
    );
    let target = format!("PUT /photos/key?encryption&versionId={}", ids[0].1);

    let changed = send_body(keyed.server.address(), &target, &[], document.as_bytes()).await;

    assert_eq!((changed.status, changed.text().as_str()), (200, ""));
    let first = read(&keyed.s3, "key").version_id(&ids[0].1);
    let first = first.send().await.unwrap();
    let kms = ServerSideEncryption::AwsKms;
    assert_eq!(first.server_side_encryption, Some(kms));
    assert_eq!(text_of(&keyed.s3, "key", &ids[0].1).await, "SseS3");
    assert_eq!(text_of(&keyed.s3, "key", &ids[3].1).await, "DsseKms");
    assert_eq!(listed(&keyed.s3).await.len(), 4);
}
