//! Data key pairs: the private half given in the clear and encrypted, or encrypted alone.
//!
//! That the halves belong together, and that others read them, is for `tests/clients` to show.

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DataKeyPairSpec, KeySpec, KeyUsageType};
use serde_json::json;

use crate::sdk::{app, decrypt, is, key_of, refusal, would_have_succeeded};
use crate::table::{given, members, told};

const SPECS: [DataKeyPairSpec; 6] = [
    DataKeyPairSpec::Rsa2048,
    DataKeyPairSpec::EccNistP256,
    DataKeyPairSpec::EccNistP384,
    DataKeyPairSpec::EccNistP521,
    DataKeyPairSpec::EccSecgP256K1,
    DataKeyPairSpec::EccNistEdwards25519,
];

#[tokio::test]
async fn the_private_half_is_what_its_ciphertext_holds() {
    let (_server, client) = app().await;
    for spec in SPECS {
        let generate = client.generate_data_key_pair().key_id("alias/app");
        let made = generate.key_pair_spec(spec.clone()).send().await.unwrap();

        let sealed = made.private_key_ciphertext_blob.unwrap();
        let opened = decrypt(&client, &sealed).await;
        assert_eq!(made.key_pair_spec, Some(spec));
        assert_eq!(Blob::new(opened), made.private_key_plaintext.unwrap());
        assert!(made.public_key.is_some());
    }
}

#[tokio::test]
async fn no_two_are_the_same() {
    let (_server, client) = app().await;
    let generate = || {
        let generate = client.generate_data_key_pair().key_id("alias/app");
        generate.key_pair_spec(DataKeyPairSpec::EccNistP256).send()
    };

    let (one, other) = (generate().await.unwrap(), generate().await.unwrap());

    assert_ne!(one.public_key, other.public_key);
    assert_ne!(one.private_key_plaintext, other.private_key_plaintext);
}

#[tokio::test]
async fn it_is_told_with_key_and_material() {
    let (server, given) = given().await;
    let body = json!({"KeyId": "alias/table", "KeyPairSpec": "ECC_NIST_P256"});

    let shown = told(&server, "GenerateDataKeyPair", &body).await;
    let hidden = told(&server, "GenerateDataKeyPairWithoutPlaintext", &body).await;

    let of_both = [
        "KeyId",
        "KeyMaterialId",
        "KeyPairSpec",
        "PrivateKeyCiphertextBlob",
        "PublicKey",
    ];
    assert_eq!(members(&hidden), of_both);
    assert_eq!(
        members(&shown),
        [
            "KeyId",
            "KeyMaterialId",
            "KeyPairSpec",
            "PrivateKeyCiphertextBlob",
            "PrivateKeyPlaintext",
            "PublicKey",
        ]
    );
    assert_eq!(shown["KeyId"], given.key);
}

/// Source: recorded answers (`test_encryption_context_generate_data_key_pair_without_plaintext`).
#[tokio::test]
async fn another_context_does_not_open_it() {
    let (_server, client) = app().await;
    let generate = client.generate_data_key_pair_without_plaintext();
    let generate = generate.key_id("alias/app").encryption_context("a", "b");
    let generate = generate.key_pair_spec(DataKeyPairSpec::EccNistP256);
    let sealed = generate.send().await.unwrap().private_key_ciphertext_blob;

    let open = client.decrypt().set_ciphertext_blob(sealed);
    let without = open.clone().send().await;
    let with = open.encryption_context("a", "b").send().await;

    assert_eq!(refusal(without), is("InvalidCiphertextException", ""));
    assert!(with.is_ok());
}

#[tokio::test]
async fn no_pair_holds_another() {
    let (_server, client) = app().await;
    let signing = key_of(&client, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let encrypting = key_of(&client, KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt).await;
    let generate = |key: &str| {
        let generate = client.generate_data_key_pair().key_id(key);
        generate.key_pair_spec(DataKeyPairSpec::EccNistP256).send()
    };

    let under_signing = generate(&signing).await;
    let under_encrypting = generate(&encrypting).await;

    let told =
        format!("{signing} key usage is SIGN_VERIFY which is not valid for GenerateDataKeyPair.");
    assert_eq!(
        refusal(under_signing),
        is("InvalidKeyUsageException", &told)
    );
    let told = "Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.";
    assert_eq!(
        refusal(under_encrypting),
        is("InvalidKeyUsageException", told)
    );
}

#[tokio::test]
async fn a_dry_run_makes_none() {
    let (_server, client) = app().await;

    let shown = client.generate_data_key_pair().key_id("alias/app");
    let shown = shown.key_pair_spec(DataKeyPairSpec::Rsa4096).dry_run(true);
    let hidden = client.generate_data_key_pair_without_plaintext();
    let hidden = hidden.key_id("alias/app").dry_run(true);
    let hidden = hidden.key_pair_spec(DataKeyPairSpec::Rsa4096);

    assert_eq!(refusal(shown.send().await), would_have_succeeded());
    assert_eq!(refusal(hidden.send().await), would_have_succeeded());
}
