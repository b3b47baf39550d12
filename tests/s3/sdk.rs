//! Short forms of what most tests ask of the SDK.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use strongroom_testkit::Strongroom;

/// A server with the bucket `photos`, and a client.
pub(crate) async fn photos() -> (Strongroom, Client) {
    let server = Strongroom::builder().bucket("photos").start().await;
    let client = server.s3_client();
    (server, client)
}

/// A client that takes the first answer.
pub(crate) fn impatient(server: &Strongroom) -> Client {
    let config = aws_sdk_s3::config::Builder::from(&server.sdk_config());
    Client::from_conf(config.retry_config(RetryConfig::disabled()).build())
}

/// Puts a body.
pub(crate) async fn put(client: &Client, key: &str, body: impl Into<Vec<u8>>) {
    let body = ByteStream::from(body.into());
    client
        .put_object()
        .bucket("photos")
        .key(key)
        .body(body)
        .send()
        .await
        .unwrap();
}

/// Reads a body.
pub(crate) async fn get(client: &Client, key: &str) -> Vec<u8> {
    let answer = client
        .get_object()
        .bucket("photos")
        .key(key)
        .send()
        .await
        .unwrap();
    answer.body.collect().await.unwrap().to_vec()
}

/// Code and status of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    answer: Result<T, SdkError<E, aws_sdk_s3::config::http::HttpResponse>>,
) -> (String, u16) {
    let error = answer.expect_err("the server refuses");
    let status = error
        .raw_response()
        .map_or(0, |response| response.status().as_u16());
    (error.code().unwrap_or_default().to_owned(), status)
}

/// What AWS calls it and how it says so.
pub(crate) fn is(code: &str, status: u16) -> (String, u16) {
    (code.to_owned(), status)
}

/// Bytes without a pattern that a mistake could hide behind.
pub(crate) fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..length).map(|_| next()).collect()
}
