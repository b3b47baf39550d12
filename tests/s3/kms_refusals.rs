//! What S3 says where KMS refuses: to writes, to reads, and to copies on either side.
//!
//! Source: answers recorded and quoted from AWS, unless a test says otherwise.

use aws_sdk_kms::types::{KeySpec, KeyUsageType};
use aws_sdk_s3::types::ServerSideEncryption;
use strongroom_tests::{Answer, send};

use crate::keyed::Keyed;
use crate::sdk::{copy, get, head, put, read, refused, says, upload_under};

const UUID: &str = "134f2428-cec1-4b25-a1ae-9048164dba47";
const SSE: &str = "x-amz-server-side-encryption";
const KEY_ID: &str = "x-amz-server-side-encryption-aws-kms-key-id";

/// What a PUT under a key is refused with, and a copy onto one.
async fn refused_writes(keyed: &Keyed, kms_key: &str) -> [(String, u16, String); 2] {
    put(&keyed.s3, "source", "x").await;
    let put = upload_under(&keyed.s3, kms_key, "key", "x").send().await;
    let copied = copy(&keyed.s3, "source", "key")
        .server_side_encryption(ServerSideEncryption::AwsKms)
        .ssekms_key_id(kms_key)
        .send()
        .await;
    [refused(put), refused(copied)]
}

async fn assert_not_found(keyed: &Keyed, kms_key: &str, message: &str) {
    let expected = says("KMS.NotFoundException", 400, message);
    assert_eq!(
        refused_writes(keyed, kms_key).await,
        [expected.clone(), expected]
    );
}

/// What reads of `photos/key` are refused with: a GET, a range of it, and a copy from it.
async fn refused_reads(keyed: &Keyed) -> [(String, u16, String); 3] {
    [
        refused(read(&keyed.s3, "key").send().await),
        refused(read(&keyed.s3, "key").range("bytes=0-0").send().await),
        refused(copy(&keyed.s3, "key", "copy").send().await),
    ]
}

#[tokio::test]
async fn what_can_be_no_key_id_is_named_as_it_was_sent() {
    let keyed = Keyed::start().await;
    let undashed = UUID.replace('-', "");

    for id in ["fake-key-id", "mrk-fake-key-id", "aws/s3", &undashed] {
        assert_not_found(&keyed, id, &format!("Invalid keyId '{id}'")).await;
    }
}

#[tokio::test]
async fn an_unknown_key_is_named_by_its_arn() {
    let keyed = Keyed::start().await;
    let arn = format!("arn:aws:kms:us-east-1:000000000000:key/{UUID}");
    let message = format!("Key '{arn}' does not exist");

    assert_not_found(&keyed, UUID, &message).await;
    assert_not_found(&keyed, &arn, &message).await;
}

#[tokio::test]
async fn a_key_of_another_region_is_refused_by_the_name_of_the_region() {
    let keyed = Keyed::start().await;
    let abroad = keyed.arn.replace("us-east-1", "us-west-2");

    assert_not_found(&keyed, &abroad, "Invalid arn us-west-2").await;
}

/// Source: KMS's words for its own callers.
#[tokio::test]
async fn an_unknown_alias_is_named_by_its_arn() {
    let keyed = Keyed::start().await;
    let arn = "arn:aws:kms:us-east-1:000000000000:alias/missing";
    let message = format!("Alias {arn} is not found.");

    assert_not_found(&keyed, "alias/missing", &message).await;
    assert_not_found(&keyed, arn, &message).await;
}

#[tokio::test]
async fn a_key_of_another_account_is_denied() {
    let keyed = Keyed::start().await;
    let foreign = format!("arn:aws:kms:us-east-1:111122223333:key/{UUID}");

    let refusals = refused_writes(&keyed, &foreign).await;

    let message = "User: arn:aws:iam::000000000000:root is not authorized to perform: kms:GenerateDataKey on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access";
    let denied = says("AccessDenied", 403, message);
    assert_eq!(refusals, [denied.clone(), denied]);
}

#[tokio::test]
async fn a_disabled_key_neither_writes_nor_reads() {
    let keyed = Keyed::start().await;
    upload_under(&keyed.s3, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();

    keyed.disable().await;

    let message = format!("{} is disabled.", keyed.arn);
    let disabled = says("KMS.DisabledException", 400, &message);
    assert_eq!(
        refused_writes(&keyed, "alias/app").await,
        [(); 2].map(|()| disabled.clone())
    );
    assert_eq!(
        refused_reads(&keyed).await,
        [(); 3].map(|()| disabled.clone())
    );
}

#[tokio::test]
async fn a_key_that_waits_for_its_deletion_neither_writes_nor_reads() {
    let keyed = Keyed::start().await;
    upload_under(&keyed.s3, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();

    keyed.schedule_deletion().await;

    let message = format!("{} is pending deletion.", keyed.arn);
    let pending = says("KMS.KMSInvalidStateException", 400, &message);
    assert_eq!(
        refused_writes(&keyed, keyed.id()).await,
        [(); 2].map(|()| pending.clone())
    );
    assert_eq!(
        refused_reads(&keyed).await,
        [(); 3].map(|()| pending.clone())
    );
}

#[tokio::test]
async fn a_key_that_waits_for_its_material_does_not_write() {
    let keyed = Keyed::start().await;
    let external = keyed
        .kms
        .create_key()
        .origin(aws_sdk_kms::types::OriginType::External);
    let made = external.send().await.unwrap();
    let arn = made.key_metadata().unwrap().arn().unwrap();

    let refusals = refused_writes(&keyed, arn).await;

    let message = format!("{arn} is pending import.");
    let pending = says("KMS.KMSInvalidStateException", 400, &message);
    assert_eq!(refusals, [pending.clone(), pending]);
}

/// Source: the exception is documented; the words are KMS's for its own callers.
#[tokio::test]
async fn a_key_that_makes_macs_does_not_write() {
    let keyed = Keyed::start().await;
    let hmac = keyed.kms.create_key().key_spec(KeySpec::Hmac256);
    let made = hmac.key_usage(KeyUsageType::GenerateVerifyMac).send();
    let made = made.await.unwrap().key_metadata.unwrap();
    let arn = made.arn.unwrap();

    let refusals = refused_writes(&keyed, &arn).await;

    let message =
        format!("{arn} key usage is GENERATE_VERIFY_MAC which is not valid for GenerateDataKey.");
    let unfit = says("KMS.InvalidKeyUsageException", 400, &message);
    assert_eq!(refusals, [unfit.clone(), unfit]);
}

/// Source: the exception is documented; the words are KMS's for its own callers.
#[tokio::test]
async fn a_key_pair_does_not_write() {
    let keyed = Keyed::start().await;
    let made = async |spec, usage| {
        let create = keyed.kms.create_key().key_spec(spec).key_usage(usage);
        let made = create.send().await.unwrap().key_metadata.unwrap();
        made.arn.unwrap()
    };
    let signing = made(KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let encrypting = made(KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt).await;

    let under_signing = refused_writes(&keyed, &signing).await;
    let under_encrypting = refused_writes(&keyed, &encrypting).await;

    let message =
        format!("{signing} key usage is SIGN_VERIFY which is not valid for GenerateDataKey.");
    let unfit = says("KMS.InvalidKeyUsageException", 400, &message);
    assert_eq!(under_signing, [unfit.clone(), unfit]);
    // AWS: unverified. The words; KMS has them for `Encrypt`.
    let message = "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.";
    let unfit = says("KMS.InvalidKeyUsageException", 400, message);
    assert_eq!(under_encrypting, [unfit.clone(), unfit]);
}

#[tokio::test]
async fn a_key_that_is_gone_is_unknown_to_writes() {
    let keyed = Keyed::believing().await;

    keyed.delete().await;

    let message = format!("Key '{}' does not exist", keyed.arn);
    assert_not_found(&keyed, keyed.id(), &message).await;
    assert_not_found(&keyed, &keyed.arn, &message).await;
}

/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html>: the aliases of a key go with it.
#[tokio::test]
async fn the_alias_of_a_key_that_is_gone_is_gone_too() {
    let keyed = Keyed::believing().await;

    keyed.delete().await;

    let message = "Alias arn:aws:kms:us-east-1:000000000000:alias/app is not found.";
    assert_not_found(&keyed, "alias/app", message).await;
}

#[tokio::test]
async fn a_key_that_is_gone_is_denied_to_reads() {
    let keyed = Keyed::believing().await;
    upload_under(&keyed.s3, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();

    keyed.delete().await;

    let message = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";
    let denied = says("AccessDenied", 403, message);
    assert_eq!(
        refused_reads(&keyed).await,
        [(); 3].map(|()| denied.clone())
    );
}

#[tokio::test]
async fn a_refused_write_leaves_the_object_that_was_there() {
    let keyed = Keyed::start().await;
    put(&keyed.s3, "key", "before").await;

    refused_writes(&keyed, "alias/missing").await;

    assert_eq!(get(&keyed.s3, "key").await, b"before");
}

/// Source: the model of HeadObject; that HEAD asks KMS nothing else is a reading of the documentation.
#[tokio::test]
async fn head_asks_kms_only_where_it_is_to_tell_the_checksum() {
    let keyed = Keyed::start().await;
    upload_under(&keyed.s3, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();
    keyed.disable().await;
    let before = keyed.asked().len();

    let seen = head(&keyed.s3, "key").send().await.unwrap();

    assert_eq!(seen.ssekms_key_id(), Some(keyed.arn.as_str()));
    assert_eq!(keyed.asked().len(), before);
    let mode = aws_sdk_s3::types::ChecksumMode::Enabled;
    let refused = head(&keyed.s3, "key").checksum_mode(mode).send().await;
    assert_eq!(
        refused
            .unwrap_err()
            .raw_response()
            .unwrap()
            .status()
            .as_u16(),
        400
    );
    assert_eq!(
        keyed.asked().last().unwrap().error.as_deref(),
        Some("DisabledException")
    );
}

#[tokio::test]
async fn a_refused_copy_has_no_declaration_and_a_refused_put_has() {
    let keyed = Keyed::believing().await;
    put(&keyed.s3, "source", "x").await;
    let (sse, id) = ((SSE, "aws:kms"), (KEY_ID, "fake-key-id"));
    let address = keyed.server.address();

    let put = send(address, "PUT /photos/key", &[sse, id]).await;
    let source = ("x-amz-copy-source", "/photos/source");
    let copied = send(address, "PUT /photos/key", &[sse, id, source]).await;

    let opening = |answer: &Answer| answer.text().split('>').next().unwrap().to_owned();
    assert_eq!(opening(&put), "<?xml version=\"1.0\" encoding=\"UTF-8\"?");
    assert_eq!(opening(&copied), "<Error");
    let code = Some("KMS.NotFoundException");
    assert_eq!(
        (
            put.element("Code").as_deref(),
            copied.element("Code").as_deref()
        ),
        (code, code)
    );
    assert_eq!(put.element("ArgumentName"), None);
}
