//! What tests let go wrong: clients see it, try again where they would with AWS, and nothing is kept of what was refused.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::retry::RetryConfig;
use serde_json::{Value, json};
use strongroom_testkit::{Authentication, Config, Fault, FaultAnswer, Strongroom};
use strongroom_tests::send;

use crate::keyed::Keyed;
use crate::sdk::{get, impatient, is, put, read, refusal, refused, says, upload_under};

const ANSWERS: [(FaultAnswer, u16, &str); 5] = [
    (FaultAnswer::SlowDown, 503, "SlowDown"),
    (FaultAnswer::InternalError, 500, "InternalError"),
    (FaultAnswer::ServiceUnavailable, 503, "ServiceUnavailable"),
    (FaultAnswer::RequestTimeout, 400, "RequestTimeout"),
    (FaultAnswer::AccessDenied, 403, "AccessDenied"),
];

/// A server that believes everybody, for raw requests.
async fn believing() -> Strongroom {
    let believe = |config: &mut Config| config.authentication = Authentication::Off;
    let at = SystemTime::UNIX_EPOCH + Duration::from_hours(24);
    let builder = Strongroom::builder().bucket("photos").clock(at);
    builder.config(believe).start().await
}

async fn told(server: &Strongroom, target: &str) -> (u16, Value) {
    let answer = send(server.address(), target, &[]).await;
    let body = serde_json::from_slice(&answer.body).unwrap();
    (answer.status, body)
}

#[tokio::test]
async fn a_client_tries_again_what_a_server_under_load_refuses() {
    let server = Strongroom::builder().bucket("photos").start().await;
    let config = aws_sdk_s3::config::Builder::from(&server.sdk_config());
    let retries = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
    let client = aws_sdk_s3::Client::from_conf(config.retry_config(retries).build());
    let slow = Fault::on("PutObject").bucket("photos");
    server.fault(slow.answer(FaultAnswer::SlowDown).times(2));

    put(&client, "cat", "meow").await;

    assert_eq!(server.request_count("PutObject"), 3);
    assert_eq!(server.faults(), []);
    assert_eq!(get(&client, "cat").await, b"meow");
}

#[tokio::test]
async fn each_answer_has_its_status_and_code_and_nothing_is_kept() {
    let server = Strongroom::builder().bucket("photos").start().await;
    let client = impatient(&server);
    for (answer, status, code) in ANSWERS {
        server.fault(Fault::on("PutObject").key("cat").answer(answer).times(1));

        let request = client.put_object().bucket("photos").key("cat");
        let refused = request.body(b"meow".to_vec().into()).send().await;

        let refused = refused.unwrap_err();
        let raw = refused.raw_response().unwrap();
        assert_eq!(raw.status().as_u16(), status);
        assert_eq!(refused.into_service_error().meta().code(), Some(code));
    }
    assert_eq!(server.received_requests().len(), ANSWERS.len());
    let listed = client.list_objects_v2().bucket("photos").send().await;
    assert_eq!(listed.unwrap().key_count(), Some(0));
}

#[tokio::test]
async fn only_what_a_rule_names_goes_wrong() {
    let server = Strongroom::builder().bucket("photos").start().await;
    let client = impatient(&server);
    put(&client, "cat", "meow").await;
    put(&client, "dog", "bark").await;

    server.fault(Fault::on("GetObject").bucket("photos").key("dog"));

    assert_eq!(get(&client, "cat").await, b"meow");
    let dog = client.get_object().bucket("photos").key("dog");
    for _ in 0..2 {
        assert!(dog.clone().send().await.is_err());
    }
    server.reset().await;
    assert_eq!(server.faults(), []);
}

#[tokio::test]
#[should_panic(expected = "no operation is called `PutObjekt`")]
async fn a_slip_of_the_pen_is_no_rule() {
    let server = Strongroom::start().await;

    server.fault(Fault::on("PutObjekt"));
}

#[tokio::test]
async fn any_language_sets_reads_and_ends_them() {
    let server = believing().await;
    let rule =
        "POST /_emulator/faults?operation=GetObject&bucket=photos&answer=AccessDenied&times=2";

    assert_eq!(told(&server, rule).await.0, 200);
    let refused = send(server.address(), "GET /photos/cat", &[]).await;

    assert_eq!(refused.status, 403);
    let left = json!({
        "operation": "GetObject",
        "bucket": "photos",
        "key": null,
        "answer": "AccessDenied",
        "times": 1,
    });
    let standing = told(&server, "GET /_emulator/faults").await;
    assert_eq!(standing, (200, json!({ "faults": [left] })));
    let (status, _) = told(&server, "DELETE /_emulator/faults").await;
    assert_eq!(status, 200);
    let missing = send(server.address(), "GET /photos/cat", &[]).await;
    assert_eq!(missing.status, 404);
}

#[tokio::test]
async fn a_rule_that_cannot_be_is_refused_with_what_can() {
    let server = believing().await;
    for (query, expected) in [
        ("", "the parameter `operation` is missing"),
        ("operation=Nothing", "no operation is called `Nothing`"),
        ("operation=GetObject&answer=Teapot", "is none of SlowDown, "),
        ("operation=GetObject&times=often", "`often` is no number"),
    ] {
        let target = format!("POST /_emulator/faults?{query}");

        let (status, body) = told(&server, &target).await;

        assert_eq!(status, 400);
        let error = body["error"].as_str().unwrap();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test]
async fn any_language_reads_the_clock_and_moves_it() {
    let server = believing().await;

    let before = told(&server, "GET /_emulator/clock").await;
    let after = told(&server, "POST /_emulator/clock?advance=86400").await;
    let (refused, _) = told(&server, "POST /_emulator/clock?advance=soon").await;

    let at = |day: u8| json!({ "now": format!("1970-01-0{day}T00:00:00.000Z") });
    assert_eq!(before, (200, at(2)));
    assert_eq!(after, (200, at(3)));
    assert_eq!(refused, 400);
}

#[tokio::test]
async fn what_goes_wrong_with_kms_is_seen_through_s3() {
    let keyed = Keyed::start().await;
    let client = impatient(&keyed.server);
    let upload = || upload_under(&client, &keyed.arn, "cat", "meow").send();
    let throttled = Fault::on("GenerateDataKey").answer(FaultAnswer::SlowDown);
    keyed.server.fault(throttled.times(1));

    let refused = refused(upload().await);

    let message = "Please reduce your request rate for operations involving AWS KMS.";
    assert_eq!(refused, says("SlowDown", 503, message));
    let call = keyed.server.kms_calls().pop().unwrap();
    assert_eq!(call.error.as_deref(), Some("ThrottlingException"));
    upload().await.unwrap();
    for (answer, status, code) in ANSWERS {
        keyed
            .server
            .fault(Fault::on("Decrypt").answer(answer).times(1));
        assert_eq!(refusal(read(&client, "cat").send().await), is(code, status));
    }
    assert_eq!(get(&client, "cat").await, b"meow");
}

#[tokio::test]
async fn what_a_bucket_key_spares_does_not_go_wrong() {
    let keyed = Keyed::start().await;
    let client = impatient(&keyed.server);
    let upload = |key: &'static str| {
        let upload = upload_under(&client, &keyed.arn, key, "meow");
        upload.bucket_key_enabled(true).send()
    };
    upload("first").await.unwrap();

    keyed.server.fault(Fault::on("GenerateDataKey"));
    upload("second").await.unwrap();
    keyed.server.clock().advance(Duration::from_mins(5));

    assert_eq!(refusal(upload("third").await), is("InternalError", 500));
}
