//! `aws-chunked` over the wire, in its three forms, signed here by hand: SDKs choose one form by themselves.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html> and `…-trailers.html`.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use strongroom_testkit::Strongroom;
use strongroom_tests::{Answer, send_body};

use crate::sdk::{get, noise};

const DATE: &str = "20130524T000000Z";
const SCOPE: &str = "20130524/us-east-1/s3/aws4_request";
const SIGNED: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
const SIGNED_TRAILER: &str = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER";
const UNSIGNED_TRAILER: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
const TRAILER: &str = "x-amz-checksum-sha256";

/// A server at the moment of [`DATE`].
async fn server() -> Strongroom {
    let moment = SystemTime::UNIX_EPOCH + Duration::from_hours(380_376);
    Strongroom::builder()
        .bucket("photos")
        .clock(moment)
        .start()
        .await
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn sign(text: &str) -> String {
    let key = SCOPE
        .split('/')
        .fold(b"AWS4test".to_vec(), |key, part| hmac(&key, part));
    hex(&hmac(&key, text))
}

/// Signs a PUT of `photos/key` in one of the forms; gives its headers and the signature that the first chunk builds on.
fn signed_headers(host: &str, form: &str, length: usize) -> (Vec<(String, String)>, String) {
    let mut headers = vec![
        ("host".to_owned(), host.to_owned()),
        ("x-amz-content-sha256".to_owned(), form.to_owned()),
        ("x-amz-date".to_owned(), DATE.to_owned()),
        (
            "x-amz-decoded-content-length".to_owned(),
            length.to_string(),
        ),
    ];
    if form.ends_with("TRAILER") {
        headers.push(("x-amz-trailer".to_owned(), TRAILER.to_owned()));
    }
    let lines: String = headers
        .iter()
        .flat_map(|(name, value)| [name, ":", value, "\n"])
        .collect();
    let names = headers
        .iter()
        .map(|(name, _)| name.as_str())
        .collect::<Vec<_>>()
        .join(";");
    let canonical = format!("PUT\n/photos/key\n\n{lines}\n{names}\n{form}");
    let signature = sign(&format!(
        "AWS4-HMAC-SHA256\n{DATE}\n{SCOPE}\n{}",
        sha256(canonical.as_bytes())
    ));
    let credential =
        format!("Credential=test/{SCOPE}, SignedHeaders={names}, Signature={signature}");
    headers.push((
        "authorization".to_owned(),
        format!("AWS4-HMAC-SHA256 {credential}"),
    ));
    (headers, signature)
}

/// The body in chunks of 64 KiB, each signed where the form has signatures, and its trailer.
fn chunked(form: &str, seed: &str, body: &[u8]) -> Vec<u8> {
    let mut previous = seed.to_owned();
    let mut wire = Vec::new();
    for chunk in body.chunks(65_536).chain([&[][..]]) {
        let text = format!(
            "AWS4-HMAC-SHA256-PAYLOAD\n{DATE}\n{SCOPE}\n{previous}\n{}\n{}",
            sha256(b""),
            sha256(chunk)
        );
        previous = sign(&text);
        let signature = if form == UNSIGNED_TRAILER {
            String::new()
        } else {
            format!(";chunk-signature={previous}")
        };
        wire.extend_from_slice(format!("{:x}{signature}\r\n", chunk.len()).as_bytes());
        wire.extend_from_slice(chunk);
        wire.extend_from_slice(if chunk.is_empty() { b"" } else { b"\r\n" });
    }
    if form.ends_with("TRAILER") {
        let header = format!("{TRAILER}:{}", STANDARD.encode(Sha256::digest(body)));
        wire.extend_from_slice(format!("{header}\r\n").as_bytes());
        if form == SIGNED_TRAILER {
            let text = format!(
                "AWS4-HMAC-SHA256-TRAILER\n{DATE}\n{SCOPE}\n{previous}\n{}",
                sha256(format!("{header}\n").as_bytes())
            );
            wire.extend_from_slice(
                format!("x-amz-trailer-signature:{}\r\n", sign(&text)).as_bytes(),
            );
        }
    }
    wire.extend_from_slice(b"\r\n");
    wire
}

async fn put(
    server: &Strongroom,
    form: &str,
    body: &[u8],
    change: impl FnOnce(&mut Vec<u8>),
) -> Answer {
    let (headers, seed) = signed_headers(&server.address().to_string(), form, body.len());
    let mut wire = chunked(form, &seed, body);
    change(&mut wire);
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    send_body(server.address(), "PUT /photos/key", &headers, &wire).await
}

#[tokio::test]
async fn all_three_forms_are_taken() {
    let server = server().await;
    for form in [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER] {
        let body = noise(150_000);

        let answer = put(&server, form, &body, |_| {}).await;

        assert_eq!(answer.status, 200, "{form}: {}", answer.text());
        assert_eq!(get(&server.s3_client(), "key").await, body, "{form}");
    }
}

#[tokio::test]
async fn a_changed_byte_is_refused_in_all_three() {
    let server = server().await;
    for (form, code) in [
        (SIGNED, "SignatureDoesNotMatch"),
        (SIGNED_TRAILER, "SignatureDoesNotMatch"),
        (UNSIGNED_TRAILER, "BadDigest"),
    ] {
        let answer = put(&server, form, &noise(150_000), |wire| wire[70_000] ^= 1).await;

        assert_eq!(answer.element("Code").as_deref(), Some(code), "{form}");
    }
    let listed = server
        .s3_client()
        .list_objects_v2()
        .bucket("photos")
        .send()
        .await
        .unwrap();
    assert_eq!(listed.key_count(), Some(0), "nothing was stored");
}
