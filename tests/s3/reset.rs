//! A reset: what goes, what is made again, and what comes of requests that are under way.

use std::collections::BTreeSet;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use serde_json::{Value, json};
use strongroom_testkit::{Authentication, Builder, Config, Strongroom, blocking};
use strongroom_tests::{Answer, send, send_body};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::keyed::Keyed;
use crate::sdk::{get, is, noise, put, read, refusal, upload_under};

fn believing() -> Builder {
    let believe = |config: &mut Config| config.authentication = Authentication::Off;
    Strongroom::builder().bucket("photos").config(believe)
}

/// As a test does that has no runtime.
fn wait_for<T>(work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        if let Poll::Ready(done) = polled {
            return done;
        }
        std::thread::yield_now();
    }
}

#[test]
fn whoever_resets_and_restores_needs_no_runtime() {
    let server = wait_for(believing().start());

    let taken = wait_for(server.snapshot());
    wait_for(server.restore(&taken));
    wait_for(server.reset());

    assert!(server.received_requests().is_empty());
}

#[tokio::test]
async fn a_server_that_draws_the_same_names_again_keeps_no_folder() {
    let folder = TempDir::new().unwrap();
    let config = Config {
        data: Some(folder.path().to_owned()),
        entropy_seed: Some(1),
        ..Config::default()
    };

    let refused = strongroom::Emulator::start(config).await.unwrap_err();

    assert!(refused.to_string().contains("entropy seed"), "{refused}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

async fn bucket_names(client: &Client) -> Vec<String> {
    let listed = client.list_buckets().send().await.unwrap();
    let buckets = listed.buckets().iter();
    buckets
        .map(|bucket| bucket.name().unwrap().to_owned())
        .collect()
}

async fn key_ids(keyed: &Keyed) -> BTreeSet<String> {
    let listed = keyed.kms.list_keys().send().await.unwrap();
    let keys = listed.keys().iter();
    keys.map(|key| key.key_id().unwrap().to_owned()).collect()
}

/// The files of bodies in the store.
pub(crate) fn files(server: &Strongroom) -> Vec<String> {
    let mut found = Vec::new();
    for shard in std::fs::read_dir(server.data_folder().join("blobs")).unwrap() {
        for file in std::fs::read_dir(shard.unwrap().path()).unwrap() {
            found.push(file.unwrap().file_name().into_string().unwrap());
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn everything_goes_and_what_the_builder_named_is_made_again() {
    let keyed = Keyed::start().await;
    let first = key_ids(&keyed).await;
    keyed.another_key().await;
    let films = keyed.s3.create_bucket().bucket("films");
    films.send().await.unwrap();
    put(&keyed.s3, "small", "x").await;
    put(&keyed.s3, "large", noise(100_000)).await;
    let begun = keyed.s3.create_multipart_upload().bucket("photos");
    begun.key("upload").send().await.unwrap();

    keyed.server.reset().await;

    assert_eq!(bucket_names(&keyed.s3).await, ["photos"]);
    let listed = keyed.s3.list_objects_v2().bucket("photos");
    assert_eq!(listed.send().await.unwrap().key_count(), Some(0));
    let uploads = keyed.s3.list_multipart_uploads().bucket("photos");
    assert!(uploads.send().await.unwrap().uploads().is_empty());
    assert_eq!(files(&keyed.server), Vec::<String>::new());
    let second = key_ids(&keyed).await;
    assert_eq!(second.len(), 1);
    assert!(second.is_disjoint(&first));
    let upload = upload_under(&keyed.s3, "alias/app", "key", "x");
    upload.send().await.unwrap();
    assert_eq!(get(&keyed.s3, "key").await, b"x");
}

#[tokio::test]
async fn the_journals_are_empty_and_the_clock_is_back() {
    let at = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 20_000);
    let keyed = Keyed::of(Strongroom::builder().clock(at)).await;
    let upload = upload_under(&keyed.s3, "alias/app", "key", "x");
    upload.send().await.unwrap();
    keyed.advance_days(3);

    keyed.server.reset().await;

    assert_eq!(keyed.server.received_requests(), []);
    assert!(keyed.server.counts().is_empty());
    assert_eq!(keyed.server.kms_calls(), []);
    assert_eq!(keyed.server.clock().now(), at);
}

#[tokio::test]
async fn bucket_keys_in_memory_are_forgotten() {
    let keyed = Keyed::start().await;
    let write = async || {
        let upload = upload_under(&keyed.s3, "alias/app", "key", "x");
        upload.bucket_key_enabled(true).send().await.unwrap();
        keyed.asked().pop().unwrap().bucket_key_hit
    };
    assert!(!write().await);
    assert!(write().await);
    let snapshot = keyed.server.snapshot().await;

    keyed.server.restore(&snapshot).await;

    assert!(!write().await);
}

#[tokio::test]
async fn a_data_folder_is_wiped_and_opens_again() {
    let folder = TempDir::new().unwrap();
    let start = async || {
        let builder = Strongroom::builder().data(folder.path());
        builder.bucket("photos").start().await
    };
    let server = start().await;
    put(&server.s3_client(), "large", noise(100_000)).await;
    server.reset().await;
    put(&server.s3_client(), "after", noise(100_000)).await;
    drop(server);

    let server = start().await;

    let client = server.s3_client();
    assert_eq!(get(&client, "after").await, noise(100_000));
    let gone = read(&client, "large").send().await;
    assert_eq!(refusal(gone), is("NoSuchKey", 404));
    assert_eq!(files(&server).len(), 1);
}

#[test]
fn a_plain_test_resets_too() {
    let server = blocking::Strongroom::builder()
        .bucket("photos")
        .start_blocking();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { put(&server.s3_client(), "key", "x").await });

    server.reset();

    let gone = runtime.block_on(async { read(&server.s3_client(), "key").send().await });
    assert_eq!(refusal(gone), is("NoSuchKey", 404));
}

/// A PUT of which the server has read the head and half of the body.
async fn half_a_put(server: &Strongroom, key: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    let head = format!(
        "PUT /photos/{key} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 200000\r\nexpect: 100-continue\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&vec![b'x'; 100_000]).await.unwrap();
    stream
}

async fn finish(mut stream: TcpStream) -> String {
    stream.write_all(&vec![b'x'; 100_000]).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_write_that_was_under_way_does_not_land_behind_it() {
    let server = believing().start().await;
    let under_way = half_a_put(&server, "key").await;

    server.reset().await;
    let answer = finish(under_way).await;

    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(
        answer.contains("<Code>ServiceUnavailable</Code>"),
        "{answer}"
    );
    let gone = send(server.address(), "HEAD /photos/key", &[]).await;
    assert_eq!(gone.status, 404);
    assert_eq!(files(&server), Vec::<String>::new());
}

#[tokio::test]
async fn a_read_that_was_under_way_ends_well() {
    let server = believing().start().await;
    let body = noise(3_000_000);
    let address = server.address();
    send_body(address, "PUT /photos/key", &[], &body).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = b"GET /photos/key HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(head).await.unwrap();
    let mut answer = vec![0; 1_000];
    stream.read_exact(&mut answer).await.unwrap();

    server.reset().await;
    stream.read_to_end(&mut answer).await.unwrap();

    assert!(answer.ends_with(&body[2_000_000..]));
    assert_eq!(files(&server), Vec::<String>::new());
}

/// What the control answers to a request without a body.
pub(crate) async fn asked(server: &Strongroom, target: &str) -> (u16, Value) {
    let answer = send(server.address(), target, &[]).await;
    (answer.status, json_of(&answer))
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap()
}

#[tokio::test]
async fn the_control_resets_also_where_other_emulators_do() {
    let server = believing().start().await;
    for target in [
        "POST /_emulator/reset",
        "POST /moto-api/reset",
        "POST /_localstack/state/reset",
    ] {
        send(server.address(), "PUT /photos/key", &[]).await;

        let answer = asked(&server, target).await;

        assert_eq!(answer, (200, json!({ "status": "ok" })), "{target}");
        let gone = send(server.address(), "HEAD /photos/key", &[]).await;
        assert_eq!(gone.status, 404, "{target}");
    }
}

#[tokio::test]
async fn no_web_page_resets_and_nobody_by_a_foreign_name() {
    let server = believing().start().await;
    send(server.address(), "PUT /photos/key", &[]).await;
    for target in [
        "POST /_emulator/reset",
        "POST /_emulator/snapshot",
        "POST /_emulator/restore?id=x",
        "DELETE /_emulator/snapshot?id=x",
        "POST /moto-api/reset",
        "POST /_localstack/state/reset",
    ] {
        let page = [("origin", "https://evil.example")];
        let foreign = [("host", "evil.example")];

        let from_page = send(server.address(), target, &page).await;
        let by_name = send(server.address(), target, &foreign).await;

        assert_eq!((from_page.status, by_name.status), (403, 403), "{target}");
    }
    let there = send(server.address(), "HEAD /photos/key", &[]).await;
    assert_eq!(there.status, 200);
}

#[tokio::test]
async fn an_alias_yields_to_a_bucket_of_its_name() {
    let server = believing().bucket("moto-api").start().await;
    send(server.address(), "PUT /photos/key", &[]).await;

    let answer = send(server.address(), "POST /moto-api/reset", &[]).await;
    let other = send(server.address(), "GET /moto-api/reset", &[]).await;

    assert_eq!(answer.header("content-type"), Some("application/xml"));
    assert_eq!(other.element("Code").as_deref(), Some("NoSuchKey"));
    let there = send(server.address(), "HEAD /photos/key", &[]).await;
    assert_eq!(there.status, 200);
}

#[tokio::test]
async fn a_reset_by_get_is_none() {
    let server = believing().start().await;

    let (status, told) = asked(&server, "GET /_emulator/reset").await;
    let (_, snapshot) = asked(&server, "GET /_emulator/snapshot").await;

    assert_eq!(status, 405);
    let says = |told: &Value| told["error"].as_str().unwrap().to_owned();
    assert_eq!(says(&told), "`/_emulator/reset` is answered to POST alone");
    assert_eq!(
        says(&snapshot),
        "`/_emulator/snapshot` is answered to POST and DELETE alone"
    );
}
