//! The journal of requests: what it tells of each, which it leaves out, and who else may read it.

use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use strongroom_testkit::{Authentication, Config, ReceivedRequest, Strongroom, blocking};
use strongroom_tests::{Answer, send, send_body};

use crate::forms::{self, Form};
use crate::keyed::Keyed;
use crate::sdk::{client_of, get, noise, photos, put, read};

/// A server that believes everybody, with the bucket `photos`.
async fn believing() -> Strongroom {
    let believe = |config: &mut Config| config.authentication = Authentication::Off;
    let at = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 20_000);
    let builder = Strongroom::builder().bucket("photos").clock(at);
    builder.config(believe).start().await
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn last(server: &Strongroom) -> ReceivedRequest {
    server.received_requests().pop().unwrap()
}

fn operations(server: &Strongroom) -> Vec<Option<&'static str>> {
    let requests = server.received_requests();
    let operations = requests.iter().map(|request| request.operation);
    operations.collect()
}

#[tokio::test]
async fn a_request_is_written_down_whole() {
    let server = believing().await;
    let host = server.address().to_string();

    let headers = [
        ("content-type", "text/plain"),
        ("x-amz-meta-owner", "somebody"),
        ("x-amz-server-side-encryption", "AES256"),
    ];
    let target = "PUT /photos/a%20b?x-id=PutObject&a";
    let answer = send_body(server.address(), target, &headers, b"hello").await;

    let expected = ReceivedRequest {
        time: server.clock().now(),
        method: "PUT".to_owned(),
        path: "/photos/a%20b".to_owned(),
        query: vec![pair("x-id", "PutObject"), pair("a", "")],
        headers: vec![
            pair("host", &host),
            pair("content-type", "text/plain"),
            pair("x-amz-server-side-encryption", "AES256"),
        ],
        tls: false,
        operation: Some("PutObject"),
        bucket: Some("photos".to_owned()),
        key: Some("a b".to_owned()),
        access_key: Some("test".to_owned()),
        account: Some("000000000000".to_owned()),
        status: 200,
        error: None,
        received_bytes: 5,
        sent_bytes: 0,
        request_id: answer.header("x-amz-request-id").unwrap().to_owned(),
    };
    assert_eq!(server.received_requests(), [expected]);
}

#[tokio::test]
async fn a_refusal_is_told_with_its_code_also_where_it_has_no_body() {
    let server = believing().await;

    let answer = send(server.address(), "HEAD /photos/nothing", &[]).await;
    let read = last(&server);
    send(server.address(), "GET /photos?acl&policy", &[]).await;
    let unfit = last(&server);

    assert_eq!((answer.status, read.status), (404, 404));
    assert_eq!(read.operation, Some("HeadObject"));
    assert_eq!(read.error.as_deref(), Some("NoSuchKey"));
    assert_eq!(unfit.operation, None);
    assert_eq!(unfit.error.as_deref(), Some("InvalidArgument"));
}

#[tokio::test]
async fn the_caller_is_who_was_believed() {
    let (server, client) = photos().await;
    put(&client, "key", "x").await;
    let own = last(&server);

    send(server.address(), "GET /photos/key", &[]).await;
    let anonymous = last(&server);
    let liar = client_of(&server, "test", "wrong");
    read(&liar, "key").send().await.unwrap_err();
    let lying = last(&server);
    let stranger = client_of(&server, "111122223333", "111122223333");
    read(&stranger, "key").send().await.unwrap_err();
    let strange = last(&server);

    let caller = |request: &ReceivedRequest| (request.access_key.clone(), request.account.clone());
    let known = |key: &str, account: &str| (Some(key.to_owned()), Some(account.to_owned()));
    assert_eq!(caller(&own), known("test", "000000000000"));
    assert_eq!(caller(&anonymous), (None, None));
    assert_eq!(anonymous.error.as_deref(), Some("AccessDenied"));
    assert_eq!(caller(&lying), (None, None));
    assert_eq!(lying.error.as_deref(), Some("SignatureDoesNotMatch"));
    assert_eq!(caller(&strange), known("111122223333", "111122223333"));
}

#[tokio::test]
async fn bodies_are_measured_as_they_were_sent() {
    let (server, client) = photos().await;
    let body = noise(300_000);

    put(&client, "key", body.clone()).await;
    let written = last(&server);
    get(&client, "key").await;
    let whole = last(&server);
    read(&client, "key")
        .range("bytes=5-9")
        .send()
        .await
        .unwrap();
    let part = last(&server);

    assert_eq!((written.received_bytes, written.sent_bytes), (300_000, 0));
    assert_eq!((whole.received_bytes, whole.sent_bytes), (0, 300_000));
    assert_eq!(
        (part.header("range"), part.sent_bytes),
        (Some("bytes=5-9"), 5)
    );
}

#[tokio::test]
async fn requests_to_every_service_are_counted_by_operation() {
    let keyed = Keyed::believing().await;
    let (server, address) = (&keyed.server, keyed.server.address());
    for _ in 0..3 {
        put(&keyed.s3, "key", "x").await;
    }
    let identity = "GET /?Action=GetCallerIdentity&Version=2011-06-15";
    send(address, identity, &[("authorization", "x")]).await;
    send(
        address,
        "POST /",
        &[("x-amz-target", "TrentService.Nothing")],
    )
    .await;

    // `Keyed` looks the key up; what the builder has made is no client's.
    assert_eq!(server.counts()["DescribeKey"], 1);
    assert_eq!(server.request_count("PutObject"), 3);
    assert_eq!(server.request_count("CreateKey"), 0);
    assert_eq!(server.request_count("CreateBucket"), 0);
    let told = operations(server);
    let named = [Some("DescribeKey"), Some("PutObject"), Some("PutObject")];
    assert_eq!(told[..3], named);
    let unknown = last(server);
    assert_eq!(unknown.operation, None);
    assert_eq!(unknown.error.as_deref(), Some("UnknownOperationException"));
    assert_eq!(unknown.header("x-amz-target"), Some("TrentService.Nothing"));
}

#[tokio::test]
async fn sts_is_told_with_its_operation() {
    let server = believing().await;
    let identity = "GET /?Action=GetCallerIdentity&Version=2011-06-15";
    let scope = "AWS4-HMAC-SHA256 Credential=111122223333/20241004/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0";

    let headers = [("authorization", scope), ("x-amz-date", "20241004T000000Z")];
    send(server.address(), identity, &headers).await;

    let told = last(&server);
    assert_eq!(told.operation, Some("GetCallerIdentity"), "{told}");
    assert_eq!(told.parameter("Action"), Some("GetCallerIdentity"));
    assert_eq!(told.account.as_deref(), Some("111122223333"));
}

#[tokio::test]
async fn the_control_and_health_leave_no_trace() {
    let server = believing().await;

    for target in [
        "GET /health",
        "GET /_emulator/health",
        "GET /_emulator/requests",
        "GET /_emulator/kms-calls",
        "GET /_emulator/stored?bucket=photos&key=none",
        "GET /_emulator/nothing",
    ] {
        send(server.address(), target, &[]).await;
    }

    assert_eq!(server.received_requests(), []);
    assert!(server.counts().is_empty());
}

#[tokio::test]
async fn a_form_is_told_by_its_object_and_none_of_its_fields() {
    let (server, _client) = forms::photos().await;
    let form = Form::new("dir/cat", "hello").field("x-amz-meta-word", "a word");

    let answer = form.signed().post(&server).await;

    assert_eq!(answer.status, 204);
    let told = last(&server);
    assert_eq!(told.operation, Some("PostObject"));
    assert_eq!(told.key.as_deref(), Some("dir/cat"));
    assert_eq!(told.access_key.as_deref(), Some("test"));
    let names: Vec<_> = told.headers.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["host", "content-type"]);
    assert!(!format!("{told:?}").contains("a word"));
}

#[tokio::test]
async fn tls_is_told() {
    let server = Strongroom::builder().bucket("photos").tls().start().await;

    put(&server.s3_client(), "key", "x").await;

    assert!(last(&server).tls);
}

async fn told(server: &Strongroom, query: &str) -> (u16, Value) {
    let target = format!("GET /_emulator/requests{query}");
    let answer: Answer = send(server.address(), &target, &[]).await;
    (answer.status, serde_json::from_slice(&answer.body).unwrap())
}

fn keys(told: &Value) -> Vec<&str> {
    let requests = told["requests"].as_array().unwrap();
    let keys = requests.iter().map(|request| request["key"].as_str());
    keys.map(Option::unwrap_or_default).collect()
}

#[tokio::test]
async fn the_control_tells_the_same_and_filters() {
    let server = believing().await;
    let films = send(server.address(), "PUT /films", &[]).await;
    for target in [
        "GET /photos/a?uploadId=x",
        "PUT /photos/b",
        "GET /photos/a",
        "PUT /films/c",
        "PUT /photos/d",
    ] {
        send(server.address(), target, &[]).await;
    }

    let (_, all) = told(&server, "").await;
    let (_, puts) = told(&server, "?operation=PutObject").await;
    let (_, in_photos) = told(&server, "?operation=PutObject&bucket=photos&limit=1").await;
    let (_, two) = told(&server, "?limit=2").await;
    let (status, refused) = told(&server, "?limit=x").await;

    assert_eq!(films.status, 200);
    assert_eq!(keys(&all), ["", "a", "b", "a", "c", "d"]);
    assert_eq!(keys(&puts), ["b", "c", "d"]);
    assert_eq!(keys(&in_photos), ["d"]);
    assert_eq!(keys(&two), ["c", "d"]);
    assert_eq!(puts["counts"]["PutObject"], 3);
    assert_eq!(puts["counts"]["CreateBucket"], 1);
    assert_eq!((status, refused["error"].is_string()), (400, true));
    let first = &all["requests"][1];
    let request = &server.received_requests()[1];
    assert_eq!(first["request_id"], request.request_id.as_str());
    assert_eq!(first["time"], "2024-10-04T00:00:00.000Z");
    assert_eq!(first["query"]["uploadId"], "x");
    assert_eq!(first["headers"]["host"], server.address().to_string());
    assert_eq!(first["error"], "NoSuchUpload");
}

#[tokio::test]
async fn the_control_tells_the_calls_of_kms() {
    let keyed = Keyed::believing().await;
    let kms = [
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-server-side-encryption-aws-kms-key-id", "alias/app"),
    ];
    send(keyed.server.address(), "PUT /photos/key", &kms).await;

    let answer = send(keyed.server.address(), "GET /_emulator/kms-calls", &[]).await;

    let told: Value = serde_json::from_slice(&answer.body).unwrap();
    let call = told["calls"].as_array().unwrap().last().unwrap();
    assert_eq!(call["operation"], "GenerateDataKey");
    assert_eq!(call["through"], "s3");
    assert_eq!(call["key_arn"], keyed.arn.as_str());
    assert_eq!(call["context"]["aws:s3:arn"], "arn:aws:s3:::photos/key");
    assert_eq!(call["error"], Value::Null);
}

/// Set in the process in which the test below panics.
const PANICS: &str = "STRONGROOM_TEST_PANICS";

#[test]
fn a_test_that_panics_prints_its_last_requests() {
    let name = "journal::a_test_that_panics_prints_its_last_requests";
    if std::env::var_os(PANICS).is_some() {
        panic_with_a_server();
    }

    let test = std::env::current_exe().unwrap();
    let mut test = Command::new(test);
    test.args(["--exact", name, "--nocapture"]).env(PANICS, "1");
    let ended = test.output().unwrap();

    assert!(!ended.status.success());
    let printed = String::from_utf8_lossy(&ended.stderr);
    assert!(
        printed.contains("The last requests to http://127.0.0.1:"),
        "{printed}"
    );
    let lines: Vec<_> = printed
        .lines()
        .filter(|line| line.contains("GetObject: GET /photos/"))
        .collect();
    assert_eq!(lines.len(), 20, "{printed}");
    assert!(
        lines[0].contains("GET /photos/5 -> 403 AccessDenied (anonymous, 0 bytes in, "),
        "{}",
        lines[0]
    );
}

fn panic_with_a_server() -> ! {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = blocking::Strongroom::builder()
        .bucket("photos")
        .start_blocking();
    for number in 0..25 {
        let target = format!("GET /photos/{number}");
        runtime.block_on(send(server.address(), &target, &[]));
    }
    panic!("as a test does that fails");
}
