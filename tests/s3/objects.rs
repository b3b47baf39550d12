//! Putting, reading and describing objects.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode};

use crate::sdk::{get, is, noise, photos, put, refusal};

#[tokio::test]
async fn bodies_of_every_size_read_back() {
    let (_server, client) = photos().await;
    for length in [
        0, 1, 4_024, 4_025, 65_463, 65_464, 65_465, 130_968, 262_144, 1_000_000,
    ] {
        let body = noise(length);

        put(&client, "key", body.clone()).await;

        assert_eq!(get(&client, "key").await, body, "{length} bytes");
    }
}

#[tokio::test]
async fn a_range_is_that_slice_of_the_whole() {
    let (_server, client) = photos().await;
    let body = noise(300_000);
    put(&client, "key", body.clone()).await;
    let ranges = [
        ("bytes=0-0", 0..1),
        ("bytes=65463-65465", 65_463..65_466),
        ("bytes=-7", 299_993..300_000),
        ("bytes=1000-299000", 1_000..299_001),
    ];
    for (header, slice) in ranges {
        let answer = client
            .get_object()
            .bucket("photos")
            .key("key")
            .range(header)
            .send()
            .await
            .unwrap();

        let total = format!("bytes {}-{}/300000", slice.start, slice.end - 1);
        assert_eq!(answer.content_range(), Some(total.as_str()));
        assert_eq!(
            answer.body.collect().await.unwrap().to_vec(),
            body[slice],
            "{header}"
        );
    }
}

#[tokio::test]
async fn a_range_beyond_the_end_is_not_satisfiable() {
    let (_server, client) = photos().await;
    put(&client, "key", "ten bytes!").await;

    let answer = client
        .get_object()
        .bucket("photos")
        .key("key")
        .range("bytes=10-")
        .send()
        .await;

    assert_eq!(refusal(answer), is("InvalidRange", 416));
}

#[tokio::test]
async fn an_absent_key_is_no_such_key() {
    let (_server, client) = photos().await;

    let read = client
        .get_object()
        .bucket("photos")
        .key("nothing")
        .send()
        .await;
    let head = client
        .head_object()
        .bucket("photos")
        .key("nothing")
        .send()
        .await;

    assert_eq!(refusal(read), is("NoSuchKey", 404));
    assert_eq!(refusal(head).1, 404);
}

#[tokio::test]
async fn headers_and_metadata_come_back() {
    let (_server, client) = photos().await;
    let upload = client
        .put_object()
        .bucket("photos")
        .key("key")
        .body(ByteStream::from_static(b"x"));
    let upload = upload
        .content_type("image/png")
        .cache_control("no-cache")
        .content_language("de");
    upload
        .metadata("Owner", "ann")
        .storage_class("STANDARD_IA".into())
        .send()
        .await
        .unwrap();

    let head = client
        .head_object()
        .bucket("photos")
        .key("key")
        .send()
        .await
        .unwrap();

    assert_eq!(head.content_type(), Some("image/png"));
    assert_eq!(head.cache_control(), Some("no-cache"));
    assert_eq!(head.content_language(), Some("de"));
    assert_eq!(head.metadata().unwrap()["owner"], "ann");
    assert_eq!(head.storage_class().unwrap().as_str(), "STANDARD_IA");
    assert_eq!(head.server_side_encryption().unwrap().as_str(), "AES256");
    assert_eq!(head.content_length(), Some(1));
}

#[tokio::test]
async fn a_read_may_override_headers() {
    let (_server, client) = photos().await;
    put(&client, "key", "x").await;

    let read = client
        .get_object()
        .bucket("photos")
        .key("key")
        .response_content_type("text/csv");
    let answer = read
        .response_content_disposition("attachment")
        .send()
        .await
        .unwrap();

    assert_eq!(answer.content_type(), Some("text/csv"));
    assert_eq!(answer.content_disposition(), Some("attachment"));
}

/// Values of the nine bytes "123456789": the check values of the algorithms.
#[tokio::test]
async fn every_checksum_is_verified_stored_and_answered() {
    let (_server, client) = photos().await;
    let algorithms = [
        (ChecksumAlgorithm::Crc32, "y/Q5Jg=="),
        (ChecksumAlgorithm::Crc32C, "4waSgw=="),
        (ChecksumAlgorithm::Crc64Nvme, "rosUhgp5mIg="),
        (ChecksumAlgorithm::Sha1, "98O8HYCOBHMq32eZZczDTKeuNEE="),
        (
            ChecksumAlgorithm::Sha256,
            "FeKw08M4keuw8e9gnsQZQgwg4yDOlMZfvIwzEkSOsiU=",
        ),
    ];
    for (algorithm, value) in algorithms {
        let body = ByteStream::from_static(b"123456789");
        let upload = client.put_object().bucket("photos").key("key").body(body);
        upload
            .checksum_algorithm(algorithm.clone())
            .send()
            .await
            .unwrap();

        let read = client
            .head_object()
            .bucket("photos")
            .key("key")
            .checksum_mode(ChecksumMode::Enabled);
        let head = read.send().await.unwrap();

        let values = [
            head.checksum_crc32(),
            head.checksum_crc32_c(),
            head.checksum_crc64_nvme(),
            head.checksum_sha1(),
            head.checksum_sha256(),
        ];
        assert_eq!(
            values.into_iter().flatten().collect::<Vec<_>>(),
            [value],
            "{algorithm}"
        );
    }
}

#[tokio::test]
async fn a_wrong_digest_is_refused_and_nothing_is_stored() {
    let (_server, client) = photos().await;
    let upload = || {
        client
            .put_object()
            .bucket("photos")
            .key("key")
            .body(ByteStream::from_static(b"body"))
    };

    let md5 = upload()
        .content_md5("AAAAAAAAAAAAAAAAAAAAAA==")
        .send()
        .await;
    let crc = upload().checksum_crc32("AAAAAA==").send().await;

    assert_eq!(refusal(md5), is("BadDigest", 400));
    assert_eq!(refusal(crc), is("BadDigest", 400));
    let listed = client
        .list_objects_v2()
        .bucket("photos")
        .send()
        .await
        .unwrap();
    assert_eq!(listed.key_count(), Some(0));
}

#[tokio::test]
async fn bodies_travel_over_tls_as_well() {
    let server = strongroom_testkit::Strongroom::builder()
        .bucket("photos")
        .tls()
        .start()
        .await;
    let client = server.s3_client();
    let body = noise(2_000_000);

    put(&client, "key", body.clone()).await;

    assert!(server.uri().starts_with("https://"));
    assert_eq!(get(&client, "key").await, body);
}

#[tokio::test]
async fn a_replaced_object_is_the_new_one() {
    let (_server, client) = photos().await;
    put(&client, "key", noise(100_000)).await;

    put(&client, "key", "second").await;

    assert_eq!(get(&client, "key").await, b"second");
}
