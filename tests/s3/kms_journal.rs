//! The journal of KMS: who asked what of which key, under which context, through whom.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use aws_sdk_kms::primitives::Blob;
use aws_sdk_s3::types::ServerSideEncryption;
use base64::prelude::{BASE64_STANDARD, Engine};
use strongroom_testkit::{Authentication, KmsCall, Mode, Strongroom, Through};

use crate::keyed::{Keyed, RED, object_arn};
use crate::sdk::{
    body_of, copy, get, head, noise, put, read, read_customers, upload_in, upload_under,
};

const ROOT: &str = "arn:aws:iam::000000000000:root";

/// Operation, context's ARN and whether it was a hit, of what S3 asked.
fn asked(keyed: &Keyed) -> Vec<(String, String, bool)> {
    let calls = keyed.asked().into_iter();
    let told = |call: KmsCall| {
        (
            call.operation,
            call.context["aws:s3:arn"].clone(),
            call.bucket_key_hit,
        )
    };
    calls.map(told).collect()
}

fn call(operation: &str, arn: &str, is_hit: bool) -> (String, String, bool) {
    (operation.to_owned(), arn.to_owned(), is_hit)
}

/// Operation, key and exception of the last call.
fn last_refusal(keyed: &Keyed) -> (String, Option<String>, Option<String>) {
    let call = keyed.server.kms_calls().pop().unwrap();
    (call.operation, call.key_arn, call.error)
}

#[tokio::test]
async fn a_write_is_written_down_whole() {
    let at = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 20_000);
    let believe = |config: &mut strongroom_testkit::Config| {
        config.authentication = Authentication::Off;
    };
    let keyed = Keyed::of(Strongroom::builder().clock(at).config(believe)).await;
    let upload = upload_under(&keyed.s3, "alias/app", "key", "x");
    upload.ssekms_encryption_context(RED).send().await.unwrap();

    let pairs = [
        ("aws:s3:arn", object_arn("key")),
        ("team", "red".to_owned()),
    ];
    let expected = KmsCall {
        time: at,
        operation: "GenerateDataKey".to_owned(),
        caller: ROOT.to_owned(),
        key_arn: Some(keyed.arn.clone()),
        context: pairs.map(|(name, value)| (name.to_owned(), value)).into(),
        source_key_arn: None,
        source_context: BTreeMap::new(),
        through: Through::S3,
        bucket_key_hit: false,
        error: None,
    };
    assert_eq!(keyed.asked(), [expected]);
}

#[tokio::test]
async fn a_read_is_a_decrypt_under_the_stored_context() {
    let keyed = Keyed::start().await;
    let upload = upload_under(&keyed.s3, "alias/app", "key", "x");
    upload.ssekms_encryption_context(RED).send().await.unwrap();

    get(&keyed.s3, "key").await;

    let calls = keyed.asked();
    let [written, got] = &calls[..] else {
        panic!("{calls:?}")
    };
    assert_eq!(
        (got.operation.as_str(), got.caller.as_str()),
        ("Decrypt", ROOT)
    );
    assert_eq!(
        (&got.context, &got.key_arn),
        (&written.context, &written.key_arn)
    );
    assert_eq!(
        (got.through, got.bucket_key_hit, &got.error),
        (Through::S3, false, &None)
    );
}

#[tokio::test]
async fn every_read_without_a_bucket_key_asks_again() {
    let keyed = Keyed::start().await;
    upload_under(&keyed.s3, "alias/app", "key", noise(70_000))
        .send()
        .await
        .unwrap();

    get(&keyed.s3, "key").await;
    body_of(read(&keyed.s3, "key").range("bytes=5-9")).await;

    let own = object_arn("key");
    let expected = [
        call("GenerateDataKey", &own, false),
        call("Decrypt", &own, false),
        call("Decrypt", &own, false),
    ];
    assert_eq!(asked(&keyed), expected);
}

#[tokio::test]
async fn a_copy_decrypts_its_source_and_then_has_a_key_generated() {
    let keyed = Keyed::start().await;
    let other = keyed.another_key().await;
    upload_under(&keyed.s3, "alias/app", "a", "x")
        .send()
        .await
        .unwrap();

    let copy = copy(&keyed.s3, "a", "b").server_side_encryption(ServerSideEncryption::AwsKms);
    copy.ssekms_key_id(&other).send().await.unwrap();

    let (a, b) = (object_arn("a"), object_arn("b"));
    let expected = [
        call("GenerateDataKey", &a, false),
        call("Decrypt", &a, false),
        call("GenerateDataKey", &b, false),
    ];
    assert_eq!(asked(&keyed), expected);
    let keys: Vec<_> = keyed
        .asked()
        .into_iter()
        .filter_map(|call| call.key_arn)
        .collect();
    assert_eq!(keys, [keyed.arn.clone(), keyed.arn.clone(), other]);
}

#[tokio::test]
async fn what_comes_under_another_key_is_told_of_both() {
    let keyed = Keyed::start().await;
    let other = keyed.another_key().await;
    let encrypt = keyed.kms.encrypt().key_id("alias/app");
    let encrypt = encrypt.plaintext(Blob::new("secret"));
    let encrypted = encrypt.encryption_context("team", "red").send().await;
    let again = keyed.kms.re_encrypt().destination_key_id(&other);
    let again = again.ciphertext_blob(encrypted.unwrap().ciphertext_blob.unwrap());
    let again = again.source_encryption_context("team", "red");
    let again = again.destination_encryption_context("team", "blue");

    again.send().await.unwrap();

    let call = keyed.server.kms_calls().pop().unwrap();
    assert_eq!(call.key_arn, Some(other));
    assert_eq!(call.context["team"], "blue");
    assert_eq!(call.source_key_arn, Some(keyed.arn));
    assert_eq!(call.source_context["team"], "red");
}

#[tokio::test]
async fn a_direct_call_says_so() {
    let keyed = Keyed::start().await;
    let encrypt = keyed
        .kms
        .encrypt()
        .key_id("alias/app")
        .plaintext(Blob::new("secret"));
    encrypt
        .encryption_context("team", "red")
        .send()
        .await
        .unwrap();

    let call = keyed.server.kms_calls().pop().unwrap();

    assert_eq!(
        (call.operation.as_str(), call.caller.as_str()),
        ("Encrypt", ROOT)
    );
    assert_eq!(call.key_arn.as_deref(), Some(keyed.arn.as_str()));
    assert_eq!(call.context, [("team".to_owned(), "red".to_owned())].into());
    assert_eq!(
        (call.through, call.bucket_key_hit, call.error),
        (Through::Direct, false, None)
    );
}

#[tokio::test]
async fn other_modes_and_head_ask_nothing() {
    let keyed = Keyed::start().await;
    upload_under(&keyed.s3, "alias/app", "kms", "x")
        .send()
        .await
        .unwrap();
    let before = keyed.server.kms_calls().len();

    put(&keyed.s3, "s3", "x").await;
    get(&keyed.s3, "s3").await;
    let upload = upload_in(Mode::SseC, &keyed.s3, "", ("c", b"x".to_vec()));
    upload.send().await.unwrap();
    body_of(read_customers(&keyed.s3, "c")).await;
    head(&keyed.s3, "kms").send().await.unwrap();
    keyed
        .s3
        .list_objects_v2()
        .bucket("photos")
        .send()
        .await
        .unwrap();
    keyed
        .s3
        .delete_object()
        .bucket("photos")
        .key("kms")
        .send()
        .await
        .unwrap();

    assert_eq!(keyed.server.kms_calls().len(), before);
}

#[tokio::test]
async fn a_refused_write_says_why() {
    let keyed = Keyed::start().await;
    keyed.disable().await;

    assert!(
        upload_under(&keyed.s3, "alias/app", "key", "x")
            .send()
            .await
            .is_err()
    );
    let disabled = last_refusal(&keyed);
    assert!(
        upload_under(&keyed.s3, "alias/missing", "key", "x")
            .send()
            .await
            .is_err()
    );
    let missing = last_refusal(&keyed);

    let generate = || "GenerateDataKey".to_owned();
    let (key, why) = (Some(keyed.arn.clone()), |why: &str| Some(why.to_owned()));
    assert_eq!(disabled, (generate(), key, why("DisabledException")));
    assert_eq!(missing, (generate(), None, why("NotFoundException")));
}

#[tokio::test]
async fn a_refused_read_says_why() {
    let keyed = Keyed::believing().await;
    upload_under(&keyed.s3, "alias/app", "key", "x")
        .send()
        .await
        .unwrap();

    keyed.schedule_deletion().await;
    assert!(read(&keyed.s3, "key").send().await.is_err());
    let pending = last_refusal(&keyed);
    keyed.advance_days(7);
    assert!(read(&keyed.s3, "key").send().await.is_err());
    let gone = last_refusal(&keyed);

    let why = |why: &str| {
        (
            "Decrypt".to_owned(),
            Some(keyed.arn.clone()),
            Some(why.to_owned()),
        )
    };
    assert_eq!(pending, why("KMSInvalidStateException"));
    assert_eq!(gone, why("AccessDeniedException"));
}

#[tokio::test]
async fn a_refused_direct_call_says_why() {
    let keyed = Keyed::start().await;
    upload_under(&keyed.s3, "alias/app", "key", "x")
        .send()
        .await
        .unwrap();
    let wrapped = keyed.stored("key").layers[0].wrapped_key.clone().unwrap();

    keyed
        .decrypt(&wrapped, &[("team", "blue")])
        .await
        .unwrap_err();

    let call = keyed.server.kms_calls().pop().unwrap();
    assert_eq!(
        (call.operation.as_str(), call.through),
        ("Decrypt", Through::Direct)
    );
    assert_eq!(call.error.as_deref(), Some("InvalidCiphertextException"));
    assert_eq!(call.context["team"], "blue");
}

#[tokio::test]
async fn a_hundred_writes_under_a_bucket_key_are_one_call_and_99_hits() {
    let keyed = Keyed::start().await;
    for number in 0..100 {
        let upload = upload_under(&keyed.s3, "alias/app", &number.to_string(), "x");
        upload.bucket_key_enabled(true).send().await.unwrap();
    }

    let calls = asked(&keyed);

    let bucket = "arn:aws:s3:::photos";
    assert_eq!(calls[0], call("GenerateDataKey", bucket, false));
    assert_eq!(calls[1..], vec![call("GenerateDataKey", bucket, true); 99]);
    keyed.server.assert_kms_calls("GenerateDataKey", 1);
}

#[tokio::test]
async fn a_hundred_writes_without_one_are_a_hundred_calls() {
    let keyed = Keyed::start().await;
    for number in 0..100 {
        let upload = upload_under(&keyed.s3, "alias/app", &number.to_string(), "x");
        upload.send().await.unwrap();
    }

    keyed.server.assert_kms_calls("GenerateDataKey", 100);
    assert_eq!(keyed.server.kms_call_count("Decrypt"), 0);
}

#[tokio::test]
async fn a_bucket_key_spares_reads_too_until_it_ends() {
    let keyed = Keyed::start().await;
    let upload = upload_under(&keyed.s3, "alias/app", "key", "x");
    upload.bucket_key_enabled(true).send().await.unwrap();

    get(&keyed.s3, "key").await;
    keyed.server.clock().advance(Duration::from_mins(5));
    get(&keyed.s3, "key").await;
    get(&keyed.s3, "key").await;

    let bucket = "arn:aws:s3:::photos";
    let reads = [true, false, true].map(|is_hit| call("Decrypt", bucket, is_hit));
    assert_eq!(asked(&keyed)[1..], reads);
}

#[tokio::test]
async fn a_hit_that_is_refused_says_why() {
    let keyed = Keyed::start().await;
    let upload = upload_under(&keyed.s3, "alias/app", "key", "x");
    upload.bucket_key_enabled(true).send().await.unwrap();
    keyed.disable().await;

    assert!(read(&keyed.s3, "key").send().await.is_err());

    let call = keyed.server.kms_calls().pop().unwrap();
    assert_eq!(
        (call.operation.as_str(), call.bucket_key_hit),
        ("Decrypt", false)
    );
    assert_eq!(call.error.as_deref(), Some("DisabledException"));
}

/// What bytes look like where somebody prints them.
fn printed(bytes: &[u8]) -> [String; 4] {
    let mut hex = String::new();
    for byte in bytes {
        let _ = write!(hex, "{byte:02x}");
    }
    let list = format!("{bytes:?}");
    let list = list.trim_matches(['[', ']']).to_owned();
    let base64 = BASE64_STANDARD.encode(bytes);
    [
        hex.to_uppercase(),
        hex,
        list,
        base64.trim_end_matches('=').to_owned(),
    ]
}

#[tokio::test]
async fn no_key_plaintext_or_ciphertext_is_among_it() {
    let keyed = Keyed::start().await;
    upload_under(&keyed.s3, "alias/app", "key", "the body")
        .send()
        .await
        .unwrap();
    let upload = upload_under(&keyed.s3, "alias/app", "other", "the body");
    upload.bucket_key_enabled(true).send().await.unwrap();
    get(&keyed.s3, "key").await;
    let encrypt = keyed
        .kms
        .encrypt()
        .key_id("alias/app")
        .plaintext(Blob::new("the secret"));
    let encrypted = encrypt
        .send()
        .await
        .unwrap()
        .ciphertext_blob
        .unwrap()
        .into_inner();
    let wrapped = keyed.stored("key").layers[0].wrapped_key.clone().unwrap();
    let own = object_arn("key");
    let data_key = keyed
        .decrypt(&wrapped, &[("aws:s3:arn", &own)])
        .await
        .unwrap();
    let bucket_key = keyed.stored("other").bucket_key.unwrap();

    let calls = keyed.server.kms_calls();

    let shown = format!("{calls:?}{calls:#?}");
    // A ciphertext begins with the key's id; its end is random.
    let ends = [&wrapped, &encrypted, &bucket_key].map(|bytes| &bytes[bytes.len() - 30..]);
    let secrets: [&[u8]; 3] = [&data_key, b"the body", b"the secret"];
    for bytes in secrets.into_iter().chain(ends) {
        for form in printed(bytes) {
            assert!(!shown.contains(&form), "{form}");
        }
    }
    assert!(!shown.contains("the body") && !shown.contains("the secret"));
}
