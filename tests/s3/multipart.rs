//! Uploads in parts: the bytes that come back, in every mode, and what is refused.

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use strongroom_testkit::{Mode, Strongroom, WrappedUnder};

use crate::keyed::{Keyed, contains};
use crate::sdk::{get, get_range, is, noise, photos, put, refusal};

const MIB: usize = 1_024 * 1_024;

/// An upload of `photos/key` under way.
struct Upload<'c> {
    client: &'c Client,
    id: String,
}

impl<'c> Upload<'c> {
    async fn begin(client: &'c Client, encryption: Option<ServerSideEncryption>) -> Self {
        let create = client.create_multipart_upload().bucket("photos").key("key");
        let create = create.set_server_side_encryption(encryption);
        let begun = create.send().await.unwrap();
        Self {
            client,
            id: begun.upload_id.unwrap(),
        }
    }

    async fn part(&self, number: i32, body: &[u8]) -> CompletedPart {
        let upload = self.client.upload_part().bucket("photos").key("key");
        let upload = upload.upload_id(&self.id).part_number(number);
        let written = upload.body(ByteStream::from(body.to_vec())).send().await;
        CompletedPart::builder()
            .part_number(number)
            .set_e_tag(written.unwrap().e_tag)
            .build()
    }

    fn complete(
        &self,
        parts: Vec<CompletedPart>,
    ) -> aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder
    {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts));
        let complete = self.client.complete_multipart_upload();
        let complete = complete.bucket("photos").key("key").upload_id(&self.id);
        complete.multipart_upload(parts.build())
    }
}

/// 5 MiB and a bit, 5 MiB, and 10 bytes; the whole in one piece.
fn three_parts() -> ([Vec<u8>; 3], Vec<u8>) {
    let whole = noise(10 * MIB + 1_010);
    let cut = |from: usize, to: usize| whole[from..to].to_vec();
    let parts = [
        cut(0, 5 * MIB + 1_000),
        cut(5 * MIB + 1_000, 10 * MIB + 1_000),
        cut(10 * MIB + 1_000, whole.len()),
    ];
    (parts, whole)
}

/// Puts `photos/key` in three parts; gives all of it.
pub(crate) async fn put_in_parts(
    client: &Client,
    encryption: Option<ServerSideEncryption>,
) -> Vec<u8> {
    let (parts, whole) = three_parts();
    let upload = Upload::begin(client, encryption).await;
    let mut done = Vec::new();
    for (number, part) in (1..).zip(&parts) {
        done.push(upload.part(number, part).await);
    }
    upload.complete(done).send().await.unwrap();
    whole
}

fn modes() -> [(Option<ServerSideEncryption>, Mode); 3] {
    [
        (None, Mode::SseS3),
        (Some(ServerSideEncryption::AwsKms), Mode::SseKms),
        (Some(ServerSideEncryption::AwsKmsDsse), Mode::DsseKms),
    ]
}

#[tokio::test]
async fn parts_come_back_as_one_object_in_every_mode() {
    for (encryption, mode) in modes() {
        let (server, client) = photos().await;

        let whole = put_in_parts(&client, encryption).await;

        assert!(get(&client, "key").await == whole, "{mode:?}");
        let stored = server.stored("photos", "key");
        assert_eq!((stored.mode, stored.blobs.len()), (mode, 3));
        assert!(!contains(&stored.raw, &whole[..64]));
    }
}

#[tokio::test]
async fn ranges_cross_the_borders_of_parts() {
    for (encryption, mode) in modes() {
        let (_server, client) = photos().await;
        let whole = put_in_parts(&client, encryption).await;
        let (border, size) = (5 * MIB + 1_000, whole.len());
        let ranges = [
            (0, 0),
            (border - 1, border),
            (border, border),
            (1, size - 1),
            (size - 11, size - 9),
            (size - 5, size - 1),
        ];
        for (first, last) in ranges {
            let got = get_range(&client, "key", &format!("{first}-{last}")).await;
            assert!(got == whole[first..=last], "{first}-{last} in {mode:?}");
        }
    }
}

#[tokio::test]
async fn a_part_is_read_by_its_number() {
    let (_server, client) = photos().await;
    let whole = put_in_parts(&client, None).await;
    let read = |number| {
        client
            .get_object()
            .bucket("photos")
            .key("key")
            .part_number(number)
    };

    let second = read(2).send().await.unwrap();
    let missing = read(4).send().await;

    assert_eq!(second.parts_count(), Some(3));
    let range = format!(
        "bytes {}-{}/{}",
        5 * MIB + 1_000,
        10 * MIB + 999,
        whole.len()
    );
    assert_eq!(second.content_range(), Some(range.as_str()));
    let body = second.body.collect().await.unwrap().to_vec();
    assert!(body == whole[5 * MIB + 1_000..10 * MIB + 1_000]);
    assert_eq!(refusal(missing), is("InvalidPartNumber", 416));
}

#[tokio::test]
async fn all_parts_are_under_the_uploads_one_key_and_ask_kms_for_it() {
    let keyed = Keyed::start().await;
    let whole = put_in_parts(&keyed.s3, Some(ServerSideEncryption::AwsKms)).await;

    let stored = keyed.stored("key");

    assert_eq!(stored.layers.len(), 1);
    assert_eq!(stored.layers[0].under, WrappedUnder::KmsKey);
    let operations: Vec<_> = keyed
        .asked()
        .into_iter()
        .map(|call| call.operation)
        .collect();
    assert_eq!(
        operations,
        [
            "GenerateDataKey",
            "Decrypt",
            "Decrypt",
            "Decrypt",
            "Decrypt"
        ]
    );
    assert!(get(&keyed.s3, "key").await == whole);
}

#[tokio::test]
async fn a_part_that_is_written_again_replaces_the_first() {
    let (server, client) = photos().await;
    let upload = Upload::begin(&client, None).await;
    upload.part(1, &noise(100_000)).await;
    let part = upload.part(1, b"second").await;

    upload.complete(vec![part]).send().await.unwrap();

    assert_eq!(get(&client, "key").await, b"second");
    assert_eq!(blobs(&server), 0);
}

/// How many files of blobs there are.
fn blobs(server: &Strongroom) -> usize {
    let folders = std::fs::read_dir(server.data_folder().join("blobs")).unwrap();
    let files = folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count());
    files.sum()
}

#[tokio::test]
async fn what_is_given_up_leaves_nothing_behind() {
    let (server, client) = photos().await;
    let upload = Upload::begin(&client, None).await;
    upload.part(1, &noise(100_000)).await;
    upload.part(2, &noise(100_000)).await;
    assert_eq!(blobs(&server), 2);

    let abort = client.abort_multipart_upload().bucket("photos").key("key");
    abort.upload_id(&upload.id).send().await.unwrap();

    assert_eq!(blobs(&server), 0);
    let again = client.abort_multipart_upload().bucket("photos").key("key");
    let again = again.upload_id(&upload.id).send().await;
    assert_eq!(refusal(again), is("NoSuchUpload", 404));
}

#[tokio::test]
async fn parts_that_the_object_does_not_take_go_with_the_upload() {
    let (server, client) = photos().await;
    let upload = Upload::begin(&client, None).await;
    let taken = upload.part(3, &noise(100_000)).await;
    upload.part(1, &noise(100_000)).await;

    upload.complete(vec![taken]).send().await.unwrap();

    assert_eq!(get(&client, "key").await, noise(100_000));
    assert_eq!(blobs(&server), 1);
}

#[tokio::test]
async fn an_object_that_is_replaced_or_deleted_takes_its_parts_along() {
    let (server, client) = photos().await;
    put_in_parts(&client, None).await;
    assert_eq!(blobs(&server), 2);

    put(&client, "key", "small").await;
    assert_eq!(blobs(&server), 0);
    put_in_parts(&client, None).await;
    client
        .delete_object()
        .bucket("photos")
        .key("key")
        .send()
        .await
        .unwrap();

    assert_eq!(blobs(&server), 0);
}

#[tokio::test]
async fn a_bucket_goes_with_the_uploads_that_are_under_way_in_it() {
    let (server, client) = photos().await;
    let upload = Upload::begin(&client, None).await;
    upload.part(1, &noise(100_000)).await;

    client
        .delete_bucket()
        .bucket("photos")
        .send()
        .await
        .unwrap();

    assert_eq!(blobs(&server), 0);
}

#[tokio::test]
async fn a_part_under_another_customer_key_is_refused() {
    let (_server, client) = photos().await;
    let keys = [
        (
            "K0+/yQHJcx5CgotqScZJqhfJ8hpfw4leiB3Bzyo8HSo=",
            "I0aPuXuw4REDJuP1fw07QQ==",
        ),
        (
            "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=",
            "DWygnHRtgiJ77HCm+1rvHw==",
        ),
    ];
    let create = client.create_multipart_upload().bucket("photos").key("key");
    let create = create.sse_customer_algorithm("AES256");
    let create = create
        .sse_customer_key(keys[0].0)
        .sse_customer_key_md5(keys[0].1);
    let id = create.send().await.unwrap().upload_id.unwrap();
    let part = |key: Option<(&str, &str)>| {
        let part = client.upload_part().bucket("photos").key("key");
        part.upload_id(&id)
            .part_number(1)
            .body(ByteStream::from_static(b"x"))
            .set_sse_customer_algorithm(key.map(|_| "AES256".to_owned()))
            .set_sse_customer_key(key.map(|key| key.0.to_owned()))
            .set_sse_customer_key_md5(key.map(|key| key.1.to_owned()))
    };

    let other = part(Some(keys[1])).send().await;
    let none = part(None).send().await;
    let right = part(Some(keys[0])).send().await;

    assert_eq!(refusal(other), is("InvalidRequest", 400));
    assert_eq!(refusal(none), is("InvalidRequest", 400));
    assert!(right.is_ok());
}

#[tokio::test]
async fn an_object_in_parts_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || Strongroom::builder().bucket("photos").data(folder.path());
    let first = builder().start().await;
    let whole = put_in_parts(&first.s3_client(), None).await;
    drop(first);

    let second = builder().start().await;

    assert!(get(&second.s3_client(), "key").await == whole);
}

#[tokio::test]
async fn a_copy_of_an_object_in_parts_is_one_blob() {
    let (server, client) = photos().await;
    let whole = put_in_parts(&client, None).await;

    let copy = client.copy_object().bucket("photos").key("copy");
    copy.copy_source("photos/key").send().await.unwrap();

    assert!(get(&client, "copy").await == whole);
    assert_eq!(server.stored("photos", "copy").blobs.len(), 1);
}

#[tokio::test]
async fn a_part_is_copied_from_a_range_of_another_object() {
    let (_server, client) = photos().await;
    put(&client, "source", noise(200_000)).await;
    let upload = Upload::begin(&client, Some(ServerSideEncryption::AwsKms)).await;

    let copy = client.upload_part_copy().bucket("photos").key("key");
    let copy = copy
        .upload_id(&upload.id)
        .part_number(1)
        .copy_source("photos/source");
    let copied = copy
        .copy_source_range("bytes=65000-150000")
        .send()
        .await
        .unwrap();
    let part = CompletedPart::builder()
        .part_number(1)
        .set_e_tag(copied.copy_part_result.unwrap().e_tag)
        .build();
    upload.complete(vec![part]).send().await.unwrap();

    assert!(get(&client, "key").await == noise(200_000)[65_000..=150_000]);
}

#[tokio::test]
async fn a_conditional_completion_sees_what_happened_since_it_began() {
    let (_server, client) = photos().await;
    put(&client, "key", "before").await;
    let (replaced, deleted) = (
        Upload::begin(&client, None).await,
        Upload::begin(&client, None).await,
    );
    let [first, second] = [&replaced, &deleted].map(|upload| upload.part(1, b"part"));
    let (first, second) = (first.await, second.await);
    let again = client.put_object().bucket("photos").key("key");
    let again = again.body(ByteStream::from_static(b"after")).send().await;
    let etag = again.unwrap().e_tag.unwrap();

    let conflict = replaced.complete(vec![first]).if_match(etag).send().await;
    let delete = client.delete_object().bucket("photos").key("key");
    delete.send().await.unwrap();
    let absent = deleted.complete(vec![second.clone()]).if_none_match("*");
    let absent = absent.send().await;

    assert_eq!(refusal(conflict), is("ConditionalRequestConflict", 409));
    assert_eq!(refusal(absent), is("ConditionalRequestConflict", 409));
    deleted.complete(vec![second]).send().await.unwrap();
    assert_eq!(get(&client, "key").await, b"part");
}
