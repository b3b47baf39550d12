//! A bucket's default encryption, and the encryption that it blocks.

use aws_sdk_s3::types::ServerSideEncryption;
use strongroom_testkit::{Authentication, Mode, NewBuckets, Strongroom};
use strongroom_tests::{Answer, send, send_body};

use crate::keyed::{Keyed, RED};
use crate::sdk::{
    copy, head, is, photos, put, put_default, read, refusal, refused, says, upload, upload_in,
    upload_under,
};

/// Read from AWS in September 2026.
const FRESH_2026: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule><BucketKeyEnabled>false</BucketKeyEnabled><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>";

const KMS: ServerSideEncryption = ServerSideEncryption::AwsKms;
/// `aws:kms:dsse`.
const DSSE: ServerSideEncryption = ServerSideEncryption::AwsKmsDsse;
const AES256: ServerSideEncryption = ServerSideEncryption::Aes256;

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
async fn a_kms_default_needs_its_key_when_an_object_is_written() {
    let (_server, client) = photos().await;
    put_default(
        &client,
        ServerSideEncryption::AwsKms,
        Some("alias/missing"),
        None,
    )
    .await;

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
    put_default(&client, KMS, None, None).await;

    assert_eq!(server.stored("photos", "key"), before);
}

/// Mode, KMS key and bucket key of what was put, which HEAD must tell alike.
async fn put_and_seen(
    keyed: &Keyed,
    upload: aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder,
) -> (ServerSideEncryption, Option<String>, Option<bool>) {
    let put = upload.send().await.unwrap();
    let seen = head(&keyed.s3, "key").send().await.unwrap();
    let answered = (
        put.server_side_encryption.unwrap(),
        put.ssekms_key_id,
        put.bucket_key_enabled,
    );
    let told = (
        seen.server_side_encryption.unwrap(),
        seen.ssekms_key_id,
        seen.bucket_key_enabled,
    );
    assert_eq!(answered, told);
    answered
}

/// The ARN of the key that AWS manages.
async fn managed(keyed: &Keyed) -> String {
    let described = keyed
        .kms
        .describe_key()
        .key_id("alias/aws/s3")
        .send()
        .await
        .unwrap();
    described.key_metadata().unwrap().arn().unwrap().to_owned()
}

#[tokio::test]
async fn nothing_asked_of_no_rule_is_aes256() {
    let keyed = Keyed::start().await;

    let got = put_and_seen(&keyed, upload(&keyed.s3, "key", "x")).await;

    assert_eq!(got, (AES256, None, None));
}

#[tokio::test]
async fn a_bucket_key_means_nothing_to_aes256() {
    let keyed = Keyed::start().await;
    put_default(&keyed.s3, AES256, None, Some(true)).await;

    let got = put_and_seen(&keyed, upload(&keyed.s3, "key", "x")).await;
    let asked = upload(&keyed.s3, "key", "x").server_side_encryption(AES256);
    let asked = put_and_seen(&keyed, asked.bucket_key_enabled(true)).await;

    assert_eq!((got, asked), ((AES256, None, None), (AES256, None, None)));
}

#[tokio::test]
async fn a_kms_default_gives_its_key_and_its_bucket_key() {
    let keyed = Keyed::start().await;
    for (rule, told) in [(None, None), (Some(false), None), (Some(true), Some(true))] {
        put_default(&keyed.s3, KMS, Some("alias/app"), rule).await;

        let got = put_and_seen(&keyed, upload(&keyed.s3, "key", "x")).await;

        assert_eq!(got, (KMS, Some(keyed.arn.clone()), told));
    }
}

#[tokio::test]
async fn a_default_names_its_key_in_any_form() {
    let keyed = Keyed::start().await;
    let alias_arn = "arn:aws:kms:us-east-1:000000000000:alias/app";
    for form in [keyed.id(), &keyed.arn, "alias/app", alias_arn] {
        put_default(&keyed.s3, KMS, Some(form), None).await;

        let got = put_and_seen(&keyed, upload(&keyed.s3, "key", "x")).await;

        assert_eq!(got.1.as_ref(), Some(&keyed.arn), "{form}");
    }
}

#[tokio::test]
async fn a_default_without_a_key_has_the_one_that_aws_manages() {
    let keyed = Keyed::start().await;
    for algorithm in [KMS, DSSE] {
        put_default(&keyed.s3, algorithm.clone(), None, None).await;

        let got = put_and_seen(&keyed, upload(&keyed.s3, "key", "x")).await;

        assert_eq!(got, (algorithm, Some(managed(&keyed).await), None));
    }
}

#[tokio::test]
async fn a_default_of_two_layers_has_no_bucket_key() {
    let keyed = Keyed::start().await;
    put_default(&keyed.s3, DSSE, Some("alias/app"), Some(true)).await;

    let got = put_and_seen(&keyed, upload(&keyed.s3, "key", "x")).await;

    assert_eq!(got, (DSSE, Some(keyed.arn.clone()), None));
    assert_eq!(keyed.stored("key").mode, Mode::DsseKms);
}

#[tokio::test]
async fn kms_without_a_key_takes_that_of_a_kms_default() {
    let keyed = Keyed::start().await;
    put_default(&keyed.s3, KMS, Some("alias/app"), Some(true)).await;

    let asked = upload(&keyed.s3, "key", "x").server_side_encryption(KMS);
    let got = put_and_seen(&keyed, asked).await;

    assert_eq!(got, (KMS, Some(keyed.arn.clone()), Some(true)));
}

#[tokio::test]
async fn kms_without_a_key_is_aws_own_under_any_other_default() {
    let keyed = Keyed::start().await;
    let key = Some("alias/app");
    for (algorithm, key) in [(AES256, None), (KMS, None), (DSSE, None), (DSSE, key)] {
        put_default(&keyed.s3, algorithm.clone(), key, None).await;

        let asked = upload(&keyed.s3, "key", "x").server_side_encryption(KMS);
        let got = put_and_seen(&keyed, asked).await;

        let own = (KMS, Some(managed(&keyed).await), None);
        assert_eq!(got, own, "{algorithm} {key:?}");
    }
}

#[tokio::test]
async fn a_named_key_outdoes_the_default_and_inherits_its_bucket_key() {
    let keyed = Keyed::start().await;
    let other = keyed.another_key().await;
    for (algorithm, key) in [(KMS, Some("alias/app")), (KMS, None), (AES256, None)] {
        put_default(&keyed.s3, algorithm.clone(), key, Some(true)).await;

        let got = put_and_seen(&keyed, upload_under(&keyed.s3, &other, "key", "x")).await;

        assert_eq!(
            got,
            (KMS, Some(other.clone()), Some(true)),
            "{algorithm} {key:?}"
        );
    }
}

#[tokio::test]
async fn the_header_of_the_bucket_key_outdoes_the_rule_both_ways() {
    let keyed = Keyed::start().await;
    for (rule, header, told) in [(false, true, Some(true)), (true, false, None)] {
        put_default(&keyed.s3, KMS, Some("alias/app"), Some(rule)).await;

        let alone = upload(&keyed.s3, "key", "x").bucket_key_enabled(header);
        let alone = put_and_seen(&keyed, alone).await;
        let named = upload_under(&keyed.s3, "alias/app", "key", "x").bucket_key_enabled(header);
        let named = put_and_seen(&keyed, named).await;

        let expected = (KMS, Some(keyed.arn.clone()), told);
        assert_eq!((alone, named), (expected.clone(), expected));
    }
}

#[tokio::test]
async fn other_modes_outdo_a_kms_default() {
    let keyed = Keyed::start().await;
    put_default(&keyed.s3, KMS, Some("alias/app"), Some(true)).await;

    let asked = upload(&keyed.s3, "key", "x").server_side_encryption(AES256);
    assert_eq!(put_and_seen(&keyed, asked).await, (AES256, None, None));
    for mode in [Mode::SseC, Mode::DsseKms] {
        let upload = upload_in(mode, &keyed.s3, &keyed.arn, ("key", b"x".to_vec()));
        upload.send().await.unwrap();
        assert_eq!(keyed.stored("key").mode, mode);
    }
}

#[tokio::test]
async fn a_copy_gets_the_default_of_its_destination() {
    let keyed = Keyed::start().await;
    put(&keyed.s3, "source", "x").await;
    put_default(&keyed.s3, KMS, Some("alias/app"), Some(true)).await;

    let copied = copy(&keyed.s3, "source", "copy").send().await.unwrap();

    assert_eq!(copied.server_side_encryption(), Some(&KMS));
    assert_eq!(copied.ssekms_key_id(), Some(keyed.arn.as_str()));
    assert_eq!(copied.bucket_key_enabled(), Some(true));
    assert_eq!(keyed.stored("copy").mode, Mode::SseKms);
}

/// Source: quoted from AWS in an issue of its command line.
#[tokio::test]
async fn a_default_of_a_name_that_is_none_is_refused_when_an_object_is_written() {
    let keyed = Keyed::start().await;
    put_default(&keyed.s3, KMS, Some("aws/s3"), None).await;

    let put = upload(&keyed.s3, "key", "x").send().await;

    let message = "Invalid keyId 'aws/s3'";
    assert_eq!(refused(put), says("KMS.NotFoundException", 400, message));
}

#[tokio::test]
async fn a_default_whose_key_is_disabled_stops_writes_and_no_reads_of_others() {
    let keyed = Keyed::start().await;
    put(&keyed.s3, "before", "x").await;
    put_default(&keyed.s3, KMS, Some("alias/app"), None).await;
    keyed.disable().await;

    let put = upload(&keyed.s3, "key", "x").send().await;

    let message = format!("{} is disabled.", keyed.arn);
    assert_eq!(refused(put), says("KMS.DisabledException", 400, &message));
    assert!(read(&keyed.s3, "before").send().await.is_ok());
}

#[tokio::test]
async fn a_context_alone_binds_an_object_of_a_kms_default() {
    let keyed = Keyed::start().await;
    put_default(&keyed.s3, KMS, Some("alias/app"), None).await;

    let with_context = upload(&keyed.s3, "key", "x").ssekms_encryption_context(RED);
    with_context.send().await.unwrap();

    let context = keyed.stored("key").context;
    assert_eq!(context.get("team").map(String::as_str), Some("red"));
}
