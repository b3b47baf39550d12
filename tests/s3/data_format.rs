//! Folders that older programs wrote open, and all that lies in them is served.
//!
//! `fixtures/data-format-2` tells how its folder was made. That its mark is raised is held in `emulator/src/store/format.rs`.

use std::fs;
use std::path::Path;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::ServerSideEncryption;
use strongroom_testkit::{Mode, Strongroom};
use tempfile::TempDir;

use crate::sdk::{CUSTOMER_KEY, is, noise, refusal};

const SIZES: [usize; 4] = [0, 100, 5_000, 70_000];
const FOLDER: &str = "../fixtures/data-format-2/data";
/// Another key than the folder's, and its MD5.
const OTHER: (&str, &str) = (
    "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=",
    "DWygnHRtgiJ77HCm+1rvHw==",
);

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// A server over a copy of the folder.
async fn taken_over() -> (TempDir, Strongroom) {
    let folder = tempfile::tempdir().unwrap();
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    copy(&package.join(FOLDER), folder.path());
    let server = Strongroom::builder().data(folder.path()).start().await;
    (folder, server)
}

async fn read(
    client: &Client,
    key: &str,
    customer: Option<(&str, &str)>,
) -> Result<Vec<u8>, (String, u16)> {
    let read = client.get_object().bucket("vault").key(key);
    let text = |text: &str| text.to_owned();
    let read = read
        .set_sse_customer_algorithm(customer.map(|_| text("AES256")))
        .set_sse_customer_key(customer.map(|(key, _)| text(key)))
        .set_sse_customer_key_md5(customer.map(|(_, md5)| text(md5)));
    match read.send().await {
        Ok(answer) => Ok(answer.body.collect().await.unwrap().to_vec()),
        refused => Err(refusal(refused)),
    }
}

#[tokio::test]
async fn every_object_of_format_2_is_read_in_its_mode() {
    let (_folder, server) = taken_over().await;
    let client = server.s3_client();
    let ways = [
        ("sse-s3", Mode::SseS3),
        ("sse-kms", Mode::SseKms),
        ("bucket-key", Mode::SseKms),
        ("dsse", Mode::DsseKms),
        ("sse-c", Mode::SseC),
    ];

    for (way, mode) in ways {
        for size in SIZES {
            let key = format!("{way}/{size}");
            let customer = (mode == Mode::SseC).then_some(CUSTOMER_KEY);
            assert_eq!(
                read(&client, &key, customer).await.unwrap(),
                noise(size),
                "{key}"
            );

            let stored = server.stored("vault", &key);
            assert_eq!((stored.mode, stored.is_file), (mode, size > 4_096), "{key}");
            assert_eq!(stored.bucket_key.is_some(), way == "bucket-key", "{key}");
            let team = stored.context.get("team").map(String::as_str);
            assert_eq!(team, (way == "sse-kms").then_some("red"), "{key}");
        }
    }
}

#[tokio::test]
async fn a_range_over_two_segments_of_format_2_is_read() {
    let (_folder, server) = taken_over().await;
    let client = server.s3_client();

    for way in ["sse-s3", "sse-kms", "bucket-key", "dsse"] {
        let read = client
            .get_object()
            .bucket("vault")
            .key(format!("{way}/70000"));
        let answer = read.range("bytes=65000-66000").send().await.unwrap();

        let metadata = answer.metadata().unwrap();
        assert_eq!(metadata["way"], way);
        let body = answer.body.collect().await.unwrap().to_vec();
        assert_eq!(body, noise(70_000)[65_000..=66_000], "{way}");
    }
}

#[tokio::test]
async fn a_wrong_key_and_a_disabled_one_are_refused_for_format_2() {
    let (_folder, server) = taken_over().await;
    let client = server.s3_client();

    for size in SIZES {
        let key = format!("sse-c/{size}");
        let other = read(&client, &key, Some(OTHER)).await;
        assert_eq!(other, Err(is("AccessDenied", 403)), "{key}");
        let keyless = read(&client, &key, None).await;
        assert_eq!(keyless, Err(is("InvalidRequest", 400)), "{key}");
    }
    let arn = server.stored("vault", "dsse/100").kms_key_arn;
    let disable = server.kms_client().disable_key().set_key_id(arn);
    disable.send().await.unwrap();
    for way in ["sse-kms", "bucket-key", "dsse"] {
        let refused = read(&client, &format!("{way}/100"), None).await;
        assert_eq!(refused, Err(is("KMS.DisabledException", 400)), "{way}");
    }
}

#[tokio::test]
async fn a_folder_of_format_2_goes_on() {
    let (folder, server) = taken_over().await;
    let client = server.s3_client();
    // The bucket's default is still its key, of which another material encrypts now.
    let put = client.put_object().bucket("ledgers").key("new");
    let put = put.body(noise(5_000).into()).send().await.unwrap();
    assert_eq!(
        put.server_side_encryption,
        Some(ServerSideEncryption::AwsKms)
    );
    assert_eq!(put.bucket_key_enabled, Some(true));
    let alias = server.kms_client().describe_key().key_id("alias/app");
    let alias = alias.send().await.unwrap().key_metadata.unwrap().arn;
    assert_eq!(put.ssekms_key_id, alias);
    drop((client, server));

    let server = Strongroom::builder().data(folder.path()).start().await;

    let client = server.s3_client();
    for (key, size) in [("new", 5_000), ("default/100", 100)] {
        let read = client.get_object().bucket("ledgers").key(key).send();
        let body = read.await.unwrap().body.collect().await.unwrap();
        assert_eq!(body.to_vec(), noise(size), "{key}");
    }
    let listed = client
        .list_objects_v2()
        .bucket("vault")
        .send()
        .await
        .unwrap();
    assert_eq!(listed.key_count(), Some(20));
}
