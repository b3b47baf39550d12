//! The test kit itself: what it promises of a server.

use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use strongroom_testkit::{Strongroom, blocking};

use crate::sdk::{get, put};

#[tokio::test]
async fn several_servers_know_nothing_of_each_other() {
    let one = Strongroom::builder().bucket("photos").start().await;
    let other = Strongroom::builder().bucket("photos").start().await;

    put(&one.s3_client(), "key", "one").await;
    put(&other.s3_client(), "key", "other").await;

    assert_ne!(one.uri(), other.uri());
    assert_eq!(get(&one.s3_client(), "key").await, b"one");
    assert_eq!(get(&other.s3_client(), "key").await, b"other");
}

#[tokio::test]
async fn dropping_a_server_stops_it_and_removes_what_it_kept() {
    let server = Strongroom::builder().bucket("photos").start().await;
    put(&server.s3_client(), "key", vec![1; 100_000]).await;
    let (address, folder) = (server.address(), server.data_folder().to_owned());

    drop(server);

    assert!(TcpStream::connect(address).is_err());
    assert!(!folder.exists());
}

#[test]
fn a_plain_test_needs_no_runtime() {
    let server = blocking::Strongroom::builder()
        .bucket("photos")
        .start_blocking();

    assert!(TcpStream::connect(server.address()).is_ok());
}

#[tokio::test]
async fn a_client_finds_its_server_by_its_environment() {
    let server = Strongroom::start().await;

    let variables = server.env_vars();

    let find = |name| {
        variables
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    };
    assert_eq!(find("AWS_ENDPOINT_URL"), Some(server.uri().as_str()));
    assert_eq!(find("AWS_ACCESS_KEY_ID"), Some("test"));
    assert_eq!(find("AWS_REGION"), Some("us-east-1"));
}

#[tokio::test]
async fn the_clock_dates_what_is_written() {
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_hours(24);
    let server = Strongroom::builder()
        .bucket("photos")
        .clock(long_ago)
        .start()
        .await;

    let client = server.s3_client();
    put(&client, "key", "x").await;

    let head = client
        .head_object()
        .bucket("photos")
        .key("key")
        .send()
        .await
        .unwrap();
    assert_eq!(head.last_modified().unwrap().secs(), 86_400);
}

#[tokio::test]
async fn buckets_and_keys_of_the_builder_live_in_the_servers_region() {
    let server = Strongroom::builder()
        .bucket("photos")
        .kms_key("alias/app")
        .config(|config| config.region = "eu-west-1".to_owned())
        .start()
        .await;

    let head = server.s3_client().head_bucket().bucket("photos").send();
    let key = server
        .kms_client()
        .describe_key()
        .key_id("alias/app")
        .send();

    assert_eq!(head.await.unwrap().bucket_region(), Some("eu-west-1"));
    let metadata = key.await.unwrap().key_metadata.unwrap();
    assert!(metadata.arn.unwrap().starts_with("arn:aws:kms:eu-west-1:"));
}

#[tokio::test]
#[should_panic(expected = "Strongroom did not start")]
async fn a_server_that_cannot_start_fails_the_test() {
    let _server = Strongroom::builder().bucket("No Name").start().await;
}
