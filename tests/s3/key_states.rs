//! What becomes of objects when something happens to their KMS key: switched off and on, deleted, rotated, restarted.

use std::fs;

use strongroom::{Config, Emulator};
use strongroom_testkit::{Mode, Strongroom};

use crate::keyed::Keyed;
use crate::sdk::{
    body_of, get, head, is, noise, put, read, read_customers, refusal, upload_in, upload_under,
};

/// Puts an object of each of three modes; the names of their keys are the modes'.
async fn put_three(keyed: &Keyed) {
    for (mode, key) in [
        (Mode::SseS3, "s3"),
        (Mode::SseKms, "kms"),
        (Mode::SseC, "c"),
    ] {
        let upload = upload_in(mode, &keyed.s3, &keyed.arn, (key, noise(70_000)));
        upload.send().await.unwrap();
    }
}

/// Whether the objects that need no KMS key read as they were put.
async fn others_read(keyed: &Keyed) -> bool {
    let own = get(&keyed.s3, "s3").await == noise(70_000);
    own && body_of(read_customers(&keyed.s3, "c")).await == noise(70_000)
}

/// The id of the material that an object's key is under.
async fn material_of(keyed: &Keyed, key: &str) -> String {
    let stored = keyed.stored(key);
    let ciphertext = stored.layers[0].wrapped_key.clone().unwrap();
    let call = keyed
        .kms
        .decrypt()
        .ciphertext_blob(aws_sdk_kms::primitives::Blob::new(ciphertext));
    let call = call.encryption_context("aws:s3:arn", &stored.context["aws:s3:arn"]);
    call.send()
        .await
        .unwrap()
        .key_material_id()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_disabled_key_shuts_its_own_objects_and_no_others() {
    let keyed = Keyed::start().await;
    put_three(&keyed).await;

    keyed.disable().await;

    let refused = read(&keyed.s3, "kms").send().await;
    assert_eq!(refusal(refused), is("KMS.DisabledException", 400));
    assert!(others_read(&keyed).await);
}

#[tokio::test]
async fn an_enabled_key_opens_them_again() {
    let keyed = Keyed::start().await;
    put_three(&keyed).await;
    keyed.disable().await;
    assert!(read(&keyed.s3, "kms").send().await.is_err());

    keyed.enable().await;

    assert!(get(&keyed.s3, "kms").await == noise(70_000));
}

#[tokio::test]
async fn a_deleted_key_shuts_its_objects_for_good() {
    let keyed = Keyed::believing().await;
    put_three(&keyed).await;

    keyed.delete().await;

    for _ in 0..3 {
        let refused = read(&keyed.s3, "kms").send().await;
        assert_eq!(refusal(refused), is("AccessDenied", 403));
        keyed.advance_days(400);
    }
    assert!(others_read(&keyed).await);
    assert!(
        keyed
            .kms
            .cancel_key_deletion()
            .key_id(&keyed.arn)
            .send()
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_key_waits_until_its_last_moment() {
    let keyed = Keyed::believing().await;
    put_three(&keyed).await;
    keyed.schedule_deletion().await;
    keyed.advance_days(6);

    let waiting = read(&keyed.s3, "kms").send().await;
    assert_eq!(refusal(waiting), is("KMS.KMSInvalidStateException", 400));
    keyed
        .kms
        .cancel_key_deletion()
        .key_id(&keyed.arn)
        .send()
        .await
        .unwrap();

    let disabled = read(&keyed.s3, "kms").send().await;
    assert_eq!(refusal(disabled), is("KMS.DisabledException", 400));
    keyed.enable().await;
    keyed.advance_days(30);
    assert!(get(&keyed.s3, "kms").await == noise(70_000));
}

#[tokio::test]
async fn what_cannot_be_read_can_be_seen_replaced_and_deleted() {
    let keyed = Keyed::believing().await;
    upload_under(&keyed.s3, &keyed.arn, "a", "x")
        .send()
        .await
        .unwrap();
    upload_under(&keyed.s3, &keyed.arn, "b", "x")
        .send()
        .await
        .unwrap();
    keyed.delete().await;

    let seen = head(&keyed.s3, "a").send().await.unwrap();
    put(&keyed.s3, "a", "new").await;
    keyed
        .s3
        .delete_object()
        .bucket("photos")
        .key("b")
        .send()
        .await
        .unwrap();

    assert_eq!(seen.ssekms_key_id(), Some(keyed.arn.as_str()));
    assert_eq!(get(&keyed.s3, "a").await, b"new");
    assert_eq!(
        refusal(read(&keyed.s3, "b").send().await),
        is("NoSuchKey", 404)
    );
}

#[tokio::test]
async fn a_new_key_under_the_same_alias_does_not_open_old_objects() {
    let keyed = Keyed::start().await;
    let other = keyed.another_key().await;
    upload_under(&keyed.s3, "alias/app", "old", "x")
        .send()
        .await
        .unwrap();

    let update = keyed
        .kms
        .update_alias()
        .alias_name("alias/app")
        .target_key_id(&other);
    update.send().await.unwrap();
    let new = upload_under(&keyed.s3, "alias/app", "new", "x")
        .send()
        .await
        .unwrap();
    keyed.disable().await;

    assert_eq!(new.ssekms_key_id(), Some(other.as_str()));
    assert_eq!(get(&keyed.s3, "new").await, b"x");
    let refused = read(&keyed.s3, "old").send().await;
    assert_eq!(refusal(refused), is("KMS.DisabledException", 400));
}

#[tokio::test]
async fn after_rotations_on_demand_old_objects_open_and_new_ones_have_new_material() {
    let keyed = Keyed::start().await;
    let mut materials = Vec::new();
    for key in ["first", "second", "third"] {
        upload_under(&keyed.s3, &keyed.arn, key, noise(70_000))
            .send()
            .await
            .unwrap();
        materials.push(material_of(&keyed, key).await);
        keyed
            .kms
            .rotate_key_on_demand()
            .key_id(&keyed.arn)
            .send()
            .await
            .unwrap();
    }

    for key in ["first", "second", "third"] {
        assert!(get(&keyed.s3, key).await == noise(70_000), "{key}");
    }
    materials.dedup();
    assert_eq!(materials.len(), 3);
}

#[tokio::test]
async fn after_automatic_rotations_old_objects_open_and_new_ones_have_new_material() {
    let keyed = Keyed::believing().await;
    let rotate = keyed.kms.enable_key_rotation().key_id(&keyed.arn);
    rotate.rotation_period_in_days(90).send().await.unwrap();
    let mut materials = Vec::new();
    for key in ["first", "second", "third"] {
        upload_under(&keyed.s3, &keyed.arn, key, noise(70_000))
            .send()
            .await
            .unwrap();
        materials.push(material_of(&keyed, key).await);
        keyed.advance_days(90);
    }

    for key in ["first", "second", "third"] {
        assert!(get(&keyed.s3, key).await == noise(70_000), "{key}");
    }
    materials.dedup();
    assert_eq!(materials.len(), 3);
}

#[tokio::test]
async fn the_managed_key_turns_every_year_and_still_opens() {
    let keyed = Keyed::believing().await;
    let sse = aws_sdk_s3::types::ServerSideEncryption::AwsKms;
    let upload = crate::sdk::upload(&keyed.s3, "key", "x").server_side_encryption(sse);
    upload.send().await.unwrap();
    let material = || async {
        let described = keyed
            .kms
            .describe_key()
            .key_id("alias/aws/s3")
            .send()
            .await
            .unwrap();
        described
            .key_metadata()
            .unwrap()
            .current_key_material_id()
            .unwrap()
            .to_owned()
    };

    let before = material().await;
    keyed.advance_days(365);

    assert_ne!(material().await, before);
    assert_eq!(get(&keyed.s3, "key").await, b"x");
}

#[tokio::test]
async fn keys_and_their_objects_outlive_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || Strongroom::builder().data(folder.path());
    let keyed = Keyed::of(builder()).await;
    for (mode, key) in [(Mode::SseKms, "kms"), (Mode::DsseKms, "dsse")] {
        let upload = upload_in(mode, &keyed.s3, &keyed.arn, (key, noise(70_000)));
        upload.send().await.unwrap();
    }
    let upload = upload_under(&keyed.s3, &keyed.arn, "bucket-key", noise(70_000));
    upload.bucket_key_enabled(true).send().await.unwrap();
    let arn = keyed.arn.clone();
    drop(keyed);

    let again = Keyed::of(builder()).await;

    assert_eq!(again.arn, arn);
    for key in ["kms", "dsse", "bucket-key"] {
        assert!(get(&again.s3, key).await == noise(70_000), "{key}");
    }
}

#[tokio::test]
async fn the_state_of_a_key_outlives_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || Strongroom::builder().data(folder.path());
    let keyed = Keyed::of(builder()).await;
    upload_under(&keyed.s3, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();
    keyed.disable().await;
    drop(keyed);

    let again = Keyed::of(builder()).await;

    let refused = read(&again.s3, "key").send().await;
    assert_eq!(refusal(refused), is("KMS.DisabledException", 400));
    again.enable().await;
    assert_eq!(get(&again.s3, "key").await, b"x");
}

#[tokio::test]
async fn nothing_starts_without_the_root_key_that_wraps_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || Strongroom::builder().data(folder.path());
    let keyed = Keyed::of(builder()).await;
    upload_under(&keyed.s3, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();
    drop(keyed);
    let path = folder.path().join("root.key");
    let root = fs::read(&path).unwrap();
    let start = || async {
        let listen = "127.0.0.1:0".parse().unwrap();
        let data = Some(folder.path().to_owned());
        let started = Emulator::start(Config {
            listen,
            data,
            ..Config::default()
        })
        .await;
        started.unwrap_err().to_string()
    };

    fs::remove_file(&path).unwrap();
    let missing = start().await;
    fs::write(&path, [7; 32]).unwrap();
    let other = start().await;
    fs::write(&path, root).unwrap();

    assert!(missing.contains("without it the data is lost"), "{missing}");
    assert!(other.contains("not the one that the data"), "{other}");
    assert_eq!(get(&Keyed::of(builder()).await.s3, "key").await, b"x");
}

#[tokio::test]
async fn nothing_of_a_kms_key_lies_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let keyed = Keyed::of(Strongroom::builder().data(folder.path())).await;
    upload_under(&keyed.s3, &keyed.arn, "key", noise(70_000))
        .send()
        .await
        .unwrap();
    let stored = keyed.stored("key");
    let wrapped = stored.layers[0].wrapped_key.clone().unwrap();
    let own = stored.context["aws:s3:arn"].clone();

    let data_key = keyed
        .decrypt(&wrapped, &[("aws:s3:arn", &own)])
        .await
        .unwrap();

    let needles = [data_key, noise(70_000)[..32].to_vec()];
    let found = crate::proof::holding(folder.path(), &needles);
    assert_eq!(found, Vec::<String>::new());
}
