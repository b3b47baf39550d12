//! The `object_store` crate in each mode of encryption. That crate's own tests need three servers: one for SSE-KMS and
//! DSSE, one that checks signatures, one with TLS for SSE-C. Here one server in process is all of them.

use std::collections::HashMap;

use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{Attribute, Attributes, Error, ObjectStore, ObjectStoreExt};
use strongroom_rust_clients::{CUSTOMER_KEY, CUSTOMER_KEY_BYTES, LETTER, long_body};
use strongroom_testkit::{ClientSide, Encryption, Mode, Strongroom};

use crate::store::{get, put, put_parts, store};

const SSE: &str = "aws_server_side_encryption";
const KMS_KEY: &str = "aws_sse_kms_key_id";
const BUCKET_KEY: &str = "aws_sse_bucket_key_enabled";
const CUSTOMERS: [(&str, &str); 2] = [
    (SSE, "sse-c"),
    ("aws_sse_customer_key_base64", CUSTOMER_KEY),
];

async fn server() -> Strongroom {
    let builder = Strongroom::builder().bucket("photos").kms_key("alias/app");
    builder.start().await
}

async fn tls_server() -> Strongroom {
    let builder = Strongroom::builder().bucket("photos").kms_key("alias/app");
    builder.tls().strict_tls().start().await
}

async fn key_arn(server: &Strongroom) -> String {
    let key = server.kms_client().describe_key().key_id("alias/app");
    let key = key.send().await.unwrap().key_metadata.unwrap();
    key.arn.unwrap()
}

/// Keeps a letter, a film in parts and a copy of each in `photos`, reads all back, and looks how they lie.
async fn holds(server: &Strongroom, store: &AmazonS3, wanted: impl Into<Encryption>) {
    let (wanted, film) = (wanted.into(), long_body());

    put(store, "letter").await;
    put_parts(store, "film", &film).await;
    for (from, to) in [("letter", "copied letter"), ("film", "copied film")] {
        store.copy(&from.into(), &to.into()).await.unwrap();
    }

    for (key, body) in [("letter", LETTER), ("film", film.as_slice())] {
        assert!(get(store, key).await == body, "{key}");
        assert!(
            get(store, &format!("copied {key}")).await == body,
            "the copy of {key}"
        );
        server.assert_encrypted_with("photos", key, wanted.clone());
        server.assert_encrypted_with("photos", &format!("copied {key}"), wanted.clone());
        server.assert_not_stored(body);
    }
}

#[tokio::test]
async fn sse_s3() {
    let server = server().await;

    holds(&server, &store(&server, &[(SSE, "AES256")]), Mode::SseS3).await;
}

#[tokio::test]
async fn sse_kms_with_an_alias() {
    let server = server().await;
    let store = store(&server, &[(SSE, "aws:kms"), (KMS_KEY, "alias/app")]);

    let wanted = Encryption::sse_kms("alias/app").bucket_key(false);
    holds(&server, &store, wanted).await;
}

#[tokio::test]
async fn sse_kms_with_an_arn_and_a_bucket_key() {
    let server = server().await;
    let arn = key_arn(&server).await;
    let options = [
        (SSE, "aws:kms"),
        (KMS_KEY, arn.as_str()),
        (BUCKET_KEY, "true"),
    ];

    let wanted = Encryption::sse_kms(&arn).bucket_key(true);
    holds(&server, &store(&server, &options), wanted).await;
}

#[tokio::test]
async fn dsse_kms() {
    let server = server().await;
    let store = store(&server, &[(SSE, "aws:kms:dsse"), (KMS_KEY, "alias/app")]);

    holds(&server, &store, Encryption::dsse_kms("alias/app")).await;

    assert_eq!(server.stored("photos", "letter").layers.len(), 2);
}

#[tokio::test]
async fn sse_c_over_tls() {
    let server = tls_server().await;
    let store = store(&server, &CUSTOMERS);

    put(&store, "letter").await;
    put_parts(&store, "film", &long_body()).await;

    assert_eq!(get(&store, "letter").await, LETTER);
    assert!(get(&store, "film").await == long_body());
    for (key, body) in [("letter", LETTER.to_vec()), ("film", long_body())] {
        server.assert_encrypted_with("photos", key, Mode::SseC);
        server.assert_not_stored(body);
    }
    server.assert_not_stored(CUSTOMER_KEY_BYTES);
}

#[tokio::test]
async fn sse_c_without_the_key_is_not_read() {
    let server = tls_server().await;
    put(&store(&server, &CUSTOMERS), "letter").await;

    let refused = store(&server, &[]).get(&"letter".into()).await.unwrap_err();

    assert!(refused.to_string().contains("400"), "{refused}");
}

#[tokio::test]
async fn client_side_encryption() {
    let server = server().await;
    let store = store(&server, &[]);
    let secrets = ClientSide::kms(&server.kms_client(), "alias/app");

    let written = secrets.write(LETTER).await.unwrap();
    let mut attributes = Attributes::new();
    for (name, value) in written.metadata {
        attributes.insert(Attribute::Metadata(name.into()), value.into());
    }
    let (letter, body) = (Path::from("letter"), written.body.into());
    let put = store.put_opts(&letter, body, attributes.into());
    put.await.unwrap();

    let got = store.get(&letter).await.unwrap();
    let metadata: HashMap<String, String> = got
        .attributes
        .iter()
        .filter_map(|(name, value)| match name {
            Attribute::Metadata(name) => Some((name.to_string(), value.to_string())),
            _ => None,
        })
        .collect();
    let body = got.bytes().await.unwrap();
    assert_eq!(secrets.read(&metadata, &body).await.unwrap(), LETTER);
    server.assert_client_side_encrypted("photos", "letter");
    server.assert_encrypted_with("photos", "letter", Mode::SseS3);
    server.assert_not_stored(LETTER);
}

/// What `object_store` has three servers for, on one: both kinds of KMS, a signature that is checked, a customer's key over
/// TLS.
#[tokio::test]
async fn one_server_is_enough() {
    let server = tls_server().await;
    let options = |mode| [(SSE, mode), (KMS_KEY, "alias/app")];

    put(&store(&server, &options("aws:kms")), "kms").await;
    put(&store(&server, &options("aws:kms:dsse")), "dsse").await;
    put(&store(&server, &CUSTOMERS), "customer's").await;
    let forged = store(&server, &[("aws_secret_access_key", "a guess")]);
    let refused = forged.get(&"kms".into()).await.unwrap_err();

    server.assert_encrypted_with("photos", "kms", Encryption::sse_kms("alias/app"));
    server.assert_encrypted_with("photos", "dsse", Encryption::dsse_kms("alias/app"));
    server.assert_encrypted_with("photos", "customer's", Mode::SseC);
    server.assert_not_stored(LETTER);
    assert!(
        matches!(refused, Error::PermissionDenied { .. }),
        "{refused}"
    );
    assert!(
        refused.to_string().contains("SignatureDoesNotMatch"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_disabled_key_closes_its_objects() {
    let server = server().await;
    let store = store(&server, &[(SSE, "aws:kms"), (KMS_KEY, "alias/app")]);
    put(&store, "letter").await;

    let arn = key_arn(&server).await;
    let disable = server.kms_client().disable_key().key_id(arn);
    disable.send().await.unwrap();

    let refused = store.get(&"letter".into()).await.unwrap_err();
    assert!(
        refused.to_string().contains("KMS.DisabledException"),
        "{refused}"
    );
}
