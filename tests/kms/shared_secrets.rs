//! Shared secrets: agreed by ECDH, or encapsulated by ML-KEM.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{
    EncapsulationAlgorithmSpec, KeyAgreementAlgorithmSpec, KeySpec, KeyUsageType, OriginType,
};
use serde_json::json;

use crate::sdk::{app, is, key_of, refusal, would_have_succeeded};
use crate::table::{given, outcome, told};

const CURVES: [KeySpec; 3] = [
    KeySpec::EccNistP256,
    KeySpec::EccNistP384,
    KeySpec::EccNistP521,
];
const LATTICES: [(KeySpec, usize); 3] = [
    (KeySpec::MlKem512, 768),
    (KeySpec::MlKem768, 1_088),
    (KeySpec::MlKem1024, 1_568),
];

async fn agreeing(client: &Client, spec: &KeySpec) -> String {
    key_of(client, spec.clone(), KeyUsageType::KeyAgreement).await
}

async fn public(client: &Client, key: &str) -> Blob {
    let told = client.get_public_key().key_id(key).send().await.unwrap();
    told.public_key.unwrap()
}

async fn derive(client: &Client, key: &str, peer: Blob) -> Result<Vec<u8>, (String, String)> {
    let derive = client.derive_shared_secret().key_id(key).public_key(peer);
    let derive = derive.key_agreement_algorithm(KeyAgreementAlgorithmSpec::Ecdh);
    match derive.send().await {
        Ok(answer) => Ok(answer.shared_secret.unwrap().into_inner()),
        refused => Err(refusal(refused)),
    }
}

#[tokio::test]
async fn two_keys_agree_on_each_curve() {
    let (_server, client) = app().await;

    for (spec, length) in CURVES.iter().zip([32, 48, 66]) {
        let (one, other) = (agreeing(&client, spec).await, agreeing(&client, spec).await);
        let ours = derive(&client, &one, public(&client, &other).await)
            .await
            .unwrap();
        let theirs = derive(&client, &other, public(&client, &one).await)
            .await
            .unwrap();

        assert_eq!(ours, theirs, "{spec:?}");
        assert_eq!(ours.len(), length);
    }
}

#[tokio::test]
async fn the_answer_tells_the_key_its_origin_and_the_algorithm() {
    let (_server, client) = app().await;
    let key = agreeing(&client, &KeySpec::EccNistP256).await;

    let derive = client.derive_shared_secret().key_id(&key);
    let derive = derive.public_key(public(&client, &key).await);
    let derive = derive.key_agreement_algorithm(KeyAgreementAlgorithmSpec::Ecdh);
    let answer = derive.send().await.unwrap();

    assert_eq!(answer.key_id.as_deref(), Some(key.as_str()));
    assert_eq!(answer.key_origin, Some(OriginType::AwsKms));
    assert_eq!(
        answer.key_agreement_algorithm,
        Some(KeyAgreementAlgorithmSpec::Ecdh)
    );
    let told = client.get_public_key().key_id(&key).send().await.unwrap();
    assert_eq!(
        told.key_agreement_algorithms(),
        [KeyAgreementAlgorithmSpec::Ecdh]
    );
    assert_eq!(told.key_usage, Some(KeyUsageType::KeyAgreement));
    assert!(told.signing_algorithms().is_empty());
}

#[tokio::test]
async fn what_is_no_public_half_of_the_curve_is_refused() {
    let (_server, client) = app().await;
    let key = agreeing(&client, &KeySpec::EccNistP256).await;
    let other = agreeing(&client, &KeySpec::EccNistP384).await;
    let mut off_the_curve = public(&client, &key).await.into_inner();
    *off_the_curve.last_mut().unwrap() ^= 1;

    let peers = [
        public(&client, &other).await,
        Blob::new(off_the_curve),
        Blob::new(b"none"),
    ];
    for peer in peers {
        let (exception, message) = derive(&client, &key, peer).await.unwrap_err();
        assert_eq!(exception, "ValidationException");
        assert!(message.contains("ECC_NIST_P256"), "{message}");
    }
}

#[tokio::test]
async fn keys_of_another_usage_agree_with_nobody_and_agreeing_ones_sign_nothing() {
    let (_server, client) = app().await;
    let signing = key_of(&client, KeySpec::EccNistP256, KeyUsageType::SignVerify).await;
    let agreeing = agreeing(&client, &KeySpec::EccNistP256).await;

    let derived = derive(&client, &signing, public(&client, &agreeing).await).await;
    let sign = client.sign().key_id(&agreeing).message(Blob::new(b"x"));
    let signed = sign.signing_algorithm("ECDSA_SHA_256".into()).send().await;

    let wrong = |key: &str, usage: &str, operation: &str| {
        let told = format!("{key} key usage is {usage} which is not valid for {operation}.");
        is("InvalidKeyUsageException", &told)
    };
    assert_eq!(
        derived,
        Err(wrong(&signing, "SIGN_VERIFY", "DeriveSharedSecret"))
    );
    assert_eq!(refusal(signed), wrong(&agreeing, "KEY_AGREEMENT", "Sign"));
}

#[tokio::test]
async fn a_dry_run_derives_nothing_and_an_enclave_is_not_served() {
    let (server, given) = given().await;
    let mut body = json!({
        "KeyId": given.agree_key, "KeyAgreementAlgorithm": "ECDH", "PublicKey": given.public, "DryRun": true,
    });

    let dry = outcome(&server, "DeriveSharedSecret", &body).await;
    body["DryRun"] = json!(false);
    body["Recipient"] =
        json!({"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": "eA=="});
    let enclave = outcome(&server, "DeriveSharedSecret", &body).await;
    body["KeyAgreementAlgorithm"] = json!("DH");
    let other = outcome(&server, "DeriveSharedSecret", &body).await;

    let (exception, message) = would_have_succeeded();
    assert_eq!(dry, format!("{exception}: {message}"));
    assert!(
        enclave.starts_with("UnsupportedOperationException"),
        "{enclave}"
    );
    assert!(other.ends_with("Value 'DH' at 'keyAgreementAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [ECDH]"), "{other}");
}

#[tokio::test]
async fn an_encapsulated_secret_is_found_again() {
    let (_server, client) = app().await;

    for (spec, length) in LATTICES {
        let key = key_of(&client, spec, KeyUsageType::EncapsulateDecapsulate).await;
        let algorithm = EncapsulationAlgorithmSpec::MlKem;
        let encapsulate = client.encapsulate().key_id(&key);
        let made = encapsulate
            .encapsulation_algorithm(algorithm.clone())
            .send()
            .await
            .unwrap();
        let ciphertext = made.shared_secret_ciphertext_blob.unwrap();
        let decapsulate = client.decapsulate().key_id(&key);
        let decapsulate = decapsulate.shared_secret_ciphertext_blob(ciphertext.clone());
        let found = decapsulate
            .encapsulation_algorithm(algorithm.clone())
            .send()
            .await
            .unwrap();

        assert_eq!(ciphertext.as_ref().len(), length);
        assert_eq!(made.key_id, Some(key.clone()));
        assert_eq!(found.key_id, Some(key.clone()));
        assert_eq!(found.encapsulation_algorithm, Some(algorithm.clone()));
        let secret = made.shared_secret.unwrap();
        assert_eq!(secret.as_ref().len(), 32);
        assert_eq!(found.shared_secret, Some(secret));
        let told = client.get_public_key().key_id(&key).send().await.unwrap();
        assert_eq!(told.key_usage, Some(KeyUsageType::EncapsulateDecapsulate));
    }
}

#[tokio::test]
async fn a_changed_encapsulation_gives_another_secret_and_a_cut_one_none() {
    let (server, given) = given().await;
    let body = |ciphertext: &str| json!({ "KeyId": given.kem_key, "EncapsulationAlgorithm": "ML_KEM", "SharedSecretCiphertextBlob": ciphertext });
    let good = told(&server, "Decapsulate", &body(&given.encapsulated)).await;
    let first = if given.encapsulated.starts_with('A') {
        "B"
    } else {
        "A"
    };
    let changed = format!("{first}{}", &given.encapsulated[1..]);

    let other = told(&server, "Decapsulate", &body(&changed)).await;
    let cut = outcome(&server, "Decapsulate", &body(&given.encapsulated[4..])).await;

    assert_ne!(good["SharedSecret"], other["SharedSecret"]);
    assert_eq!(cut, "InvalidCiphertextException: ");
    let dry = json!({"KeyId": given.kem_key, "EncapsulationAlgorithm": "ML_KEM", "DryRun": true});
    let (exception, message) = would_have_succeeded();
    assert_eq!(
        outcome(&server, "Encapsulate", &dry).await,
        format!("{exception}: {message}")
    );
    let wrong = json!({"KeyId": given.agree_key, "EncapsulationAlgorithm": "ML_KEM"});
    let wrong = outcome(&server, "Encapsulate", &wrong).await;
    assert!(
        wrong.ends_with("key usage is KEY_AGREEMENT which is not valid for Encapsulate."),
        "{wrong}"
    );
}
