//! Seeds that a test gives its own server.

use std::fs;

use strongroom_testkit::{Mode, Strongroom};

use crate::sdk::{put, read};

const SEED: &str = r#"{
    "kms_keys": [{ "id": "134f2428-cec1-4b25-a1ae-9048164dba47", "aliases": ["alias/app"] }],
    "buckets": [{ "name": "photos", "encryption": { "algorithm": "aws:kms", "kms_key": "alias/app" } }]
}"#;

#[tokio::test]
async fn a_seed_in_the_test_says_how_objects_are_encrypted() {
    let server = Strongroom::builder().seed_json(SEED).start().await;

    put(&server.s3_client(), "cat", b"meow").await;

    assert_eq!(server.stored("photos", "cat").mode, Mode::SseKms);
}

#[tokio::test]
async fn a_seeds_objects_are_there_and_what_they_asked_of_kms_is_no_clients() {
    let folder = tempfile::tempdir().unwrap();
    let photos = folder.path().join("buckets/photos");
    fs::create_dir_all(&photos).unwrap();
    fs::write(photos.join("cat.png"), "meow").unwrap();
    fs::write(folder.path().join("seed.json"), SEED).unwrap();

    let server = Strongroom::builder().seed(folder.path()).start().await;

    assert!(server.kms_calls().is_empty());
    let client = server.s3_client();
    let got = read(&client, "cat.png").send().await.unwrap();
    assert_eq!(got.content_type(), Some("image/png"));
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"meow");
    let asked = server.kms_calls();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].operation, "Decrypt");
}
