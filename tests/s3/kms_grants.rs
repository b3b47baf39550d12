//! What a grant on a key means for objects: S3 asks KMS for its caller, whom a grant may let where the key's policy does
//! not.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>; the words from refusals quoted in public.

use std::time::Duration;

use aws_sdk_kms::types::{GrantConstraints, GrantOperation};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumMode, CompletedMultipartUpload, CompletedPart, ServerSideEncryption,
};
use serde_json::json;

use crate::keyed::{Keyed, object_arn};
use crate::sdk::{copy, get, head, put, read, refusal, refused, says, upload_under};

const ANN: &str = "arn:aws:iam::000000000000:user/ann";
const ROOT: &str = "arn:aws:iam::000000000000:root";

/// A server with a key that lets in the root alone, by name, and a user beside it.
async fn keyed() -> (Keyed, Client) {
    let (keyed, ann) = Keyed::with_ann().await;
    let policy = json!({ "Statement": { "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*",
        "Condition": { "ArnEquals": { "aws:PrincipalArn": ROOT } } } });
    let put = keyed.kms.put_key_policy().key_id(&keyed.arn);
    put.policy(policy.to_string()).send().await.unwrap();
    (keyed, ann)
}

/// Lets the user read and write, under constraints; the grant's id.
async fn grant(keyed: &Keyed, constraints: Option<GrantConstraints>) -> String {
    let call = keyed.kms.create_grant().key_id(&keyed.arn);
    let call = call.grantee_principal(ANN);
    let call = call.operations(GrantOperation::GenerateDataKey);
    let call = call.operations(GrantOperation::Decrypt);
    let made = call.set_constraints(constraints).send().await.unwrap();
    made.grant_id.unwrap()
}

async fn revoke(keyed: &Keyed, id: &str) {
    let call = keyed.kms.revoke_grant().key_id(&keyed.arn).grant_id(id);
    call.send().await.unwrap();
}

fn of_object(key: &str) -> GrantConstraints {
    let built = GrantConstraints::builder();
    let built = built.encryption_context_subset("aws:s3:arn", object_arn(key));
    built.build()
}

fn denied(keyed: &Keyed, action: &str) -> (String, u16, String) {
    let arn = &keyed.arn;
    let message = format!(
        "User: {ANN} is not authorized to perform: {action} on resource: {arn} because no resource-based policy allows the {action} action"
    );
    says("AccessDenied", 403, &message)
}

#[tokio::test]
async fn a_grant_lets_somebody_write_and_read_objects() {
    let (keyed, ann) = keyed().await;
    let before = refused(upload_under(&ann, &keyed.arn, "key", "x").send().await);

    grant(&keyed, None).await;
    upload_under(&ann, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();

    assert_eq!(before, denied(&keyed, "kms:GenerateDataKey"));
    assert_eq!(get(&ann, "key").await, b"x");
    let told: Vec<_> = keyed
        .asked()
        .into_iter()
        .map(|call| (call.caller, call.error))
        .collect();
    let ann = || ANN.to_owned();
    let refusal = Some("AccessDeniedException".to_owned());
    assert_eq!(told, [(ann(), refusal), (ann(), None), (ann(), None)]);
}

#[tokio::test]
async fn a_grant_can_be_for_one_object_alone() {
    let (keyed, ann) = keyed().await;
    upload_under(&keyed.s3, &keyed.arn, "other", "x")
        .send()
        .await
        .unwrap();

    grant(&keyed, Some(of_object("mine"))).await;

    upload_under(&ann, &keyed.arn, "mine", "x")
        .send()
        .await
        .unwrap();
    assert_eq!(get(&ann, "mine").await, b"x");
    let written = refused(upload_under(&ann, &keyed.arn, "other", "x").send().await);
    assert_eq!(written, denied(&keyed, "kms:GenerateDataKey"));
    let got = refused(read(&ann, "other").send().await);
    assert_eq!(got, denied(&keyed, "kms:Decrypt"));
}

#[tokio::test]
async fn after_its_grant_is_revoked_every_way_is_shut() {
    let (keyed, ann) = keyed().await;
    let id = grant(&keyed, None).await;
    upload_under(&ann, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();
    put(&ann, "plain", "x").await;
    let begin = || {
        let call = ann.create_multipart_upload().bucket("photos").key("parts");
        let call = call.server_side_encryption(ServerSideEncryption::AwsKms);
        call.ssekms_key_id(&keyed.arn)
    };
    let upload = begin().send().await.unwrap().upload_id.unwrap();
    let part = |number: i32| {
        let call = ann.upload_part().bucket("photos").key("parts");
        let call = call.upload_id(&upload).part_number(number);
        call.body(ByteStream::from_static(b"x"))
    };
    let first = part(1).send().await.unwrap().e_tag.unwrap();
    let seen = || head(&ann, "key").checksum_mode(ChecksumMode::Enabled);
    assert!(seen().send().await.is_ok());

    revoke(&keyed, &id).await;

    let (writing, reading) = (
        denied(&keyed, "kms:GenerateDataKey"),
        denied(&keyed, "kms:Decrypt"),
    );
    let onto = copy(&ann, "plain", "copy").server_side_encryption(ServerSideEncryption::AwsKms);
    let onto = onto.ssekms_key_id(&keyed.arn);
    assert_eq!(
        refused(upload_under(&ann, &keyed.arn, "new", "x").send().await),
        writing
    );
    assert_eq!(refused(onto.send().await), writing);
    assert_eq!(refused(begin().send().await), writing);
    assert_eq!(refused(read(&ann, "key").send().await), reading);
    assert_eq!(refused(copy(&ann, "key", "copy").send().await), reading);
    assert_eq!(refused(part(2).send().await), reading);
    let parts = CompletedPart::builder().part_number(1).e_tag(first);
    let parts = CompletedMultipartUpload::builder().parts(parts.build());
    let complete = ann
        .complete_multipart_upload()
        .bucket("photos")
        .key("parts");
    let complete = complete.upload_id(&upload).multipart_upload(parts.build());
    assert_eq!(refused(complete.send().await), reading);
    let status = refusal(seen().send().await).1;
    assert_eq!(status, 403, "HEAD has no body to say more");
    assert!(
        head(&ann, "key").send().await.is_ok(),
        "HEAD asks KMS nothing"
    );
    assert_eq!(get(&ann, "plain").await, b"x");
}

#[tokio::test]
async fn a_bucket_key_that_lives_does_not_outlive_its_grant() {
    let (keyed, ann) = keyed().await;
    let bucket = GrantConstraints::builder();
    let bucket = bucket.encryption_context_equals("aws:s3:arn", "arn:aws:s3:::photos");
    let id = grant(&keyed, Some(bucket.build())).await;
    let upload = |key: &'static str| {
        upload_under(&ann, &keyed.arn, key, "x")
            .bucket_key_enabled(true)
            .send()
    };
    upload("one").await.unwrap();
    upload("two").await.unwrap();
    assert_eq!(get(&ann, "one").await, b"x");
    let hits = keyed
        .asked()
        .iter()
        .filter(|call| call.bucket_key_hit)
        .count();

    revoke(&keyed, &id).await;

    assert_eq!(hits, 2);
    let writing = denied(&keyed, "kms:GenerateDataKey");
    assert_eq!(refused(upload("new").await), writing);
    let reading = denied(&keyed, "kms:Decrypt");
    assert_eq!(refused(read(&ann, "one").send().await), reading);
}

#[tokio::test]
async fn a_grant_outlives_the_clock_and_a_snapshot() {
    let (keyed, ann) = keyed().await;
    grant(&keyed, None).await;
    upload_under(&ann, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();

    let snapshot = keyed.server.snapshot().await;
    keyed.server.restore(&snapshot).await;
    keyed.server.clock().advance(Duration::from_mins(1));

    assert_eq!(get(&ann, "key").await, b"x");
}
