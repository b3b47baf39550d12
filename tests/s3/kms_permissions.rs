//! What a key's policy means for objects: S3 asks KMS for its caller, and tells him what KMS says.
//!
//! Source: refusals quoted in public; `kms:ViaService` from KMS's guide.

use serde_json::{Value, json};

use crate::keyed::Keyed;
use crate::sdk::{copy, get, head, put, read, refused, says, upload_under};

const ANN: &str = "arn:aws:iam::000000000000:user/ann";
const ROOT: &str = "arn:aws:iam::000000000000:root";

fn allowing(who: &str) -> Value {
    json!({ "Effect": "Allow", "Principal": { "AWS": who }, "Action": "kms:*", "Resource": "*" })
}

fn denying(who: &str, action: &str) -> Value {
    json!({ "Effect": "Deny", "Principal": { "AWS": who }, "Action": action, "Resource": "*" })
}

async fn set(keyed: &Keyed, statements: &[Value]) {
    let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
    let put = keyed.kms.put_key_policy().key_id(&keyed.arn).policy(policy);
    let put = put.bypass_policy_lockout_safety_check(true);
    put.send().await.unwrap();
}

fn denied(keyed: &Keyed, who: &str, action: &str, reason: &str) -> (String, u16, String) {
    let arn = &keyed.arn;
    let message =
        format!("User: {who} is not authorized to perform: {action} on resource: {arn} {reason}");
    says("AccessDenied", 403, &message)
}

#[tokio::test]
async fn an_explicit_deny_refuses_writes_and_reads_under_the_key() {
    let (keyed, ann) = Keyed::with_ann().await;
    upload_under(&keyed.s3, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();
    put(&keyed.s3, "plain", "x").await;
    let denies = [
        denying(ANN, "kms:GenerateDataKey"),
        denying(ANN, "kms:Decrypt"),
    ];
    set(&keyed, &[&[allowing(ROOT)], &denies[..]].concat()).await;

    let written = refused(upload_under(&ann, &keyed.arn, "new", "x").send().await);
    let got = refused(read(&ann, "key").send().await);
    let copied = refused(copy(&ann, "key", "copy").send().await);

    let reason = "with an explicit deny in a resource-based policy";
    assert_eq!(written, denied(&keyed, ANN, "kms:GenerateDataKey", reason));
    let reading = denied(&keyed, ANN, "kms:Decrypt", reason);
    assert_eq!((got, copied), (reading.clone(), reading));
    assert!(
        head(&ann, "key").send().await.is_ok(),
        "HEAD asks KMS nothing"
    );
    assert_eq!(get(&keyed.s3, "key").await, b"x");
    assert_eq!(get(&ann, "plain").await, b"x");
    let told = keyed.asked().into_iter().filter(|call| call.caller == ANN);
    let told: Vec<_> = told.map(|call| (call.error, call.key_arn)).collect();
    let exception = Some("AccessDeniedException".to_owned());
    assert_eq!(
        told,
        [(); 3].map(|()| (exception.clone(), Some(keyed.arn.clone())))
    );
}

#[tokio::test]
async fn a_key_of_somebody_else_reads_for_him_alone() {
    let (keyed, ann) = Keyed::with_ann().await;
    upload_under(&keyed.s3, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();
    set(&keyed, &[allowing(ANN)]).await;

    let got = refused(read(&keyed.s3, "key").send().await);

    let reason = "because no resource-based policy allows the kms:Decrypt action";
    assert_eq!(got, denied(&keyed, ROOT, "kms:Decrypt", reason));
    assert_eq!(get(&ann, "key").await, b"x");
}

#[tokio::test]
async fn a_bucket_key_that_lives_does_not_outlive_the_policy() {
    let (keyed, _ann) = Keyed::with_ann().await;
    let upload = |key: &'static str| {
        upload_under(&keyed.s3, &keyed.arn, key, "x")
            .bucket_key_enabled(true)
            .send()
    };
    upload("key").await.unwrap();
    set(
        &keyed,
        &[allowing(ROOT), denying(ROOT, "kms:GenerateDataKey")],
    )
    .await;

    let written = refused(upload("new").await);

    let reason = "with an explicit deny in a resource-based policy";
    assert_eq!(written, denied(&keyed, ROOT, "kms:GenerateDataKey", reason));
    assert_eq!(get(&keyed.s3, "key").await, b"x");
}

#[tokio::test]
async fn a_key_can_be_for_s3_alone() {
    let (keyed, ann) = Keyed::with_ann().await;
    let mut via = allowing(ANN);
    via["Condition"] =
        json!({ "StringEquals": { "kms:ViaService": "s3.us-east-1.amazonaws.com" } });
    set(&keyed, &[via]).await;
    let config = keyed.server.sdk_config().into_builder();
    let credentials = aws_sdk_s3::config::Credentials::new("ann", "ann", None, None, "test");
    let provider = aws_sdk_s3::config::SharedCredentialsProvider::new(credentials);
    let kms = aws_sdk_kms::Client::new(&config.credentials_provider(provider).build());

    upload_under(&ann, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();
    let direct = kms
        .generate_data_key()
        .key_id(&keyed.arn)
        .number_of_bytes(32);
    let direct = direct.send().await.unwrap_err().into_service_error();

    assert_eq!(get(&ann, "key").await, b"x");
    let message = direct.meta().message().unwrap();
    let reason = "because no resource-based policy allows the kms:GenerateDataKey action";
    assert!(message.ends_with(reason), "{message}");
}

#[tokio::test]
async fn a_key_can_be_for_some_objects_alone() {
    let (keyed, ann) = Keyed::with_ann().await;
    let mut mine = allowing(ANN);
    mine["Condition"] = json!({ "StringLike": {
        "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::photos/${aws:username}/*" } });
    set(&keyed, &[mine]).await;

    let own = upload_under(&ann, &keyed.arn, "ann/key", "x").send().await;
    let other = refused(upload_under(&ann, &keyed.arn, "bob/key", "x").send().await);

    assert!(own.is_ok());
    assert_eq!(get(&ann, "ann/key").await, b"x");
    let reason = "because no resource-based policy allows the kms:GenerateDataKey action";
    assert_eq!(other, denied(&keyed, ANN, "kms:GenerateDataKey", reason));
}
