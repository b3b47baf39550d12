//! Who may: signatures, clocks, presigned requests, strangers.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_smithy_async::time::SystemTimeSource;
use strongroom_testkit::{Authentication, Strongroom};
use strongroom_tests::{Answer, send};

use crate::sdk::{client_of, is, photos, put, refusal};

/// A presigned GET of `photos/key`, as `METHOD TARGET`.
async fn presigned(client: &Client, lasts: Duration) -> String {
    let config = PresigningConfig::expires_in(lasts).unwrap();
    let request = client
        .get_object()
        .bucket("photos")
        .key("key")
        .presigned(config)
        .await
        .unwrap();
    let target = request.uri().splitn(4, '/').nth(3).unwrap().to_owned();
    format!("GET /{target}")
}

#[tokio::test]
async fn unknown_keys_and_wrong_secrets_are_refused() {
    let (server, _client) = photos().await;

    let unknown = client_of(&server, "AKIDUNKNOWN", "x")
        .list_buckets()
        .send()
        .await;
    let wrong = client_of(&server, "test", "wrong")
        .list_buckets()
        .send()
        .await;

    assert_eq!(refusal(unknown), is("InvalidAccessKeyId", 403));
    assert_eq!(refusal(wrong), is("SignatureDoesNotMatch", 403));
}

#[tokio::test]
async fn a_twelve_digit_key_is_the_root_of_its_account() {
    let (server, _client) = photos().await;
    let stranger = client_of(&server, "111122223333", "111122223333");

    let own = stranger.create_bucket().bucket("strangers").send().await;
    let foreign = stranger
        .get_object()
        .bucket("photos")
        .key("key")
        .send()
        .await;

    assert!(own.is_ok());
    assert_eq!(refusal(foreign), is("AccessDenied", 403));
    assert_eq!(
        stranger
            .list_buckets()
            .send()
            .await
            .unwrap()
            .buckets()
            .len(),
        1
    );
}

#[tokio::test]
async fn anonymous_callers_are_denied() {
    let (server, client) = photos().await;
    put(&client, "key", "x").await;

    let read = send(server.address(), "GET /photos/key", &[]).await;
    let made = send(server.address(), "PUT /anonymous", &[]).await;

    assert_eq!(
        (read.status, read.element("Code").as_deref()),
        (403, Some("AccessDenied"))
    );
    let message = "Anonymous users cannot invoke this API. Please authenticate.";
    assert_eq!(made.element("Message").as_deref(), Some(message));
}

#[tokio::test]
async fn nobody_is_asked_where_signatures_are_off() {
    let off = |config: &mut strongroom_testkit::Config| config.authentication = Authentication::Off;
    let server = Strongroom::builder()
        .bucket("photos")
        .config(off)
        .start()
        .await;

    let wrong = client_of(&server, "anybody", "wrong")
        .list_buckets()
        .send()
        .await;

    assert_eq!(wrong.unwrap().buckets().len(), 1);
    assert_eq!(send(server.address(), "GET /photos", &[]).await.status, 200);
}

#[tokio::test]
async fn a_presigned_request_works_until_it_expires() {
    let (server, client) = photos().await;
    put(&client, "key", "hello").await;
    let target = presigned(&client, Duration::from_mins(1)).await;

    let before: Answer = send(server.address(), &target, &[]).await;
    server.clock().advance(Duration::from_secs(61));
    let after = send(server.address(), &target, &[]).await;

    assert_eq!((before.status, before.text().as_str()), (200, "hello"));
    assert_eq!(
        (after.status, after.element("Message").as_deref()),
        (403, Some("Request has expired"))
    );
    assert_eq!(after.element("X-Amz-Expires").as_deref(), Some("60"));
}

#[tokio::test]
async fn a_changed_presigned_request_is_refused() {
    let (server, client) = photos().await;
    put(&client, "key", "hello").await;
    let target = presigned(&client, Duration::from_mins(1)).await;

    let other = send(
        server.address(),
        &target.replace("/photos/key", "/photos/kez"),
        &[],
    )
    .await;
    let unsigned = send(server.address(), &target, &[("x-amz-meta-a", "b")]).await;

    assert_eq!(
        other.element("Code").as_deref(),
        Some("SignatureDoesNotMatch")
    );
    assert!(other.element("CanonicalRequest").is_some());
    assert_eq!(
        unsigned.element("HeadersNotSigned").as_deref(),
        Some("x-amz-meta-a")
    );
}

#[tokio::test]
async fn a_clock_too_far_off_is_refused() {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 365);
    let server = Strongroom::builder().clock(long_ago).start().await;

    let own_time = |config: aws_sdk_s3::config::Builder| {
        Client::from_conf(config.time_source(SystemTimeSource::new()).build())
    };
    let patient = own_time(aws_sdk_s3::config::Builder::from(&server.sdk_config()));
    let impatient = own_time(
        aws_sdk_s3::config::Builder::from(&server.sdk_config())
            .retry_config(RetryConfig::disabled()),
    );

    assert_eq!(
        refusal(impatient.list_buckets().send().await),
        is("RequestTimeTooSkewed", 403)
    );
    // With retries the SDK learns the server's time from its Date header, and gets through.
    assert!(patient.list_buckets().send().await.is_ok());
}

#[tokio::test]
async fn expected_owners_are_checked() {
    let (_server, client) = photos().await;
    let head = |owner: &'static str| {
        client
            .list_objects_v2()
            .bucket("photos")
            .expected_bucket_owner(owner)
            .send()
    };

    assert!(head("000000000000").await.is_ok());
    assert_eq!(refusal(head("111122223333").await), is("AccessDenied", 403));
    assert_eq!(
        refusal(head("somebody").await),
        is("InvalidBucketOwnerAWSAccountID", 400)
    );
}

#[tokio::test]
async fn strict_regions_answer_as_aws_does() {
    let server = Strongroom::builder()
        .bucket("photos")
        .config(|config| config.strict_region = true)
        .start()
        .await;
    let elsewhere = aws_sdk_s3::config::Builder::from(&server.sdk_config())
        .region(aws_sdk_s3::config::Region::new("eu-west-1"))
        .build();

    let abroad = Client::from_conf(elsewhere)
        .list_objects_v2()
        .bucket("photos")
        .send()
        .await;

    let error = abroad.unwrap_err();
    assert_eq!(
        error
            .raw_response()
            .unwrap()
            .headers()
            .get("x-amz-bucket-region"),
        Some("us-east-1")
    );
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 301);
}
