//! A bucket's default encryption, and the encryption that it blocks.

use aws_sdk_s3::types::{
    BlockedEncryptionTypes, EncryptionType, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use strongroom_testkit::{Authentication, NewBuckets, Strongroom};
use strongroom_tests::{Answer, send, send_body};

use crate::sdk::{is, photos, put, refusal};

/// Read from AWS in September 2026.
const FRESH_2026: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><BucketKeyEnabled>false</BucketKeyEnabled><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>";

async fn unverified(age: NewBuckets) -> Strongroom {
    let off = |config: &mut strongroom_testkit::Config| config.authentication = Authentication::Off;
    Strongroom::builder()
        .bucket("photos")
        .new_buckets(age)
        .config(off)
        .start()
        .await
}

async fn put_rule(server: &Strongroom, rules: &str) -> Answer {
    let body =
        format!("<ServerSideEncryptionConfiguration>{rules}</ServerSideEncryptionConfiguration>");
    send_body(
        server.address(),
        "PUT /photos?encryption",
        &[],
        body.as_bytes(),
    )
    .await
}

fn by_default(inside: &str) -> String {
    format!(
        "<Rule><ApplyServerSideEncryptionByDefault>{inside}</ApplyServerSideEncryptionByDefault></Rule>"
    )
}

/// Makes `aws:kms` without a key the default of `photos`.
async fn put_kms_default(client: &aws_sdk_s3::Client, key: Option<&str>) {
    let kms = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::AwsKms)
        .set_kms_master_key_id(key.map(str::to_owned))
        .build()
        .unwrap();
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(kms)
        .build();
    let rules = ServerSideEncryptionConfiguration::builder()
        .rules(rule)
        .build()
        .unwrap();
    let put = client
        .put_bucket_encryption()
        .bucket("photos")
        .server_side_encryption_configuration(rules);
    put.send().await.unwrap();
}

#[tokio::test]
async fn a_bucket_of_2026_blocks_customer_keys_to_the_byte() {
    let server = unverified(NewBuckets::Y2026).await;

    let answer = send(server.address(), "GET /photos?encryption", &[]).await;

    assert_eq!(answer.text(), FRESH_2026);
    assert_eq!(answer.header("content-type"), None);
}

#[tokio::test]
async fn an_older_bucket_says_nothing_of_blocking() {
    let server = unverified(NewBuckets::Y2023).await;

    let answer = send(server.address(), "GET /photos?encryption", &[]).await;

    assert_eq!(answer.element("SSEAlgorithm").as_deref(), Some("AES256"));
    assert!(!answer.text().contains("BlockedEncryptionTypes"));
}

#[tokio::test]
async fn a_rule_reads_back_as_it_was_put() {
    let server = unverified(NewBuckets::Y2023).await;
    let rule =
        by_default("<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>some-id</KMSMasterKeyID>");

    assert_eq!(put_rule(&server, &rule).await.status, 200);

    let answer = send(server.address(), "GET /photos?encryption", &[]).await;
    assert_eq!(answer.element("SSEAlgorithm").as_deref(), Some("aws:kms"));
    assert_eq!(answer.element("KMSMasterKeyID").as_deref(), Some("some-id"));
    assert_eq!(
        send(server.address(), "DELETE /photos?encryption", &[])
            .await
            .status,
        204
    );
    let fresh = send(server.address(), "GET /photos?encryption", &[]).await;
    assert_eq!(fresh.element("SSEAlgorithm").as_deref(), Some("AES256"));
}

#[tokio::test]
async fn what_is_no_rule_is_refused() {
    let server = unverified(NewBuckets::Y2023).await;
    let aes = by_default("<SSEAlgorithm>AES256</SSEAlgorithm>");
    let two = format!("{aes}{aes}");
    let unknown = by_default("<SSEAlgorithm>SSE-KMS</SSEAlgorithm>");

    for rules in ["", "<Rule/>", two.as_str(), unknown.as_str(), "<Rule>"] {
        assert_eq!(
            put_rule(&server, rules).await.element("Code").as_deref(),
            Some("MalformedXML"),
            "{rules}"
        );
    }
    let keyed = put_rule(
        &server,
        &by_default("<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>x</KMSMasterKeyID>"),
    )
    .await;
    assert_eq!(
        keyed.element("ArgumentName").as_deref(),
        Some("ApplyServerSideEncryptionByDefault")
    );
    let empty = send_body(server.address(), "PUT /photos?encryption", &[], b"").await;
    assert_eq!(
        empty.element("Code").as_deref(),
        Some("MissingRequestBodyError")
    );
    let absent = send_body(server.address(), "PUT /nothing?encryption", &[], b"").await;
    assert_eq!(absent.element("Code").as_deref(), Some("NoSuchBucket"));
}

#[tokio::test]
async fn a_blocked_bucket_refuses_customer_keys_until_it_is_unblocked() {
    let server = Strongroom::builder()
        .bucket("photos")
        .new_buckets(NewBuckets::Y2026)
        .start()
        .await;
    let client = server.s3_client();
    let upload = || {
        let upload = client
            .put_object()
            .bucket("photos")
            .key("key")
            .sse_customer_algorithm("AES256");
        upload
            .sse_customer_key("K0+/yQHJcx5CgotqScZJqhfJ8hpfw4leiB3Bzyo8HSo=")
            .sse_customer_key_md5("I0aPuXuw4REDJuP1fw07QQ==")
    };

    let blocked = upload().send().await;

    let error = blocked.unwrap_err().into_service_error();
    let message = aws_sdk_s3::error::ProvideErrorMetadata::message(&error).unwrap_or_default();
    assert!(
        message.contains(
            "s3:PutObject on resource: \"arn:aws:s3:::photos/key\" because this bucket has blocked"
        ),
        "{message}"
    );

    let none = BlockedEncryptionTypes::builder()
        .encryption_type(EncryptionType::None)
        .build();
    let rule = ServerSideEncryptionRule::builder()
        .blocked_encryption_types(none)
        .build();
    let rules = ServerSideEncryptionConfiguration::builder()
        .rules(rule)
        .build()
        .unwrap();
    client
        .put_bucket_encryption()
        .bucket("photos")
        .server_side_encryption_configuration(rules)
        .send()
        .await
        .unwrap();
    assert!(upload().send().await.is_ok());
}

#[tokio::test]
async fn a_kms_default_needs_its_key_when_an_object_is_written() {
    let (_server, client) = photos().await;
    put_kms_default(&client, Some("alias/missing")).await;

    let upload = client.put_object().bucket("photos").key("key").send().await;
    assert_eq!(refusal(upload), is("KMS.NotFoundException", 400));
    let own = client
        .put_object()
        .bucket("photos")
        .key("key")
        .server_side_encryption(ServerSideEncryption::Aes256);
    assert!(own.send().await.is_ok(), "the header outdoes the default");
}

#[tokio::test]
async fn a_changed_default_leaves_objects_alone() {
    let (server, client) = photos().await;
    put(&client, "key", "x").await;
    let before = server.stored("photos", "key");
    put_kms_default(&client, None).await;

    assert_eq!(server.stored("photos", "key"), before);
}
