//! `aws-sdk-s3`: uploads in parts, conditions, presigned URLs, virtual hosts, checksums, lists.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, CommonPrefix, CompletedMultipartUpload, CompletedPart, Object,
    ServerSideEncryption,
};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns};
use strongroom_rust_clients::{LETTER, PART_BYTES, long_body, plain_client};
use strongroom_testkit::{Encryption, Mode, Strongroom};

/// Uploads a body in parts of a bit above 5 MiB to the bucket `photos`.
pub(crate) async fn put_parts(
    client: &Client,
    create: CreateMultipartUploadFluentBuilder,
    body: &[u8],
) {
    let created = create.send().await.unwrap();
    let (key, id) = (created.key().unwrap(), created.upload_id().unwrap());
    let mut parts = Vec::new();
    for (number, part) in (1..).zip(body.chunks(PART_BYTES)) {
        let upload = client.upload_part().bucket("photos").key(key).upload_id(id);
        let upload = upload.part_number(number).body(part.to_vec().into());
        let etag = upload.send().await.unwrap().e_tag;
        let part = CompletedPart::builder().part_number(number).set_e_tag(etag);
        parts.push(part.build());
    }
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts));
    let complete = client.complete_multipart_upload();
    let complete = complete.bucket("photos").key(key).upload_id(id);
    let complete = complete.multipart_upload(parts.build());
    complete.send().await.unwrap();
}

async fn photos() -> (Strongroom, Client) {
    let builder = Strongroom::builder().bucket("photos").kms_key("alias/app");
    let server = builder.start().await;
    let client = server.s3_client();
    (server, client)
}

async fn put(client: &Client, key: &str) {
    let put = client.put_object().bucket("photos").key(key);
    put.body(LETTER.to_vec().into()).send().await.unwrap();
}

async fn get(client: &Client, key: &str) -> Vec<u8> {
    let got = client.get_object().bucket("photos").key(key);
    let got = got.send().await.unwrap();
    got.body.collect().await.unwrap().to_vec()
}

fn minute() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_secs(60)).unwrap()
}

#[tokio::test]
async fn a_presigned_url_reads_an_object() {
    let (_server, client) = photos().await;
    put(&client, "cat").await;

    let get = client.get_object().bucket("photos").key("cat");
    let url = get.presigned(minute()).await.unwrap();
    let answer = plain_client().get(url.uri()).send().await.unwrap();

    assert_eq!(answer.bytes().await.unwrap(), LETTER);
}

#[tokio::test]
async fn a_presigned_url_writes_under_a_key_of_kms() {
    let (server, client) = photos().await;

    let put = client.put_object().bucket("photos").key("cat");
    let put = put.server_side_encryption(ServerSideEncryption::AwsKms);
    let signed = put.ssekms_key_id("alias/app").presigned(minute());
    let signed = signed.await.unwrap();
    let send = plain_client().put(signed.uri()).body(LETTER);
    let send = signed
        .headers()
        .fold(send, |send, (name, value)| send.header(name, value));
    let status = send.send().await.unwrap().status();

    assert_eq!(status, 200);
    assert_eq!(get(&client, "cat").await, LETTER);
    server.assert_encrypted_with("photos", "cat", Encryption::sse_kms("alias/app"));
    server.assert_not_stored(LETTER);
}

#[tokio::test]
async fn an_object_is_made_once_and_changed_by_who_has_seen_it() {
    let (_server, client) = photos().await;
    let write = || {
        let put = client.put_object().bucket("photos").key("cat");
        put.body(LETTER.to_vec().into())
    };

    let made = write().if_none_match("*").send().await.unwrap();
    let again = write().if_none_match("*").send().await.unwrap_err();
    let stale = write().if_match("\"0123456789abcdef0123456789abcdef\"");
    let stale = stale.send().await.unwrap_err();
    let seen = write().if_match(made.e_tag().unwrap()).send().await;

    assert_eq!(again.code(), Some("PreconditionFailed"));
    assert_eq!(stale.code(), Some("PreconditionFailed"));
    assert!(seen.is_ok(), "{seen:?}");
}

#[tokio::test]
async fn a_copy_takes_another_mode() {
    let (server, client) = photos().await;
    put(&client, "cat").await;

    let copy = client.copy_object().bucket("photos").key("dog");
    let copy = copy.copy_source("photos/cat");
    let copy = copy.server_side_encryption(ServerSideEncryption::AwsKmsDsse);
    copy.ssekms_key_id("alias/app").send().await.unwrap();

    assert_eq!(get(&client, "dog").await, LETTER);
    server.assert_encrypted_with("photos", "cat", Mode::SseS3);
    server.assert_encrypted_with("photos", "dog", Encryption::dsse_kms("alias/app"));
    server.assert_not_stored(LETTER);
}

#[tokio::test]
async fn bodies_go_with_their_sha256() {
    let (server, client) = photos().await;

    let put = client.put_object().bucket("photos").key("cat");
    let put = put.checksum_algorithm(ChecksumAlgorithm::Sha256);
    put.body(LETTER.to_vec().into()).send().await.unwrap();
    let wrong = client.put_object().bucket("photos").key("dog");
    let wrong = wrong.checksum_sha256("kW3+MOLMr5w2iWlAbTWQLLhjM36NJgTI/xob9vKA7AU=");
    let wrong = wrong.body(b"another letter".to_vec().into());
    let refused = wrong.send().await.unwrap_err();

    let head = client.head_object().bucket("photos").key("cat");
    let head = head.checksum_mode(ChecksumMode::Enabled);
    let sha256 = head.send().await.unwrap().checksum_sha256;
    assert_eq!(
        sha256.as_deref(),
        Some("kW3+MOLMr5w2iWlAbTWQLLhjM36NJgTI/xob9vKA7AU=")
    );
    assert_eq!(refused.code(), Some("BadDigest"));
    server.assert_encrypted_with("photos", "cat", Mode::SseS3);
}

/// Sends every name to a server: not every machine's resolver knows names below `localhost`.
#[derive(Clone, Debug)]
struct Resolved(IpAddr);

impl ResolveDns for Resolved {
    fn resolve_dns<'a>(&'a self, _: &'a str) -> DnsFuture<'a> {
        DnsFuture::ready(Ok(vec![self.0]))
    }
}

fn of_virtual_hosts(server: &Strongroom) -> Client {
    let SocketAddr::V4(address) = server.address() else {
        unreachable!("the kit listens on 127.0.0.1");
    };
    let http = aws_smithy_http_client::Builder::new();
    let http = http.tls_provider(Provider::Rustls(CryptoMode::Ring));
    let http = http.build_with_resolver(Resolved(IpAddr::V4(*address.ip())));
    let config = aws_sdk_s3::config::Builder::from(&server.sdk_config());
    let config = config.endpoint_url(format!("http://localhost:{}", address.port()));
    Client::from_conf(config.http_client(http).build())
}

#[tokio::test]
async fn a_virtual_host_is_a_bucket() {
    let (server, of_path_style) = photos().await;
    let client = of_virtual_hosts(&server);

    put(&client, "deep/cat").await;

    assert_eq!(get(&client, "deep/cat").await, LETTER);
    assert_eq!(get(&of_path_style, "deep/cat").await, LETTER);
    let get = client.get_object().bucket("photos").key("deep/cat");
    let url = get.presigned(minute()).await.unwrap();
    assert!(
        url.uri().starts_with("http://photos.localhost:"),
        "{}",
        url.uri()
    );
}

#[tokio::test]
async fn a_list_tells_objects_and_folders() {
    let (_server, client) = photos().await;
    for key in ["a", "b/c", "b/d", "e"] {
        put(&client, key).await;
    }

    let list = client.list_objects_v2().bucket("photos").delimiter("/");
    let list = list.send().await.unwrap();

    let keys: Vec<_> = list.contents().iter().filter_map(Object::key).collect();
    let folders: Vec<_> = list
        .common_prefixes()
        .iter()
        .filter_map(CommonPrefix::prefix)
        .collect();
    assert_eq!((keys, folders), (vec!["a", "e"], vec!["b/"]));
}

#[tokio::test]
async fn parts_are_sealed_each_for_itself() {
    let (server, client) = photos().await;
    let body = long_body();

    let create = client
        .create_multipart_upload()
        .bucket("photos")
        .key("film");
    put_parts(&client, create, &body).await;

    let stored = server.stored("photos", "film");
    assert_eq!(stored.blobs.len(), 2);
    assert!(get(&client, "film").await == body);
    server.assert_not_stored(body);
}
