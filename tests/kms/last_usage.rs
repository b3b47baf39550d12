//! When a key was last used: by KMS's callers and by S3, and what policies make of it.

use aws_sdk_kms::Client;
use aws_sdk_kms::operation::get_key_last_usage::GetKeyLastUsageOutput;
use aws_sdk_kms::primitives::DateTime;
use aws_sdk_kms::types::KeyLastUsageTrackingOperation as Use;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use serde_json::json;

use crate::sdk::{
    app_arn, app_today, client_in, days, decrypt, encrypt, is, new_key, refusal, today,
};

async fn last(client: &Client, key: &str) -> GetKeyLastUsageOutput {
    let told = client.get_key_last_usage().key_id(key).send().await;
    told.unwrap()
}

async fn operation(client: &Client, key: &str) -> Option<Use> {
    last(client, key).await.key_last_usage?.operation
}

#[tokio::test]
async fn a_key_that_was_never_used_says_since_when_it_is_watched() {
    let (server, client) = app_today().await;
    let arn = app_arn(&client).await;
    server.clock().advance(days(3));
    let later = new_key(&client).await;

    let told = last(&client, &arn).await;

    assert_eq!(told.key_id, Some(arn));
    assert_eq!(told.key_last_usage.unwrap().operation, None);
    let start = Some(DateTime::from(today()));
    assert_eq!(
        (told.tracking_start_date, told.key_creation_date),
        (start, start)
    );
    let made = Some(DateTime::from(today() + days(3)));
    assert_eq!(last(&client, &later).await.tracking_start_date, made);
}

#[tokio::test]
async fn the_last_use_that_succeeded_is_told() {
    let (server, client) = app_today().await;
    let arn = app_arn(&client).await;
    let ciphertext = encrypt(&client, &arn, b"x").await;
    assert_eq!(operation(&client, &arn).await, Some(Use::Encrypt));
    server.clock().advance(days(2));
    decrypt(&client, &ciphertext).await;
    server.clock().advance(days(2));

    let failing = client.decrypt().ciphertext_blob(ciphertext);
    let failing = failing.encryption_context("a", "b").send().await;
    let dry = client.encrypt().key_id(&arn).dry_run(true);
    let dry = dry
        .plaintext(aws_sdk_kms::primitives::Blob::new(b"x"))
        .send()
        .await;

    assert!(failing.is_err() && dry.is_err());
    let told = last(&client, &arn).await.key_last_usage.unwrap();
    assert_eq!(told.operation, Some(Use::Decrypt));
    assert_eq!(told.timestamp, Some(DateTime::from(today() + days(2))));
    assert!(told.kms_request_id.is_some());
}

#[tokio::test]
async fn both_keys_of_a_reencryption_were_used() {
    let (_server, client) = app_today().await;
    let (source, destination) = (app_arn(&client).await, new_key(&client).await);
    let ciphertext = encrypt(&client, &source, b"x").await;

    let again = client.re_encrypt().ciphertext_blob(ciphertext);
    again.destination_key_id(&destination).send().await.unwrap();

    for key in [&source, &destination] {
        assert_eq!(operation(&client, key).await, Some(Use::ReEncrypt));
    }
}

#[tokio::test]
async fn related_keys_are_told_of_their_own_use() {
    let (server, client) = app_today().await;
    let made = client.create_key().multi_region(true).send().await;
    let id = made.unwrap().key_metadata.unwrap().key_id;
    let replicate = client.replicate_key().key_id(&id);
    replicate.replica_region("eu-west-1").send().await.unwrap();
    let west = client_in(&server, "eu-west-1");

    encrypt(&west, &id, b"x").await;

    assert_eq!(operation(&west, &id).await, Some(Use::Encrypt));
    assert_eq!(operation(&client, &id).await, None);
}

#[tokio::test]
async fn what_s3_asks_for_its_callers_counts_but_what_a_bucket_key_spares_does_not() {
    let (server, client) = app_today().await;
    let arn = app_arn(&client).await;
    let s3 = server.s3_client();
    s3.create_bucket().bucket("photos").send().await.unwrap();
    let put = async |name: &str| {
        let put = s3.put_object().bucket("photos").key(name);
        let put = put.server_side_encryption(ServerSideEncryption::AwsKms);
        let put = put.ssekms_key_id(&arn).bucket_key_enabled(true);
        put.body(ByteStream::from_static(b"x"))
            .send()
            .await
            .unwrap();
    };

    put("first").await;
    server.clock().advance(std::time::Duration::from_mins(1));
    put("second").await;

    let told = last(&client, &arn).await.key_last_usage.unwrap();
    assert_eq!(told.operation, Some(Use::GenerateDataKey));
    assert_eq!(told.timestamp, Some(DateTime::from(today())));
}

#[tokio::test]
async fn a_reset_begins_to_watch_anew() {
    let (server, client) = app_today().await;
    let arn = app_arn(&client).await;
    encrypt(&client, &arn, b"x").await;
    let kept = server.snapshot().await;
    server.clock().advance(days(5));

    server.restore(&kept).await;

    let told = last(&client, &arn).await;
    assert_eq!(told.key_last_usage.unwrap().operation, None);
    assert_eq!(
        told.tracking_start_date,
        Some(DateTime::from(today() + days(5)))
    );
}

#[tokio::test]
async fn a_policy_keeps_a_key_that_was_used_of_late() {
    let (server, client) = app_today().await;
    let arn = app_arn(&client).await;
    let policy = json!({ "Statement": [
        { "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*" },
        { "Effect": "Deny", "Principal": "*", "Action": ["kms:ScheduleKeyDeletion", "kms:DisableKey"], "Resource": "*",
          "Condition": { "NumericLessThanEquals": { "kms:TrailingDaysWithoutKeyUsage": "30" } } },
    ]});
    let put = client.put_key_policy().key_id(&arn);
    put.policy(policy.to_string()).send().await.unwrap();
    server.clock().advance(days(40));
    encrypt(&client, &arn, b"x").await;
    server.clock().advance(days(30));

    let disabled = client.disable_key().key_id(&arn).send().await;
    let scheduled = client.schedule_key_deletion().key_id(&arn).send().await;

    assert_eq!(refusal(disabled).0, "AccessDeniedException");
    assert_eq!(refusal(scheduled).0, "AccessDeniedException");
    server.clock().advance(days(1));
    client.disable_key().key_id(&arn).send().await.unwrap();
}

#[tokio::test]
async fn aliases_are_not_taken() {
    let (_server, client) = app_today().await;

    let told = client.get_key_last_usage().key_id("alias/app").send().await;

    assert_eq!(
        refusal(told),
        is("NotFoundException", "Invalid keyId 'alias/app'")
    );
}
