//! Buckets that block SSE-C, as new ones do since April 2026: every write that brings a customer's key is refused, and
//! nothing else is.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/blocking-unblocking-s3-c-encryption-gpb.html>; the words
//! are quoted from AWS in stratus-red-team#946, the order in ministack#1439.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BlockedEncryptionTypes, CompletedMultipartUpload, CompletedPart, EncryptionType,
    ObjectAttributes, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};
use strongroom_testkit::{Authentication, Mode, NewBuckets, Strongroom};
use strongroom_tests::send;

use crate::forms::{Form, is_empty, then, told};
use crate::keyed::Keyed;
use crate::sdk::{
    CUSTOMER_KEY, body_of, copy, get, head, noise, photos, put, put_default, read_customers,
    refused, says, upload_in,
};

const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";

/// What AWS says to `test`, the root of the default account.
fn blocked(action: &str, key: &str) -> (String, u16, String) {
    let message = format!(
        "User: arn:aws:iam::000000000000:root is not authorized to perform: {action} on resource: \"arn:aws:s3:::photos/{key}\" because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type."
    );
    says("AccessDenied", 403, &message)
}

/// Changes what `photos` blocks; its default stays SSE-S3.
async fn set_blocked(client: &Client, kind: Option<EncryptionType>) {
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(aws_sdk_s3::types::ServerSideEncryption::Aes256)
        .build()
        .unwrap();
    let kinds = kind.map(|kind| {
        BlockedEncryptionTypes::builder()
            .encryption_type(kind)
            .build()
    });
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default)
        .set_blocked_encryption_types(kinds);
    let rules = ServerSideEncryptionConfiguration::builder().rules(rule.build());
    let put = client.put_bucket_encryption().bucket("photos");
    let put = put.server_side_encryption_configuration(rules.build().unwrap());
    put.send().await.unwrap();
}

async fn of_2026() -> (Strongroom, Client) {
    let builder = Strongroom::builder().new_buckets(NewBuckets::Y2026);
    let server = builder.bucket("photos").start().await;
    let client = server.s3_client();
    (server, client)
}

/// Whether a write under the customer's key is taken.
async fn takes_customers_keys(client: &Client, key: &str) -> bool {
    let put = upload_in(Mode::SseC, client, "", (key, noise(9)))
        .send()
        .await;
    match put {
        Ok(_) => true,
        refusal => {
            assert_eq!(refused(refusal), blocked("s3:PutObject", key));
            false
        }
    }
}

/// An upload of `photos/parts` under the customer's key.
async fn begin(client: &Client) -> String {
    let create = client
        .create_multipart_upload()
        .bucket("photos")
        .key("parts");
    let create = create
        .sse_customer_algorithm("AES256")
        .sse_customer_key(CUSTOMER_KEY.0)
        .sse_customer_key_md5(CUSTOMER_KEY.1);
    create.send().await.unwrap().upload_id.unwrap()
}

#[tokio::test]
async fn a_new_bucket_blocks_customers_keys_by_its_age() {
    let ages = [
        (NewBuckets::Y2026, false),
        (NewBuckets::Y2023, true),
        (NewBuckets::Legacy, true),
    ];
    for (age, takes) in ages {
        let builder = Strongroom::builder().new_buckets(age);
        let server = builder.bucket("photos").start().await;
        let client = server.s3_client();
        let made = client.create_bucket().bucket("made-later");
        made.send().await.unwrap();

        let later = upload_in(Mode::SseC, &client, "", ("key", noise(9)));
        let later = later.bucket("made-later").send().await;

        assert_eq!(takes_customers_keys(&client, "key").await, takes, "{age:?}");
        assert_eq!(later.is_ok(), takes, "{age:?}");
    }
}

#[tokio::test]
async fn objects_are_not_put_nor_copied_nor_begun_under_a_customers_key() {
    let (server, client) = of_2026().await;
    put(&client, "source", noise(9)).await;

    let put = upload_in(Mode::SseC, &client, "", ("a/b", noise(9)));
    let copied = copy(&client, "source", "a/b")
        .sse_customer_algorithm("AES256")
        .sse_customer_key(CUSTOMER_KEY.0)
        .sse_customer_key_md5(CUSTOMER_KEY.1);
    let begun = client.create_multipart_upload().bucket("photos").key("a/b");
    let begun = begun
        .sse_customer_algorithm("AES256")
        .sse_customer_key(CUSTOMER_KEY.0)
        .sse_customer_key_md5(CUSTOMER_KEY.1);

    let refusals = [
        refused(put.send().await),
        refused(copied.send().await),
        refused(begun.send().await),
    ];
    let actions = ["s3:PutObject", "s3:CopyObject", "s3:PutObject"];
    assert_eq!(refusals, actions.map(|action| blocked(action, "a/b")));
    let listed = client.list_objects_v2().bucket("photos").send().await;
    assert_eq!(listed.unwrap().contents().len(), 1);
    let uploads = client.list_multipart_uploads().bucket("photos").send();
    assert!(uploads.await.unwrap().uploads().is_empty());
    let folders = std::fs::read_dir(server.data_folder().join("staging"));
    assert_eq!(folders.unwrap().count(), 0);
}

#[tokio::test]
async fn a_form_is_refused_likewise() {
    let builder = then().bucket("photos").new_buckets(NewBuckets::Y2026);
    let server = builder.start().await;

    let answer = Form::new("a/b", "hello").customers().signed();
    let answer = answer.post(&server).await;

    assert_eq!(told(&answer), blocked("s3:PutObject", "a/b"));
    assert!(is_empty(&server.s3_client()).await);
    let open = Form::new("a/b", "hello").signed().post(&server).await;
    assert_eq!(open.status, 204);
}

#[tokio::test]
async fn an_upload_that_was_begun_before_takes_no_more_parts() {
    let (_server, client) = photos().await;
    put(&client, "source", noise(9)).await;
    let id = begin(&client).await;
    let part = |number: i32| {
        let part = client.upload_part().bucket("photos").key("parts");
        part.upload_id(&id)
            .part_number(number)
            .body(ByteStream::from(noise(9)))
            .sse_customer_algorithm("AES256")
            .sse_customer_key(CUSTOMER_KEY.0)
            .sse_customer_key_md5(CUSTOMER_KEY.1)
    };
    let first = part(1).send().await.unwrap();

    set_blocked(&client, Some(EncryptionType::SseC)).await;
    let second = part(2).send().await;
    let copied = client.upload_part_copy().bucket("photos").key("parts");
    let copied = copied
        .upload_id(&id)
        .part_number(2)
        .copy_source("photos/source")
        .sse_customer_algorithm("AES256")
        .sse_customer_key(CUSTOMER_KEY.0)
        .sse_customer_key_md5(CUSTOMER_KEY.1);
    let copied = copied.send().await;

    let refusal = blocked("s3:PutObject", "parts");
    assert_eq!(refused(second), refusal);
    assert_eq!(refused(copied), refusal);
    // To complete brings no key and writes no byte.
    let taken = CompletedPart::builder()
        .part_number(1)
        .set_e_tag(first.e_tag)
        .build();
    let taken = CompletedMultipartUpload::builder().parts(taken).build();
    let complete = client.complete_multipart_upload().bucket("photos");
    let complete = complete.key("parts").upload_id(&id);
    complete.multipart_upload(taken).send().await.unwrap();
    assert_eq!(body_of(read_customers(&client, "parts")).await, noise(9));
}

#[tokio::test]
async fn what_lies_there_is_read_and_copied_away_as_before() {
    let (_server, client) = photos().await;
    assert!(takes_customers_keys(&client, "sealed").await);

    set_blocked(&client, Some(EncryptionType::SseC)).await;

    assert_eq!(body_of(read_customers(&client, "sealed")).await, noise(9));
    let range = read_customers(&client, "sealed").range("bytes=1-3");
    assert_eq!(body_of(range).await, noise(9)[1..=3]);
    let seen = head(&client, "sealed")
        .sse_customer_algorithm("AES256")
        .sse_customer_key(CUSTOMER_KEY.0)
        .sse_customer_key_md5(CUSTOMER_KEY.1);
    assert!(seen.send().await.is_ok());
    let known = client
        .get_object_attributes()
        .bucket("photos")
        .key("sealed");
    let known = known
        .object_attributes(ObjectAttributes::ObjectSize)
        .sse_customer_algorithm("AES256")
        .sse_customer_key(CUSTOMER_KEY.0)
        .sse_customer_key_md5(CUSTOMER_KEY.1);
    assert_eq!(known.send().await.unwrap().object_size(), Some(9));
    let open = copy(&client, "sealed", "open")
        .copy_source_sse_customer_algorithm("AES256")
        .copy_source_sse_customer_key(CUSTOMER_KEY.0)
        .copy_source_sse_customer_key_md5(CUSTOMER_KEY.1);
    open.send().await.unwrap();
    assert_eq!(get(&client, "open").await, noise(9));
    let begun = client
        .create_multipart_upload()
        .bucket("photos")
        .key("parts");
    let id = begun.send().await.unwrap().upload_id.unwrap();
    let part = client.upload_part_copy().bucket("photos").key("parts");
    let part = part
        .upload_id(id)
        .part_number(1)
        .copy_source("photos/sealed")
        .copy_source_sse_customer_algorithm("AES256")
        .copy_source_sse_customer_key(CUSTOMER_KEY.0)
        .copy_source_sse_customer_key_md5(CUSTOMER_KEY.1);
    assert!(part.send().await.is_ok());
    let gone = client.delete_object().bucket("photos").key("sealed");
    assert!(gone.send().await.is_ok());
}

#[tokio::test]
async fn every_other_encryption_is_taken() {
    let keyed = Keyed::of(Strongroom::builder().new_buckets(NewBuckets::Y2026)).await;
    for mode in [Mode::SseS3, Mode::SseKms, Mode::DsseKms] {
        let upload = upload_in(mode, &keyed.s3, &keyed.arn, ("key", noise(9)));
        upload.send().await.unwrap();

        assert_eq!(keyed.stored("key").mode, mode);
    }
}

#[tokio::test]
async fn a_key_is_refused_before_it_is_looked_at_wherever_it_stands() {
    let off = |config: &mut strongroom_testkit::Config| config.authentication = Authentication::Off;
    let builder = Strongroom::builder().new_buckets(NewBuckets::Y2026);
    let server = builder.bucket("photos").config(off).start().await;
    let address = server.address();
    let headers = [
        (ALGORITHM, "AES256"),
        (ALGORITHM, ""),
        ("x-amz-server-side-encryption-customer-key", "####"),
        ("x-amz-server-side-encryption-customer-key-MD5", "x"),
    ];

    for header in headers {
        let answer = send(address, "PUT /photos/key", &[header]).await;
        assert_eq!(told(&answer), blocked("s3:PutObject", "key"), "{header:?}");
    }
    let presigned = format!(
        "PUT /photos/key?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=test%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature={}&{ALGORITHM}=AES256",
        "0".repeat(64)
    );
    let answer = send(address, &presigned, &[]).await;
    assert_eq!(told(&answer), blocked("s3:PutObject", "key"));
    let nowhere = send(address, "PUT /other/key", &headers[..1]).await;
    assert_eq!(told(&nowhere).0, "NoSuchBucket");
}

/// Source: what AWS's answers showed in terraform-provider-aws#47320.
#[tokio::test]
async fn a_block_lasts_until_a_rule_says_otherwise() {
    let (_server, client) = of_2026().await;
    assert!(!takes_customers_keys(&client, "key").await);

    set_blocked(&client, None).await;
    assert!(!takes_customers_keys(&client, "key").await);
    let kms = aws_sdk_s3::types::ServerSideEncryption::AwsKms;
    put_default(&client, kms, None, None).await;
    assert!(!takes_customers_keys(&client, "key").await);
    set_blocked(&client, Some(EncryptionType::None)).await;
    assert!(takes_customers_keys(&client, "key").await);
    set_blocked(&client, None).await;
    assert!(takes_customers_keys(&client, "key").await);
}

/// A guess: to delete the rule brings back the one that the bucket was born with.
#[tokio::test]
async fn a_deleted_rule_leaves_what_the_bucket_was_born_with() {
    for (age, kind) in [
        (NewBuckets::Y2026, EncryptionType::None),
        (NewBuckets::Y2023, EncryptionType::SseC),
    ] {
        let builder = Strongroom::builder().new_buckets(age);
        let server = builder.bucket("photos").start().await;
        let client = server.s3_client();
        set_blocked(&client, Some(kind)).await;
        let takes = takes_customers_keys(&client, "key").await;
        assert_eq!(takes, age == NewBuckets::Y2026);

        let delete = client.delete_bucket_encryption().bucket("photos");
        delete.send().await.unwrap();

        assert_ne!(takes_customers_keys(&client, "key").await, takes);
    }
}
