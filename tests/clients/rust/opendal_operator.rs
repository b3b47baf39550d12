//! `OpenDAL`: its operator over a bucket, in each mode of encryption that it knows.

use std::time::Duration;

use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};
use opendal::{ErrorKind, HttpTransporter, OperationContext, Operator};
use opendal_http_transport_reqwest::{ReqwestTransport, install_default};
use strongroom_rust_clients::{
    CUSTOMER_KEY, CUSTOMER_KEY_BYTES, CUSTOMER_KEY_MD5, LETTER, PART_BYTES, http_client, long_body,
    plain_client, use_ring,
};
use strongroom_testkit::{Encryption, Mode, Strongroom};

const SSE: &str = "server_side_encryption";
const KMS_KEY: &str = "server_side_encryption_aws_kms_key_id";
const CUSTOMERS: [(&str, &str); 3] = [
    ("server_side_encryption_customer_algorithm", "AES256"),
    ("server_side_encryption_customer_key", CUSTOMER_KEY),
    ("server_side_encryption_customer_key_md5", CUSTOMER_KEY_MD5),
];

async fn server() -> Strongroom {
    let builder = Strongroom::builder().bucket("photos").kms_key("alias/app");
    builder.start().await
}

/// An operator over the bucket `photos`, with more options.
fn operator(server: &Strongroom, more: &[(&str, &str)]) -> Operator {
    use_ring();
    // With OpenDAL's default features that is done before `main`.
    install_default();
    let mut config = server.opendal_config("photos");
    let more = more
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    config.extend(more);
    Operator::via_iter("s3", config).unwrap()
}

/// Keeps a letter, reads it back, and looks how it lies.
async fn holds_a_letter(server: &Strongroom, operator: &Operator, wanted: impl Into<Encryption>) {
    operator.write("letter", LETTER.to_vec()).await.unwrap();

    let read = operator.read("letter").await.unwrap().to_vec();
    assert_eq!(read, LETTER);
    server.assert_encrypted_with("photos", "letter", wanted);
    server.assert_not_stored(LETTER);
}

/// Writes a film in parts.
async fn write_film(operator: &Operator) -> opendal::Result<Vec<u8>> {
    let film = long_body();
    let writer = operator.writer_with("film").chunk(PART_BYTES).concurrent(2);
    let mut writer = writer.await?;
    writer.write(film.clone()).await?;
    writer.close().await?;
    Ok(film)
}

/// Keeps a film in parts, reads it back, and looks how it lies.
async fn holds_a_film(server: &Strongroom, operator: &Operator, wanted: impl Into<Encryption>) {
    let film = write_film(operator).await.unwrap();

    let read = operator.read("film").await.unwrap().to_vec();
    assert!(read == film);
    server.assert_encrypted_with("photos", "film", wanted);
    server.assert_not_stored(film);
    assert_eq!(server.stored("photos", "film").blobs.len(), 2);
}

#[tokio::test]
async fn sse_s3() {
    let server = server().await;

    let operator = operator(&server, &[(SSE, "AES256")]);

    holds_a_letter(&server, &operator, Mode::SseS3).await;
}

#[tokio::test]
async fn sse_kms() {
    let server = server().await;
    let operator = operator(&server, &[(SSE, "aws:kms"), (KMS_KEY, "alias/app")]);

    holds_a_letter(&server, &operator, Encryption::sse_kms("alias/app")).await;
}

#[tokio::test]
async fn sse_c_over_tls() {
    let builder = Strongroom::builder().bucket("photos").tls().strict_tls();
    let server = builder.start().await;
    let transport = ReqwestTransport::new(http_client(&server.ca_pem()));
    let context = OperationContext::new().with_http_transport(HttpTransporter::new(transport));
    let operator = operator(&server, &CUSTOMERS).with_context(context);

    holds_a_letter(&server, &operator, Mode::SseC).await;
    holds_a_film(&server, &operator, Mode::SseC).await;

    server.assert_not_stored(CUSTOMER_KEY_BYTES);
}

#[tokio::test]
async fn the_buckets_default_is_taken() {
    let server = server().await;
    let operator = operator(&server, &[]);
    holds_a_letter(&server, &operator, Mode::SseS3).await;
    holds_a_film(&server, &operator, Mode::SseS3).await;

    put_default(&server, "alias/app").await;

    holds_a_letter(&server, &operator, Encryption::sse_kms("alias/app")).await;
    holds_a_film(&server, &operator, Encryption::sse_kms("alias/app")).await;
}

async fn put_default(server: &Strongroom, kms_key: &str) {
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::AwsKms)
        .kms_master_key_id(kms_key);
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default.build().unwrap());
    let rules = ServerSideEncryptionConfiguration::builder().rules(rule.build());
    let put = server.s3_client().put_bucket_encryption();
    let put = put
        .bucket("photos")
        .server_side_encryption_configuration(rules.build().unwrap());
    put.send().await.unwrap();
}

/// `OpenDAL` names the mode with every part too, where AWS takes it of `CreateMultipartUpload` alone: under a mode of its own it
/// cannot write in parts, here as there.
#[tokio::test]
async fn a_mode_that_comes_with_a_part_is_refused() {
    let server = server().await;
    let operator = operator(&server, &[(SSE, "aws:kms"), (KMS_KEY, "alias/app")]);

    let refused = write_film(&operator).await.unwrap_err().to_string();

    assert!(refused.contains("InvalidArgument"), "{refused}");
    assert!(refused.contains("UploadPart"), "{refused}");
}

#[tokio::test]
async fn a_list_tells_objects_and_folders() {
    let server = server().await;
    let operator = operator(&server, &[]);
    for key in ["a", "b/c", "b/d", "e"] {
        operator.write(key, LETTER.to_vec()).await.unwrap();
    }

    let level = operator.list("").await.unwrap();
    let all = operator.list_with("").recursive(true).await.unwrap();

    let paths = |entries: &[opendal::Entry]| {
        let mut paths: Vec<_> = entries
            .iter()
            .map(|entry| entry.path().to_owned())
            .collect();
        paths.retain(|path| path != "/");
        paths.sort();
        paths
    };
    assert_eq!(paths(&level), ["a", "b/", "e"]);
    assert_eq!(paths(&all), ["a", "b/c", "b/d", "e"]);
}

#[tokio::test]
async fn a_deleted_object_is_gone() {
    let server = server().await;
    let operator = operator(&server, &[]);
    operator.write("cat", LETTER.to_vec()).await.unwrap();

    operator.delete("cat").await.unwrap();

    let gone = operator.stat("cat").await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn an_object_is_made_once() {
    let server = server().await;
    let operator = operator(&server, &[]);
    let make = || {
        operator
            .write_with("cat", LETTER.to_vec())
            .if_not_exists(true)
    };

    make().await.unwrap();

    let refused = make().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConditionNotMatch);
}

#[tokio::test]
async fn a_presigned_request_reads_an_object() {
    let server = server().await;
    let operator = operator(&server, &[]);
    operator.write("cat", LETTER.to_vec()).await.unwrap();

    let signed = operator
        .presign_read("cat", Duration::from_secs(60))
        .await
        .unwrap();
    let read = plain_client()
        .get(signed.uri().to_string())
        .headers(signed.header().clone());
    let answer = read.send().await.unwrap();

    assert_eq!(answer.bytes().await.unwrap(), LETTER);
}
