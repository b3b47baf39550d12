//! What the operations on parts say to a key that does not fit, and to a KMS key that cannot be used any more.
//!
//! Source: answers recorded and quoted from AWS, unless a test says otherwise.

use strongroom_testkit::{Authentication, Strongroom};
use strongroom_tests::{Answer, send, send_body};

use crate::forms::told;
use crate::keyed::Keyed;
use crate::sdk::{is, says};
use crate::ways::{Headers, Parts, Way, put, succeeded};

const MPUENC: &str = "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.";
const DIFF: &str = "The provided encryption parameters did not match the ones used originally.";
const STORED: &str = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.";
const COMPLETE: &str = "The object was stored using a form of Server Side Encryption. Correct SSE-C request parameters are required for this request when specifying checksums for each part.";
const UNSUPPORTED: &str =
    "x-amz-server-side-encryption header is not supported for this operation.";
const INSECURE: &str = "Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.";
const INSECURE_KMS: &str = "Requests specifying Server Side Encryption with AWS KMS managed keys must be made over a secure connection.";

const ALGORITHM: &str = "x-amz-server-side-encryption-customer-algorithm";
const KEY: &str = "x-amz-server-side-encryption-customer-key";
const MD5: &str = "x-amz-server-side-encryption-customer-key-md5";
/// Sixteen bytes and their MD5.
const SHORT: (&str, &str) = ("MTIzNDU2Nzg5MGFiY2RlZg==", "mWzhf2q8n+EmtXql8djJLA==");

fn short() -> Headers {
    vec![(ALGORITHM, "AES256"), (KEY, SHORT.0), (MD5, SHORT.1)]
}

fn short_for_source() -> Headers {
    vec![
        (
            "x-amz-copy-source-server-side-encryption-customer-algorithm",
            "AES256",
        ),
        (
            "x-amz-copy-source-server-side-encryption-customer-key",
            SHORT.0,
        ),
        (
            "x-amz-copy-source-server-side-encryption-customer-key-md5",
            SHORT.1,
        ),
    ]
}

/// An upload of `photos/key` with one part, and the object `photos/source`.
struct Begun {
    id: String,
    etag: String,
}

impl Begun {
    async fn under(keyed: &Keyed, way: Way) -> Self {
        Self::with(keyed, way, &[]).await
    }

    async fn with(keyed: &Keyed, way: Way, further: &[(&str, &str)]) -> Self {
        put(keyed, Way::SseS3, "source", b"of a source").await;
        let headers = [&way.asks()[..], further].concat();
        let address = keyed.server.address();
        let begun = succeeded(send(address, "POST /photos/key?uploads", &headers).await);
        let id = begun.element("UploadId").unwrap();
        let begun = Self {
            id,
            etag: String::new(),
        };
        let part = succeeded(begun.part(keyed, &way.brings()).await);
        let etag = part.header("etag").unwrap().to_owned();
        Self { etag, ..begun }
    }

    async fn part(&self, keyed: &Keyed, headers: &[(&str, &str)]) -> Answer {
        send_body(
            keyed.server.address(),
            &self.target(),
            headers,
            b"of a part",
        )
        .await
    }

    async fn part_copy(&self, keyed: &Keyed, headers: &[(&str, &str)]) -> Answer {
        let source = [("x-amz-copy-source", "/photos/source")];
        let headers = [&source[..], headers].concat();
        send(keyed.server.address(), &self.target(), &headers).await
    }

    async fn complete(&self, keyed: &Keyed, headers: &[(&str, &str)]) -> Answer {
        let target = format!("POST /photos/key?uploadId={}", self.id);
        let manifest = format!(
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
            self.etag
        );
        send_body(
            keyed.server.address(),
            &target,
            headers,
            manifest.as_bytes(),
        )
        .await
    }

    fn target(&self) -> String {
        format!("PUT /photos/key?partNumber=1&uploadId={}", self.id)
    }
}

/// Asserts a refusal, and whether it has a declaration.
fn assert_says(answer: &Answer, expected: &(String, u16, String), is_bare: bool) {
    assert_eq!(&told(answer), expected);
    assert_eq!(
        answer.text().starts_with("<Error>"),
        is_bare,
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn a_part_brings_the_key_of_its_upload() {
    let keyed = Keyed::believing().await;
    let begun = Begun::under(&keyed, Way::SseC).await;
    let cases = [
        (Vec::new(), MPUENC),
        (Way::OtherSseC.brings(), DIFF),
        (short(), DIFF),
    ];
    for (headers, message) in cases {
        let expected = says("InvalidRequest", 400, message);
        assert_says(&begun.part(&keyed, &headers).await, &expected, false);
        assert_says(&begun.part_copy(&keyed, &headers).await, &expected, true);
    }
    succeeded(begun.part_copy(&keyed, &Way::SseC.brings()).await);
}

#[tokio::test]
async fn a_part_brings_no_key_to_an_upload_without_one() {
    let keyed = Keyed::believing().await;
    for way in [Way::SseS3, Way::SseKms, Way::DsseKms] {
        let begun = Begun::under(&keyed, way).await;
        let expected = says("InvalidRequest", 400, MPUENC);
        let headers = Way::SseC.brings();
        assert_says(&begun.part(&keyed, &headers).await, &expected, false);
        assert_says(&begun.part_copy(&keyed, &headers).await, &expected, true);
    }
}

#[tokio::test]
async fn a_part_that_is_refused_leaves_the_one_that_was_there() {
    let keyed = Keyed::believing().await;
    let begun = Begun::under(&keyed, Way::SseC).await;

    begun.part(&keyed, &Way::OtherSseC.brings()).await;

    succeeded(begun.complete(&keyed, &[]).await);
    let got = crate::ways::read(&keyed, Way::SseC, "key", None).await;
    assert_eq!(succeeded(got).body, b"of a part");
}

#[tokio::test]
async fn a_copy_brings_the_key_of_its_source() {
    let keyed = Keyed::believing().await;
    let begun = Begun::under(&keyed, Way::SseS3).await;
    put(&keyed, Way::SseC, "source", b"sealed").await;
    let cases = [
        (Vec::new(), STORED),
        (Way::OtherSseC.brings_for_source(), DIFF),
        (short_for_source(), DIFF),
    ];
    for (headers, message) in cases {
        let expected = says("InvalidRequest", 400, message);
        assert_says(&begun.part_copy(&keyed, &headers).await, &expected, true);
        let source = [("x-amz-copy-source", "/photos/source")];
        let headers = [&source[..], &headers].concat();
        let copied = send(keyed.server.address(), "PUT /photos/copy", &headers).await;
        assert_says(&copied, &expected, true);
    }
    succeeded(
        begun
            .part_copy(&keyed, &Way::SseC.brings_for_source())
            .await,
    );
}

#[tokio::test]
async fn a_completion_brings_the_uploads_key_or_none() {
    let keyed = Keyed::believing().await;
    let with = |name, value| {
        let mut headers = Way::SseC.brings();
        headers.retain(|(known, _)| *known != name);
        headers.push((name, value));
        headers
    };
    let argument = |message: &str| says("InvalidArgument", 400, message);
    let cases = [
        (
            Way::OtherSseC.brings(),
            says("InvalidRequest", 400, COMPLETE),
        ),
        (short(), says("InvalidRequest", 400, COMPLETE)),
        (
            with(KEY, "####"),
            argument("The secret key was invalid - too short."),
        ),
        (
            with(MD5, SHORT.1),
            argument(
                "The calculated MD5 hash of the key did not match the hash that was provided.",
            ),
        ),
        (
            with(ALGORITHM, "x"),
            says(
                "InvalidEncryptionAlgorithmError",
                400,
                "The Encryption request you specified is not valid. Supported value: AES256.",
            ),
        ),
    ];
    let begun = Begun::under(&keyed, Way::SseC).await;
    for (headers, expected) in cases {
        assert_says(&begun.complete(&keyed, &headers).await, &expected, true);
    }
    let done = succeeded(begun.complete(&keyed, &Way::SseC.brings()).await);
    assert!(done.element("ChecksumCRC64NVME").is_some());
    let without = Begun::under(&keyed, Way::SseC).await;
    let done = succeeded(without.complete(&keyed, &[]).await);
    assert_eq!(done.element("ChecksumCRC64NVME"), None);
    for way in [Way::SseS3, Way::SseKms] {
        let begun = Begun::under(&keyed, way).await;
        let refused = begun.complete(&keyed, &Way::SseC.brings()).await;
        assert_says(&refused, &says("InvalidRequest", 400, COMPLETE), true);
    }
}

#[tokio::test]
async fn a_completion_ignores_what_is_no_whole_set() {
    let keyed = Keyed::believing().await;
    let [algorithm, key, md5] = Way::SseC.brings().try_into().unwrap();
    let sets: [&[(&str, &str)]; 8] = [
        &[],
        &[algorithm],
        &[(ALGORITHM, "x")],
        &[(ALGORITHM, "")],
        &[key],
        &[algorithm, key],
        &[algorithm, md5],
        &[key, md5],
    ];
    for headers in sets {
        let begun = Begun::under(&keyed, Way::SseC).await;

        let answer = begun.complete(&keyed, headers).await;

        assert_eq!(answer.status, 200, "{headers:?} {}", answer.text());
        assert_eq!(answer.header(ALGORITHM), Some("AES256"));
        assert_eq!(answer.header(MD5), None, "{headers:?}");
    }
}

/// Source: a Rust project's tests that are also run against AWS.
#[tokio::test]
async fn a_completion_needs_the_key_where_checksums_were_chosen() {
    let keyed = Keyed::believing().await;
    let chosen = [
        ("x-amz-checksum-algorithm", "CRC32"),
        ("x-amz-checksum-type", "FULL_OBJECT"),
    ];
    let begun = Begun::with(&keyed, Way::SseC, &chosen).await;

    let refused = begun.complete(&keyed, &[]).await;

    assert_eq!(
        (told(&refused).0, refused.status),
        is("InvalidRequest", 400)
    );
    succeeded(begun.complete(&keyed, &Way::SseC.brings()).await);
}

/// Asserts that nothing more is done to uploads under the key, nor with objects under it.
async fn assert_kms_refuses(keyed: &Keyed, uploads: &[(Begun, &str)], expected: (&str, u16, &str)) {
    let expected = says(expected.0, expected.1, expected.2);
    let plain = Parts::begin(keyed, Way::SseS3, "plain").await;
    for (begun, source) in uploads {
        assert_says(&begun.part(keyed, &[]).await, &expected, false);
        assert_says(&begun.part_copy(keyed, &[]).await, &expected, true);
        assert_says(&begun.complete(keyed, &[]).await, &expected, true);
        let from = [("x-amz-copy-source", *source)];
        let address = keyed.server.address();
        assert_says(
            &send(address, "PUT /photos/copy", &from).await,
            &expected,
            true,
        );
        assert_says(
            &send(address, &plain.target(1), &from).await,
            &expected,
            true,
        );
        let cut = [&from[..], &[("x-amz-copy-source-range", "bytes=0-0")]].concat();
        assert_says(
            &send(address, &plain.target(1), &cut).await,
            &expected,
            true,
        );
    }
}

async fn under_kms(keyed: &Keyed) -> Vec<(Begun, &'static str)> {
    let mut uploads = Vec::new();
    for (way, source) in [
        (Way::SseKms, "/photos/one"),
        (Way::BucketKey, "/photos/bucket-key"),
        (Way::DsseKms, "/photos/two"),
    ] {
        let key = source.rsplit('/').next().unwrap();
        put(keyed, way, key, b"sealed").await;
        uploads.push((Begun::under(keyed, way).await, source));
    }
    uploads
}

#[tokio::test]
async fn a_disabled_key_takes_no_part_and_gives_none() {
    let keyed = Keyed::believing().await;
    let uploads = under_kms(&keyed).await;

    keyed.disable().await;

    let message = format!("{} is disabled.", keyed.arn);
    assert_kms_refuses(&keyed, &uploads, ("KMS.DisabledException", 400, &message)).await;
    keyed.enable().await;
    for (begun, _) in uploads {
        succeeded(begun.complete(&keyed, &[]).await);
    }
}

#[tokio::test]
async fn a_key_that_waits_for_its_deletion_takes_no_part_and_gives_none() {
    let keyed = Keyed::believing().await;
    let uploads = under_kms(&keyed).await;

    keyed.schedule_deletion().await;

    let message = format!("{} is pending deletion.", keyed.arn);
    assert_kms_refuses(
        &keyed,
        &uploads,
        ("KMS.KMSInvalidStateException", 400, &message),
    )
    .await;
}

#[tokio::test]
async fn a_key_that_is_gone_takes_no_part_and_gives_none() {
    let keyed = Keyed::believing().await;
    let uploads = under_kms(&keyed).await;

    keyed.delete().await;

    let message = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";
    assert_kms_refuses(&keyed, &uploads, ("AccessDenied", 403, message)).await;
}

#[tokio::test]
async fn no_method_is_chosen_where_nothing_is_begun() {
    let keyed = Keyed::believing().await;
    let begun = Begun::under(&keyed, Way::SseS3).await;
    let method = [("x-amz-server-side-encryption", "AES256")];
    let address = keyed.server.address();
    let upload = format!("/photos/key?uploadId={}", begun.id);

    let answers = [
        begun.part(&keyed, &method).await,
        begun.part_copy(&keyed, &method).await,
        begun.complete(&keyed, &method).await,
        send(address, &format!("GET {upload}"), &method).await,
        send(address, "GET /photos/source", &method).await,
        send(address, "GET /photos", &method).await,
        send(address, "GET /photos?list-type=2", &method).await,
        send(address, "GET /photos?uploads", &method).await,
    ];

    for answer in answers {
        assert_eq!(told(&answer), says("InvalidArgument", 400, UNSUPPORTED));
        let argument = ["ArgumentName", "ArgumentValue"].map(|name| answer.element(name));
        let (name, value) = method[0];
        assert_eq!(argument, [name, value].map(|text| Some(text.to_owned())));
    }
    assert_eq!(
        send(address, "HEAD /photos/source", &method).await.status,
        400
    );
    succeeded(begun.complete(&keyed, &[]).await);
}

/// Over plain HTTP, to a server that is strict; what is begun by its SDK client comes over HTTPS.
#[tokio::test]
async fn strict_servers_take_no_part_in_the_clear() {
    let strict = |config: &mut strongroom_testkit::Config| {
        config.strict_tls = true;
        config.authentication = Authentication::Off;
    };
    let keyed = Keyed::of(Strongroom::builder().tls().config(strict)).await;
    put(&keyed, Way::SseS3, "source", b"x").await;
    let create = keyed
        .s3
        .create_multipart_upload()
        .bucket("photos")
        .key("key");
    let create = create.server_side_encryption(aws_sdk_s3::types::ServerSideEncryption::AwsKms);
    let id = create.send().await.unwrap().upload_id.unwrap();
    let etag = "0".repeat(32);
    let begun = Begun { id, etag };

    for (headers, message) in [(Vec::new(), INSECURE_KMS), (Way::SseC.brings(), INSECURE)] {
        let expected = says("InvalidArgument", 400, message);
        assert_says(&begun.part(&keyed, &headers).await, &expected, false);
        assert_says(&begun.part_copy(&keyed, &headers).await, &expected, true);
        assert_says(&begun.complete(&keyed, &headers).await, &expected, true);
    }
    for (way, message) in [(Way::SseKms, INSECURE_KMS), (Way::SseC, INSECURE)] {
        let address = keyed.server.address();
        let create = send(address, "POST /photos/key?uploads", &way.asks()).await;
        assert_says(&create, &says("InvalidArgument", 400, message), false);
    }
}

#[tokio::test]
async fn a_bucket_that_blocks_customers_keys_begins_no_upload_and_takes_no_part() {
    let open = Keyed::believing().await;
    let begun = Begun::under(&open, Way::SseC).await;
    let rule = "<ServerSideEncryptionConfiguration><Rule><BlockedEncryptionTypes><EncryptionType>SSE-C</EncryptionType></BlockedEncryptionTypes></Rule></ServerSideEncryptionConfiguration>";
    let address = open.server.address();
    succeeded(send_body(address, "PUT /photos?encryption", &[], rule.as_bytes()).await);

    let headers = Way::SseC.brings();
    let answers = [
        send(address, "POST /photos/key?uploads", &headers).await,
        begun.part(&open, &headers).await,
        begun.part_copy(&open, &headers).await,
    ];

    let message = "User: arn:aws:iam::000000000000:root is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::photos/key\" because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type.";
    for answer in answers {
        assert_eq!(told(&answer), says("AccessDenied", 403, message));
    }
}
