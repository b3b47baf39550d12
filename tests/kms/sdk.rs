//! Short forms of what most tests ask of the SDK.

use std::time::{Duration, SystemTime};

use aws_sdk_kms::Client;
use aws_sdk_kms::config::http::HttpResponse;
use aws_sdk_kms::config::{Credentials, Region, SharedCredentialsProvider};
use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeyMetadata, KeySpec, KeyUsageType, OriginType};
use serde_json::{Value, json};
use strongroom_testkit::Strongroom;

/// The day on which clocks stand that a test moves: 2027-01-15, midnight.
pub(crate) fn today() -> SystemTime {
    SystemTime::UNIX_EPOCH + days(20_833)
}

/// A server with a key that is called `alias/app`, and a client.
pub(crate) async fn app() -> (Strongroom, Client) {
    let server = Strongroom::builder().kms_key("alias/app").start().await;
    let client = server.kms_client();
    (server, client)
}

/// The same, with a clock that the test moves.
pub(crate) async fn app_today() -> (Strongroom, Client) {
    let builder = Strongroom::builder().kms_key("alias/app").clock(today());
    let server = builder.start().await;
    let client = server.kms_client();
    (server, client)
}

/// So many days.
pub(crate) fn days(count: u64) -> Duration {
    Duration::from_hours(24 * count)
}

/// A client of another region.
pub(crate) fn client_in(server: &Strongroom, region: &'static str) -> Client {
    let config = server.sdk_config().into_builder();
    Client::new(&config.region(Region::new(region)).build())
}

/// A client with other credentials.
pub(crate) fn client_of(server: &Strongroom, access_key: &str, secret_key: &str) -> Client {
    let credentials = Credentials::new(access_key, secret_key, None, None, "test");
    let provider = SharedCredentialsProvider::new(credentials);
    let config = server.sdk_config().into_builder();
    Client::new(&config.credentials_provider(provider).build())
}

/// What KMS tells of a key.
pub(crate) async fn describe(client: &Client, name: &str) -> KeyMetadata {
    let answer = client.describe_key().key_id(name).send().await.unwrap();
    answer.key_metadata.unwrap()
}

/// The ARN of `alias/app`.
pub(crate) async fn app_arn(client: &Client) -> String {
    describe(client, "alias/app").await.arn.unwrap()
}

/// A new key; its id.
pub(crate) async fn new_key(client: &Client) -> String {
    let answer = client.create_key().send().await.unwrap();
    answer.key_metadata.unwrap().key_id
}

/// A new key of a spec, for a usage; its ARN.
pub(crate) async fn key_of(client: &Client, spec: KeySpec, usage: KeyUsageType) -> String {
    let create = client.create_key().key_spec(spec).key_usage(usage);
    let made = create.send().await.unwrap().key_metadata.unwrap();
    made.arn.unwrap()
}

/// A new key whose material its owner has yet to bring; its id.
pub(crate) async fn awaiting_import(client: &Client) -> String {
    let create = client.create_key().origin(OriginType::External);
    create.send().await.unwrap().key_metadata.unwrap().key_id
}

/// Encrypts without a context.
pub(crate) async fn encrypt(client: &Client, key: &str, plaintext: &[u8]) -> Blob {
    let encrypt = client.encrypt().key_id(key).plaintext(Blob::new(plaintext));
    encrypt.send().await.unwrap().ciphertext_blob.unwrap()
}

/// Decrypts without a context.
pub(crate) async fn decrypt(client: &Client, ciphertext: &Blob) -> Vec<u8> {
    let decrypt = client.decrypt().ciphertext_blob(ciphertext.clone());
    decrypt
        .send()
        .await
        .unwrap()
        .plaintext
        .unwrap()
        .into_inner()
}

/// Exception and message of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    answer: Result<T, SdkError<E, HttpResponse>>,
) -> (String, String) {
    let error = answer.expect_err("the server refuses");
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    (text(error.code()), text(error.message()))
}

/// What KMS calls it and how it says so.
pub(crate) fn is(exception: &str, message: &str) -> (String, String) {
    (exception.to_owned(), message.to_owned())
}

/// A refusal of one member.
pub(crate) fn violation(value: &str, rule: &str) -> (String, String) {
    let told = format!(
        "1 validation error detected: {value} failed to satisfy constraint: Member must {rule}"
    );
    is("ValidationException", &told)
}

/// What a dry run ends with where all is well.
pub(crate) fn would_have_succeeded() -> (String, String) {
    let message = "The request would have succeeded, but the DryRun option is set.";
    is("DryRunOperationException", message)
}

/// A server with a key that is called `alias/app`, and the users of a file.
pub(crate) async fn with_identities(file: &str) -> Strongroom {
    let seed = format!(r#"{{"identities":{file}}}"#);
    let builder = Strongroom::builder().kms_key("alias/app");
    builder.seed_json(seed).start().await
}

/// A user of the default account, for such a file, with these statements; access key and secret are the name.
pub(crate) fn user(name: &str, statements: &Value) -> Value {
    user_of("000000000000", name, statements)
}

/// The same of another account.
pub(crate) fn user_of(account: &str, name: &str, statements: &Value) -> Value {
    json!({ "name": name, "account": account, "access_key": name, "secret_key": name,
        "policies": [{ "Version": "2012-10-17", "Statement": statements }] })
}
