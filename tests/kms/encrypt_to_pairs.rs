//! Encryption to RSA keys: by KMS, and what it costs that such a ciphertext names nothing.

use std::collections::HashMap;

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{EncryptionAlgorithmSpec, KeySpec, KeyUsageType};
use serde_json::json;

use crate::sdk::{app, encrypt, is, key_of, refusal, would_have_succeeded};
use crate::table::{given, members, told};

const SHA_1: EncryptionAlgorithmSpec = EncryptionAlgorithmSpec::RsaesOaepSha1;
const SHA_256: EncryptionAlgorithmSpec = EncryptionAlgorithmSpec::RsaesOaepSha256;

async fn pair(client: &Client, spec: KeySpec) -> String {
    key_of(client, spec, KeyUsageType::EncryptDecrypt).await
}

async fn seal(
    client: &Client,
    key: &str,
    algorithm: EncryptionAlgorithmSpec,
    plaintext: &[u8],
) -> Result<Blob, (String, String)> {
    let encrypt = client.encrypt().key_id(key).plaintext(Blob::new(plaintext));
    match encrypt.encryption_algorithm(algorithm.clone()).send().await {
        Ok(answer) => {
            assert_eq!(answer.encryption_algorithm, Some(algorithm));
            Ok(answer.ciphertext_blob.unwrap())
        }
        refused => Err(refusal(refused)),
    }
}

async fn open(
    client: &Client,
    key: &str,
    algorithm: EncryptionAlgorithmSpec,
    ciphertext: &[u8],
) -> Result<Vec<u8>, (String, String)> {
    let decrypt = client.decrypt().ciphertext_blob(Blob::new(ciphertext));
    let decrypt = decrypt.key_id(key).encryption_algorithm(algorithm.clone());
    match decrypt.send().await {
        Ok(answer) => {
            assert_eq!(answer.encryption_algorithm, Some(algorithm));
            assert_eq!(answer.key_material_id, None);
            Ok(answer.plaintext.unwrap().into_inner())
        }
        refused => Err(refusal(refused)),
    }
}

#[tokio::test]
async fn what_was_encrypted_opens_with_the_same_key_and_algorithm_alone() {
    let (_server, client) = app().await;
    let key = pair(&client, KeySpec::Rsa2048).await;
    let other = pair(&client, KeySpec::Rsa2048).await;
    for (algorithm, otherwise) in [(SHA_1, SHA_256), (SHA_256, SHA_1)] {
        let sealed = seal(&client, &key, algorithm.clone(), b"secret").await;
        let mut sealed = sealed.unwrap().into_inner();

        assert_eq!(sealed.len(), 256);
        let opened = open(&client, &key, algorithm.clone(), &sealed).await;
        assert_eq!(opened.unwrap(), b"secret");
        let invalid = is("InvalidCiphertextException", "");
        let opened = open(&client, &key, otherwise, &sealed).await;
        assert_eq!(opened.unwrap_err(), invalid);
        let opened = open(&client, &other, algorithm.clone(), &sealed).await;
        assert_eq!(opened.unwrap_err(), invalid);
        sealed[100] ^= 1;
        let opened = open(&client, &key, algorithm, &sealed).await;
        assert_eq!(opened.unwrap_err(), invalid);
    }
}

/// Source: recorded answers (`test_encrypt_validate_plaintext_size_per_key_type`), and RFC 8017 §7.1.1.
#[tokio::test]
async fn a_plaintext_fits_into_one_block() {
    let (_server, client) = app().await;
    let specs = [
        (KeySpec::Rsa2048, 214, 190),
        (KeySpec::Rsa3072, 342, 318),
        (KeySpec::Rsa4096, 470, 446),
    ];
    for (spec, most_sha_1, most_sha_256) in specs {
        let key = pair(&client, spec.clone()).await;
        for (algorithm, most) in [(SHA_1, most_sha_1), (SHA_256, most_sha_256)] {
            let plaintext = vec![7; most + 1];

            let sealed = seal(&client, &key, algorithm.clone(), &plaintext[1..]).await;
            let sealed = sealed.unwrap();
            let refused = seal(&client, &key, algorithm.clone(), &plaintext).await;

            let opened = open(&client, &key, algorithm.clone(), sealed.as_ref()).await;
            assert_eq!(opened.unwrap(), plaintext[1..]);
            let told = format!(
                "Algorithm {algorithm} and key spec {spec} cannot encrypt data larger than {most} bytes."
            );
            assert_eq!(refused.unwrap_err(), is("ValidationException", &told));
        }
    }
}

/// Source: <https://github.com/getsops/sops/issues/684> has the words.
#[tokio::test]
async fn the_algorithm_has_to_be_named() {
    let (_server, client) = app().await;
    let key = pair(&client, KeySpec::Rsa2048).await;

    let encrypt = client.encrypt().key_id(&key).plaintext(Blob::new("x"));
    let encrypted = encrypt.send().await;
    let decrypt = client.decrypt().key_id(&key);
    let decrypt = decrypt.ciphertext_blob(Blob::new([7; 256]));
    let decrypted = decrypt.send().await;
    let symmetric = seal(&client, "alias/app", SHA_256, b"x").await;

    let told = "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.";
    assert_eq!(refusal(encrypted), is("InvalidKeyUsageException", told));
    assert_eq!(refusal(decrypted), is("InvalidKeyUsageException", told));
    let told = "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.";
    assert_eq!(symmetric.unwrap_err(), is("InvalidKeyUsageException", told));
}

// AWS: unverified. The exception; that the key has to be named is documented.
#[tokio::test]
async fn the_key_has_to_be_named() {
    let (_server, client) = app().await;
    let key = pair(&client, KeySpec::Rsa2048).await;
    let sealed = seal(&client, &key, SHA_256, b"secret").await.unwrap();

    let decrypt = client.decrypt().ciphertext_blob(sealed);
    let opened = decrypt.encryption_algorithm(SHA_256).send().await;

    assert_eq!(refusal(opened), is("InvalidCiphertextException", ""));
}

// AWS: unverified. Exception and words; that it is not supported is documented.
#[tokio::test]
async fn nothing_can_be_bound_to_it() {
    let (_server, client) = app().await;
    let key = pair(&client, KeySpec::Rsa2048).await;

    let encrypt = client.encrypt().key_id(&key).plaintext(Blob::new("x"));
    let encrypt = encrypt.encryption_algorithm(SHA_256);
    let encrypted = encrypt.encryption_context("team", "red").send().await;

    let told = "An encryption context is valid for symmetric encryption keys alone.";
    assert_eq!(refusal(encrypted), is("ValidationException", told));
}

#[tokio::test]
async fn it_is_encrypted_again_to_and_from_other_kinds_of_keys() {
    let (_server, client) = app().await;
    let key = pair(&client, KeySpec::Rsa2048).await;
    let context = HashMap::from([("team".to_owned(), "red".to_owned())]);
    let symmetric = encrypt(&client, "alias/app", b"secret").await;

    let to = client.re_encrypt().ciphertext_blob(symmetric);
    let to = to.destination_key_id(&key);
    let to = to.destination_encryption_algorithm(SHA_256);
    let there = to.send().await.unwrap();
    let from = client.re_encrypt().source_key_id(&key);
    let from = from.ciphertext_blob(there.ciphertext_blob.unwrap());
    let from = from.source_encryption_algorithm(SHA_256);
    let from = from.destination_key_id("alias/app");
    let from = from.set_destination_encryption_context(Some(context.clone()));
    let back = from.send().await.unwrap();

    assert_eq!(there.destination_encryption_algorithm, Some(SHA_256));
    assert_eq!(there.destination_key_material_id, None);
    assert!(there.source_key_material_id.is_some());
    assert_eq!(back.source_encryption_algorithm, Some(SHA_256));
    assert_eq!(back.source_key_material_id, None);
    assert!(back.destination_key_material_id.is_some());
    let decrypt = client.decrypt().set_encryption_context(Some(context));
    let opened = decrypt.ciphertext_blob(back.ciphertext_blob.unwrap());
    let opened = opened.send().await.unwrap().plaintext.unwrap();
    assert_eq!(opened.as_ref(), b"secret");
}

#[tokio::test]
async fn the_answer_names_no_material() {
    let (server, _) = given().await;
    let body = json!({"KeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT"});
    let made = told(&server, "CreateKey", &body).await;
    let key = &made["KeyMetadata"]["Arn"];
    let algorithm = "RSAES_OAEP_SHA_1";
    let body = json!({"KeyId": key, "EncryptionAlgorithm": algorithm, "Plaintext": "c2VjcmV0"});

    let sealed = told(&server, "Encrypt", &body).await;
    let ciphertext = &sealed["CiphertextBlob"];
    let body =
        json!({"KeyId": key, "EncryptionAlgorithm": algorithm, "CiphertextBlob": ciphertext});
    let opened = told(&server, "Decrypt", &body).await;

    assert_eq!(opened["Plaintext"], "c2VjcmV0");
    assert_eq!(
        members(&opened),
        ["EncryptionAlgorithm", "KeyId", "Plaintext"]
    );
}

#[tokio::test]
async fn a_dry_run_encrypts_nothing() {
    let (_server, client) = app().await;
    let key = pair(&client, KeySpec::Rsa2048).await;

    let encrypt = client.encrypt().key_id(&key).plaintext(Blob::new("x"));
    let encrypt = encrypt.encryption_algorithm(SHA_256).dry_run(true);

    assert_eq!(refusal(encrypt.send().await), would_have_succeeded());
}
