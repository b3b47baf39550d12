//! Objects under a customer's key.

use aws_sdk_s3::Client;
use strongroom_testkit::{Authentication, Mode, Strongroom};
use strongroom_tests::send;

use crate::sdk::{CUSTOMER_KEY, get, is, noise, photos, put, refusal, upload_in};

/// Another key and its MD5, published likewise.
const OTHER: (&str, &str) = (
    "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=",
    "DWygnHRtgiJ77HCm+1rvHw==",
);

async fn put_sealed(client: &Client, key: &str, body: Vec<u8>) {
    let upload = upload_in(Mode::SseC, client, "", (key, body));
    upload.send().await.unwrap();
}

#[tokio::test]
async fn the_customers_key_opens_what_it_sealed() {
    let (server, client) = photos().await;
    let body = noise(300_000);
    put_sealed(&client, "key", body.clone()).await;

    let read = client
        .get_object()
        .bucket("photos")
        .key("key")
        .sse_customer_algorithm("AES256");
    let answer = read
        .sse_customer_key(CUSTOMER_KEY.0)
        .sse_customer_key_md5(CUSTOMER_KEY.1)
        .range("bytes=65000-200000")
        .send()
        .await
        .unwrap();

    assert_eq!(answer.sse_customer_key_md5(), Some(CUSTOMER_KEY.1));
    assert_eq!(answer.server_side_encryption(), None);
    assert_eq!(
        answer.body.collect().await.unwrap().to_vec(),
        body[65_000..=200_000]
    );
    let stored = server.stored("photos", "key");
    assert_eq!(stored.mode, Mode::SseC);
    assert_eq!(stored.layers[0].wrapped_key, None);
}

#[tokio::test]
async fn no_key_and_another_key_are_refused() {
    let (_server, client) = photos().await;
    put_sealed(&client, "key", b"secret".to_vec()).await;

    let keyless = client.get_object().bucket("photos").key("key").send().await;
    let other = client
        .get_object()
        .bucket("photos")
        .key("key")
        .sse_customer_algorithm("AES256");
    let other = other
        .sse_customer_key(OTHER.0)
        .sse_customer_key_md5(OTHER.1)
        .send()
        .await;

    assert_eq!(refusal(keyless), is("InvalidRequest", 400));
    assert_eq!(refusal(other), is("AccessDenied", 403));
}

#[tokio::test]
async fn a_key_for_an_object_without_one_is_refused() {
    let (_server, client) = photos().await;
    put(&client, "key", "x").await;

    let read = client
        .get_object()
        .bucket("photos")
        .key("key")
        .sse_customer_algorithm("AES256");
    let read = read
        .sse_customer_key(CUSTOMER_KEY.0)
        .sse_customer_key_md5(CUSTOMER_KEY.1)
        .send()
        .await;

    assert_eq!(refusal(read), is("InvalidRequest", 400));
}

#[tokio::test]
async fn a_copy_can_leave_the_customers_key() {
    let (server, client) = photos().await;
    let body = noise(100_000);
    put_sealed(&client, "sealed", body.clone()).await;

    let copy = client
        .copy_object()
        .bucket("photos")
        .key("open")
        .copy_source("photos/sealed");
    let copy = copy
        .copy_source_sse_customer_algorithm("AES256")
        .copy_source_sse_customer_key(CUSTOMER_KEY.0);
    copy.copy_source_sse_customer_key_md5(CUSTOMER_KEY.1)
        .send()
        .await
        .unwrap();

    assert_eq!(get(&client, "open").await, body);
    assert_eq!(server.stored("photos", "open").mode, Mode::SseS3);
}

#[tokio::test]
async fn the_wrong_key_of_a_source_is_a_bad_request() {
    let (_server, client) = photos().await;
    put_sealed(&client, "sealed", b"secret".to_vec()).await;

    let copy = client
        .copy_object()
        .bucket("photos")
        .key("open")
        .copy_source("photos/sealed");
    let copy = copy
        .copy_source_sse_customer_algorithm("AES256")
        .copy_source_sse_customer_key(OTHER.0);
    let copy = copy.copy_source_sse_customer_key_md5(OTHER.1).send().await;

    assert_eq!(refusal(copy), is("InvalidRequest", 400));
}

/// Source: answers recorded from AWS over plain HTTP.
#[tokio::test]
async fn strict_servers_refuse_customer_keys_in_the_clear() {
    let strict = |config: &mut strongroom_testkit::Config| {
        config.strict_tls = true;
        config.authentication = Authentication::Off;
    };
    let server = Strongroom::builder()
        .bucket("photos")
        .config(strict)
        .start()
        .await;
    let header = ("x-amz-server-side-encryption-customer-algorithm", "AES256");

    let plain = send(server.address(), "PUT /photos/key", &[header]).await;
    let proxied = send(
        server.address(),
        "PUT /photos/key",
        &[header, ("x-forwarded-proto", "https")],
    )
    .await;

    let insecure = "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.";
    assert_eq!(plain.element("Message").as_deref(), Some(insecure));
    let keyless = "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.";
    assert_eq!(proxied.element("Message").as_deref(), Some(keyless));
}
