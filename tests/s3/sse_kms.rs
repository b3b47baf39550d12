//! Objects under SSE-KMS: what their answers say, and what lies in the store.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::Region;
use aws_sdk_s3::types::{
    BucketLocationConstraint, ChecksumAlgorithm, ChecksumMode, CreateBucketConfiguration,
    ServerSideEncryption,
};
use strongroom_testkit::{Mode, WrappedUnder};
use strongroom_tests::send;

use crate::keyed::{Keyed, RED, contains, object_arn};
use crate::sdk::{
    body_of, copy, get, get_range, head, is, noise, put, read, read_customers, refusal, refused,
    says, upload, upload_in, upload_under,
};
use crate::tink;

const MODES: [Mode; 4] = [Mode::SseS3, Mode::SseKms, Mode::DsseKms, Mode::SseC];

#[tokio::test]
async fn a_key_in_any_of_its_four_forms_is_answered_as_its_arn() {
    let keyed = Keyed::start().await;
    let alias_arn = "arn:aws:kms:us-east-1:000000000000:alias/app";

    for form in [keyed.id(), &keyed.arn, "alias/app", alias_arn] {
        let put = upload_under(&keyed.s3, form, "key", "x")
            .send()
            .await
            .unwrap();
        let copied = copy(&keyed.s3, "key", "copy")
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .ssekms_key_id(form)
            .send()
            .await
            .unwrap();

        assert_eq!(put.ssekms_key_id(), Some(keyed.arn.as_str()), "{form}");
        assert_eq!(copied.ssekms_key_id(), Some(keyed.arn.as_str()), "{form}");
    }
}

#[tokio::test]
async fn reads_tell_the_mode_and_the_key() {
    let keyed = Keyed::start().await;
    upload_under(&keyed.s3, "alias/app", "key", "x")
        .send()
        .await
        .unwrap();

    let got = read(&keyed.s3, "key").send().await.unwrap();
    let seen = head(&keyed.s3, "key").send().await.unwrap();

    let kms = Some(&ServerSideEncryption::AwsKms);
    assert_eq!(
        (got.server_side_encryption(), seen.server_side_encryption()),
        (kms, kms)
    );
    assert_eq!(got.ssekms_key_id(), Some(keyed.arn.as_str()));
    assert_eq!(seen.ssekms_key_id(), Some(keyed.arn.as_str()));
}

#[tokio::test]
async fn writes_repeat_the_context_that_they_sent() {
    let keyed = Keyed::start().await;
    let upload = || upload_under(&keyed.s3, &keyed.arn, "key", "x");
    let copy =
        || copy(&keyed.s3, "key", "copy").server_side_encryption(ServerSideEncryption::AwsKms);

    let put = upload()
        .ssekms_encryption_context(RED)
        .send()
        .await
        .unwrap();
    let copied = copy().ssekms_encryption_context(RED).send().await.unwrap();
    let without = (upload().send().await.unwrap(), copy().send().await.unwrap());

    assert_eq!(put.ssekms_encryption_context(), Some(RED));
    assert_eq!(copied.ssekms_encryption_context(), Some(RED));
    assert_eq!(without.0.ssekms_encryption_context(), None);
    assert_eq!(without.1.ssekms_encryption_context(), None);
}

#[tokio::test]
async fn reads_never_tell_the_context() {
    let keyed = Keyed::believing().await;
    let upload = upload_under(&keyed.s3, &keyed.arn, "key", "x");
    upload.ssekms_encryption_context(RED).send().await.unwrap();

    for method in ["GET", "HEAD"] {
        let answer = send(
            keyed.server.address(),
            &format!("{method} /photos/key"),
            &[],
        )
        .await;

        let sse = answer.header("x-amz-server-side-encryption");
        let context = answer.header("x-amz-server-side-encryption-context");
        assert_eq!(
            (answer.status, sse, context),
            (200, Some("aws:kms"), None),
            "{method}"
        );
    }
}

/// Source: AWS's own key as recorded from `DescribeKey`.
#[tokio::test]
async fn without_a_key_it_is_the_one_that_aws_manages() {
    let keyed = Keyed::start().await;

    let put = upload(&keyed.s3, "key", "x")
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .send()
        .await
        .unwrap();

    let described = keyed
        .kms
        .describe_key()
        .key_id("alias/aws/s3")
        .send()
        .await
        .unwrap();
    let managed = described.key_metadata().unwrap();
    assert_eq!(managed.arn(), put.ssekms_key_id());
    assert_eq!(managed.key_manager().unwrap().as_str(), "AWS");
    let description = "Default key that protects my S3 objects when no other key is defined";
    assert_eq!(managed.description(), Some(description));
    assert_eq!(get(&keyed.s3, "key").await, b"x");
}

#[tokio::test]
async fn the_managed_key_is_made_at_its_first_use_and_then_kept() {
    let keyed = Keyed::start().await;
    let count = || async {
        let listed = keyed.kms.list_keys().send().await.unwrap();
        listed.keys().len()
    };
    let put = || {
        let upload = upload(&keyed.s3, "key", "x");
        upload
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .send()
    };

    let before = count().await;
    let (first, second) = (put().await.unwrap(), put().await.unwrap());

    assert_eq!((before, count().await), (1, 2));
    assert_eq!(first.ssekms_key_id(), second.ssekms_key_id());
}

#[tokio::test]
async fn a_key_is_looked_up_in_the_region_of_the_bucket() {
    let keyed = Keyed::start().await;
    let ireland = keyed.server.sdk_config().into_builder();
    let ireland = ireland.region(Region::new("eu-west-1")).build();
    let (s3, kms) = (Client::new(&ireland), aws_sdk_kms::Client::new(&ireland));
    let place = BucketLocationConstraint::EuWest1;
    let place = CreateBucketConfiguration::builder().location_constraint(place);
    let bucket = s3.create_bucket().bucket("abroad");
    let bucket = bucket.create_bucket_configuration(place.build());
    bucket.send().await.unwrap();
    let put = |bucket| {
        let upload = upload_under(&s3, "alias/app", "key", "x");
        upload.bucket(bucket).send()
    };

    let missing = put("abroad").await;
    let made = kms.create_key().send().await.unwrap();
    let made = made.key_metadata().unwrap();
    let alias = kms.create_alias().alias_name("alias/app");
    alias.target_key_id(made.key_id()).send().await.unwrap();
    let (abroad, home) = (put("abroad").await, put("photos").await);

    let message = "Alias arn:aws:kms:eu-west-1:000000000000:alias/app is not found.";
    assert_eq!(
        refused(missing),
        says("KMS.NotFoundException", 400, message)
    );
    assert_eq!(abroad.unwrap().ssekms_key_id(), made.arn());
    assert!(made.arn().unwrap().starts_with("arn:aws:kms:eu-west-1:"));
    assert_eq!(home.unwrap().ssekms_key_id(), Some(keyed.arn.as_str()));
}

#[tokio::test]
async fn an_object_is_opened_in_the_region_of_its_key_by_a_client_of_another() {
    let keyed = Keyed::start().await;
    upload_under(&keyed.s3, "alias/app", "key", "x")
        .send()
        .await
        .unwrap();
    let ireland = keyed.server.sdk_config().into_builder();
    let ireland = ireland.region(Region::new("eu-west-1")).build();

    assert_eq!(get(&Client::new(&ireland), "key").await, b"x");
}

/// Source: tags recorded from AWS.
#[tokio::test]
async fn etags_are_random_digits() {
    let keyed = Keyed::start().await;
    let tag = |mode| {
        let (client, arn) = (&keyed.s3, &keyed.arn);
        async move {
            let put = upload_in(mode, client, arn, ("key", b"x".to_vec()))
                .send()
                .await;
            put.unwrap().e_tag().unwrap().trim_matches('"').to_owned()
        }
    };
    let md5 = tag(Mode::SseS3).await;
    assert_eq!(md5, "9dd4e461268c8034f5c8564e155c67a6");

    for mode in [Mode::SseKms, Mode::DsseKms] {
        let (one, other) = (tag(mode).await, tag(mode).await);

        assert!(one != other && one != md5 && other != md5, "{mode:?}");
        assert!(one.len() == 32 && one.bytes().all(|digit| digit.is_ascii_hexdigit()));
    }
}

#[tokio::test]
async fn checksums_are_over_the_plaintext() {
    let keyed = Keyed::start().await;
    for (mode, key) in [
        (Mode::SseS3, "s3"),
        (Mode::SseKms, "kms"),
        (Mode::DsseKms, "dsse"),
    ] {
        let upload = upload_in(mode, &keyed.s3, &keyed.arn, (key, noise(70_000)));
        upload
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .send()
            .await
            .unwrap();
    }
    let sum = |key| {
        let look = head(&keyed.s3, key)
            .checksum_mode(ChecksumMode::Enabled)
            .send();
        async { look.await.unwrap().checksum_sha256().unwrap().to_owned() }
    };

    assert_eq!(sum("kms").await, sum("s3").await);
    assert_eq!(sum("dsse").await, sum("s3").await);
}

#[tokio::test]
async fn sizes_are_those_of_the_plaintext() {
    let keyed = Keyed::start().await;
    for (mode, key) in [(Mode::SseKms, "a"), (Mode::DsseKms, "b")] {
        let upload = upload_in(mode, &keyed.s3, &keyed.arn, (key, noise(70_000)));
        upload.send().await.unwrap();
    }

    let listed = keyed
        .s3
        .list_objects_v2()
        .bucket("photos")
        .send()
        .await
        .unwrap();

    let sizes: Vec<_> = listed
        .contents()
        .iter()
        .filter_map(aws_sdk_s3::types::Object::size)
        .collect();
    assert_eq!(sizes, [70_000, 70_000]);
    for key in ["a", "b"] {
        let seen = head(&keyed.s3, key).send().await.unwrap();
        assert_eq!(seen.content_length(), Some(70_000));
        assert_eq!(keyed.stored(key).size_bytes, 70_000);
    }
}

#[tokio::test]
async fn bodies_of_every_size_read_back_in_every_mode() {
    let keyed = Keyed::start().await;
    for mode in MODES {
        for size in [0, 1, 3_000, 4_096, 65_464, 65_465, 300_000] {
            let body = noise(size);
            let upload = upload_in(mode, &keyed.s3, &keyed.arn, ("key", body.clone()));
            upload.send().await.unwrap();

            let read = if mode == Mode::SseC {
                read_customers(&keyed.s3, "key")
            } else {
                read(&keyed.s3, "key")
            };

            assert!(body_of(read).await == body, "{size} bytes in {mode:?}");
            assert_eq!(keyed.stored("key").mode, mode);
        }
    }
}

#[tokio::test]
async fn the_raw_bytes_hold_no_plaintext() {
    let keyed = Keyed::start().await;
    for mode in MODES {
        for size in [3_000, 300_000] {
            let body = noise(size);
            let upload = upload_in(mode, &keyed.s3, &keyed.arn, ("key", body.clone()));
            upload.send().await.unwrap();

            let raw = keyed.stored("key").raw;

            let shown = body.chunks(1_000).any(|piece| contains(&raw, &piece[..16]));
            assert!(!shown, "{size} bytes in {mode:?}");
        }
    }
}

#[tokio::test]
async fn ranges_cross_the_borders_of_segments() {
    let keyed = Keyed::start().await;
    let body = noise(300_000);
    upload_under(&keyed.s3, &keyed.arn, "key", body.clone())
        .send()
        .await
        .unwrap();

    for (first, last) in [
        (0, 0),
        (65_463, 65_464),
        (65_464, 65_464),
        (65_000, 200_000),
        (130_967, 299_999),
    ] {
        let piece = get_range(&keyed.s3, "key", &format!("{first}-{last}")).await;
        assert!(piece == body[first..=last], "{first}-{last}");
    }
    assert!(get_range(&keyed.s3, "key", "-170000").await == body[130_000..]);
}

#[tokio::test]
async fn the_store_shows_key_context_and_one_layer() {
    let keyed = Keyed::start().await;
    let upload = upload_under(&keyed.s3, "alias/app", "key", "x");
    upload.ssekms_encryption_context(RED).send().await.unwrap();

    let stored = keyed.stored("key");

    assert_eq!(stored.mode, Mode::SseKms);
    assert_eq!(stored.kms_key_arn.as_deref(), Some(keyed.arn.as_str()));
    let pairs = [
        ("aws:s3:arn", object_arn("key")),
        ("team", "red".to_owned()),
    ];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
    assert_eq!(stored.context, pairs.into());
    assert!(matches!(&stored.layers[..], [only] if only.under == WrappedUnder::KmsKey));
    assert_eq!((stored.bucket_key, stored.customer_key_md5), (None, None));
}

#[tokio::test]
async fn kms_itself_opens_the_wrapped_key_under_the_stored_context_alone() {
    let keyed = Keyed::start().await;
    let upload = upload_under(&keyed.s3, &keyed.arn, "key", "x");
    upload.ssekms_encryption_context(RED).send().await.unwrap();
    let wrapped = keyed.stored("key").layers[0].wrapped_key.clone().unwrap();
    let (own, other) = (object_arn("key"), object_arn("kez"));

    let opened = keyed
        .decrypt(&wrapped, &[("aws:s3:arn", &own), ("team", "red")])
        .await;

    assert_eq!(opened.unwrap().len(), 32);
    let strange: [&[(&str, &str)]; 4] = [
        &[],
        &[("aws:s3:arn", &own)],
        &[("aws:s3:arn", &other), ("team", "red")],
        &[("aws:s3:arn", &own), ("team", "blue")],
    ];
    for context in strange {
        let refused = keyed.decrypt(&wrapped, context).await.unwrap_err();
        assert_eq!(refused, "InvalidCiphertextException", "{context:?}");
    }
}

#[tokio::test]
async fn what_kms_decrypts_really_opens_the_body() {
    let keyed = Keyed::start().await;
    let own = object_arn("key");
    for size in [0, 9, 150_000] {
        let body = noise(size);
        upload_under(&keyed.s3, &keyed.arn, "key", body.clone())
            .send()
            .await
            .unwrap();
        let stored = keyed.stored("key");
        let wrapped = stored.layers[0].wrapped_key.as_deref().unwrap();

        let key = keyed
            .decrypt(wrapped, &[("aws:s3:arn", &own)])
            .await
            .unwrap();

        let opened = tink::open_body(&key, &stored.blob_id, &stored.raw);
        assert!(opened == Some(body), "{size} bytes");
        assert_eq!(
            tink::open_body(&[7; 32], &stored.blob_id, &stored.raw),
            None
        );
    }
}

#[tokio::test]
async fn each_object_has_a_data_key_of_its_own() {
    let keyed = Keyed::start().await;
    upload_under(&keyed.s3, &keyed.arn, "a", "x")
        .send()
        .await
        .unwrap();
    upload_under(&keyed.s3, &keyed.arn, "b", "x")
        .send()
        .await
        .unwrap();

    let open = |key: &'static str| {
        let wrapped = keyed.stored(key).layers[0].wrapped_key.clone().unwrap();
        let keyed = &keyed;
        async move {
            keyed
                .decrypt(&wrapped, &[("aws:s3:arn", &object_arn(key))])
                .await
                .unwrap()
        }
    };

    assert_ne!(open("a").await, open("b").await);
}

#[tokio::test]
async fn a_wrong_content_md5_is_refused_though_the_etag_is_random() {
    let keyed = Keyed::start().await;

    let upload = upload_under(&keyed.s3, &keyed.arn, "key", "x");
    let put = upload.content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await;

    assert_eq!(refusal(put), is("BadDigest", 400));
    assert_eq!(
        refusal(read(&keyed.s3, "key").send().await),
        is("NoSuchKey", 404)
    );
}

#[tokio::test]
async fn other_objects_stay_as_they_were() {
    let keyed = Keyed::start().await;
    put(&keyed.s3, "plain", "x").await;

    upload_under(&keyed.s3, &keyed.arn, "key", "y")
        .send()
        .await
        .unwrap();

    let seen = head(&keyed.s3, "plain").send().await.unwrap();
    assert_eq!(
        seen.server_side_encryption(),
        Some(&ServerSideEncryption::Aes256)
    );
    assert_eq!(seen.ssekms_key_id(), None);
}
