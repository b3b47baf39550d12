//! `aws-sdk-s3` in each mode of encryption, as the test kit configures it.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::ServerSideEncryption;
use strongroom_rust_clients::{
    CUSTOMER_KEY, CUSTOMER_KEY_BYTES, CUSTOMER_KEY_MD5, LETTER, long_body,
};
use strongroom_testkit::{ClientSide, Encryption, Mode, Strongroom};

use crate::sdk_uploads::put_parts;

/// What a request asks for: a mode, and the key of those that have one.
#[derive(Clone, Debug)]
struct Asked {
    mode: ServerSideEncryption,
    kms_key: Option<String>,
    bucket_key: Option<bool>,
}

impl Asked {
    fn kms(mode: ServerSideEncryption, key: &str) -> Self {
        Self {
            mode,
            kms_key: Some(key.to_owned()),
            bucket_key: None,
        }
    }

    fn put(&self, put: PutObjectFluentBuilder) -> PutObjectFluentBuilder {
        put.server_side_encryption(self.mode.clone())
            .set_ssekms_key_id(self.kms_key.clone())
            .set_bucket_key_enabled(self.bucket_key)
    }

    fn create(
        &self,
        create: CreateMultipartUploadFluentBuilder,
    ) -> CreateMultipartUploadFluentBuilder {
        create
            .server_side_encryption(self.mode.clone())
            .set_ssekms_key_id(self.kms_key.clone())
            .set_bucket_key_enabled(self.bucket_key)
    }
}

async fn server() -> Strongroom {
    let builder = Strongroom::builder().bucket("photos").kms_key("alias/app");
    builder.start().await
}

async fn get(client: &Client, key: &str) -> Vec<u8> {
    let got = client.get_object().bucket("photos").key(key);
    let got = got.send().await.unwrap();
    got.body.collect().await.unwrap().to_vec()
}

/// Keeps a letter and a film in parts in `photos`, reads both back, and looks how they lie.
async fn holds(server: &Strongroom, asked: &Asked, wanted: impl Into<Encryption>) {
    let (client, wanted, film) = (server.s3_client(), wanted.into(), long_body());

    let put = client.put_object().bucket("photos").key("letter");
    let put = asked.put(put.body(LETTER.to_vec().into()));
    put.send().await.unwrap();
    let create = client
        .create_multipart_upload()
        .bucket("photos")
        .key("film");
    put_parts(&client, asked.create(create), &film).await;

    for (key, body) in [("letter", LETTER), ("film", film.as_slice())] {
        assert!(get(&client, key).await == body, "{key}");
        server.assert_encrypted_with("photos", key, wanted.clone());
        server.assert_not_stored(body);
    }
}

#[tokio::test]
async fn sse_s3() {
    let asked = Asked {
        mode: ServerSideEncryption::Aes256,
        kms_key: None,
        bucket_key: None,
    };

    holds(&server().await, &asked, Mode::SseS3).await;
}

#[tokio::test]
async fn sse_kms_with_an_alias() {
    let asked = Asked::kms(ServerSideEncryption::AwsKms, "alias/app");

    let wanted = Encryption::sse_kms("alias/app").bucket_key(false);
    holds(&server().await, &asked, wanted).await;
}

#[tokio::test]
async fn sse_kms_with_an_arn_and_a_bucket_key() {
    let server = server().await;
    let key = server.kms_client().describe_key().key_id("alias/app");
    let arn = key.send().await.unwrap().key_metadata.unwrap().arn.unwrap();
    let mut asked = Asked::kms(ServerSideEncryption::AwsKms, &arn);
    asked.bucket_key = Some(true);

    let wanted = Encryption::sse_kms(&arn).bucket_key(true);
    holds(&server, &asked, wanted).await;

    let calls = server.kms_calls();
    let asked_of_kms = calls.iter().filter(|call| !call.bucket_key_hit);
    let generated = asked_of_kms.filter(|call| call.operation == "GenerateDataKey");
    assert_eq!(generated.count(), 1, "one key for the bucket: {calls:?}");
}

#[tokio::test]
async fn dsse_kms() {
    let server = server().await;
    let asked = Asked::kms(ServerSideEncryption::AwsKmsDsse, "alias/app");

    holds(&server, &asked, Encryption::dsse_kms("alias/app")).await;

    assert_eq!(server.stored("photos", "letter").layers.len(), 2);
}

#[tokio::test]
async fn sse_c_over_tls() {
    let builder = Strongroom::builder().bucket("photos").tls().strict_tls();
    let server = builder.start().await;
    let client = server.s3_client();

    let put = client.put_object().bucket("photos").key("letter");
    let put = put.body(LETTER.to_vec().into());
    let put = put
        .sse_customer_algorithm("AES256")
        .sse_customer_key(CUSTOMER_KEY)
        .sse_customer_key_md5(CUSTOMER_KEY_MD5);
    put.send().await.unwrap();

    let read = client.get_object().bucket("photos").key("letter");
    let with_key = read
        .clone()
        .sse_customer_algorithm("AES256")
        .sse_customer_key(CUSTOMER_KEY)
        .sse_customer_key_md5(CUSTOMER_KEY_MD5);
    let got = with_key.send().await.unwrap().body.collect().await.unwrap();
    assert_eq!(got.to_vec(), LETTER);
    let refused = read.send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidRequest"));
    server.assert_encrypted_with("photos", "letter", Mode::SseC);
    server.assert_not_stored(LETTER);
    server.assert_not_stored(CUSTOMER_KEY_BYTES);
}

#[tokio::test]
async fn sse_c_is_refused_over_plain_http() {
    let builder = Strongroom::builder().bucket("photos").strict_tls();
    let server = builder.start().await;

    let put = server.s3_client().put_object();
    let put = put.bucket("photos").key("letter");
    let put = put
        .sse_customer_algorithm("AES256")
        .sse_customer_key(CUSTOMER_KEY)
        .sse_customer_key_md5(CUSTOMER_KEY_MD5);

    let refused = put.send().await.unwrap_err();
    assert_eq!(refused.code(), Some("InvalidArgument"));
}

#[tokio::test]
async fn client_side_encryption() {
    let server = server().await;
    let client = server.s3_client();
    let secrets = ClientSide::kms(&server.kms_client(), "alias/app").context("team", "red");

    let put = secrets.put(&client, "photos", "letter", LETTER);
    put.await.unwrap();

    let read = secrets.get(&client, "photos", "letter").await.unwrap();
    assert_eq!(read, LETTER);
    assert_ne!(get(&client, "letter").await, LETTER);
    server.assert_client_side_encrypted("photos", "letter");
    server.assert_encrypted_with("photos", "letter", Mode::SseS3);
    server.assert_not_stored(LETTER);
}
