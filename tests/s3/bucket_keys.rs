//! Bucket keys: one key from KMS for the objects of a bucket, for five minutes of the clock.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html>; the five minutes, and that the state of
//! the KMS key counts on every use, are decisions of ours.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::put_object::PutObjectOutput;
use aws_sdk_s3::types::ServerSideEncryption;
use strongroom_testkit::{Mode, Strongroom, WrappedUnder};

use crate::keyed::{Keyed, RED, object_arn};
use crate::sdk::{
    client_of, copy, get, get_range, head, is, noise, put, read, refusal, refused, says,
    upload_under,
};
use crate::tink;

const BUCKET: &str = "arn:aws:s3:::photos";
const LIFE: Duration = Duration::from_mins(5);

async fn put_by(client: &Client, keyed: &Keyed, key: &str, body: Vec<u8>) -> PutObjectOutput {
    let upload = upload_under(client, &keyed.arn, key, body);
    upload.bucket_key_enabled(true).send().await.unwrap()
}

async fn put_keyed(keyed: &Keyed, key: &str, body: Vec<u8>) -> PutObjectOutput {
    put_by(&keyed.s3, keyed, key, body).await
}

/// The bucket key of an object, as KMS encrypted it.
fn bucket_key(keyed: &Keyed, key: &str) -> Vec<u8> {
    keyed.stored(key).bucket_key.unwrap()
}

/// What S3 asked of KMS, and whether a bucket key spared it.
fn asked(keyed: &Keyed) -> Vec<(String, bool)> {
    let calls = keyed.asked().into_iter();
    calls
        .map(|call| (call.operation, call.bucket_key_hit))
        .collect()
}

fn call(operation: &str, is_hit: bool) -> (String, bool) {
    (operation.to_owned(), is_hit)
}

#[tokio::test]
async fn the_header_is_answered_where_it_is_true() {
    let keyed = Keyed::start().await;

    let put = put_keyed(&keyed, "key", noise(9)).await;
    let copy = copy(&keyed.s3, "key", "copy").server_side_encryption(ServerSideEncryption::AwsKms);
    let copied = copy.bucket_key_enabled(true).send().await.unwrap();
    let got = read(&keyed.s3, "key").send().await.unwrap();
    let seen = head(&keyed.s3, "key").send().await.unwrap();

    let told = [
        put.bucket_key_enabled(),
        copied.bucket_key_enabled(),
        got.bucket_key_enabled(),
        seen.bucket_key_enabled(),
    ];
    assert_eq!(told, [Some(true); 4]);
}

#[tokio::test]
async fn the_header_is_left_out_where_it_is_false() {
    let keyed = Keyed::start().await;

    let upload = upload_under(&keyed.s3, &keyed.arn, "key", "x").bucket_key_enabled(false);
    let put = upload.send().await.unwrap();
    let got = read(&keyed.s3, "key").send().await.unwrap();
    let seen = head(&keyed.s3, "key").send().await.unwrap();

    let told = [
        put.bucket_key_enabled(),
        got.bucket_key_enabled(),
        seen.bucket_key_enabled(),
    ];
    assert_eq!(told, [None; 3]);
    assert_eq!(keyed.stored("key").bucket_key, None);
}

#[tokio::test]
async fn the_store_shows_the_bucket_and_what_its_key_wraps() {
    let keyed = Keyed::start().await;
    put_keyed(&keyed, "key", noise(9)).await;

    let stored = keyed.stored("key");

    assert_eq!(
        (stored.mode, stored.kms_key_arn.as_deref()),
        (Mode::SseKms, Some(keyed.arn.as_str()))
    );
    assert_eq!(
        stored.context,
        [("aws:s3:arn".to_owned(), BUCKET.to_owned())].into()
    );
    assert!(matches!(&stored.layers[..], [only] if only.under == WrappedUnder::BucketKey));
    assert!(stored.bucket_key.is_some());
}

#[tokio::test]
async fn objects_share_a_bucket_key_and_no_data_key() {
    let keyed = Keyed::start().await;

    put_keyed(&keyed, "a", noise(9)).await;
    put_keyed(&keyed, "b", noise(9)).await;

    let (a, b) = (keyed.stored("a"), keyed.stored("b"));
    assert_eq!(a.bucket_key, b.bucket_key);
    assert_ne!(a.layers, b.layers);
}

#[tokio::test]
async fn kms_opens_a_bucket_key_under_the_bucket_alone() {
    let keyed = Keyed::start().await;
    put_keyed(&keyed, "key", noise(9)).await;
    let ciphertext = bucket_key(&keyed, "key");

    let opened = keyed.decrypt(&ciphertext, &[("aws:s3:arn", BUCKET)]).await;
    let object = keyed
        .decrypt(&ciphertext, &[("aws:s3:arn", &object_arn("key"))])
        .await;

    assert_eq!(opened.unwrap().len(), 32);
    assert_eq!(object.unwrap_err(), "InvalidCiphertextException");
}

#[tokio::test]
async fn what_kms_decrypts_really_opens_data_key_and_body() {
    let keyed = Keyed::start().await;
    put_keyed(&keyed, "key", noise(150_000)).await;
    let stored = keyed.stored("key");
    let own = [("aws:s3:arn".to_owned(), object_arn("key"))].into();
    let wrapped = stored.layers[0].wrapped_key.as_deref().unwrap();

    let ciphertext = bucket_key(&keyed, "key");
    let bucket_key = keyed
        .decrypt(&ciphertext, &[("aws:s3:arn", BUCKET)])
        .await
        .unwrap();

    let data_key = tink::open_key(&bucket_key, &own, wrapped).unwrap();
    let opened = tink::open_body(&data_key, &stored.blob_id, &stored.raw);
    assert!(opened == Some(noise(150_000)));
    assert_eq!(tink::open_key(&bucket_key, &stored.context, wrapped), None);
    assert_eq!(
        tink::open_body(&bucket_key, &stored.blob_id, &stored.raw),
        None
    );
}

#[tokio::test]
async fn ranges_open_under_a_bucket_key() {
    let keyed = Keyed::start().await;
    let body = noise(300_000);
    put_keyed(&keyed, "key", body.clone()).await;

    assert!(get_range(&keyed.s3, "key", "65000-200000").await == body[65_000..=200_000]);
    assert!(get(&keyed.s3, "key").await == body);
}

#[tokio::test]
async fn a_bucket_key_lives_five_minutes_of_the_clock() {
    let keyed = Keyed::start().await;
    put_keyed(&keyed, "first", noise(9)).await;

    keyed.server.clock().advance(Duration::from_secs(290));
    put_keyed(&keyed, "second", noise(9)).await;
    keyed.server.clock().advance(Duration::from_secs(10));
    put_keyed(&keyed, "third", noise(9)).await;

    assert_eq!(bucket_key(&keyed, "first"), bucket_key(&keyed, "second"));
    assert_ne!(bucket_key(&keyed, "second"), bucket_key(&keyed, "third"));
    for key in ["first", "second", "third"] {
        assert_eq!(get(&keyed.s3, key).await, noise(9), "{key}");
    }
}

#[tokio::test]
async fn a_bucket_key_that_was_read_with_seals_nothing_new() {
    let keyed = Keyed::start().await;
    put_keyed(&keyed, "old", noise(9)).await;
    keyed.server.clock().advance(LIFE);

    get(&keyed.s3, "old").await;
    put_keyed(&keyed, "new", noise(9)).await;

    let expected = [
        call("GenerateDataKey", false),
        call("Decrypt", false),
        call("GenerateDataKey", false),
    ];
    assert_eq!(asked(&keyed), expected);
    assert_ne!(bucket_key(&keyed, "old"), bucket_key(&keyed, "new"));
}

#[tokio::test]
async fn uploads_at_the_same_time_have_the_same_bucket_key() {
    let keyed = Keyed::start().await;
    let uploads: Vec<_> = (0..40)
        .map(|number| {
            let upload = upload_under(&keyed.s3, &keyed.arn, &number.to_string(), "x");
            tokio::spawn(upload.bucket_key_enabled(true).send())
        })
        .collect();

    for upload in uploads {
        upload.await.unwrap().unwrap();
    }

    let calls = asked(&keyed);
    assert_eq!(calls.iter().filter(|(_, is_hit)| !is_hit).count(), 1);
    assert_eq!(calls.len(), 40);
}

#[tokio::test]
async fn another_context_has_a_bucket_key_of_its_own() {
    let keyed = Keyed::start().await;
    put_keyed(&keyed, "a", noise(9)).await;

    let upload = upload_under(&keyed.s3, &keyed.arn, "b", noise(9)).bucket_key_enabled(true);
    upload.ssekms_encryption_context(RED).send().await.unwrap();

    let stored = keyed.stored("b");
    assert_eq!(
        asked(&keyed),
        [
            call("GenerateDataKey", false),
            call("GenerateDataKey", false)
        ]
    );
    assert_ne!(bucket_key(&keyed, "a"), bucket_key(&keyed, "b"));
    let pairs = [("aws:s3:arn", BUCKET), ("team", "red")];
    assert_eq!(
        stored.context,
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    );
    assert_eq!(get(&keyed.s3, "b").await, noise(9));
}

#[tokio::test]
async fn another_kms_key_has_a_bucket_key_of_its_own() {
    let keyed = Keyed::start().await;
    let other = keyed.another_key().await;
    put_keyed(&keyed, "a", noise(9)).await;

    let upload = upload_under(&keyed.s3, &other, "b", noise(9));
    upload.bucket_key_enabled(true).send().await.unwrap();

    assert_eq!(
        asked(&keyed),
        [
            call("GenerateDataKey", false),
            call("GenerateDataKey", false)
        ]
    );
    assert_ne!(bucket_key(&keyed, "a"), bucket_key(&keyed, "b"));
}

#[tokio::test]
async fn another_bucket_has_a_bucket_key_of_its_own() {
    let keyed = Keyed::of(Strongroom::builder().bucket("films")).await;
    put_keyed(&keyed, "key", noise(9)).await;

    let upload = upload_under(&keyed.s3, &keyed.arn, "key", noise(9)).bucket("films");
    upload.bucket_key_enabled(true).send().await.unwrap();

    assert_eq!(
        asked(&keyed),
        [
            call("GenerateDataKey", false),
            call("GenerateDataKey", false)
        ]
    );
    let films = keyed.server.stored("films", "key");
    assert_eq!(films.context["aws:s3:arn"], "arn:aws:s3:::films");
    assert_ne!(films.bucket_key, keyed.stored("key").bucket_key);
}

#[tokio::test]
async fn another_requester_has_a_bucket_key_of_his_own() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let users = r#"{"users":[{"name":"ann","account":"000000000000","access_key":"ann","secret_key":"ann"}]}"#;
    std::fs::write(file.path(), users).unwrap();
    let path = file.path().to_owned();
    let known = |config: &mut strongroom_testkit::Config| config.identities = Some(path);
    let keyed = Keyed::of(Strongroom::builder().config(known)).await;
    let ann = client_of(&keyed.server, "ann", "ann");
    put_keyed(&keyed, "roots", noise(9)).await;

    put_by(&ann, &keyed, "anns", noise(9)).await;
    let read = get(&ann, "roots").await;

    let expected = [
        call("GenerateDataKey", false),
        call("GenerateDataKey", false),
        call("Decrypt", false),
    ];
    assert_eq!((asked(&keyed), read), (expected.to_vec(), noise(9)));
    assert_eq!(
        keyed.asked()[1].caller,
        "arn:aws:iam::000000000000:user/ann"
    );
    assert_ne!(bucket_key(&keyed, "roots"), bucket_key(&keyed, "anns"));
}

#[tokio::test]
async fn a_disabled_key_is_refused_while_its_bucket_key_lives() {
    let keyed = Keyed::start().await;
    put_keyed(&keyed, "key", noise(9)).await;
    put(&keyed.s3, "plain", "x").await;

    keyed.disable().await;
    let got = read(&keyed.s3, "key").send().await;
    let upload = upload_under(&keyed.s3, &keyed.arn, "other", "x").bucket_key_enabled(true);
    let put = upload.send().await;

    let message = format!("{} is disabled.", keyed.arn);
    let disabled = says("KMS.DisabledException", 400, &message);
    assert_eq!((refused(got), refused(put)), (disabled.clone(), disabled));
    assert_eq!(get(&keyed.s3, "plain").await, b"x");
    keyed.enable().await;
    assert_eq!(get(&keyed.s3, "key").await, noise(9));
}

#[tokio::test]
async fn a_key_that_waits_for_its_deletion_is_refused_while_its_bucket_key_lives() {
    let keyed = Keyed::start().await;
    put_keyed(&keyed, "key", noise(9)).await;

    keyed.schedule_deletion().await;

    let message = format!("{} is pending deletion.", keyed.arn);
    let pending = says("KMS.KMSInvalidStateException", 400, &message);
    assert_eq!(refused(read(&keyed.s3, "key").send().await), pending);
}

#[tokio::test]
async fn a_deleted_key_takes_the_objects_of_its_bucket_keys_along() {
    let keyed = Keyed::believing().await;
    put_keyed(&keyed, "key", noise(9)).await;
    keyed.schedule_deletion().await;
    let almost = Duration::from_mins(7 * 24 * 60 - 1);
    keyed.server.clock().advance(almost);
    let waiting = refusal(read(&keyed.s3, "key").send().await);

    keyed.server.clock().advance(Duration::from_mins(1));

    assert_eq!(waiting, is("KMS.KMSInvalidStateException", 400));
    for _ in 0..2 {
        assert_eq!(
            refusal(read(&keyed.s3, "key").send().await),
            is("AccessDenied", 403)
        );
        keyed.advance_days(400);
    }
}

#[tokio::test]
async fn after_a_rotation_objects_under_an_old_bucket_key_open() {
    let keyed = Keyed::start().await;
    put_keyed(&keyed, "old", noise(9)).await;
    keyed
        .kms
        .rotate_key_on_demand()
        .key_id(&keyed.arn)
        .send()
        .await
        .unwrap();

    keyed.server.clock().advance(LIFE);
    put_keyed(&keyed, "new", noise(9)).await;

    assert_ne!(bucket_key(&keyed, "old"), bucket_key(&keyed, "new"));
    for key in ["old", "new"] {
        assert_eq!(get(&keyed.s3, key).await, noise(9), "{key}");
    }
}
