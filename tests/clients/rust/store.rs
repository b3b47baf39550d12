//! The `object_store` crate: conditions, copies, presigned URLs, virtual hosts, checksums, lists.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::client::{HttpClient, HttpConnector};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{
    Certificate, ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions,
    UpdateVersion, WriteMultipart,
};
use reqwest::Method;
use strongroom_rust_clients::{LETTER, long_body, plain_client, use_ring};
use strongroom_testkit::{Mode, Strongroom};

/// A builder for the bucket `photos`, with more options.
pub(crate) fn builder(server: &Strongroom, more: &[(&str, &str)]) -> AmazonS3Builder {
    use_ring();
    let mut client = ClientOptions::new();
    if server.uri().starts_with("https") {
        let ca = Certificate::from_pem(server.ca_pem().as_bytes()).unwrap();
        client = client.with_root_certificate(ca);
    }
    let options = server.object_store_options("photos");
    let given = options.iter().map(|(key, value)| (*key, value.as_str()));
    let all = given.chain(more.iter().copied());
    let builder = AmazonS3Builder::new().with_client_options(client);
    all.fold(builder, |builder, (key, value)| {
        builder.with_config(key.parse().unwrap(), value)
    })
}

/// The bucket `photos` as a store, with more options.
pub(crate) fn store(server: &Strongroom, more: &[(&str, &str)]) -> AmazonS3 {
    builder(server, more).build().unwrap()
}

async fn photos() -> (Strongroom, AmazonS3) {
    let server = Strongroom::builder().bucket("photos").start().await;
    let store = store(&server, &[]);
    (server, store)
}

/// Puts a letter.
pub(crate) async fn put(store: &AmazonS3, key: &str) {
    store.put(&key.into(), LETTER.into()).await.unwrap();
}

/// Puts a body in parts.
pub(crate) async fn put_parts(store: &AmazonS3, key: &str, body: &[u8]) {
    let upload = store.put_multipart(&key.into()).await.unwrap();
    let mut writer = WriteMultipart::new(upload);
    writer.write(body);
    writer.finish().await.unwrap();
}

/// Reads a body.
pub(crate) async fn get(store: &AmazonS3, key: &str) -> Vec<u8> {
    let got = store.get(&key.into()).await.unwrap();
    got.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn options_of_a_url_are_enough() {
    let (server, _) = photos().await;
    let url = "s3://photos/letters".parse().unwrap();

    let options = server.object_store_options("photos");
    let (store, path) = object_store::parse_url_opts(&url, options).unwrap();
    store.put(&path.join("cat"), LETTER.into()).await.unwrap();

    server.assert_encrypted_with("photos", "letters/cat", Mode::SseS3);
    server.assert_not_stored(LETTER);
}

#[tokio::test]
async fn a_new_object_is_made_once() {
    let (_server, store) = photos().await;
    let cat = Path::from("cat");
    let create = || store.put_opts(&cat, LETTER.into(), PutMode::Create.into());

    create().await.unwrap();

    let refused = create().await.unwrap_err();
    assert!(matches!(refused, Error::AlreadyExists { .. }), "{refused}");
}

#[tokio::test]
async fn an_update_wants_the_etag_that_it_has_seen() {
    let (_server, store) = photos().await;
    let cat = Path::from("cat");
    let seen: UpdateVersion = store.put(&cat, LETTER.into()).await.unwrap().into();
    let update = || store.put_opts(&cat, "a second letter".into(), update_of(&seen));

    update().await.unwrap();

    let refused = update().await.unwrap_err();
    assert!(matches!(refused, Error::Precondition { .. }), "{refused}");
    assert_eq!(get(&store, "cat").await, b"a second letter");
}

fn update_of(version: &UpdateVersion) -> PutOptions {
    PutMode::Update(version.clone()).into()
}

#[tokio::test]
async fn a_copy_does_not_take_the_place_of_another_object() {
    let (server, store) = photos().await;
    let (cat, dog) = (Path::from("cat"), Path::from("dog"));
    let copy = || store.copy_if_not_exists(&cat, &dog);
    put(&store, "cat").await;

    copy().await.unwrap();

    let refused = copy().await.unwrap_err();
    assert!(matches!(refused, Error::AlreadyExists { .. }), "{refused}");
    assert_eq!(get(&store, "dog").await, LETTER);
    server.assert_encrypted_with("photos", "dog", Mode::SseS3);
    server.assert_not_stored(LETTER);
}

#[tokio::test]
async fn a_rename_keeps_the_body() {
    let (_server, store) = photos().await;
    put(&store, "cat").await;

    store.rename(&"cat".into(), &"dog".into()).await.unwrap();

    assert_eq!(get(&store, "dog").await, LETTER);
    let gone = store.head(&"cat".into()).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound { .. }), "{gone}");
}

#[tokio::test]
async fn a_signed_url_reads_an_object() {
    let (_server, store) = photos().await;
    put(&store, "cat").await;
    let minute = Duration::from_secs(60);

    let url = store.signed_url(Method::GET, &"cat".into(), minute).await;
    let answer = plain_client().get(url.unwrap()).send().await.unwrap();

    assert_eq!(answer.bytes().await.unwrap(), LETTER);
}

#[tokio::test]
async fn a_signed_url_writes_an_object() {
    let (server, store) = photos().await;
    let minute = Duration::from_secs(60);

    let url = store.signed_url(Method::PUT, &"cat".into(), minute).await;
    let put = plain_client().put(url.unwrap()).body(LETTER);
    let status = put.send().await.unwrap().status();

    assert_eq!(status, 200);
    assert_eq!(get(&store, "cat").await, LETTER);
    server.assert_encrypted_with("photos", "cat", Mode::SseS3);
    server.assert_not_stored(LETTER);
}

#[tokio::test]
async fn a_signed_url_of_another_key_is_refused() {
    let (_server, store) = photos().await;
    put(&store, "cat").await;
    put(&store, "dog").await;
    let minute = Duration::from_secs(60);

    let url = store.signed_url(Method::GET, &"cat".into(), minute).await;
    let other = url.unwrap().as_str().replace("/cat?", "/dog?");
    let status = plain_client().get(other).send().await.unwrap().status();

    assert_eq!(status, 403);
}

/// Sends `photos.localhost` to a server: not every machine's resolver knows names below `localhost`.
#[derive(Debug)]
struct Resolved(SocketAddr);

impl HttpConnector for Resolved {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        use_ring();
        let client = reqwest::Client::builder().resolve("photos.localhost", self.0);
        Ok(HttpClient::new(client.build().unwrap()))
    }
}

#[tokio::test]
async fn a_virtual_host_is_a_bucket() {
    let (server, of_path_style) = photos().await;
    let endpoint = format!("http://photos.localhost:{}", server.address().port());
    let options = [
        ("aws_virtual_hosted_style_request", "true"),
        ("aws_endpoint", endpoint.as_str()),
    ];

    let builder = builder(&server, &options).with_http_connector(Resolved(server.address()));
    let store = builder.build().unwrap();
    put(&store, "deep/cat").await;

    assert_eq!(get(&store, "deep/cat").await, LETTER);
    assert_eq!(get(&of_path_style, "deep/cat").await, LETTER);
    server.assert_encrypted_with("photos", "deep/cat", Mode::SseS3);
}

#[tokio::test]
async fn bodies_go_with_their_sha256() {
    let (server, _) = photos().await;
    let store = store(&server, &[("aws_checksum_algorithm", "sha256")]);

    put(&store, "cat").await;
    put_parts(&store, "film", &long_body()).await;

    let head = server.s3_client().head_object().bucket("photos").key("cat");
    let head = head.checksum_mode(aws_sdk_s3::types::ChecksumMode::Enabled);
    let sha256 = head.send().await.unwrap().checksum_sha256;
    assert_eq!(
        sha256.as_deref(),
        Some("kW3+MOLMr5w2iWlAbTWQLLhjM36NJgTI/xob9vKA7AU=")
    );
    assert_eq!(get(&store, "cat").await, LETTER);
    assert_eq!(get(&store, "film").await, long_body());
}

#[tokio::test]
async fn a_list_tells_objects_and_folders() {
    let (_server, store) = photos().await;
    for key in ["a", "b/c", "b/d", "e"] {
        put(&store, key).await;
    }

    let all: Vec<_> = store.list(None).try_collect().await.unwrap();
    let level = store.list_with_delimiter(None).await.unwrap();

    let names = |metas: &[object_store::ObjectMeta]| -> Vec<String> {
        metas.iter().map(|meta| meta.location.to_string()).collect()
    };
    assert_eq!(names(&all), ["a", "b/c", "b/d", "e"]);
    assert_eq!(names(&level.objects), ["a", "e"]);
    assert_eq!(level.common_prefixes, [Path::from("b")]);
    assert!(all.iter().all(|meta| meta.size == LETTER.len() as u64));
}

#[tokio::test]
async fn many_objects_go_at_once() {
    let (_server, store) = photos().await;
    let store = Arc::new(store);
    for key in ["a", "b", "c"] {
        put(&store, key).await;
    }

    let paths = ["a", "b", "c"].map(|key| Ok(Path::from(key)));
    let paths = futures_util::stream::iter(paths);
    let deleted: Vec<_> = store
        .delete_stream(Box::pin(paths))
        .try_collect()
        .await
        .unwrap();

    assert_eq!(deleted.len(), 3);
    let left: Vec<_> = store.list(None).try_collect().await.unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[tokio::test]
async fn ranges_are_slices_of_the_whole() {
    let (_server, store) = photos().await;
    let body = long_body();
    put_parts(&store, "film", &body).await;

    let ranges = [0..10, 65_530..65_550, 5_242_870..5_242_900];
    let got = store.get_ranges(&"film".into(), &ranges).await.unwrap();

    for (got, range) in got.iter().zip(ranges) {
        let slice = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        assert_eq!(got, &body[slice]);
    }
}
