//! Short forms of what most tests ask of the SDK.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::copy_object::builders::CopyObjectFluentBuilder;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::head_object::builders::HeadObjectFluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};
use strongroom_testkit::{Mode, Strongroom};

/// A customer's key and its MD5, as published with recordings of AWS.
pub(crate) const CUSTOMER_KEY: (&str, &str) = (
    "K0+/yQHJcx5CgotqScZJqhfJ8hpfw4leiB3Bzyo8HSo=",
    "I0aPuXuw4REDJuP1fw07QQ==",
);

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

/// A client with credentials of its own.
pub(crate) fn client_of(server: &Strongroom, access_key: &str, secret_key: &str) -> Client {
    let credentials = Credentials::new(access_key, secret_key, None, None, "test");
    let config = server.sdk_config().into_builder();
    Client::new(
        &config
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build(),
    )
}

/// An upload to `photos`, still without encryption headers.
pub(crate) fn upload(
    client: &Client,
    key: &str,
    body: impl Into<Vec<u8>>,
) -> PutObjectFluentBuilder {
    let body = ByteStream::from(body.into());
    client.put_object().bucket("photos").key(key).body(body)
}

/// An upload under SSE-KMS with this key.
pub(crate) fn upload_under(
    client: &Client,
    kms_key: &str,
    key: &str,
    body: impl Into<Vec<u8>>,
) -> PutObjectFluentBuilder {
    upload(client, key, body)
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .ssekms_key_id(kms_key)
}

/// An upload whose headers ask for a mode; `kms_key` is the key of those that have one.
pub(crate) fn upload_in(
    mode: Mode,
    client: &Client,
    kms_key: &str,
    (key, body): (&str, Vec<u8>),
) -> PutObjectFluentBuilder {
    let upload = upload(client, key, body);
    match mode {
        Mode::SseKms => upload
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .ssekms_key_id(kms_key),
        Mode::DsseKms => upload
            .server_side_encryption(ServerSideEncryption::AwsKmsDsse)
            .ssekms_key_id(kms_key),
        Mode::SseC => upload
            .sse_customer_algorithm("AES256")
            .sse_customer_key(CUSTOMER_KEY.0)
            .sse_customer_key_md5(CUSTOMER_KEY.1),
        _ => upload.server_side_encryption(ServerSideEncryption::Aes256),
    }
}

/// A read from `photos`.
pub(crate) fn read(client: &Client, key: &str) -> GetObjectFluentBuilder {
    client.get_object().bucket("photos").key(key)
}

/// A read that brings the customer's key.
pub(crate) fn read_customers(client: &Client, key: &str) -> GetObjectFluentBuilder {
    read(client, key)
        .sse_customer_algorithm("AES256")
        .sse_customer_key(CUSTOMER_KEY.0)
        .sse_customer_key_md5(CUSTOMER_KEY.1)
}

/// A look at an object in `photos`.
pub(crate) fn head(client: &Client, key: &str) -> HeadObjectFluentBuilder {
    client.head_object().bucket("photos").key(key)
}

/// A copy within `photos`.
pub(crate) fn copy(client: &Client, from: &str, to: &str) -> CopyObjectFluentBuilder {
    let copy = client.copy_object().bucket("photos").key(to);
    copy.copy_source(format!("photos/{from}"))
}

/// Puts a body.
pub(crate) async fn put(client: &Client, key: &str, body: impl Into<Vec<u8>>) {
    upload(client, key, body).send().await.unwrap();
}

/// Reads a body.
pub(crate) async fn get(client: &Client, key: &str) -> Vec<u8> {
    body_of(read(client, key)).await
}

/// Reads what a request asks for.
pub(crate) async fn body_of(read: GetObjectFluentBuilder) -> Vec<u8> {
    let answer = read.send().await.unwrap();
    answer.body.collect().await.unwrap().to_vec()
}

/// Reads a range: `first-last`, `first-` or `-length`.
pub(crate) async fn get_range(client: &Client, key: &str, range: &str) -> Vec<u8> {
    body_of(read(client, key).range(format!("bytes={range}"))).await
}

/// Makes a rule the default of `photos`.
pub(crate) async fn put_default(
    client: &Client,
    algorithm: ServerSideEncryption,
    kms_key: Option<&str>,
    bucket_key: Option<bool>,
) {
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(algorithm)
        .set_kms_master_key_id(kms_key.map(str::to_owned))
        .build()
        .unwrap();
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default)
        .set_bucket_key_enabled(bucket_key)
        .build();
    let rules = ServerSideEncryptionConfiguration::builder()
        .rules(rule)
        .build()
        .unwrap();
    let put = client
        .put_bucket_encryption()
        .bucket("photos")
        .server_side_encryption_configuration(rules);
    put.send().await.unwrap();
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

/// Code, status and message of a refusal.
pub(crate) fn refused<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    answer: Result<T, SdkError<E, aws_sdk_s3::config::http::HttpResponse>>,
) -> (String, u16, String) {
    let message = answer.as_ref().err().and_then(|error| error.message());
    let message = message.unwrap_or_default().to_owned();
    let (code, status) = refusal(answer);
    (code, status, message)
}

/// The same as AWS puts it.
pub(crate) fn says(code: &str, status: u16, message: &str) -> (String, u16, String) {
    (code.to_owned(), status, message.to_owned())
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
