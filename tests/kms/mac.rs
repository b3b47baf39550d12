//! Message authentication codes, and keys that make nothing else.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, MacAlgorithmSpec};

use crate::sdk::{app, app_arn, is, key_of, refusal, would_have_succeeded};

const MESSAGE: &[u8] = b"what do ya want for nothing?";

/// A key of a spec; its ARN.
async fn mac_key(client: &Client, spec: KeySpec) -> String {
    key_of(client, spec, KeyUsageType::GenerateVerifyMac).await
}

async fn code(client: &Client, key: &str, algorithm: MacAlgorithmSpec) -> Blob {
    let generate = client.generate_mac().key_id(key).mac_algorithm(algorithm);
    let answer = generate.message(Blob::new(MESSAGE)).send().await.unwrap();
    assert_eq!(answer.key_id.as_deref(), Some(key));
    answer.mac.unwrap()
}

#[tokio::test]
async fn every_spec_makes_codes_of_its_own_length_and_checks_them() {
    let (_server, client) = app().await;
    let specs = [
        (KeySpec::Hmac224, MacAlgorithmSpec::HmacSha224, 28),
        (KeySpec::Hmac256, MacAlgorithmSpec::HmacSha256, 32),
        (KeySpec::Hmac384, MacAlgorithmSpec::HmacSha384, 48),
        (KeySpec::Hmac512, MacAlgorithmSpec::HmacSha512, 64),
    ];
    for (spec, algorithm, length) in specs {
        let key = mac_key(&client, spec).await;

        let code = code(&client, &key, algorithm.clone()).await;
        let verify = client.verify_mac().key_id(&key).mac_algorithm(algorithm);
        let verify = verify.message(Blob::new(MESSAGE)).mac(code.clone());

        assert_eq!(code.as_ref().len(), length);
        assert!(verify.send().await.unwrap().mac_valid);
    }
}

#[tokio::test]
async fn another_message_and_a_cut_code_are_refused_without_a_word() {
    let (_server, client) = app().await;
    let key = mac_key(&client, KeySpec::Hmac256).await;
    let good = code(&client, &key, MacAlgorithmSpec::HmacSha256).await;
    let cut = Blob::new(&good.as_ref()[..31]);

    for (message, code) in [(&b"other"[..], good), (MESSAGE, cut)] {
        let verify = client.verify_mac().key_id(&key).mac(code);
        let verify = verify.mac_algorithm(MacAlgorithmSpec::HmacSha256);
        let refused = verify.message(Blob::new(message)).send().await;

        assert_eq!(refusal(refused), is("KMSInvalidMacException", ""));
    }
}

#[tokio::test]
async fn another_specs_algorithm_is_incompatible() {
    let (_server, client) = app().await;
    let key = mac_key(&client, KeySpec::Hmac256).await;

    let generate = client.generate_mac().key_id(&key).message(Blob::new("x"));
    let refused = generate.mac_algorithm(MacAlgorithmSpec::HmacSha512).send();

    let told = "Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256.";
    assert_eq!(refusal(refused.await), is("InvalidKeyUsageException", told));
}

#[tokio::test]
async fn a_key_does_only_what_it_is_made_for() {
    let (_server, client) = app().await;
    let (symmetric, hmac) = (
        app_arn(&client).await,
        mac_key(&client, KeySpec::Hmac256).await,
    );

    let encrypt = client.encrypt().key_id(&hmac).plaintext(Blob::new("x"));
    let encrypted = encrypt.send().await;
    let data_key = client.generate_data_key().key_id(&hmac).number_of_bytes(1);
    let generated = data_key.send().await;
    let mac = client.generate_mac().key_id(&symmetric);
    let mac = mac.mac_algorithm(MacAlgorithmSpec::HmacSha256);
    let made = mac.message(Blob::new("x")).send().await;

    let wrong = |key: &str, usage: &str, operation: &str| {
        let told = format!("{key} key usage is {usage} which is not valid for {operation}.");
        is("InvalidKeyUsageException", &told)
    };
    let usage = "GENERATE_VERIFY_MAC";
    assert_eq!(refusal(encrypted), wrong(&hmac, usage, "Encrypt"));
    assert_eq!(refusal(generated), wrong(&hmac, usage, "GenerateDataKey"));
    let usage = "ENCRYPT_DECRYPT";
    assert_eq!(refusal(made), wrong(&symmetric, usage, "GenerateMac"));
}

#[tokio::test]
async fn a_key_tells_its_algorithm_and_no_material() {
    let (_server, client) = app().await;

    let create = client.create_key().key_spec(KeySpec::Hmac384);
    let create = create.key_usage(KeyUsageType::GenerateVerifyMac);
    let made = create.send().await.unwrap().key_metadata.unwrap();

    assert_eq!(made.mac_algorithms(), [MacAlgorithmSpec::HmacSha384]);
    assert!(made.encryption_algorithms().is_empty());
    assert_eq!(made.current_key_material_id, None);
}

#[tokio::test]
async fn it_never_turns() {
    let (_server, client) = app().await;
    let key = mac_key(&client, KeySpec::Hmac256).await;

    let enabled = client.enable_key_rotation().key_id(&key).send().await;
    let turned = client.rotate_key_on_demand().key_id(&key).send().await;
    let status = client.get_key_rotation_status().key_id(&key).send().await;

    let told = is("UnsupportedOperationException", "");
    assert_eq!((refusal(enabled), refusal(turned)), (told.clone(), told));
    assert!(!status.unwrap().key_rotation_enabled);
}

#[tokio::test]
async fn a_spec_needs_its_usage() {
    let (_server, client) = app().await;

    let create = client.create_key().key_spec(KeySpec::Hmac256);
    let without = create.clone().send().await;
    let other = create.key_usage(KeyUsageType::EncryptDecrypt).send().await;

    let told =
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
    assert_eq!(refusal(without), is("ValidationException", told));
    let told = "KeyUsage ENCRYPT_DECRYPT is not compatible with KeySpec HMAC_256";
    assert_eq!(refusal(other), is("ValidationException", told));
}

#[tokio::test]
async fn a_dry_run_makes_no_code() {
    let (_server, client) = app().await;
    let key = mac_key(&client, KeySpec::Hmac256).await;

    let generate = client.generate_mac().key_id(&key).message(Blob::new("x"));
    let generate = generate.mac_algorithm(MacAlgorithmSpec::HmacSha256);
    let refused = generate.dry_run(true).send().await;

    assert_eq!(refusal(refused), would_have_succeeded());
}
