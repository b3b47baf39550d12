//! What every operation that writes an object says to the same bad wish: PUT, copy, form, and the beginning of an upload.
//!
//! Source: answers recorded and quoted from AWS, unless a test says otherwise.

use aws_sdk_kms::types::{KeySpec, KeyUsageType, OriginType};
use strongroom_testkit::Authentication;
use strongroom_tests::{Answer, send, send_body};

use crate::forms::{Form, then, told};
use crate::keyed::Keyed;
use crate::sdk::{CUSTOMER_KEY, put, says};

const SSE: &str = "x-amz-server-side-encryption";
const KEY_ID: &str = "x-amz-server-side-encryption-aws-kms-key-id";
const CONTEXT: &str = "x-amz-server-side-encryption-context";
const BUCKET_KEY: &str = "x-amz-server-side-encryption-bucket-key-enabled";
const ALGORITHM: (&str, &str) = ("x-amz-server-side-encryption-customer-algorithm", "AES256");
const KEY: &str = "x-amz-server-side-encryption-customer-key";
const MD5: &str = "x-amz-server-side-encryption-customer-key-md5";
const UUID: &str = "134f2428-cec1-4b25-a1ae-9048164dba47";

/// An operation that writes `photos/key`.
#[derive(Clone, Copy, Debug)]
enum Write {
    Put,
    Copy,
    Form,
    Create,
}

const WRITES: [Write; 4] = [Write::Put, Write::Copy, Write::Form, Write::Create];

impl Write {
    async fn ask(self, keyed: &Keyed, headers: &[(&str, &str)]) -> Answer {
        let address = keyed.server.address();
        let source = [("x-amz-copy-source", "/photos/source")];
        match self {
            Self::Put => send_body(address, "PUT /photos/key", headers, b"x").await,
            Self::Copy => send(address, "PUT /photos/key", &[&source, headers].concat()).await,
            Self::Create => send(address, "POST /photos/key?uploads", headers).await,
            Self::Form => {
                let form = headers
                    .iter()
                    .fold(Form::new("key", "x"), |form, (name, value)| {
                        form.field(name, value)
                    });
                form.signed().post(&keyed.server).await
            }
        }
    }
}

async fn believing() -> Keyed {
    let believe = |config: &mut strongroom_testkit::Config| {
        config.authentication = Authentication::Off;
    };
    let keyed = Keyed::of(then().config(believe)).await;
    put(&keyed.s3, "source", "x").await;
    keyed
}

/// Asserts that every write refuses these headers so, and that nothing was written nor begun.
async fn assert_refused(
    keyed: &Keyed,
    headers: &[(&str, &str)],
    expected: &(String, u16, String),
    argument: Option<(&str, Option<&str>)>,
) {
    for write in WRITES {
        let answer = write.ask(keyed, headers).await;

        let (code, status, message) = told(&answer);
        let message = message.replace("&apos;", "'");
        assert_eq!(&(code, status, message), expected, "{write:?} {headers:?}");
        let name = answer.element("ArgumentName");
        let value = answer.element("ArgumentValue");
        let (known, shown) = argument.map_or((None, None), |(name, value)| (Some(name), value));
        assert_eq!(
            (name.as_deref(), value.as_deref()),
            (known, shown),
            "{write:?} {headers:?}"
        );
    }
    let objects = keyed.s3.list_objects_v2().bucket("photos").send().await;
    assert_eq!(objects.unwrap().key_count(), Some(1), "{headers:?}");
    let uploads = keyed
        .s3
        .list_multipart_uploads()
        .bucket("photos")
        .send()
        .await;
    assert!(uploads.unwrap().uploads().is_empty(), "{headers:?}");
}

/// Asserts a refusal of KMS's of a key that is named so.
async fn assert_kms_refuses(keyed: &Keyed, kms_key: &str, (code, message): (&str, &str)) {
    for method in ["aws:kms", "aws:kms:dsse"] {
        let headers = [(SSE, method), (KEY_ID, kms_key)];
        assert_refused(keyed, &headers, &says(code, 400, message), None).await;
    }
}

#[tokio::test]
async fn what_is_not_refused_is_written() {
    for write in WRITES {
        let keyed = believing().await;

        let answer = write
            .ask(&keyed, &[(SSE, "aws:kms"), (KEY_ID, "alias/app")])
            .await;

        assert!(
            matches!(answer.status, 200 | 204),
            "{write:?} {}",
            answer.text()
        );
        assert_eq!(answer.header(KEY_ID), Some(keyed.arn.as_str()), "{write:?}");
    }
}

#[tokio::test]
async fn an_unknown_method_is_repeated() {
    let keyed = believing().await;
    let expected = says(
        "InvalidArgument",
        400,
        "The encryption method specified is not supported",
    );
    for method in ["aes256", "AWS:KMS", "aws:foo", ""] {
        assert_refused(
            &keyed,
            &[(SSE, method)],
            &expected,
            Some((SSE, Some(method))),
        )
        .await;
    }
}

#[tokio::test]
async fn a_kms_key_needs_its_method() {
    let keyed = believing().await;
    let message = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms";
    let expected = says("InvalidArgument", 400, message);
    for headers in [
        &[(KEY_ID, "alias/app")][..],
        &[(SSE, "AES256"), (KEY_ID, "alias/app")],
    ] {
        assert_refused(&keyed, headers, &expected, Some((SSE, None))).await;
    }
}

/// The code is a guess; the message is AWS's.
#[tokio::test]
async fn a_context_is_a_map_of_strings() {
    let keyed = believing().await;
    let message = "The header 'x-amz-server-side-encryption-context' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map";
    let expected = says("InvalidArgument", 400, message);
    for context in ["cmVk", "eyJ0ZWFtIjoxfQ=="] {
        let headers = [(SSE, "aws:kms"), (CONTEXT, context)];
        assert_refused(&keyed, &headers, &expected, Some((CONTEXT, None))).await;
    }
}

/// A guess: no answer of AWS's was found.
#[tokio::test]
async fn a_bucket_key_is_wanted_or_not() {
    let keyed = believing().await;
    let message = "Invalid value for header x-amz-server-side-encryption-bucket-key-enabled";
    let expected = says("InvalidArgument", 400, message);
    let headers = [(SSE, "aws:kms"), (BUCKET_KEY, "yes")];
    assert_refused(&keyed, &headers, &expected, Some((BUCKET_KEY, Some("yes")))).await;
}

#[tokio::test]
async fn a_customers_key_goes_with_no_method() {
    let keyed = believing().await;
    let message = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified";
    let expected = says("InvalidArgument", 400, message);
    for method in ["AES256", "aws:kms", "aws:foo"] {
        let headers = [
            (SSE, method),
            ALGORITHM,
            (KEY, CUSTOMER_KEY.0),
            (MD5, CUSTOMER_KEY.1),
        ];
        assert_refused(&keyed, &headers, &expected, Some((SSE, Some(method)))).await;
        assert_refused(
            &keyed,
            &[(SSE, method), ALGORITHM],
            &expected,
            Some((SSE, Some(method))),
        )
        .await;
    }
}

/// Headers, the message that they are refused with, and the value that it shows.
type Case<'c> = (&'c [(&'c str, &'c str)], &'c str, Option<&'c str>);

#[tokio::test]
async fn a_customers_key_is_checked_in_awss_order() {
    let keyed = believing().await;
    let (key, md5) = ((KEY, CUSTOMER_KEY.0), (MD5, CUSTOMER_KEY.1));
    let other = (ALGORITHM.0, "AES128");
    // Of sixteen bytes, with its MD5.
    let (short, its_md5) = (
        (KEY, "MTIzNDU2Nzg5MGFiY2RlZg=="),
        (MD5, "mWzhf2q8n+EmtXql8djJLA=="),
    );
    let cases: &[Case<'_>] = &[
        (
            &[key, md5],
            "Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.",
            None,
        ),
        (
            &[other, md5],
            "Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.",
            None,
        ),
        (
            &[other, key],
            "Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.",
            None,
        ),
        (
            &[other, (KEY, "####"), md5],
            "The secret key was invalid - too short.",
            Some("####"),
        ),
        (
            &[other, key, its_md5],
            "The calculated MD5 hash of the key did not match the hash that was provided.",
            None,
        ),
        (
            &[ALGORITHM, short, its_md5],
            "The secret key was invalid for the specified algorithm.",
            None,
        ),
    ];
    for (headers, message, value) in cases {
        let expected = says("InvalidArgument", 400, message);
        assert_refused(&keyed, headers, &expected, Some((SSE, *value))).await;
    }
    let message = "The Encryption request you specified is not valid. Supported value: AES256.";
    let expected = says("InvalidEncryptionAlgorithmError", 400, message);
    let headers = [other, short, its_md5];
    assert_refused(&keyed, &headers, &expected, Some((SSE, Some("AES128")))).await;
}

#[tokio::test]
async fn kms_does_not_find_a_key() {
    let keyed = believing().await;
    let arn = |rest: &str| format!("arn:aws:kms:us-east-1:000000000000:{rest}");
    let unknown = arn(&format!("key/{UUID}"));
    let abroad = keyed.arn.replace("us-east-1", "us-west-2");
    let cases = [
        ("fake-key-id", "Invalid keyId 'fake-key-id'".to_owned()),
        ("aws/s3", "Invalid keyId 'aws/s3'".to_owned()),
        (UUID, format!("Key '{unknown}' does not exist")),
        (&unknown, format!("Key '{unknown}' does not exist")),
        (&abroad, "Invalid arn us-west-2".to_owned()),
        (
            "alias/missing",
            format!("Alias {} is not found.", arn("alias/missing")),
        ),
    ];
    for (name, message) in cases {
        assert_kms_refuses(&keyed, name, ("KMS.NotFoundException", &message)).await;
    }
}

#[tokio::test]
async fn kms_denies_a_key_of_another_account() {
    let keyed = believing().await;
    let foreign = format!("arn:aws:kms:us-east-1:111122223333:key/{UUID}");
    let message = "User: arn:aws:iam::000000000000:root is not authorized to perform: kms:GenerateDataKey on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access";
    let headers = [(SSE, "aws:kms"), (KEY_ID, foreign.as_str())];
    assert_refused(&keyed, &headers, &says("AccessDenied", 403, message), None).await;
}

#[tokio::test]
async fn kms_refuses_a_key_that_cannot_be_used_now() {
    let keyed = believing().await;

    keyed.disable().await;
    let message = format!("{} is disabled.", keyed.arn);
    assert_kms_refuses(&keyed, "alias/app", ("KMS.DisabledException", &message)).await;

    keyed.schedule_deletion().await;
    let message = format!("{} is pending deletion.", keyed.arn);
    assert_kms_refuses(
        &keyed,
        &keyed.arn,
        ("KMS.KMSInvalidStateException", &message),
    )
    .await;
}

/// Source: KMS's words for its own callers.
#[tokio::test]
async fn kms_refuses_a_key_that_is_not_for_this() {
    let keyed = believing().await;
    let external = keyed.kms.create_key().origin(OriginType::External);
    let empty = external
        .send()
        .await
        .unwrap()
        .key_metadata
        .unwrap()
        .arn
        .unwrap();
    let hmac = keyed.kms.create_key().key_spec(KeySpec::Hmac256);
    let hmac = hmac.key_usage(KeyUsageType::GenerateVerifyMac).send().await;
    let hmac = hmac.unwrap().key_metadata.unwrap().arn.unwrap();

    let message = format!("{empty} is pending import.");
    assert_kms_refuses(&keyed, &empty, ("KMS.KMSInvalidStateException", &message)).await;
    let message =
        format!("{hmac} key usage is GENERATE_VERIFY_MAC which is not valid for GenerateDataKey.");
    assert_kms_refuses(&keyed, &hmac, ("KMS.InvalidKeyUsageException", &message)).await;
}
