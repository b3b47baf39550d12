//! Objects that come as the file of a browser's form: what its fields make of them, and what the browser is answered.
//!
//! Source: answers recorded from AWS, and <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>.

use std::collections::HashMap;

use aws_sdk_s3::types::{ChecksumMode, ServerSideEncryption};
use strongroom_testkit::{Config, Mode};

use crate::forms::{Form, SSE, is_empty, photos, then, told};
use crate::keyed::{Keyed, RED};
use crate::sdk::{CUSTOMER_KEY, get, head, noise, put_default, read, read_customers, says};

const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";

#[tokio::test]
async fn a_file_of_a_form_reads_back() {
    for length in [0, 1, 65_464, 300_000, 3_000_000] {
        let (server, client) = photos().await;
        let body = noise(length);

        let answer = Form::new("key", body.clone()).signed().post(&server).await;

        assert_eq!((answer.status, answer.text().as_str()), (204, ""));
        assert_eq!(get(&client, "key").await, body, "{length} bytes");
    }
}

#[tokio::test]
async fn the_answer_tells_what_was_written() {
    let (server, client) = photos().await;

    let answer = Form::new("dir/a b.png", "hello")
        .signed()
        .post(&server)
        .await;

    let etag = "\"5d41402abc4b2a76b9719d911017c592\"";
    let location = format!("http://{}/photos/dir%2Fa%20b.png", server.address());
    assert_eq!(answer.header("etag"), Some(etag));
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(answer.header(SSE), Some("AES256"));
    assert_eq!(answer.header("content-type"), None);
    assert_eq!(answer.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
    let kept = head(&client, "dir/a b.png").checksum_mode(ChecksumMode::Enabled);
    let kept = kept.send().await.unwrap();
    assert_eq!(
        answer.header("x-amz-checksum-crc64nvme"),
        kept.checksum_crc64_nvme()
    );
}

#[tokio::test]
async fn status_201_comes_with_a_document() {
    let (server, _client) = photos().await;
    let form = Form::new("dir/a.png", "hello").field("success_action_status", "201");

    let answer = form.signed().post(&server).await;

    let location = format!("http://{}/photos/dir%2Fa.png", server.address());
    let document = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>{location}</Location><Bucket>photos</Bucket><Key>dir/a.png</Key><ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;</ETag></PostResponse>"
    );
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("content-type"), Some("application/xml"));
    assert_eq!(answer.header("location"), Some(location.as_str()));
    assert_eq!(answer.text(), document);
}

#[tokio::test]
async fn other_statuses_are_200_and_204() {
    for (wanted, got) in [("200", 200), ("204", 204), ("404", 204), ("", 204)] {
        let (server, _client) = photos().await;
        let form = Form::new("key", "x").field("success_action_status", wanted);

        let answer = form.signed().post(&server).await;

        assert_eq!((answer.status, answer.text().as_str()), (got, ""));
    }
}

#[tokio::test]
async fn a_redirect_tells_bucket_key_and_etag() {
    let (server, _client) = photos().await;
    let url = "https://example.com/done?a=b c";
    let form = Form::new("dir/a b.png", "hello")
        .field("success_action_redirect", url)
        .field("success_action_status", "201");

    let answer = form.signed().post(&server).await;

    let location = format!(
        "{url}&bucket=photos&key=dir%2Fa+b.png&etag=%225d41402abc4b2a76b9719d911017c592%22"
    );
    assert_eq!((answer.status, answer.text().as_str()), (303, ""));
    assert_eq!(answer.header("location"), Some(location.as_str()));
}

#[tokio::test]
async fn a_redirect_within_the_site_is_none() {
    let (server, _client) = photos().await;
    let form = Form::new("key", "x").field("success_action_redirect", "/wrong/redirect");

    assert_eq!(form.signed().post(&server).await.status, 204);
}

#[tokio::test]
async fn the_location_is_that_of_the_host() {
    let (server, _client) = photos().await;
    let host = format!("photos.localhost:{}", server.address().port());
    let headers = [("host", host.as_str()), ("x-forwarded-proto", "https")];

    let answer = Form::new("key", "x")
        .signed()
        .post_to(&server, "POST /", &headers)
        .await;

    let location = format!("https://{host}/key");
    assert_eq!(answer.header("location"), Some(location.as_str()));
}

#[tokio::test]
async fn the_name_of_the_file_goes_into_the_fields() {
    let (server, client) = photos().await;
    let mut form = Form::new("in/${filename}", "hello").field("x-amz-meta-name", "${filename}");
    form.file_name = "; filename=\"C:\\pictures/old\\cat.png\"";

    assert_eq!(form.signed().post(&server).await.status, 204);

    let kept = head(&client, "in/cat.png").send().await.unwrap();
    assert_eq!(kept.metadata().unwrap()["name"], "cat.png");
}

/// Source: an answer recorded from AWS; its documentation has it otherwise.
#[tokio::test]
async fn a_file_without_a_name_leaves_the_variable() {
    let (server, client) = photos().await;
    let mut form = Form::new("in/${filename}", "hello");
    form.file_name = "";

    form.signed().post(&server).await;

    assert_eq!(get(&client, "in/${filename}").await, b"hello");
}

#[tokio::test]
async fn fields_describe_the_object() {
    let (server, client) = photos().await;
    let form = Form::new("key", "hello")
        .field("Content-Type", "image/png")
        .field("Cache-Control", "no-store")
        .field("content-disposition", "inline")
        .field("x-amz-meta-TEST-2", "two")
        .field("x-amz-storage-class", "STANDARD_IA")
        .field("acl", "bucket-owner-full-control");

    let answer = form.signed().post(&server).await;

    assert_eq!(answer.status, 204, "{}", answer.text());
    let kept = head(&client, "key").send().await.unwrap();
    assert_eq!(kept.content_type(), Some("image/png"));
    assert_eq!(kept.cache_control(), Some("no-store"));
    assert_eq!(kept.content_disposition(), Some("inline"));
    assert_eq!(kept.metadata().unwrap()["test-2"], "two");
    assert_eq!(kept.storage_class().unwrap().as_str(), "STANDARD_IA");
}

#[tokio::test]
async fn neither_the_form_nor_its_file_part_says_the_content_type() {
    let (server, client) = photos().await;
    let headers = [("x-amz-meta-a", "of the request")];

    let form = Form::new("key", "hello").signed();
    form.post_to(&server, "POST /photos", &headers).await;

    let kept = head(&client, "key").send().await.unwrap();
    assert_eq!(kept.content_type(), Some("binary/octet-stream"));
    assert!(kept.metadata().is_none_or(HashMap::is_empty));
}

#[tokio::test]
async fn metadata_may_hold_what_headers_cannot() {
    let (server, client) = photos().await;
    let form = Form::new("key", "x").field("x-amz-meta-a", "two\nlines");

    form.signed().post(&server).await;

    let kept = head(&client, "key").send().await.unwrap();
    assert_eq!(kept.metadata().unwrap()["a"], "=?UTF-8?Q?two=0Alines?=");
}

#[tokio::test]
async fn tags_come_as_xml() {
    let tags = "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value></Value></Tag></TagSet></Tagging>";
    for (field, count) in [(tags, Some(2)), ("<Invalid></Invalid>", None)] {
        let (server, client) = photos().await;

        let form = Form::new("key", "x").field("tagging", field);
        let answer = form.signed().post(&server).await;

        assert_eq!(answer.status, 204);
        let kept = read(&client, "key").send().await.unwrap();
        assert_eq!(kept.tag_count(), count);
    }
}

#[tokio::test]
async fn bad_values_are_refused_as_headers_are() {
    let twice =
        "<Tagging><TagSet><Tag><Key>a</Key></Tag><Tag><Key>a</Key></Tag></TagSet></Tagging>";
    let cases = [
        ("tagging", "not-xml", "MalformedXML"),
        ("tagging", twice, "InvalidTag"),
        ("x-amz-storage-class", "FakeClass", "InvalidStorageClass"),
        ("acl", "public-read", "AccessControlListNotSupported"),
        ("x-amz-checksum-crc32", "AAAA", "InvalidRequest"),
        ("x-amz-checksum-crc32", "AAAAAA==", "BadDigest"),
        ("Content-MD5", "x", "InvalidDigest"),
        (SSE, "aes256", "InvalidArgument"),
    ];
    for (name, value, code) in cases {
        let (server, client) = photos().await;

        let answer = Form::new("key", "x")
            .field(name, value)
            .signed()
            .post(&server)
            .await;

        assert_eq!(
            (told(&answer).0.as_str(), answer.status),
            (code, 400),
            "{name}"
        );
        assert!(is_empty(&client).await);
    }
}

#[tokio::test]
async fn a_checksum_that_holds_is_kept() {
    let (server, client) = photos().await;
    let form = Form::new("key", "hello").field("x-amz-checksum-crc32", "NhCmhg==");

    let answer = form.signed().post(&server).await;

    assert_eq!(answer.header("x-amz-checksum-crc32"), Some("NhCmhg=="));
    let kept = head(&client, "key").checksum_mode(ChecksumMode::Enabled);
    assert_eq!(
        kept.send().await.unwrap().checksum_crc32(),
        Some("NhCmhg==")
    );
}

#[tokio::test]
async fn a_form_may_ask_for_any_encryption() {
    let keyed = Keyed::of(then()).await;
    for (algorithm, mode) in [
        ("aws:kms", Mode::SseKms),
        ("aws:kms:dsse", Mode::DsseKms),
        ("AES256", Mode::SseS3),
    ] {
        let mut form = Form::new("key", noise(100_000)).field(SSE, algorithm);
        let is_kms = algorithm != "AES256";
        if is_kms {
            form = form.field(KMS_KEY, "alias/app");
        }

        let answer = form.signed().post(&keyed.server).await;

        assert_eq!(answer.status, 204, "{}", answer.text());
        assert_eq!(answer.header(SSE), Some(algorithm));
        assert_eq!(answer.header(KMS_KEY), is_kms.then_some(keyed.arn.as_str()));
        assert_eq!(keyed.stored("key").mode, mode);
        assert_eq!(get(&keyed.s3, "key").await, noise(100_000));
    }
}

#[tokio::test]
async fn a_context_binds_and_is_not_repeated() {
    let keyed = Keyed::of(then()).await;
    let context = "x-amz-server-side-encryption-context";
    let form = Form::new("key", "hello")
        .field(SSE, "aws:kms")
        .field(context, RED);

    let answer = form.signed().post(&keyed.server).await;

    assert_eq!((answer.status, answer.header(context)), (204, None));
    assert_eq!(keyed.asked().last().unwrap().context["team"], "red");
}

#[tokio::test]
async fn kms_refuses_in_its_own_words() {
    let keyed = Keyed::of(then()).await;
    keyed.disable().await;
    let form = Form::new("key", "hello")
        .field(SSE, "aws:kms")
        .field(KMS_KEY, "alias/app");

    let answer = form.signed().post(&keyed.server).await;

    let message = format!("{} is disabled.", keyed.arn);
    assert_eq!(told(&answer), says("KMS.DisabledException", 400, &message));
    assert!(is_empty(&keyed.s3).await);
}

#[tokio::test]
async fn the_buckets_default_applies() {
    let keyed = Keyed::of(then()).await;
    put_default(
        &keyed.s3,
        ServerSideEncryption::AwsKms,
        Some(&keyed.arn),
        None,
    )
    .await;

    let answer = Form::new("key", "hello").signed().post(&keyed.server).await;

    assert_eq!(answer.header(KMS_KEY), Some(keyed.arn.as_str()));
    assert_eq!(keyed.stored("key").mode, Mode::SseKms);
}

#[tokio::test]
async fn a_customers_key_seals_the_file() {
    let (server, client) = photos().await;

    let form = Form::new("key", noise(100_000)).customers().signed();
    let answer = form.post(&server).await;

    let header = |end: &str| answer.header(&format!("{SSE}-customer-{end}"));
    assert_eq!(answer.status, 204, "{}", answer.text());
    assert_eq!(header("algorithm"), Some("AES256"));
    assert_eq!(header("key-md5"), Some(CUSTOMER_KEY.1));
    assert_eq!(answer.header(SSE), None);
    let kept = read_customers(&client, "key").send().await.unwrap();
    assert_eq!(kept.body.collect().await.unwrap().to_vec(), noise(100_000));
    assert_eq!(server.stored("photos", "key").mode, Mode::SseC);
}

#[tokio::test]
async fn a_customers_key_beyond_ascii_is_no_base64() {
    let (server, _client) = photos().await;
    let form = Form::new("key", "hello")
        .field("x-amz-server-side-encryption-customer-algorithm", "AES256")
        .field("x-amz-server-side-encryption-customer-key", "K\u{f6}")
        .field(
            "x-amz-server-side-encryption-customer-key-MD5",
            CUSTOMER_KEY.1,
        );

    let answer = form.signed().post(&server).await;

    let message = "The secret key was improperly encoded. The secret key must be Base64 encoded.";
    assert_eq!(told(&answer), says("InvalidArgument", 400, message));
    assert_eq!(answer.element("ArgumentValue").as_deref(), Some("K\u{f6}"));
}

/// Source: answers recorded from AWS over plain HTTP.
#[tokio::test]
async fn strict_servers_refuse_customers_keys_of_forms_in_the_clear() {
    let strict = |config: &mut Config| config.strict_tls = true;
    let server = then().bucket("photos").config(strict).start().await;
    let form = Form::new("key", "hello").customers().signed();

    let plain = form.post(&server).await;
    let proxied = [("x-forwarded-proto", "https")];
    let proxied = form.post_to(&server, "POST /photos", &proxied).await;

    assert!(
        told(&plain)
            .2
            .ends_with("must be made over a secure connection.")
    );
    assert_eq!(proxied.status, 204);
}

#[tokio::test]
async fn a_field_cannot_pass_for_tls() {
    let strict = |config: &mut Config| config.strict_tls = true;
    let server = then().bucket("photos").config(strict).start().await;

    let form = Form::new("key", "hello")
        .field("x-forwarded-proto", "https")
        .customers();
    let answer = form.signed().post(&server).await;

    assert_eq!(answer.status, 400);
}
