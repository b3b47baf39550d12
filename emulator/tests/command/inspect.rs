//! `inspect`: of a running server, and of a folder that none holds.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{Server, ask, command, refusal};

/// What `inspect` tells of an object, in JSON.
fn inspected(arguments: &[&str]) -> Value {
    let output = command()
        .args(["inspect", "--json"])
        .args(arguments)
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{error}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A server over a folder, with a bucket, a KMS key and an object in each of three modes.
fn filled(folder: &Path) -> Server {
    let data = folder.to_str().unwrap();
    let arguments = [
        "--data",
        data,
        "--bucket",
        "photos",
        "--kms-key",
        "alias/app",
    ];
    let server = Server::start(&arguments);
    let kms = "x-amz-server-side-encryption: aws:kms\r\nx-amz-server-side-encryption-aws-kms-key-id: alias/app\r\n";
    let customers = "x-amz-server-side-encryption-customer-algorithm: AES256\r\n\
        x-amz-server-side-encryption-customer-key: MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY=\r\n\
        x-amz-server-side-encryption-customer-key-md5: JMwgiexXqwuPqIPjYFmIZQ==\r\n";
    for (key, header, body) in [
        ("s3", "", b"hello".to_vec()),
        ("kms/a%20b", kms, vec![7; 70_000]),
        ("customers", customers, b"hello".to_vec()),
    ] {
        let request = format!("PUT /photos/{key}");
        let (status, _) = ask(&server.address, &request, header, &body).unwrap();
        assert_eq!(status, 200, "{key}");
    }
    server
}

#[test]
fn inspect_asks_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = filled(folder.path());
    let endpoint = format!("http://{}", server.address);

    let s3 = inspected(&["photos/s3", "--endpoint", &endpoint, "--version", "null"]);
    let kms = inspected(&["s3://photos/kms/a b", "--raw", "--endpoint", &endpoint]);
    let lines = command()
        .env("AWS_ENDPOINT_URL", &endpoint)
        .args(["inspect", "photos/kms/a b"])
        .output()
        .unwrap();

    assert_eq!(
        (&s3["mode"], &s3["size_bytes"]),
        (&json!("SSE-S3"), &json!(5))
    );
    assert_eq!(s3["layers"][0]["under"], "root key");
    assert_eq!(s3["blobs"][0]["raw"], Value::Null);
    assert_eq!(
        (&kms["mode"], &kms["key"]),
        (&json!("SSE-KMS"), &json!("kms/a b"))
    );
    assert_eq!(kms["kms_key_aliases"], json!(["alias/app"]));
    assert_eq!(
        kms["context"],
        json!({ "aws:s3:arn": "arn:aws:s3:::photos/kms/a b" })
    );
    let segments = json!([
        { "offset": 40, "sealed_bytes": 65_496, "plaintext_bytes": 65_464 },
        { "offset": 65_536, "sealed_bytes": 4_568, "plaintext_bytes": 4_536 },
    ]);
    assert_eq!(kms["blobs"][0]["layers"][0]["segments"], segments);
    assert_eq!(
        kms["blobs"][0]["raw"].as_str().unwrap().len(),
        (70_104_usize).div_ceil(3) * 4
    );
    assert!(kms.to_string().find("data_key").is_none());
    let lines = String::from_utf8(lines.stdout).unwrap();
    assert!(lines.contains("mode          SSE-KMS\n"), "{lines}");
    assert!(lines.contains(" (alias/app)\n"), "{lines}");
    assert!(
        lines.contains("layer 1: 40 bytes of header, 2 segments: 65496 at 40"),
        "{lines}"
    );
}

#[test]
fn inspect_opens_a_folder_that_no_server_holds() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let server = filled(folder.path());
    let endpoint = format!("http://{}", server.address);
    let running = inspected(&["photos/kms/a b", "--raw", "--endpoint", &endpoint]);

    let held = refusal(&["inspect", "photos/s3", "--data", data]);
    drop(server);
    let alone = inspected(&["photos/kms/a b", "--raw", "--data", data]);

    assert!(
        held.contains("in use by another process: ask its server"),
        "{held}"
    );
    assert_eq!(alone, running);
}

#[test]
fn inspect_leaves_a_folder_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    drop(filled(folder.path()));
    let left = folder
        .path()
        .join("staging/0123456789abcdef0123456789abcdef");
    fs::write(&left, b"left by a crash").unwrap();
    fs::remove_file(folder.path().join("root.key")).unwrap();
    let elsewhere = folder.path().join("elsewhere");

    inspected(&["photos/s3", "--data", data]);
    let nothing = refusal(&[
        "inspect",
        "photos/s3",
        "--data",
        elsewhere.to_str().unwrap(),
    ]);

    assert!(left.exists());
    assert!(!folder.path().join("root.key").exists());
    assert!(nothing.contains("is no data folder"), "{nothing}");
    assert!(!elsewhere.exists());
}

#[test]
fn inspect_says_in_one_line_what_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let server = filled(folder.path());
    let endpoint = format!("http://{}", server.address);
    let refused = |object: &str| refusal(&["inspect", object, "--endpoint", &endpoint]);

    assert!(refused("photos/none").contains("no object has the key `none`"));
    assert!(refused("photos/a\nb").contains("no object has the key `a\\nb`"));
    assert!(refused("nowhere/s3").contains("no bucket is called `nowhere`"));
    assert!(refused("No_Bucket/s3").contains("not a valid bucket name"));
    let version = refusal(&[
        "inspect",
        "photos/s3",
        "--version",
        "x",
        "--endpoint",
        &endpoint,
    ]);
    assert!(
        version.contains("the key `s3` has no version `x`"),
        "{version}"
    );
    drop(server);
    assert!(refused("photos/s3").contains("cannot ask 127.0.0.1:"));
}

#[test]
fn keys_are_revealed_to_whoever_has_folder_and_root_key_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let server = filled(folder.path());
    let endpoint = format!("http://{}", server.address);
    let running = refusal(&["inspect", "photos/s3", "--reveal", "--endpoint", &endpoint]);
    drop(server);
    let reveal = |object: &'static str| [object, "--reveal", "--data", data];

    for object in ["photos/s3", "photos/kms/a b"] {
        let told = inspected(&reveal(object));

        let key = told["layers"][0]["data_key"].as_str().unwrap();
        assert_eq!(key.len(), 64, "{key}");
        assert!(key.bytes().all(|digit| digit.is_ascii_hexdigit()));
    }
    assert!(
        running.contains("a server never tells its keys"),
        "{running}"
    );
    let customers = refusal(&["inspect", "photos/customers", "--reveal", "--data", data]);
    assert!(customers.contains("SSE-C"), "{customers}");
    let root = folder.path().join("root.key");
    fs::write(&root, [7; 32]).unwrap();
    let wrong = refusal(&["inspect", "photos/s3", "--reveal", "--data", data]);
    assert!(wrong.contains("the root key is not the one"), "{wrong}");
    fs::remove_file(&root).unwrap();
    let lost = refusal(&["inspect", "photos/s3", "--reveal", "--data", data]);
    assert!(lost.contains("is missing"), "{lost}");
}
