//! Objects that their client encrypted, in the formats of AWS's S3 encryption clients: what is read, and what is refused.
//!
//! Source: `amazon-s3-encryption-client-python` 4.0.0; `tests/clients/test_client_side.py` exchanges objects with it.

use std::collections::HashMap;

use aes::Aes256;
use aws_sdk_s3::primitives::ByteStream;
use base64::prelude::{BASE64_STANDARD, Engine};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt, KeyIvInit};
use strongroom_testkit::{ClientSide, ClientSideError, Format, Written, format_of};

use crate::keyed::Keyed;
use crate::sdk::{noise, upload};

const KEY: &[u8; 32] = b"a wrapping key of thirty-2 bytes";
const OTHER_KEY: &[u8; 32] = b"another wrapping key of 32 bytes";
const IV: [u8; 16] = [7; 16];

/// Both wrappings in both formats.
pub(crate) fn clients(keyed: &Keyed) -> [ClientSide; 4] {
    let kms = ClientSide::kms(&keyed.kms, "alias/app").context("team", "red");
    let aes = ClientSide::aes(*KEY);
    [kms.clone(), kms.v2(), aes.clone(), aes.v2()]
}

/// Puts an object with metadata of any kind.
pub(crate) async fn put_written(keyed: &Keyed, key: &str, written: Written) {
    let put = upload(&keyed.s3, key, written.body).set_metadata(Some(written.metadata));
    put.send().await.unwrap();
}

/// The same object with one value of its metadata replaced.
fn with(written: &Written, name: &str, value: &str) -> Written {
    let mut changed = written.clone();
    let replaced = changed.metadata.insert(name.to_owned(), value.to_owned());
    assert!(replaced.is_some(), "{name} is there");
    changed
}

/// Base64 with its first byte changed.
fn flipped(encoded: &str) -> String {
    let mut bytes = BASE64_STANDARD.decode(encoded).unwrap();
    bytes[0] ^= 1;
    BASE64_STANDARD.encode(bytes)
}

async fn read(client: &ClientSide, written: &Written) -> Result<Vec<u8>, ClientSideError> {
    client.read(&written.metadata, &written.body).await
}

fn kms(code: &str) -> impl Fn(&ClientSideError) -> bool {
    move |error| matches!(error, ClientSideError::Kms { code: found, .. } if found == code)
}

#[tokio::test]
async fn every_size_reads_back_in_each_format_and_wrapping() {
    let keyed = Keyed::start().await;

    for client in clients(&keyed) {
        for size in [0, 1, 15, 16, 17, 100_000] {
            let body = noise(size);

            client.put(&keyed.s3, "photos", "key", &body).await.unwrap();

            let got = client.get(&keyed.s3, "photos", "key").await;
            assert_eq!(got.as_ref(), Ok(&body), "{size} bytes, {client:?}");
        }
    }
}

#[tokio::test]
async fn what_is_written_names_its_format() {
    let keyed = Keyed::start().await;
    let [kms_v3, kms_v2, aes_v3, aes_v2] = clients(&keyed);
    let cases = [
        (kms_v3, Format::V3, ("x-amz-w", "12")),
        (kms_v2, Format::V2, ("x-amz-wrap-alg", "kms+context")),
        (aes_v3, Format::V3, ("x-amz-w", "02")),
        (aes_v2, Format::V2, ("x-amz-wrap-alg", "AES/GCM")),
    ];

    for (client, format, (name, wrapping)) in cases {
        let written = client.write(b"secret").await.unwrap();

        assert_eq!(format_of(&written.metadata), Ok(format));
        assert_eq!(written.metadata[name], wrapping);
        assert_eq!(written.body.len(), 22);
    }
}

#[tokio::test]
async fn the_metadata_are_those_of_awss_clients() {
    let keyed = Keyed::start().await;
    let [v3, v2, ..] = clients(&keyed);

    let v3 = v3.write(b"secret").await.unwrap().metadata;
    let v2 = v2.write(b"secret").await.unwrap().metadata;

    let length = |metadata: &HashMap<String, String>, name: &str| {
        BASE64_STANDARD.decode(&metadata[name]).unwrap().len()
    };
    let names = |metadata: &HashMap<String, String>| {
        let mut names: Vec<_> = metadata.keys().cloned().collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(
        names(&v3),
        "x-amz-3 x-amz-c x-amz-d x-amz-i x-amz-t x-amz-w"
    );
    assert_eq!(v3["x-amz-c"], "115");
    assert_eq!(v3["x-amz-t"], r#"{"aws:x-amz-cek-alg":"115","team":"red"}"#);
    assert_eq!((length(&v3, "x-amz-d"), length(&v3, "x-amz-i")), (28, 28));
    assert_eq!(
        names(&v2),
        "x-amz-cek-alg x-amz-iv x-amz-key-v2 x-amz-matdesc x-amz-tag-len x-amz-wrap-alg"
    );
    let context = r#"{"aws:x-amz-cek-alg":"AES/GCM/NoPadding","team":"red"}"#;
    assert_eq!(v2["x-amz-matdesc"], context);
    assert_eq!(
        (v2["x-amz-tag-len"].as_str(), length(&v2, "x-amz-iv")),
        ("128", 12)
    );
}

#[tokio::test]
async fn a_key_of_kms_may_be_named_in_each_way() {
    let keyed = Keyed::start().await;
    let alias = keyed
        .arn
        .replace(&format!("key/{}", keyed.id()), "alias/app");

    for name in [keyed.id(), &keyed.arn, "alias/app", &alias] {
        let client = ClientSide::kms(&keyed.kms, name);
        let written = client.write(b"secret").await.unwrap();
        assert_eq!(read(&client, &written).await.as_deref(), Ok(&b"secret"[..]));
    }
}

#[tokio::test]
async fn each_flipped_byte_is_refused() {
    let keyed = Keyed::start().await;

    for client in clients(&keyed) {
        let written = client.write(b"secret").await.unwrap();
        for at in 0..written.body.len() {
            let mut changed = written.clone();
            changed.body[at] ^= 1;
            let refused = read(&client, &changed).await;
            assert_eq!(refused, Err(ClientSideError::BodyRefused), "byte {at}");
        }
        let mut cut = written;
        cut.body.truncate(15);
        assert_eq!(read(&client, &cut).await, Err(ClientSideError::BodyRefused));
    }
}

#[tokio::test]
async fn a_flipped_byte_of_the_metadata_is_refused() {
    let keyed = Keyed::start().await;
    let [kms_v3, _, aes_v3, aes_v2] = clients(&keyed);
    let cases = [
        (&aes_v3, "x-amz-3", ClientSideError::DataKeyRefused),
        (&aes_v3, "x-amz-i", ClientSideError::CommitmentMismatch),
        (&aes_v3, "x-amz-d", ClientSideError::CommitmentMismatch),
        (&aes_v2, "x-amz-key-v2", ClientSideError::DataKeyRefused),
        (&aes_v2, "x-amz-iv", ClientSideError::BodyRefused),
    ];

    for (client, name, error) in cases {
        let written = client.write(b"secret").await.unwrap();
        let changed = with(&written, name, &flipped(&written.metadata[name]));
        assert_eq!(read(client, &changed).await, Err(error), "{name}");
    }
    let written = kms_v3.write(b"secret").await.unwrap();
    let changed = with(&written, "x-amz-3", &flipped(&written.metadata["x-amz-3"]));
    let refused = read(&kms_v3, &changed).await.unwrap_err();
    assert!(kms("InvalidCiphertextException")(&refused), "{refused}");
}

#[tokio::test]
async fn a_commitment_to_another_key_is_refused() {
    let keyed = Keyed::start().await;
    for client in [&clients(&keyed)[0], &clients(&keyed)[2]] {
        let one = client.write(b"secret").await.unwrap();
        let other = client.write(b"secret").await.unwrap();

        let changed = with(&one, "x-amz-d", &other.metadata["x-amz-d"]);

        let refused = read(client, &changed).await;
        assert_eq!(refused, Err(ClientSideError::CommitmentMismatch));
    }
}

#[tokio::test]
async fn another_context_is_refused() {
    let keyed = Keyed::start().await;
    for client in &clients(&keyed)[..2] {
        let written = client.write(b"secret").await.unwrap();
        let stranger = ClientSide::kms(&keyed.kms, "alias/app");

        for other in [stranger.clone(), stranger.clone().context("team", "blue")] {
            let refused = read(&other, &written).await;
            assert_eq!(refused, Err(ClientSideError::ContextMismatch));
        }
        // Whoever changes the stored context too is stopped by KMS.
        let name = ["x-amz-t", "x-amz-matdesc"];
        let name = name
            .into_iter()
            .find(|name| written.metadata.contains_key(*name));
        let stored = written.metadata[name.unwrap()].replace("red", "blue");
        let changed = with(&written, name.unwrap(), &stored);
        let refused = read(&stranger.context("team", "blue"), &changed).await;
        assert!(kms("InvalidCiphertextException")(&refused.unwrap_err()));
    }
}

#[tokio::test]
async fn another_wrapping_key_is_refused() {
    let keyed = Keyed::start().await;
    let other = keyed.another_key().await;
    let [kms_v3, kms_v2, aes_v3, aes_v2] = clients(&keyed);

    for client in [aes_v3, aes_v2] {
        let written = client.write(b"secret").await.unwrap();
        let refused = read(&ClientSide::aes(*OTHER_KEY), &written).await;
        assert_eq!(refused, Err(ClientSideError::DataKeyRefused));
        let refused = read(&kms_v3.clone(), &written).await;
        let wrapping = ClientSideError::OtherWrapping("AES/GCM".to_owned());
        assert_eq!(refused, Err(wrapping));
    }
    for client in [kms_v3, kms_v2] {
        let written = client.write(b"secret").await.unwrap();
        let stranger = ClientSide::kms(&keyed.kms, &other).context("team", "red");
        let refused = read(&stranger, &written).await.unwrap_err();
        assert!(kms("IncorrectKeyException")(&refused), "{refused}");
        let refused = read(&ClientSide::aes(*KEY).context("team", "red"), &written).await;
        let wrapping = ClientSideError::OtherWrapping("kms+context".to_owned());
        assert_eq!(refused, Err(wrapping));
    }
}

#[tokio::test]
async fn a_disabled_key_opens_nothing() {
    let keyed = Keyed::start().await;
    let client = ClientSide::kms(&keyed.kms, "alias/app");
    let written = client.write(b"secret").await.unwrap();

    keyed.disable().await;

    let refused = read(&client, &written).await.unwrap_err();
    assert!(kms("DisabledException")(&refused), "{refused}");
    let refused = client.write(b"secret").await.unwrap_err();
    assert!(kms("DisabledException")(&refused), "{refused}");
}

#[tokio::test]
async fn a_bad_context_is_refused_before_kms_is_asked() {
    let keyed = Keyed::start().await;
    let client = ClientSide::kms(&keyed.kms, "alias/app");

    let reserved = client.clone().context("aws:x-amz-cek-alg", "115");
    let foreign = client.context("team", "größe");

    let refused = reserved.write(b"secret").await;
    assert_eq!(refused, Err(ClientSideError::ReservedContext));
    let refused = foreign.write(b"secret").await;
    let not_ascii = ClientSideError::ContextNotAscii("größe".to_owned());
    assert_eq!(refused, Err(not_ascii));
    let mut calls = keyed.server.kms_calls();
    calls.retain(|call| call.operation == "GenerateDataKey");
    assert_eq!(calls, []);
}

#[tokio::test]
async fn keys_of_two_formats_on_one_object_are_refused() {
    let keyed = Keyed::start().await;
    let [_, _, v3, v2] = clients(&keyed);
    let mut mixed = v3.write(b"secret").await.unwrap();
    mixed
        .metadata
        .extend(v2.write(b"secret").await.unwrap().metadata);
    put_written(&keyed, "key", mixed).await;

    let refused = v3.get(&keyed.s3, "photos", "key").await;

    assert_eq!(refused, Err(ClientSideError::TwoFormats));
}

/// What V1's clients wrote under KMS: the context is their own, and the body is AES-CBC.
async fn written_of_old(keyed: &Keyed, key_name: &str, body: &[u8]) -> Written {
    let call = keyed.kms.generate_data_key().key_id(&keyed.arn);
    let call = call.key_spec(aws_sdk_kms::types::DataKeySpec::Aes256);
    let made = call.encryption_context("kms_cmk_id", &keyed.arn);
    let made = made.send().await.unwrap();
    let data_key = made.plaintext().unwrap().as_ref().try_into().unwrap();
    let encryptor = cbc::Encryptor::<Aes256>::new(data_key, &IV.into());
    let wrapped = made.ciphertext_blob().unwrap().as_ref();
    let fields = [
        (key_name, BASE64_STANDARD.encode(wrapped)),
        ("x-amz-iv", BASE64_STANDARD.encode(IV)),
        (
            "x-amz-matdesc",
            format!(r#"{{"kms_cmk_id":"{}"}}"#, keyed.arn),
        ),
        ("x-amz-wrap-alg", "kms".to_owned()),
        ("x-amz-cek-alg", "AES/CBC/PKCS5Padding".to_owned()),
        ("x-amz-unencrypted-content-length", body.len().to_string()),
    ];
    Written {
        body: encryptor.encrypt_padded_vec::<Pkcs7>(body),
        metadata: fields.map(|(name, value)| (name.to_owned(), value)).into(),
    }
}

#[tokio::test]
async fn what_v1_wrote_under_kms_is_read() {
    let keyed = Keyed::start().await;
    let client = ClientSide::kms(&keyed.kms, "alias/app");

    for key_name in ["x-amz-key", "x-amz-key-v2"] {
        for size in [0, 15, 16, 17, 100_000] {
            let body = noise(size);
            put_written(&keyed, "key", written_of_old(&keyed, key_name, &body).await).await;

            let got = client.get(&keyed.s3, "photos", "key").await;
            assert_eq!(got, Ok(body), "{key_name}, {size} bytes");
        }
    }
    let client = client.context("team", "red");
    let refused = client.get(&keyed.s3, "photos", "key").await;
    assert_eq!(refused, Err(ClientSideError::ContextMismatch));
}

#[tokio::test]
async fn plaintext_is_told_from_what_is_encrypted() {
    let keyed = Keyed::start().await;
    let body = ByteStream::from_static(b"plain");
    let put = keyed.s3.put_object().bucket("photos").key("key").body(body);
    put.send().await.unwrap();

    let refused = ClientSide::aes(*KEY).get(&keyed.s3, "photos", "key").await;

    let missing = ClientSideError::NoInstructionFile("key.instruction".to_owned());
    assert_eq!(refused, Err(missing));
    let refused = ClientSide::aes(*KEY).read(&HashMap::new(), b"plain").await;
    assert_eq!(refused, Err(ClientSideError::NotEncrypted));
}
