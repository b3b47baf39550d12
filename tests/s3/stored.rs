//! How an object lies in the store: what the test kit and `GET /_emulator/stored` tell, and whom it is told.

use aws_sdk_s3::types::ServerSideEncryption;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use strongroom_testkit::{ClientSide, ClientSideFormat, Mode, Segment, Strongroom, WrappedUnder};
use strongroom_tests::{Answer, send};

use crate::keyed::{Keyed, object_arn};
use crate::multipart::put_in_parts;
use crate::sdk::{get, noise, photos, put, put_default, upload_in, upload_under};
use crate::tink;
use crate::versioned::{delete, enable};

/// What the server tells of an object in `photos`.
async fn told(server: &Strongroom, key: &str, more: &str) -> Value {
    let target = format!("GET /_emulator/stored?bucket=photos&key={key}{more}");
    let answer = send(server.address(), &target, &[]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    serde_json::from_slice(&answer.body).unwrap()
}

fn base64(bytes: &[u8]) -> Value {
    BASE64_STANDARD.encode(bytes).into()
}

fn error(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).expect("errors are JSON");
    body["error"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn every_mode_is_told_as_the_test_kit_sees_it() {
    let keyed = Keyed::start().await;
    for mode in [Mode::SseS3, Mode::SseKms, Mode::DsseKms, Mode::SseC] {
        for size in [0, 5_000, 200_000] {
            let upload = upload_in(mode, &keyed.s3, "alias/app", ("key", noise(size)));
            upload.send().await.unwrap();

            let stored = keyed.stored("key");
            let told = told(&keyed.server, "key", "&version=null&raw=true").await;

            assert_eq!(told["mode"], mode.to_string());
            assert_eq!(told["size_bytes"], size);
            assert_eq!(told["sealed_bytes"], stored.raw.len());
            assert_eq!(told["kms_key_arn"], json!(stored.kms_key_arn));
            assert_eq!(told["context"], json!(stored.context));
            assert_eq!(
                told["customer_key_md5"],
                json!(stored.customer_key_md5.map(|md5| base64(&md5)))
            );
            let keys = stored
                .layers
                .iter()
                .map(|layer| layer.wrapped_key.as_deref().map(base64));
            let told_keys = told["layers"].as_array().unwrap().iter();
            let told_keys: Vec<_> = told_keys
                .map(|layer| layer["wrapped_key"].clone())
                .collect();
            assert_eq!(json!(told_keys), json!(keys.collect::<Vec<_>>()));
            assert_eq!(told["blobs"][0]["raw"], base64(&stored.raw));
            assert_eq!(told["blobs"][0]["id"], stored.blob_id);
            assert_eq!(
                told["blobs"][0]["layers"].as_array().unwrap().len(),
                stored.layers.len()
            );
        }
    }
}

#[tokio::test]
async fn the_chain_of_keys_is_told_from_the_root_to_the_body() {
    let folder = tempfile::tempdir().unwrap();
    let keyed = Keyed::of(Strongroom::builder().data(folder.path())).await;
    let root = std::fs::read(folder.path().join("root.key")).unwrap();
    let upload = upload_under(&keyed.s3, "alias/app", "key", noise(9_000));
    upload.bucket_key_enabled(true).send().await.unwrap();

    let stored = keyed.server.stored_version("photos", "key", "null");

    let told = told(&keyed.server, "key", "").await;
    let material = &told["kms_material"];
    let bound_to = serde_json::from_value(material["context"].clone()).unwrap();
    let wrapped = BASE64_STANDARD.decode(material["wrapped_key"].as_str().unwrap());
    let kms = tink::open_key(&root, &bound_to, &wrapped.unwrap()).unwrap();
    // In front of what the material sealed: version, kind, key, material, check.
    let sealed = &stored.bucket_key.unwrap()[58..];
    let bucket_key = tink::open_key(&kms, &stored.context, sealed).unwrap();
    let [layer] = &stored.layers[..] else {
        panic!("{:?}", stored.layers)
    };
    assert_eq!(layer.under, WrappedUnder::BucketKey);
    assert_eq!(layer.context["aws:s3:arn"], object_arn("key"));
    let wrapped = layer.wrapped_key.as_deref().unwrap();
    let data_key = tink::open_key(&bucket_key, &layer.context, wrapped).unwrap();
    let opened = tink::open_body(&data_key, &stored.blob_id, &stored.raw);
    assert!(opened == Some(noise(9_000)));
    assert_eq!(told["kms_key_aliases"], json!(["alias/app"]));
}

#[tokio::test]
async fn each_part_has_its_number_and_its_segments() {
    for (encryption, layers) in [(None, 1), (Some(ServerSideEncryption::AwsKmsDsse), 2)] {
        let (server, client) = photos().await;
        let whole = put_in_parts(&client, encryption).await;

        let stored = server.stored("photos", "key");

        let numbers: Vec<_> = stored.blobs.iter().map(|blob| blob.part_number).collect();
        assert_eq!(numbers, [Some(1), Some(2), Some(3)]);
        let size: u64 = stored.blobs.iter().map(|blob| blob.size_bytes).sum();
        assert_eq!(usize::try_from(size).unwrap(), whole.len());
        for blob in &stored.blobs {
            assert_eq!(blob.layout.len(), layers);
            assert_eq!(usize::try_from(blob.sealed_bytes).unwrap(), blob.raw.len());
            let mut sealed = blob.sealed_bytes;
            for layer in &blob.layout {
                assert_eq!(layer.sealed_bytes, sealed);
                let last = layer.segments().last().unwrap();
                assert_eq!(last.offset + last.sealed_bytes, sealed);
                sealed = layer.plaintext_bytes;
            }
            assert_eq!(sealed, blob.size_bytes);
        }
        let last = stored.blobs[2].layout[layers - 1]
            .segments()
            .collect::<Vec<_>>();
        let only = Segment {
            offset: 40,
            sealed_bytes: 42,
            plaintext_bytes: 10,
        };
        assert_eq!(last, [only]);
        let told = told(&server, "key", "").await;
        assert_eq!(told["blobs"][1]["part_number"], 2);
        assert!(
            told["blobs"][1]["place"]
                .as_str()
                .unwrap()
                .starts_with("blobs/")
        );
        assert_eq!(told["blobs"][1]["raw"], Value::Null);
    }
}

#[tokio::test]
async fn a_clients_format_and_the_buckets_default_are_told() {
    let keyed = Keyed::start().await;
    let default = ServerSideEncryption::AwsKms;
    put_default(&keyed.s3, default, Some("alias/app"), Some(true)).await;
    let client = ClientSide::kms(&keyed.kms, "alias/app");
    client
        .put(&keyed.s3, "photos", "v3", b"secret")
        .await
        .unwrap();
    let v2 = client.v2();
    v2.put_with_instruction_file(&keyed.s3, "photos", "apart", b"secret")
        .await
        .unwrap();
    put(&keyed.s3, "plain", b"secret").await;

    let format = |key: &str| keyed.stored(key).client_side;
    assert_eq!(format("v3"), Some(ClientSideFormat::V3));
    assert_eq!(format("apart"), Some(ClientSideFormat::KeysApart));
    assert_eq!(
        format("apart.instruction"),
        Some(ClientSideFormat::InstructionFile)
    );
    assert_eq!(format("plain"), None);
    let told = told(&keyed.server, "v3", "").await;
    assert_eq!(told["client_side"], "V3");
    assert_eq!(told["metadata"]["x-amz-c"], "115");
    let rule =
        json!({ "algorithm": "aws:kms", "kms_key_id": "alias/app", "bucket_key_enabled": true });
    assert_eq!(told["bucket_default"], rule);
}

#[tokio::test]
async fn each_version_is_told_by_its_id() {
    let keyed = Keyed::start().await;
    put(&keyed.s3, "key", b"of no version").await;
    enable(&keyed.s3).await;
    let kms = upload_under(&keyed.s3, "alias/app", "key", noise(9_000));
    let kms = kms.send().await.unwrap().version_id.unwrap();
    let marker = delete(&keyed.s3, "key").await;

    let stored = |id: &str| keyed.server.stored_version("photos", "key", id);
    let own = told(&keyed.server, "key", &format!("&version={kms}")).await;
    let target = "GET /_emulator/stored?bucket=photos&key=key";
    let current = send(keyed.server.address(), target, &[]).await;
    let of_marker = format!("{target}&version={marker}");
    let of_marker = send(keyed.server.address(), &of_marker, &[]).await;

    assert_eq!(stored("null").mode, Mode::SseS3);
    assert_eq!(
        (stored(&kms).mode, stored(&kms).version_id),
        (Mode::SseKms, kms.clone())
    );
    assert_eq!(
        (&own["mode"], &own["version_id"]),
        (&json!("SSE-KMS"), &json!(kms))
    );
    assert_eq!((current.status, of_marker.status), (404, 404));
    assert_eq!(error(&current), "the object `key` is deleted");
    assert!(error(&of_marker).ends_with("is a delete marker"));
}

#[tokio::test]
async fn what_is_asked_wrongly_is_told_in_json() {
    let (server, client) = photos().await;
    put(&client, "key", b"x").await;
    let cases = [
        (
            "GET /_emulator/stored?bucket=photos",
            400,
            "the query needs `key`",
        ),
        (
            "GET /_emulator/stored?bucket=&key=a",
            400,
            "the query needs `bucket`",
        ),
        (
            "GET /_emulator/stored?bucket=A&key=a",
            400,
            "not a valid bucket name",
        ),
        (
            "GET /_emulator/stored?bucket=photos&key=a",
            404,
            "no object has the key `a`",
        ),
        (
            "GET /_emulator/stored?bucket=films&key=a",
            404,
            "no bucket is called `films`",
        ),
        (
            "GET /_emulator/stored?bucket=photos&key=key&version=1",
            404,
            "the key `key` has no version `1`",
        ),
        (
            "PUT /_emulator/stored?bucket=photos&key=key",
            405,
            "answered to GET alone",
        ),
        (
            "GET /_emulator/nothing",
            404,
            "nothing answers at `/_emulator/nothing`",
        ),
    ];
    for (target, status, message) in cases {
        let answer = send(server.address(), target, &[]).await;

        assert_eq!(answer.status, status, "{target}");
        assert!(error(&answer).contains(message), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_web_page_is_told_nothing() {
    let (server, client) = photos().await;
    put(&client, "key", b"x").await;
    let target = "GET /_emulator/stored?bucket=photos&key=key";
    let ask = async |headers: &[(&str, &str)]| send(server.address(), target, headers).await;
    let own = format!("http://{}", server.address());

    for headers in [
        [("Host", "strongroom.localhost")],
        [("Host", "strongroom:4566")],
        [("Origin", &own)],
    ] {
        assert_eq!(ask(&headers).await.status, 200, "{headers:?}");
    }
    for headers in [
        [("Host", "rebound.example")],
        [("Origin", "http://rebound.example")],
        [("Origin", "null")],
    ] {
        let refused = ask(&headers).await;
        assert_eq!(refused.status, 403, "{headers:?}");
        assert!(!refused.text().contains("wrapped_key"));
        assert!(error(&refused).contains(headers[0].1), "{}", refused.text());
    }
}

#[tokio::test]
async fn an_object_of_that_name_is_an_object() {
    let keyed = Keyed::believing().await;
    put(&keyed.s3, "_emulator/stored", b"an object").await;

    let host = [("Host", "photos.localhost")];
    let answer = send(keyed.server.address(), "GET /_emulator/stored", &host).await;

    assert_eq!((answer.status, answer.text().as_str()), (200, "an object"));
    assert_eq!(get(&keyed.s3, "_emulator/stored").await, b"an object");
    assert_eq!(keyed.stored("_emulator/stored").mode, Mode::SseS3);
}
