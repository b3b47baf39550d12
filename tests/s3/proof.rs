//! Proof that bodies lie encrypted: what is on the disk, and what happens to who changes it.

use std::fs;
use std::path::Path;

use aws_sdk_s3::primitives::ByteStream;
use strongroom_testkit::{Mode, Strongroom};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::keyed::contains;
use crate::sdk::{get, impatient, is, noise, photos, put, refusal};

/// A customer's key in three forms, and its MD5.
const KEY: &[u8] = b"1234567890abcdef1234567890abcdef";
const KEY_HEX: &str = "3132333435363738393061626364656631323334353637383930616263646566";
const KEY_BASE64: &str = "MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY=";
const KEY_MD5: &str = "JMwgiexXqwuPqIPjYFmIZQ==";
const MARKER: &[u8] = b"the marker that must not lie in the clear";

/// Every file below a folder that holds one of the needles.
pub(crate) fn holding(folder: &Path, needles: &[Vec<u8>]) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, needles));
        } else if let Ok(bytes) = fs::read(&path)
            && needles.iter().any(|needle| contains(&bytes, needle))
        {
            found.push(path.display().to_string());
        }
    }
    found
}

#[tokio::test]
async fn bodies_and_keys_never_lie_in_the_clear() {
    let folder = tempfile::tempdir().unwrap();
    let server = Strongroom::builder()
        .bucket("photos")
        .data(folder.path())
        .start()
        .await;
    let client = server.s3_client();
    let large = [noise(150_000), MARKER.to_vec(), noise(150_000)].concat();
    put(&client, "small", MARKER).await;
    put(&client, "large", large.clone()).await;
    let sealed = |name: &'static str, body: Vec<u8>| {
        let upload = client
            .put_object()
            .bucket("photos")
            .key(name)
            .body(ByteStream::from(body));
        upload
            .sse_customer_algorithm("AES256")
            .sse_customer_key(KEY_BASE64)
            .sse_customer_key_md5(KEY_MD5)
            .send()
    };
    sealed("customer-small", MARKER.to_vec()).await.unwrap();
    sealed("customer-large", large).await.unwrap();
    client
        .copy_object()
        .bucket("photos")
        .key("copy")
        .copy_source("photos/large")
        .send()
        .await
        .unwrap();
    let head = format!(
        "PUT /photos/cut HTTP/1.1\r\nHost: {}\r\nContent-Length: 1000000\r\n\r\n",
        server.address()
    );
    let mut cut = TcpStream::connect(server.address()).await.unwrap();
    cut.write_all(head.as_bytes()).await.unwrap();
    cut.write_all(MARKER).await.unwrap();
    drop(cut);

    let needles = [
        MARKER,
        KEY,
        KEY_HEX.as_bytes(),
        KEY_HEX.to_uppercase().as_bytes(),
        KEY_BASE64.as_bytes(),
    ]
    .map(<[u8]>::to_vec);
    assert_eq!(holding(folder.path(), &needles), Vec::<String>::new());
    let root = fs::read(folder.path().join("root.key")).unwrap();
    let found = holding(folder.path(), &[root]);
    assert!(
        matches!(&found[..], [only] if only.ends_with("root.key")),
        "{found:?}"
    );
}

#[tokio::test]
async fn the_raw_bytes_are_longer_than_the_body_by_header_and_tags() {
    let (server, client) = photos().await;
    put(&client, "small", vec![0; 1_000]).await;
    put(&client, "large", vec![0; 200_000]).await;

    let (small, large) = (
        server.stored("photos", "small"),
        server.stored("photos", "large"),
    );

    assert_eq!(
        (small.mode, small.size_bytes, small.raw.len(), small.is_file),
        (Mode::SseS3, 1_000, 1_072, false)
    );
    assert_eq!(
        (large.size_bytes, large.raw.len(), large.is_file),
        (200_000, 200_000 + 40 + 4 * 32, true)
    );
    assert!(!contains(&large.raw, &[0; 32]));
}

#[tokio::test]
async fn a_flipped_bit_is_an_internal_error_and_the_rest_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let server = Strongroom::builder()
        .bucket("photos")
        .data(folder.path())
        .start()
        .await;
    let client = server.s3_client();
    put(&client, "bad", noise(50_000)).await;
    put(&client, "good", noise(50_000)).await;
    let id = server.stored("photos", "bad").blob_id;
    let path = folder.path().join("blobs").join(&id[..2]).join(&id);
    let mut bytes = fs::read(&path).unwrap();
    bytes[20_000] ^= 1;
    fs::write(&path, bytes).unwrap();

    let read = impatient(&server)
        .get_object()
        .bucket("photos")
        .key("bad")
        .send()
        .await;

    assert_eq!(refusal(read), is("InternalError", 500));
    assert_eq!(get(&client, "good").await, noise(50_000));
}

#[tokio::test]
async fn a_blob_never_passes_for_another() {
    let folder = tempfile::tempdir().unwrap();
    let server = Strongroom::builder()
        .bucket("photos")
        .data(folder.path())
        .start()
        .await;
    let client = server.s3_client();
    put(&client, "one", noise(50_000)).await;
    put(&client, "other", noise(50_000)).await;
    let path = |key| {
        let id = server.stored("photos", key).blob_id;
        folder.path().join("blobs").join(&id[..2]).join(&id)
    };
    fs::copy(path("one"), path("other")).unwrap();

    let read = impatient(&server)
        .get_object()
        .bucket("photos")
        .key("other")
        .send()
        .await;

    assert_eq!(refusal(read), is("InternalError", 500));
}

#[tokio::test]
async fn objects_outlive_the_server_that_keeps_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = Strongroom::builder()
        .bucket("photos")
        .data(folder.path())
        .start()
        .await;
    put(&server.s3_client(), "key", noise(100_000)).await;
    drop(server);

    let again = Strongroom::builder().data(folder.path()).start().await;

    assert_eq!(get(&again.s3_client(), "key").await, noise(100_000));
}
