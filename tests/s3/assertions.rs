//! The test kit's assertions on stored objects: when they hold, and what they say when they do not.

use std::fmt::Write as _;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::mpsc;
use std::thread;

use aws_sdk_s3::types::ServerSideEncryption;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use strongroom_testkit::{ClientSide, Encryption, Mode, blocking};

use crate::keyed::{Keyed, RED};
use crate::sdk::{noise, photos, put, put_default, upload, upload_in, upload_under};

const SECRET: &[u8] = b"a secret that nobody may read";

/// What an assertion says that does not hold.
fn complaint(assertion: impl FnOnce()) -> String {
    let failed = catch_unwind(AssertUnwindSafe(assertion)).expect_err("it does not hold");
    *failed
        .downcast::<String>()
        .expect("a failure has a message")
}

#[tokio::test]
async fn an_object_in_its_mode_holds() {
    let keyed = Keyed::start().await;
    let modes = [Mode::SseS3, Mode::SseKms, Mode::DsseKms, Mode::SseC];
    for mode in modes {
        let upload = upload_in(mode, &keyed.s3, "alias/app", ("key", SECRET.to_vec()));
        upload.send().await.unwrap();

        for other in modes {
            let hold = || keyed.server.assert_encrypted_with("photos", "key", other);
            if other == mode {
                hold();
            } else {
                let said = complaint(hold);
                let expected = format!("photos/key is stored under {mode}, not under {other}: ");
                assert!(said.starts_with(&expected), "{said}");
            }
        }
    }
}

#[tokio::test]
async fn calls_of_kms_are_counted_and_told() {
    let keyed = Keyed::start().await;
    for key in ["a", "b"] {
        let upload = upload_under(&keyed.s3, "alias/app", key, "x");
        upload.bucket_key_enabled(true).send().await.unwrap();
    }

    keyed.server.assert_kms_calls("GenerateDataKey", 1);
    let said = complaint(|| keyed.server.assert_kms_calls("GenerateDataKey", 2));

    let expected = format!(
        "KMS answered 1 calls of GenerateDataKey, not 2. The last of them:\n  arn:aws:iam::000000000000:root through S3 with {} under {{\"aws:s3:arn\": \"arn:aws:s3:::photos\"}}: answered",
        keyed.arn
    );
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_key_holds_by_each_of_its_names() {
    let keyed = Keyed::start().await;
    let alias_arn = keyed
        .arn
        .replace(&format!("key/{}", keyed.id()), "alias/app");
    for mode in [Mode::SseKms, Mode::DsseKms] {
        let upload = upload_in(mode, &keyed.s3, "alias/app", ("key", SECRET.to_vec()));
        upload.send().await.unwrap();

        for name in [&keyed.arn, keyed.id(), "alias/app", &alias_arn] {
            let wanted = match mode {
                Mode::SseKms => Encryption::sse_kms(name),
                _ => Encryption::dsse_kms(name),
            };
            keyed.server.assert_encrypted_with("photos", "key", wanted);
        }
    }
}

#[tokio::test]
async fn a_request_that_named_nothing_is_told_of_the_default() {
    let (server, client) = photos().await;
    put(&client, "cat", SECRET).await;

    let said = complaint(|| {
        server.assert_encrypted_with("photos", "cat", Encryption::sse_kms("alias/app"));
    });

    assert_eq!(
        said,
        "photos/cat is stored under SSE-S3, not under SSE-KMS with alias/app: the request named no encryption and the \
         bucket's default is AES256, or it asked for AES256 itself. To change it, send x-amz-server-side-encryption: \
         aws:kms and x-amz-server-side-encryption-aws-kms-key-id: alias/app, or make that the bucket's default."
    );
}

#[tokio::test]
async fn a_request_that_named_another_mode_is_told_so() {
    let keyed = Keyed::start().await;
    let upload = upload_under(&keyed.s3, "alias/app", "cat", SECRET);
    upload.send().await.unwrap();

    let said = complaint(|| {
        keyed
            .server
            .assert_encrypted_with("photos", "cat", Mode::SseC);
    });

    assert!(
        said.contains("the request asked for aws:kms, while the bucket's default is AES256"),
        "{said}"
    );
    assert!(
        said.contains("no default of a bucket brings a customer's key"),
        "{said}"
    );
}

#[tokio::test]
async fn another_key_is_named_with_its_aliases() {
    let keyed = Keyed::start().await;
    let other = keyed.another_key().await;
    upload_under(&keyed.s3, "alias/app", "cat", SECRET)
        .send()
        .await
        .unwrap();
    let managed = upload(&keyed.s3, "dog", SECRET);
    let managed = managed.server_side_encryption(ServerSideEncryption::AwsKms);
    managed.send().await.unwrap();
    let wanted = || Encryption::sse_kms(&other);

    let said = complaint(|| {
        keyed
            .server
            .assert_encrypted_with("photos", "cat", wanted());
    });
    let of_managed = complaint(|| {
        keyed
            .server
            .assert_encrypted_with("photos", "dog", wanted());
    });

    let arn = &keyed.arn;
    let expected = format!(
        "photos/cat is stored under SSE-KMS with {arn} (alias/app), not with {other}: the bucket's default names no key, \
         so the request did."
    );
    assert!(said.starts_with(&expected), "{said}");
    assert!(of_managed.contains("(alias/aws/s3)"), "{of_managed}");
    assert!(
        of_managed.contains("the key that AWS manages"),
        "{of_managed}"
    );
}

#[tokio::test]
async fn an_alias_that_was_moved_since_does_not_hold() {
    let keyed = Keyed::start().await;
    upload_under(&keyed.s3, "alias/app", "cat", SECRET)
        .send()
        .await
        .unwrap();
    let other = keyed.another_key().await;
    let moved = keyed
        .kms
        .update_alias()
        .alias_name("alias/app")
        .target_key_id(&other);
    moved.send().await.unwrap();

    let wanted = Encryption::sse_kms("alias/app");
    let said = complaint(|| keyed.server.assert_encrypted_with("photos", "cat", wanted));

    assert!(
        said.contains("an alias that was moved since does not"),
        "{said}"
    );
    let wanted = Encryption::sse_kms(&keyed.arn);
    keyed.server.assert_encrypted_with("photos", "cat", wanted);
}

#[tokio::test]
async fn bucket_keys_and_contexts_are_asserted_too() {
    let keyed = Keyed::start().await;
    let default = ServerSideEncryption::AwsKms;
    put_default(&keyed.s3, default, Some("alias/app"), Some(true)).await;
    let red = upload(&keyed.s3, "cat", SECRET).ssekms_encryption_context(RED);
    let red = red.server_side_encryption(ServerSideEncryption::AwsKms);
    red.send().await.unwrap();
    put(&keyed.s3, "dog", SECRET).await;
    let kms = || Encryption::from(Mode::SseKms);
    let check = |key: &str, wanted| keyed.server.assert_encrypted_with("photos", key, wanted);

    check("dog", kms().bucket_key(true));
    check("cat", kms().context("team", "red"));

    let said = complaint(|| check("dog", kms().bucket_key(false)));
    assert!(
        said.contains("photos/dog is stored with a bucket key, not without one"),
        "{said}"
    );
    let said = complaint(|| check("cat", kms().context("team", "blue")));
    assert!(said.contains("not to team=blue"), "{said}");
    assert!(said.contains("team=red"), "{said}");
}

#[tokio::test]
async fn an_object_that_is_not_there_is_named() {
    let (server, _client) = photos().await;

    let said = complaint(|| server.assert_encrypted_with("photos", "cat", Mode::SseS3));
    let version = complaint(|| drop(server.stored_version("photos", "cat", "null")));

    assert_eq!(said, "photos/cat: no object has the key `cat`");
    assert_eq!(version, "photos/cat: the key `cat` has no version `null`");
}

#[tokio::test]
async fn sealed_plaintext_is_nowhere() {
    for folder in [None, Some(tempfile::tempdir().unwrap())] {
        let mut builder = strongroom_testkit::Strongroom::builder();
        if let Some(folder) = &folder {
            builder = builder.data(folder.path());
        }
        let keyed = Keyed::of(builder).await;
        let large = [noise(150_000), SECRET.to_vec(), noise(100_000)].concat();
        for mode in [Mode::SseS3, Mode::SseKms, Mode::DsseKms, Mode::SseC] {
            for (key, body) in [("small", SECRET.to_vec()), ("large", large.clone())] {
                let key = format!("{mode}-{key}");
                let upload = upload_in(mode, &keyed.s3, "alias/app", (&key, body));
                upload.send().await.unwrap();
            }
        }

        keyed.server.assert_not_stored(SECRET);
        keyed.server.assert_not_stored(&large);
    }
}

#[tokio::test]
async fn plaintext_in_metadata_is_found_where_it_lies() {
    let (server, client) = photos().await;
    let text = String::from_utf8(SECRET.to_vec()).unwrap();
    let upload = upload(&client, "cat", "sealed").metadata("note", &text);
    upload.send().await.unwrap();

    let said = complaint(|| server.assert_not_stored(SECRET));

    let expected = "the plaintext of 29 bytes, or a piece of it, lies in the clear: as it is in the catalogue's row `kphotos cat`";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.contains("keep secrets out of them"), "{said}");
}

#[tokio::test]
async fn plaintext_is_found_in_every_form_and_file() {
    let (server, _client) = photos().await;
    let folder = server.data_folder();
    let long = noise(300_000);
    let piece = &long[200_000..201_000];
    let forms = [
        ("as it is", SECRET.to_vec()),
        ("as hex", hex_of(SECRET).into_bytes()),
        ("as hex", hex_of(SECRET).to_uppercase().into_bytes()),
        ("as base64", BASE64_STANDARD.encode(SECRET).into_bytes()),
        (
            "as base64",
            BASE64_STANDARD.encode([b"x", SECRET].concat()).into_bytes(),
        ),
        (
            "as base64",
            BASE64_URL_SAFE_NO_PAD
                .encode([b"xy", SECRET].concat())
                .into_bytes(),
        ),
        ("as it is", piece.to_vec()),
    ];

    for (form, bytes) in forms {
        for place in ["staging/half", "blobs/other"] {
            fs::write(folder.join(place), [b"...", &bytes[..], b"..."].concat()).unwrap();

            let said = complaint(|| {
                server.assert_not_stored(SECRET);
                server.assert_not_stored(&long);
            });

            assert!(
                said.contains(&format!("{form} in the file `{place}`")),
                "{said}"
            );
            fs::remove_file(folder.join(place)).unwrap();
        }
    }
    server.assert_not_stored(SECRET);
    server.assert_not_stored(&long);
}

fn hex_of(bytes: &[u8]) -> String {
    let mut hex = String::new();
    for byte in bytes {
        write!(hex, "{byte:02x}").unwrap();
    }
    hex
}

#[tokio::test]
async fn plaintext_that_occurs_by_chance_is_refused() {
    let (server, _client) = photos().await;

    let short = complaint(|| server.assert_not_stored("meow"));
    let zeros = complaint(|| server.assert_not_stored([0; 1_000]));

    assert_eq!(
        short,
        "4 bytes occur by chance: look for a plaintext of at least 8"
    );
    assert!(zeros.contains("repeats so few bytes"), "{zeros}");
}

#[tokio::test]
async fn a_clients_own_encryption_is_seen_by_its_metadata() {
    let keyed = Keyed::start().await;
    let client = ClientSide::kms(&keyed.kms, "alias/app");
    let clients = [client.clone(), client.v2()];
    for client in clients {
        let put = client.put(&keyed.s3, "photos", "key", SECRET);
        put.await.unwrap();
        let put = client.put_with_instruction_file(&keyed.s3, "photos", "apart", SECRET);
        put.await.unwrap();

        keyed.server.assert_client_side_encrypted("photos", "key");
        keyed.server.assert_client_side_encrypted("photos", "apart");
    }
    let said = complaint(|| {
        keyed
            .server
            .assert_client_side_encrypted("photos", "apart.instruction");
    });
    assert!(
        said.contains("is the instruction file of another object"),
        "{said}"
    );
}

#[tokio::test]
async fn a_plain_object_is_told_that_its_client_did_not_encrypt() {
    let (server, client) = photos().await;
    put(&client, "cat", SECRET).await;
    let coloured = upload(&client, "dog", SECRET).metadata("colour", "red");
    coloured.send().await.unwrap();
    let check = |key: &str| complaint(|| server.assert_client_side_encrypted("photos", key));

    assert_eq!(
        check("cat"),
        "photos/cat was not encrypted by its client: it has no metadata, and there is no photos/cat.instruction. S3 sealed \
         it at rest under SSE-S3, but saw what its client sent; put it with an S3 encryption client."
    );
    assert!(check("dog").contains("its metadata (colour) are of no S3 encryption client"));
}

#[tokio::test]
async fn metadata_that_are_not_whole_are_told() {
    let (server, client) = photos().await;
    let half = upload(&client, "half", SECRET).metadata("x-amz-key-v2", "AA==");
    half.send().await.unwrap();
    let mixed = upload(&client, "mixed", SECRET).metadata("x-amz-key-v2", "AA==");
    mixed.metadata("x-amz-3", "AA==").send().await.unwrap();
    let check = |key: &str| complaint(|| server.assert_client_side_encrypted("photos", key));

    assert!(check("half").starts_with("photos/half lacks the metadata x-amz-meta-x-amz-iv"));
    assert!(check("mixed").starts_with("photos/mixed has metadata of two formats"));
}

#[test]
fn a_failure_points_at_the_line_that_asserts_and_a_plain_test_has_all_of_it() {
    let server = blocking::Strongroom::builder()
        .bucket("photos")
        .start_blocking();
    let (told, heard) = mpsc::channel();
    let (this, others) = (thread::current().id(), take_hook());
    set_hook(Box::new(move |panic| {
        if thread::current().id() == this {
            let place = panic
                .location()
                .map(|place| (place.file().to_owned(), place.line()));
            told.send(place).ok();
        } else {
            others(panic);
        }
    }));

    let line = line!() + 1;
    let asserted = catch_unwind(AssertUnwindSafe(|| server.assert_not_stored("short")));

    assert!(asserted.is_err());
    let (file, at) = heard.try_recv().unwrap().unwrap();
    assert!(file.ends_with("assertions.rs"), "{file}");
    assert_eq!(at, line);
    server.assert_not_stored("nothing is stored yet");
}
