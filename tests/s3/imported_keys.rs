//! Objects under a KMS key whose owner brought its material: what S3 says once that has expired or was taken away.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>; the words are KMS's for its own callers.

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, ServerSideEncryption};
use serde_json::json;
use strongroom_testkit::Strongroom;

use crate::keyed::contains;
use crate::sdk::{copy, get, head, noise, put, read, refused, says, upload_under};

const KEY: &str = "134f2428-cec1-4b25-a1ae-9048164dba47";
const MATERIAL: [u8; 32] = [0xC3; 32];

fn arn() -> String {
    format!("arn:aws:kms:us-east-1:000000000000:key/{KEY}")
}

/// A seed of a key with material that goes on 18 January 2027, and of a bucket.
fn seed() -> String {
    use base64::Engine;
    let material = base64::prelude::BASE64_STANDARD.encode(MATERIAL);
    json!({
        "kms_keys": [{
            "id": KEY,
            "origin": "EXTERNAL",
            "material": material,
            "valid_to": "2027-01-18T00:00:00Z",
        }],
        "buckets": [{ "name": "photos" }],
    })
    .to_string()
}

/// A server of 15 January 2027 with objects in each way that a key can encrypt them, and an upload under way.
struct Imported {
    server: Strongroom,
    upload: String,
    e_tag: String,
}

impl Imported {
    async fn start() -> Self {
        let today = std::time::SystemTime::UNIX_EPOCH + days(20_833);
        let builder = Strongroom::builder().clock(today).seed_json(seed());
        let server = builder.start().await;
        let s3 = server.s3_client();
        put(&s3, "plain", "x").await;
        let upload = |key| upload_under(&s3, KEY, key, noise(70_000));
        upload("key").send().await.unwrap();
        let shared = upload("shared").bucket_key_enabled(true);
        shared.send().await.unwrap();
        let layers = upload("layers").server_side_encryption(ServerSideEncryption::AwsKmsDsse);
        layers.send().await.unwrap();
        let begun = s3.create_multipart_upload().bucket("photos").key("parts");
        let begun = begun.server_side_encryption(ServerSideEncryption::AwsKms);
        let begun = begun.ssekms_key_id(KEY).send().await.unwrap();
        let upload = begun.upload_id.unwrap();
        let part = s3.upload_part().bucket("photos").key("parts");
        let part = part.upload_id(&upload).part_number(1).body(vec![1].into());
        let e_tag = part.send().await.unwrap().e_tag.unwrap();
        Self {
            server,
            upload,
            e_tag,
        }
    }

    /// What every way of S3 to the key is refused with.
    async fn refusals(&self) -> Vec<(String, u16, String)> {
        let s3 = self.server.s3_client();
        let mut told = Vec::new();
        for key in ["key", "shared", "layers"] {
            told.push(refused(read(&s3, key).send().await));
            told.push(refused(copy(&s3, key, "copy").send().await));
        }
        told.push(refused(read(&s3, "key").range("bytes=0-0").send().await));
        told.push(refused(upload_under(&s3, KEY, "new", "x").send().await));
        let shared = upload_under(&s3, KEY, "new", "x").bucket_key_enabled(true);
        told.push(refused(shared.send().await));
        let onto = copy(&s3, "plain", "new").server_side_encryption(ServerSideEncryption::AwsKms);
        told.push(refused(onto.ssekms_key_id(KEY).send().await));
        let begun = s3.create_multipart_upload().bucket("photos").key("new");
        let begun = begun.server_side_encryption(ServerSideEncryption::AwsKms);
        told.push(refused(begun.ssekms_key_id(KEY).send().await));
        let part = s3.upload_part().bucket("photos").key("parts");
        let part = part.upload_id(&self.upload).part_number(2);
        told.push(refused(part.body(vec![1].into()).send().await));
        let part = CompletedPart::builder().part_number(1).e_tag(&self.e_tag);
        let parts = CompletedMultipartUpload::builder().parts(part.build());
        let end = s3.complete_multipart_upload().bucket("photos").key("parts");
        let end = end.upload_id(&self.upload).multipart_upload(parts.build());
        told.push(refused(end.send().await));
        told
    }
}

fn days(count: u64) -> std::time::Duration {
    std::time::Duration::from_hours(24 * count)
}

#[tokio::test]
async fn expired_material_shuts_every_way_of_s3_to_a_key() {
    let imported = Imported::start().await;
    let s3 = imported.server.s3_client();
    assert_eq!(get(&s3, "shared").await, noise(70_000));

    imported.server.clock().advance(days(3));

    let message = format!("{} is pending import.", arn());
    let pending = says("KMS.KMSInvalidStateException", 400, &message);
    for refusal in imported.refusals().await {
        assert_eq!(refusal, pending);
    }
    assert_eq!(get(&s3, "plain").await, b"x");
    head(&s3, "key").send().await.unwrap();
}

#[tokio::test]
async fn deleted_material_shuts_every_way_of_s3_to_a_key() {
    let imported = Imported::start().await;

    let delete = imported.server.kms_client().delete_imported_key_material();
    delete.key_id(KEY).send().await.unwrap();

    let message = format!("{} is pending import.", arn());
    let pending = says("KMS.KMSInvalidStateException", 400, &message);
    for refusal in imported.refusals().await {
        assert_eq!(refusal, pending);
    }
}

#[tokio::test]
async fn material_lies_wrapped_and_is_gone_from_the_catalogues_row_once_it_was_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let start = || Strongroom::builder().data(&data).seed_json(seed()).start();
    let server = start().await;
    let client = server.kms_client();
    let encrypt = client.encrypt().key_id(KEY);
    let encrypt = encrypt.plaintext(aws_sdk_kms::primitives::Blob::new("secret"));
    encrypt.send().await.unwrap();

    let stored = std::fs::read(data.join("strongroom.redb")).unwrap();
    let delete = client.delete_imported_key_material().key_id(KEY);
    delete.send().await.unwrap();
    drop(server);
    // The second start finds the key that the seed means, and does not give it the material back.
    let again = start().await;

    assert!(!contains(&stored, &MATERIAL));
    let described = again.kms_client().describe_key().key_id(KEY).send().await;
    let described = described.unwrap().key_metadata.unwrap();
    assert_eq!(described.key_state.unwrap().as_str(), "PendingImport");
    let refusal = again.kms_client().enable_key().key_id(KEY).send().await;
    assert!(refusal.is_err());
}
