//! How SSE-KMS may be asked for: the headers that belong together, the signature, and the connection.
//!
//! Source: answers quoted from AWS, unless a test says otherwise.

use aws_sdk_s3::types::ServerSideEncryption;
use strongroom_testkit::{Authentication, Strongroom};
use strongroom_tests::{Answer, send};

use crate::keyed::Keyed;
use crate::sdk::{get, put, put_default, upload_under};

const SSE: &str = "x-amz-server-side-encryption";
const KEY_ID: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CONTEXT: &str = "x-amz-server-side-encryption-context";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
const NEEDS_VERSION_4: &str = "Requests specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4.";
const INSECURE: &str = "Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a secure connection.";

/// Code, message, name and value of the argument.
fn argument(answer: &Answer) -> [Option<String>; 4] {
    ["Code", "Message", "ArgumentName", "ArgumentValue"].map(|name| answer.element(name))
}

fn invalid(message: &str, name: &str, value: Option<&str>) -> [Option<String>; 4] {
    [Some("InvalidArgument"), Some(message), Some(name), value].map(|text| text.map(str::to_owned))
}

#[tokio::test]
async fn a_key_needs_the_header_that_asks_for_kms() {
    let keyed = Keyed::believing().await;
    put(&keyed.s3, "key", "x").await;
    let id = (KEY_ID, keyed.arn.as_str());
    let address = keyed.server.address();

    let source = ("x-amz-copy-source", "/photos/key");
    let answers = [
        send(address, "PUT /photos/key", &[id]).await,
        send(address, "PUT /photos/key", &[id, (SSE, "AES256")]).await,
        send(address, "PUT /photos/copy", &[id, source]).await,
        send(address, "GET /photos/key", &[id]).await,
    ];

    let message = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
    for answer in answers {
        assert_eq!(
            (answer.status, argument(&answer)),
            (400, invalid(message, SSE, None))
        );
    }
    assert_eq!(send(address, "HEAD /photos/key", &[id]).await.status, 400);
}

#[tokio::test]
async fn reads_do_not_choose_an_encryption() {
    let keyed = Keyed::believing().await;
    put(&keyed.s3, "key", "x").await;

    let answer = send(
        keyed.server.address(),
        "GET /photos/key",
        &[(SSE, "aws:kms")],
    )
    .await;

    let message = "x-amz-server-side-encryption header is not supported for this operation.";
    assert_eq!(argument(&answer), invalid(message, SSE, Some("aws:kms")));
}

#[tokio::test]
async fn an_unknown_algorithm_is_repeated() {
    let keyed = Keyed::believing().await;
    put(&keyed.s3, "source", "x").await;

    for method in ["aws:foo", "aes256", "AWS:KMS", ""] {
        for source in [None, Some(("x-amz-copy-source", "/photos/source"))] {
            let headers: Vec<_> = source.into_iter().chain([(SSE, method)]).collect();
            let answer = send(keyed.server.address(), "PUT /photos/key", &headers).await;

            let message = "The encryption method specified is not supported";
            assert_eq!(answer.status, 400);
            assert_eq!(argument(&answer), invalid(message, SSE, Some(method)));
        }
    }
}

/// The code is a guess; the message is AWS's.
#[tokio::test]
async fn a_context_is_a_map_of_strings_in_base64() {
    let keyed = Keyed::believing().await;

    // Not base64; `red`, `["team"]` and `{"team":1}` in base64.
    for context in [
        "{\"team\":\"red\"}",
        "cmVk",
        "WyJ0ZWFtIl0=",
        "eyJ0ZWFtIjoxfQ==",
    ] {
        let headers = [(SSE, "aws:kms"), (CONTEXT, context)];
        let answer = send(keyed.server.address(), "PUT /photos/key", &headers).await;

        let message = "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map";
        assert_eq!(
            (answer.status, answer.element("Message").as_deref()),
            (400, Some(message))
        );
        assert_eq!(answer.element("Code").as_deref(), Some("InvalidArgument"));
    }
}

/// A guess: no answer of AWS's was found.
#[tokio::test]
async fn a_bucket_key_is_wanted_or_not() {
    let keyed = Keyed::believing().await;

    for value in ["yes", "TRUE", ""] {
        let headers = [(SSE, "aws:kms"), (BUCKET_KEY, value)];
        let answer = send(keyed.server.address(), "PUT /photos/key", &headers).await;

        assert_eq!(
            (answer.status, answer.element("Code").as_deref()),
            (400, Some("InvalidArgument"))
        );
        assert_eq!(answer.element("ArgumentName").as_deref(), Some(BUCKET_KEY));
    }
}

/// Presigned by version 2 until 2100, with the secret `test`: HMAC-SHA1 of method, expiry, headers and resource.
mod version_2 {
    pub(super) const GET: &str = "GET /photos/key?AWSAccessKeyId=test&Expires=4102444800&Signature=1cQvd7TjLLvlE4RacZV9D1Jzdvk%3D";
    pub(super) const HEAD: &str = "HEAD /photos/key?AWSAccessKeyId=test&Expires=4102444800&Signature=vPhAu5HIPeBHBEciKgEeKIFQGy0%3D";
    pub(super) const PUT: &str = "PUT /photos/key?AWSAccessKeyId=test&Expires=4102444800&Signature=nyk4kuCrf8GIRqidq3tNSlezGrc%3D";
    /// With `x-amz-server-side-encryption:aws:kms`.
    pub(super) const PUT_UNDER_KMS: &str = "PUT /photos/key?AWSAccessKeyId=test&Expires=4102444800&Signature=Am1FORVPUA%2FsmpD13dNazxpszBY%3D";
    /// With `x-amz-copy-source:/photos/key`.
    pub(super) const COPY: &str = "PUT /photos/copy?AWSAccessKeyId=test&Expires=4102444800&Signature=YECnl5DYlUWRwPq4lFRNJWTlarg%3D";
}

#[tokio::test]
async fn writes_under_kms_need_version_4_of_signatures() {
    let keyed = Keyed::start().await;
    let address = keyed.server.address();
    let needed = invalid(NEEDS_VERSION_4, "Authorization", Some("null"));

    let plain = send(address, version_2::PUT, &[]).await;
    let asked = send(address, version_2::PUT_UNDER_KMS, &[(SSE, "aws:kms")]).await;
    put_default(&keyed.s3, ServerSideEncryption::AwsKms, None, None).await;
    let by_default = send(address, version_2::PUT, &[]).await;

    assert_eq!(plain.status, 200, "{}", plain.text());
    assert_eq!((asked.status, argument(&asked)), (400, needed.clone()));
    assert_eq!((by_default.status, argument(&by_default)), (400, needed));
}

#[tokio::test]
async fn reads_under_kms_need_version_4_of_signatures() {
    let keyed = Keyed::start().await;
    let address = keyed.server.address();
    put(&keyed.s3, "key", "plain").await;
    let plain = send(address, version_2::GET, &[]).await;
    upload_under(&keyed.s3, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();

    let got = send(address, version_2::GET, &[]).await;
    let copied = send(
        address,
        version_2::COPY,
        &[("x-amz-copy-source", "/photos/key")],
    )
    .await;
    let seen = send(address, version_2::HEAD, &[]).await;

    assert_eq!((plain.status, plain.text().as_str()), (200, "plain"));
    let needed = invalid(NEEDS_VERSION_4, "Authorization", Some("null"));
    assert_eq!((got.status, argument(&got)), (400, needed.clone()));
    assert_eq!((copied.status, argument(&copied)), (400, needed));
    assert_eq!(seen.status, 200);
}

/// Answers to plain HTTP of a server that is strict; its SDK clients speak HTTPS.
async fn strict() -> Keyed {
    let strict = |config: &mut strongroom_testkit::Config| {
        config.strict_tls = true;
        config.authentication = Authentication::Off;
    };
    Keyed::of(Strongroom::builder().tls().config(strict)).await
}

#[tokio::test]
async fn strict_servers_write_nothing_under_kms_in_the_clear() {
    let keyed = strict().await;
    let address = keyed.server.address();
    put(&keyed.s3, "source", "x").await;
    let source = ("x-amz-copy-source", "/photos/source");

    let plain = send(address, "PUT /photos/key", &[]).await;
    let asked = send(address, "PUT /photos/key", &[(SSE, "aws:kms")]).await;
    let copied = send(address, "PUT /photos/key", &[(SSE, "aws:kms:dsse"), source]).await;
    put_default(&keyed.s3, ServerSideEncryption::AwsKms, None, None).await;
    let by_default = send(address, "PUT /photos/key", &[]).await;

    assert_eq!(plain.status, 200);
    for answer in [asked, copied, by_default] {
        let (code, message) = (answer.element("Code"), answer.element("Message"));
        assert_eq!(
            (answer.status, code.as_deref()),
            (400, Some("InvalidArgument"))
        );
        assert_eq!(message.as_deref(), Some(INSECURE));
    }
    let proxied = send(
        address,
        "PUT /photos/key",
        &[("x-forwarded-proto", "https")],
    )
    .await;
    assert_eq!(proxied.status, 200);
}

#[tokio::test]
async fn strict_servers_read_nothing_under_kms_in_the_clear() {
    let keyed = strict().await;
    let address = keyed.server.address();
    upload_under(&keyed.s3, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();

    let got = send(address, "GET /photos/key", &[]).await;
    let copied = send(
        address,
        "PUT /photos/copy",
        &[("x-amz-copy-source", "/photos/key")],
    )
    .await;

    for answer in [got, copied] {
        assert_eq!(
            (answer.status, answer.element("Message").as_deref()),
            (400, Some(INSECURE))
        );
    }
    assert_eq!(send(address, "HEAD /photos/key", &[]).await.status, 200);
    assert_eq!(get(&keyed.s3, "key").await, b"x");
}
