//! URLs that are signed for somebody else, in each mode of encryption: the mode stands in headers that the signature covers,
//! and whoever uses the URL has to bring them.

use std::time::Duration;

use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::types::ServerSideEncryption;
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};
use strongroom_rust_clients::{
    CUSTOMER_KEY, CUSTOMER_KEY_BYTES, CUSTOMER_KEY_MD5, LETTER, http_client, plain_client,
};
use strongroom_testkit::{Encryption, Mode, Strongroom};

use crate::store::store;

const SSE: &str = "x-amz-server-side-encryption";
const KMS_KEY: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
const MINUTE: Duration = Duration::from_mins(1);
const CUSTOMERS: [(&str, &str); 3] = [
    ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
    ("x-amz-server-side-encryption-customer-key", CUSTOMER_KEY),
    (
        "x-amz-server-side-encryption-customer-key-md5",
        CUSTOMER_KEY_MD5,
    ),
];

/// A mode, as a URL is signed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    SseS3,
    SseKms,
    BucketKey,
    DsseKms,
    SseC,
}

impl Way {
    /// A server for it; AWS takes a customer's key over TLS alone.
    async fn server(self) -> Strongroom {
        let builder = Strongroom::builder().bucket("photos").kms_key("alias/app");
        match self {
            Self::SseC => builder.tls().strict_tls().start().await,
            _ => builder.start().await,
        }
    }

    /// What an upload brings.
    fn writing(self) -> HeaderMap {
        match self {
            Self::SseS3 => headers(&[(SSE, "AES256")]),
            Self::SseKms => headers(&[(SSE, "aws:kms"), (KMS_KEY, "alias/app")]),
            Self::BucketKey => headers(&[
                (SSE, "aws:kms"),
                (KMS_KEY, "alias/app"),
                (BUCKET_KEY, "true"),
            ]),
            Self::DsseKms => headers(&[(SSE, "aws:kms:dsse"), (KMS_KEY, "alias/app")]),
            Self::SseC => headers(&CUSTOMERS),
        }
    }

    /// What a read brings.
    fn reading(self) -> HeaderMap {
        match self {
            Self::SseC => headers(&CUSTOMERS),
            _ => HeaderMap::new(),
        }
    }

    /// The upload that the SDK signs.
    fn put(self, put: PutObjectFluentBuilder) -> PutObjectFluentBuilder {
        match self {
            Self::SseS3 => put.server_side_encryption(ServerSideEncryption::Aes256),
            Self::SseKms => put
                .server_side_encryption(ServerSideEncryption::AwsKms)
                .ssekms_key_id("alias/app"),
            Self::BucketKey => Self::SseKms.put(put).bucket_key_enabled(true),
            Self::DsseKms => put
                .server_side_encryption(ServerSideEncryption::AwsKmsDsse)
                .ssekms_key_id("alias/app"),
            Self::SseC => put
                .sse_customer_algorithm("AES256")
                .sse_customer_key(CUSTOMER_KEY)
                .sse_customer_key_md5(CUSTOMER_KEY_MD5),
        }
    }

    /// The read that the SDK signs.
    fn get(self, get: GetObjectFluentBuilder) -> GetObjectFluentBuilder {
        match self {
            Self::SseC => get
                .sse_customer_algorithm("AES256")
                .sse_customer_key(CUSTOMER_KEY)
                .sse_customer_key_md5(CUSTOMER_KEY_MD5),
            _ => get,
        }
    }

    /// How the object has to lie.
    fn wanted(self) -> Encryption {
        match self {
            Self::SseS3 => Mode::SseS3.into(),
            Self::SseKms => Encryption::sse_kms("alias/app").bucket_key(false),
            Self::BucketKey => Encryption::sse_kms("alias/app").bucket_key(true),
            Self::DsseKms => Encryption::dsse_kms("alias/app"),
            Self::SseC => Mode::SseC.into(),
        }
    }

    fn check(self, server: &Strongroom) {
        server.assert_encrypted_with("photos", "letter", self.wanted());
        server.assert_not_stored(LETTER);
        if self == Self::SseC {
            server.assert_not_stored(CUSTOMER_KEY_BYTES);
        }
    }
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let typed = |(name, value): &(&'static str, &'static str)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        )
    };
    pairs.iter().map(typed).collect()
}

/// A client that has no credentials: the URL is all that it gets.
fn somebody(server: &Strongroom) -> Client {
    if server.uri().starts_with("https") {
        http_client(&server.ca_pem())
    } else {
        plain_client()
    }
}

/// Sends what the SDK signed, with the headers that it names.
async fn send(server: &Strongroom, signed: &PresignedRequest, body: &[u8]) -> Response {
    let method = Method::from_bytes(signed.method().as_bytes()).unwrap();
    let mut request = somebody(server).request(method, signed.uri());
    for (name, value) in signed.headers() {
        request = request.header(name, value);
    }
    request.body(body.to_vec()).send().await.unwrap()
}

/// Writes and reads a letter by URLs of the SDK.
async fn by_the_sdk(way: Way) {
    let server = way.server().await;
    let client = server.s3_client();
    let minute = || PresigningConfig::expires_in(MINUTE).unwrap();

    let put = client.put_object().bucket("photos").key("letter");
    let put = way.put(put).presigned(minute()).await.unwrap();
    let answer = send(&server, &put, LETTER).await;
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());

    let get = client.get_object().bucket("photos").key("letter");
    let get = way.get(get).presigned(minute()).await.unwrap();
    let answer = send(&server, &get, b"").await;
    assert_eq!(answer.bytes().await.unwrap(), LETTER);
    way.check(&server);
}

/// A URL of `object_store`, whose signature covers these headers.
async fn sign(store: &AmazonS3, method: Method, signed: &HeaderMap) -> String {
    let mut options = SignedUrlOptions::new();
    for (name, value) in signed {
        options = options.with_signed_header(name.clone(), value.clone());
    }
    let letter = Path::from("letter");
    let url = store.signed_url_opts(method, &letter, MINUTE, &options);
    url.await.unwrap().to_string()
}

/// Writes and reads a letter by URLs of `object_store`.
async fn by_object_store(way: Way) {
    let server = way.server().await;
    let (store, client) = (store(&server, &[]), somebody(&server));

    let put = sign(&store, Method::PUT, &way.writing()).await;
    let put = client.put(put).headers(way.writing()).body(LETTER);
    let answer = put.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());

    let get = sign(&store, Method::GET, &way.reading()).await;
    let get = client.get(get).headers(way.reading());
    assert_eq!(get.send().await.unwrap().bytes().await.unwrap(), LETTER);
    way.check(&server);
}

#[tokio::test]
async fn the_sdk_signs_sse_s3() {
    by_the_sdk(Way::SseS3).await;
}

#[tokio::test]
async fn the_sdk_signs_sse_kms() {
    by_the_sdk(Way::SseKms).await;
}

#[tokio::test]
async fn the_sdk_signs_a_bucket_key() {
    by_the_sdk(Way::BucketKey).await;
}

#[tokio::test]
async fn the_sdk_signs_dsse_kms() {
    by_the_sdk(Way::DsseKms).await;
}

#[tokio::test]
async fn the_sdk_signs_sse_c_over_tls() {
    by_the_sdk(Way::SseC).await;
}

#[tokio::test]
async fn object_store_signs_sse_s3() {
    by_object_store(Way::SseS3).await;
}

#[tokio::test]
async fn object_store_signs_sse_kms() {
    by_object_store(Way::SseKms).await;
}

#[tokio::test]
async fn object_store_signs_a_bucket_key() {
    by_object_store(Way::BucketKey).await;
}

#[tokio::test]
async fn object_store_signs_dsse_kms() {
    by_object_store(Way::DsseKms).await;
}

#[tokio::test]
async fn object_store_signs_sse_c_over_tls() {
    by_object_store(Way::SseC).await;
}

#[tokio::test]
async fn a_url_without_its_signed_headers_writes_nothing() {
    let server = Way::SseKms.server().await;
    let store = store(&server, &[]);

    let url = sign(&store, Method::PUT, &Way::SseKms.writing()).await;
    let put = somebody(&server).put(url).body(LETTER);
    let status = put.send().await.unwrap().status();

    let head = server.s3_client().head_object();
    let head = head.bucket("photos").key("letter").send().await;
    assert_eq!(status, 403);
    assert!(head.unwrap_err().into_service_error().is_not_found());
}

#[tokio::test]
async fn a_url_of_one_mode_writes_no_other() {
    let server = Way::SseKms.server().await;
    let store = store(&server, &[]);

    let url = sign(&store, Method::PUT, &Way::SseKms.writing()).await;
    let put = somebody(&server).put(url).headers(Way::DsseKms.writing());
    let answer = put.body(LETTER).send().await.unwrap();

    assert_eq!(answer.status(), 403);
    let said = answer.text().await.unwrap();
    assert!(said.contains("SignatureDoesNotMatch"), "{said}");
}

#[tokio::test]
async fn a_read_under_sse_c_wants_the_key_beside_the_url() {
    let server = Way::SseC.server().await;
    let (store, client) = (store(&server, &[]), somebody(&server));
    let put = sign(&store, Method::PUT, &Way::SseC.writing()).await;
    let put = client.put(put).headers(Way::SseC.writing()).body(LETTER);
    assert_eq!(put.send().await.unwrap().status(), 200);

    let url = sign(&store, Method::GET, &HeaderMap::new()).await;
    let status = client.get(url).send().await.unwrap().status();

    assert_eq!(status, 400);
}
