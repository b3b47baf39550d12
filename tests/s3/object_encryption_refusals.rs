//! What `UpdateObjectEncryption` refuses, and that a refusal changes nothing.
//!
//! Source: answers measured on AWS in September 2026, unless a test says otherwise.

use std::time::Duration;

use aws_sdk_s3::operation::put_object::PutObjectOutput;
use serde_json::json;
use strongroom_testkit::{Authentication, Mode, Strongroom};
use strongroom_tests::{Answer, send_body};

use crate::keyed::Keyed;
use crate::object_encryption::update;
use crate::sdk::{get, head, noise, put, refused, says, upload_in, upload_under};
use crate::versioned;

const TARGET: &str = "PUT /photos/key?encryption";
/// Presigned by version 2 until 2100, with the secret `test`: that signs no `encryption`.
const VERSION_2: &str = "PUT /photos/key?encryption&AWSAccessKeyId=test&Expires=4102444800&Signature=nyk4kuCrf8GIRqidq3tNSlezGrc%3D";
const REQUESTS: &str = "Requests modifying object encryption configuration";

fn document(target: &str) -> String {
    format!(
        "<ObjectEncryption xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{target}</ObjectEncryption>"
    )
}

fn to_kms(arn: &str) -> String {
    document(&format!("<SSE-KMS><KMSKeyArn>{arn}</KMSKeyArn></SSE-KMS>"))
}

async fn send(keyed: &Keyed, target: &str, document: &str) -> Answer {
    send_body(keyed.server.address(), target, &[], document.as_bytes()).await
}

fn told(answer: &Answer) -> (String, u16, String) {
    let element = |name| answer.element(name).unwrap_or_default();
    (element("Code"), answer.status, element("Message"))
}

/// A server with `photos/key` under SSE-S3.
async fn believing() -> Keyed {
    let keyed = Keyed::believing().await;
    put(&keyed.s3, "key", noise(9)).await;
    keyed
}

async fn put_under(keyed: &Keyed, kms_key: &str) -> PutObjectOutput {
    let upload = upload_under(&keyed.s3, kms_key, "key", noise(9));
    upload.send().await.unwrap()
}

/// What the update is refused with, after which everything is as it was.
async fn refused_update(keyed: &Keyed, kms_key: &str) -> (String, u16, String) {
    let before = keyed.stored("key");

    let answer = update(&keyed.s3, "key", kms_key, None).send().await;

    assert_eq!(keyed.stored("key"), before);
    refused(answer)
}

#[tokio::test]
async fn a_raw_message_does_what_the_sdks_does() {
    let keyed = believing().await;

    let answer = send(&keyed, TARGET, &to_kms(&keyed.arn)).await;

    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(keyed.stored("key").mode, Mode::SseKms);
    assert_eq!(get(&keyed.s3, "key").await, noise(9));
}

#[tokio::test]
async fn only_version_4_of_signatures_will_do() {
    let keyed = Keyed::start().await;
    put(&keyed.s3, "key", noise(9)).await;

    for document in [to_kms(&keyed.arn), String::new()] {
        let answer = send(&keyed, VERSION_2, &document).await;

        let message = format!("{REQUESTS} require AWS Signature Version 4.");
        assert_eq!(told(&answer), says("InvalidRequest", 400, &message));
    }
    assert_eq!(keyed.stored("key").mode, Mode::SseS3);
}

#[tokio::test]
async fn a_document_must_be_there_and_be_one() {
    let keyed = believing().await;
    let kms = format!("<SSE-KMS><KMSKeyArn>{}</KMSKeyArn></SSE-KMS>", keyed.arn);

    let empty = send(&keyed, TARGET, "").await;
    let good = to_kms(&keyed.arn);
    let with_md5 = async |md5| {
        let headers = [("content-md5", md5)];
        let address = keyed.server.address();
        send_body(address, TARGET, &headers, good.as_bytes()).await
    };
    let bad_md5 = with_md5("x").await;
    let other_md5 = with_md5("CY9rzUYh03PK3k6DJie09g==").await;

    assert_eq!(
        told(&empty),
        says("MissingRequestBodyError", 400, "Request Body is empty")
    );
    assert_eq!(told(&bad_md5).0, "InvalidDigest");
    assert_eq!(told(&other_md5).0, "BadDigest");
    for (document, code) in [("", "MissingRequestBodyError"), ("<a", "MalformedXML")] {
        let headers = [("content-md5", "CY9rzUYh03PK3k6DJie09g==")];
        let address = keyed.server.address();
        let refused = send_body(address, TARGET, &headers, document.as_bytes()).await;
        assert_eq!(told(&refused).0, code, "before the digest");
    }
    let broken = [
        "<ObjectEncryption>".to_owned(),
        document(""),
        document("<DSSE-KMS/>"),
        document(&format!("<SSE-S3/>{kms}")),
        document(&format!("{kms}{kms}")),
        document("<SSE-KMS><Key>x</Key></SSE-KMS>"),
        format!("<Encryption>{kms}</Encryption>"),
    ];
    for document in &broken {
        let answer = send(&keyed, TARGET, document).await;
        assert_eq!(told(&answer).0, "MalformedXML", "{document}");
        assert!(answer.text().starts_with("<?xml"), "{}", answer.text());
    }
    assert_eq!(keyed.stored("key").mode, Mode::SseS3);
}

#[tokio::test]
async fn a_missing_object_is_told_with_its_bucket_and_before_the_target_is_looked_at() {
    let keyed = believing().await;

    for document in [document("<SSE-S3/>"), to_kms("x"), to_kms(&keyed.arn)] {
        let answer = send(&keyed, "PUT /photos/a/b?encryption", &document).await;

        let message = "The specified key does not exist.";
        assert_eq!(told(&answer), says("NoSuchKey", 404, message));
        assert_eq!(answer.element("Key").as_deref(), Some("photos/a/b"));
    }
    let answer = send(&keyed, "PUT /other/key?encryption", &to_kms(&keyed.arn)).await;
    assert_eq!(told(&answer).0, "NoSuchBucket");
}

/// A guess, as of a delete marker that is read.
#[tokio::test]
async fn a_delete_marker_has_no_encryption() {
    let keyed = believing().await;
    versioned::enable(&keyed.s3).await;
    let marker = versioned::delete(&keyed.s3, "key").await;
    let named = async |id: &str| {
        let update = update(&keyed.s3, "key", &keyed.arn, None).version_id(id);
        refused(update.send().await)
    };

    let newest = update(&keyed.s3, "key", &keyed.arn, None).send().await;

    assert_eq!(refused(newest).0, "NoSuchKey");
    assert_eq!(named(&marker).await.0, "MethodNotAllowed");
    let unknown = named("0123456789abcdef0123456789abcdef").await;
    assert_eq!((unknown.0.as_str(), unknown.1), ("NoSuchVersion", 404));
    let null = update(&keyed.s3, "key", &keyed.arn, None).version_id("null");
    assert!(null.send().await.is_ok());
}

#[tokio::test]
async fn only_a_whole_arn_of_a_kms_key_is_a_target() {
    let keyed = believing().await;
    let malformed =
        |why: &str| format!("{REQUESTS} to SSE-KMS require a valid target kms key arn: {why}");
    let not_a_key = "Invalid KMS Key ARN format. You must provide the full KMS Key ARN to make an UpdateObjectEncryption request".to_owned();
    let cases = [
        (
            "",
            format!("{REQUESTS} to SSE-KMS require a target kms key arn."),
        ),
        (
            "alias/app",
            malformed("Malformed ARN - doesn't start with 'arn:'"),
        ),
        (
            "arn:",
            malformed("Malformed ARN - no AWS partition specified"),
        ),
        (
            "arn:aws:",
            malformed("Malformed ARN - no service specified"),
        ),
        (
            "arn:aws:kms:",
            malformed("Malformed ARN - no AWS region partition specified"),
        ),
        (
            "arn:aws:kms:us-east-1:",
            malformed("Malformed ARN - no AWS account specified"),
        ),
        (
            "arn:aws:kms:us-east-1:000000000000:",
            malformed("Malformed ARN - no resource specified"),
        ),
        (
            "arn:aws:kms:us-east-1:000000000000:key/",
            malformed("resource cannot be empty"),
        ),
        (
            "arn:aws:kms:us-east-1:000000000000:alias/app",
            not_a_key.clone(),
        ),
        ("arn:aws:kms:us-east-1::key/k", not_a_key.clone()),
        ("arn:aws:s3:us-east-1:000000000000:key/k", not_a_key.clone()),
        ("arn:aws:kms:us-east-1:000000000000:k", not_a_key),
    ];
    for (arn, message) in &cases {
        let answer = send(&keyed, TARGET, &to_kms(arn)).await;

        assert_eq!(told(&answer), says("InvalidRequest", 400, message), "{arn}");
    }
    let answer = send(&keyed, TARGET, &document("<SSE-S3/>")).await;
    let message = "Target encryption type 'SSE-S3' is not supported.";
    assert_eq!(told(&answer), says("InvalidRequest", 400, message));
    assert_eq!(keyed.stored("key").mode, Mode::SseS3);
    assert!(keyed.asked().is_empty(), "{:?}", keyed.asked());
}

#[tokio::test]
async fn a_bucket_key_is_wanted_or_not_and_nothing_between() {
    let keyed = believing().await;
    let with = |arn: &str, value: &str| {
        let key = format!("<KMSKeyArn>{arn}</KMSKeyArn>");
        document(&format!(
            "<SSE-KMS>{key}<BucketKeyEnabled>{value}</BucketKeyEnabled></SSE-KMS>"
        ))
    };

    for value in ["TRUE", "yes", ""] {
        let answer = send(&keyed, TARGET, &with(&keyed.arn, value)).await;
        let message = format!("BucketKeyEnabled must be 'true' or 'false'. Invalid value: {value}");
        assert_eq!(told(&answer), says("InvalidRequest", 400, &message));
    }
    let both = send(&keyed, TARGET, &with("x", "yes")).await;
    assert!(
        told(&both).2.contains("Malformed ARN"),
        "the key comes first"
    );
    assert_eq!(keyed.stored("key").mode, Mode::SseS3);
}

/// The words are a guess: AWS documents that it refuses.
#[tokio::test]
async fn objects_under_two_layers_or_a_customers_key_stay_there() {
    let keyed = Keyed::start().await;
    for mode in [Mode::DsseKms, Mode::SseC] {
        let upload = upload_in(mode, &keyed.s3, &keyed.arn, ("key", noise(9)));
        upload.send().await.unwrap();

        let (code, status, message) = refused_update(&keyed, &keyed.arn).await;

        assert_eq!((code.as_str(), status), ("InvalidRequest", 400));
        assert!(message.contains("source objects"), "{message}");
    }
}

/// The words are a guess: AWS documents that it refuses.
#[tokio::test]
async fn a_key_of_another_account_is_no_target() {
    let keyed = believing().await;
    let foreign = keyed.arn.replace(":000000000000:", ":111111111111:");

    let (code, status, message) = refused_update(&keyed, &foreign).await;

    assert_eq!((code.as_str(), status), ("AccessDenied", 403));
    assert!(message.contains("same account"), "{message}");
}

#[tokio::test]
async fn kms_refuses_a_target_as_it_does_to_writes() {
    let keyed = believing().await;
    let unknown = keyed
        .arn
        .replace(keyed.id(), "134f2428-cec1-4b25-a1ae-9048164dba47");
    let elsewhere = keyed.arn.replace("us-east-1", "us-west-2");
    let message = format!("Key '{unknown}' does not exist");

    assert_eq!(
        refused_update(&keyed, &unknown).await,
        says("KMS.NotFoundException", 400, &message)
    );
    assert_eq!(
        refused_update(&keyed, &elsewhere).await,
        says("KMS.NotFoundException", 400, "Invalid arn us-west-2")
    );
    keyed.disable().await;
    let message = format!("{} is disabled.", keyed.arn);
    assert_eq!(
        refused_update(&keyed, &keyed.arn).await,
        says("KMS.DisabledException", 400, &message)
    );
    keyed.enable().await;
    keyed.schedule_deletion().await;
    let message = format!("{} is pending deletion.", keyed.arn);
    assert_eq!(
        refused_update(&keyed, &keyed.arn).await,
        says("KMS.KMSInvalidStateException", 400, &message)
    );
    let last = keyed.asked().pop().unwrap();
    assert_eq!(last.operation, "Encrypt");
    assert_eq!(last.error.as_deref(), Some("KMSInvalidStateException"));
    assert_eq!(get(&keyed.s3, "key").await, noise(9));
}

#[tokio::test]
async fn a_key_that_signs_is_no_target() {
    let keyed = believing().await;
    let signing = keyed.kms.create_key();
    let signing = signing
        .key_spec(aws_sdk_kms::types::KeySpec::Hmac256)
        .key_usage(aws_sdk_kms::types::KeyUsageType::GenerateVerifyMac);
    let signing = signing.send().await.unwrap();
    let arn = signing.key_metadata().unwrap().arn().unwrap();

    let (code, status, _) = refused_update(&keyed, arn).await;

    assert_eq!(
        (code.as_str(), status),
        ("KMS.InvalidKeyUsageException", 400)
    );
}

#[tokio::test]
async fn an_object_cannot_leave_a_key_that_does_not_open_it() {
    let keyed = believing().await;
    let other = keyed.another_key().await;
    put_under(&keyed, &keyed.arn).await;

    keyed.disable().await;
    let message = format!("{} is disabled.", keyed.arn);
    assert_eq!(
        refused_update(&keyed, &other).await,
        says("KMS.DisabledException", 400, &message)
    );
    assert_eq!(keyed.asked().pop().unwrap().operation, "Decrypt");
    keyed.enable().await;
    keyed.delete().await;
    let (code, status, _) = refused_update(&keyed, &other).await;
    assert_eq!((code.as_str(), status), ("AccessDenied", 403));
}

#[tokio::test]
async fn each_right_is_needed_of_the_key_that_is_left_and_of_the_other() {
    let keyed = believing().await;
    let other = keyed.another_key().await;
    put_under(&keyed, &keyed.arn).await;
    let rights = [
        (&keyed.arn, "Decrypt"),
        (&keyed.arn, "ReEncryptFrom"),
        (&other, "GenerateDataKey"),
        (&other, "Encrypt"),
        (&other, "ReEncryptTo"),
    ];
    for (arn, action) in rights {
        let policy = |denied: &str| {
            let allow =
                json!({ "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*" });
            let deny =
                json!({ "Effect": "Deny", "Principal": "*", "Action": denied, "Resource": "*" });
            json!({ "Statement": [allow, deny] }).to_string()
        };
        let put = |policy: String| keyed.kms.put_key_policy().key_id(arn).policy(policy).send();
        put(policy(&format!("kms:{action}"))).await.unwrap();

        let message = format!(
            "User: arn:aws:iam::000000000000:root is not authorized to perform: kms:{action} on resource: {arn} with an explicit deny in a resource-based policy"
        );
        assert_eq!(
            refused_update(&keyed, &other).await,
            says("AccessDenied", 403, &message)
        );
        put(policy("kms:Nothing")).await.unwrap();
    }
    update(&keyed.s3, "key", &other, None).send().await.unwrap();
    assert_eq!(get(&keyed.s3, "key").await, noise(9));
}

#[tokio::test]
async fn strict_servers_move_nothing_under_kms_in_the_clear() {
    let strict = |config: &mut strongroom_testkit::Config| {
        config.strict_tls = true;
        config.authentication = Authentication::Off;
    };
    let keyed = Keyed::of(Strongroom::builder().tls().config(strict)).await;
    put(&keyed.s3, "key", noise(9)).await;

    let plain = send(&keyed, TARGET, &to_kms(&keyed.arn)).await;
    let message = "Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a secure connection.";
    assert_eq!(told(&plain), says("InvalidArgument", 400, message));
    assert_eq!(keyed.stored("key").mode, Mode::SseS3);
    let safe = update(&keyed.s3, "key", &keyed.arn, None).send().await;

    assert!(safe.is_ok(), "{safe:?}");
    keyed.server.clock().advance(Duration::from_secs(1));
    let seen = head(&keyed.s3, "key").send().await.unwrap();
    assert_eq!(seen.ssekms_key_id(), Some(keyed.arn.as_str()));
}
