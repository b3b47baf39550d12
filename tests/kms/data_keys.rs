//! Data keys: given in the clear and encrypted, or encrypted alone.

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use serde_json::json;

use crate::sdk::{app, decrypt, is, refusal, violation, would_have_succeeded};
use crate::table::{given, members, outcome, told};

#[tokio::test]
async fn a_data_key_is_what_its_ciphertext_holds() {
    let (_server, client) = app().await;

    let generate = client.generate_data_key().key_id("alias/app");
    let made = generate.key_spec(DataKeySpec::Aes256).send().await.unwrap();

    let opened = decrypt(&client, &made.ciphertext_blob.unwrap()).await;
    assert_eq!(Blob::new(opened), made.plaintext.unwrap());
}

#[tokio::test]
async fn its_length_goes_by_spec_or_number() {
    let (_server, client) = app().await;
    let generate = || client.generate_data_key().key_id("alias/app");

    for (generate, length) in [
        (generate().key_spec(DataKeySpec::Aes256), 32),
        (generate().key_spec(DataKeySpec::Aes128), 16),
        (generate().number_of_bytes(1), 1),
        (generate().number_of_bytes(1_024), 1_024),
    ] {
        let made = generate.send().await.unwrap();
        assert_eq!(made.plaintext.unwrap().as_ref().len(), length);
    }
}

#[tokio::test]
async fn no_two_are_the_same() {
    let (_server, client) = app().await;
    let generate = || {
        let generate = client.generate_data_key().key_id("alias/app");
        generate.number_of_bytes(32).send()
    };

    let (one, other) = (generate().await.unwrap(), generate().await.unwrap());

    assert_ne!(one.plaintext, other.plaintext);
}

#[tokio::test]
async fn it_is_told_with_key_and_material() {
    let (server, given) = given().await;
    let key = told(&server, "DescribeKey", &json!({"KeyId": given.key})).await;
    let body = json!({"KeyId": "alias/table", "KeySpec": "AES_256"});

    let shown = told(&server, "GenerateDataKey", &body).await;
    let hidden = told(&server, "GenerateDataKeyWithoutPlaintext", &body).await;

    assert_eq!(
        members(&shown),
        ["CiphertextBlob", "KeyId", "KeyMaterialId", "Plaintext"]
    );
    assert_eq!(
        members(&hidden),
        ["CiphertextBlob", "KeyId", "KeyMaterialId"]
    );
    for answer in [shown, hidden] {
        assert_eq!(answer["KeyId"], given.key);
        assert_eq!(
            answer["KeyMaterialId"],
            key["KeyMetadata"]["CurrentKeyMaterialId"]
        );
    }
}

#[tokio::test]
async fn one_that_is_not_shown_can_be_decrypted() {
    let (_server, client) = app().await;

    let generate = client
        .generate_data_key_without_plaintext()
        .key_id("alias/app");
    let made = generate.number_of_bytes(48).send().await.unwrap();

    assert_eq!(
        decrypt(&client, &made.ciphertext_blob.unwrap()).await.len(),
        48
    );
}

#[tokio::test]
async fn it_is_bound_to_its_context() {
    let (_server, client) = app().await;
    let generate = client.generate_data_key().key_id("alias/app");
    let generate = generate
        .encryption_context("team", "red")
        .number_of_bytes(32);
    let ciphertext = generate.send().await.unwrap().ciphertext_blob.unwrap();

    let decrypt = || client.decrypt().ciphertext_blob(ciphertext.clone());
    let with = decrypt().encryption_context("team", "red").send().await;
    let without = decrypt().send().await;

    assert!(with.is_ok());
    assert_eq!(refusal(without), is("InvalidCiphertextException", ""));
}

#[tokio::test]
async fn its_length_must_be_named_once() {
    let (server, given) = given().await;
    let bodies = [
        json!({"KeyId": given.key}),
        json!({"KeyId": given.key, "KeySpec": "AES_256", "NumberOfBytes": 32}),
    ];

    for body in bodies {
        for operation in ["GenerateDataKey", "GenerateDataKeyWithoutPlaintext"] {
            let outcome = outcome(&server, operation, &body).await;
            let told = "ValidationException: Please specify either number of bytes or key spec.";
            assert_eq!(outcome, told);
        }
    }
}

#[tokio::test]
async fn it_has_1_to_1024_bytes() {
    let (_server, client) = app().await;
    let generate = |count| {
        let generate = client.generate_data_key().key_id("alias/app");
        generate.number_of_bytes(count).send()
    };

    let (none, many) = (generate(0).await, generate(1_025).await);

    let rule = "have value greater than or equal to 1";
    assert_eq!(
        refusal(none),
        violation("Value '0' at 'numberOfBytes'", rule)
    );
    let rule = "have value less than or equal to 1024";
    assert_eq!(
        refusal(many),
        violation("Value '1025' at 'numberOfBytes'", rule)
    );
}

#[tokio::test]
async fn its_spec_is_one_of_two() {
    let (_server, client) = app().await;

    let generate = client.generate_data_key().key_id("alias/app");
    let answer = generate.key_spec(DataKeySpec::from("AES_512")).send().await;

    let rule = "satisfy enum value set: [AES_256, AES_128]";
    assert_eq!(
        refusal(answer),
        violation("Value 'AES_512' at 'keySpec'", rule)
    );
}

#[tokio::test]
async fn a_dry_run_makes_none() {
    let (_server, client) = app().await;

    let shown = client.generate_data_key().key_id("alias/app");
    let shown = shown.number_of_bytes(32).dry_run(true).send().await;
    let hidden = client
        .generate_data_key_without_plaintext()
        .key_id("alias/app");
    let hidden = hidden.number_of_bytes(32).dry_run(true).send().await;

    assert_eq!(refusal(shown), would_have_succeeded());
    assert_eq!(refusal(hidden), would_have_succeeded());
}
