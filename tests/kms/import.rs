//! Material that the owner of a key brings: how it comes, goes, expires, and turns.
//!
//! Source: answers recorded from AWS in August and November 2025;
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ImportKeyMaterial.html>

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};
use strongroom_testkit::{Authentication, Config, Strongroom};

use crate::sdk::{days, today};
use crate::table::{encrypted, open_server, outcome, told};
use crate::wrapping::Way;

pub(crate) const ONE: [u8; 32] = [1; 32];
pub(crate) const OTHER: [u8; 32] = [2; 32];
/// The second at which the clock stands.
pub(crate) const TODAY: u32 = 20_833 * 86_400;
const EXISTING: &str = "EXISTING_KEY_MATERIAL";

/// A server that asks nobody for a signature, with a clock that the test moves.
pub(crate) async fn open_today() -> Strongroom {
    let off = |config: &mut Config| config.authentication = Authentication::Off;
    let builder = Strongroom::builder().clock(today()).config(off);
    builder.start().await
}

/// A symmetric key that has its material.
pub(crate) async fn imported() -> (Strongroom, Way, String) {
    let server = open_today().await;
    let way = Way::make(&server, &json!({})).await;
    let id = way.import(&server, &ONE, &json!({})).await;
    (server, way, id)
}

pub(crate) async fn describe(server: &Strongroom, key: &str) -> Value {
    let answer = told(server, "DescribeKey", &json!({"KeyId": key})).await;
    answer["KeyMetadata"].clone()
}

pub(crate) async fn state(server: &Strongroom, key: &str) -> String {
    let key = describe(server, key).await;
    key["KeyState"].as_str().unwrap().to_owned()
}

pub(crate) async fn opens(server: &Strongroom, ciphertext: &str) -> String {
    outcome(server, "Decrypt", &json!({"CiphertextBlob": ciphertext})).await
}

pub(crate) async fn delete(server: &Strongroom, way: &Way) {
    let body = json!({"KeyId": way.key});
    told(server, "DeleteImportedKeyMaterial", &body).await;
}

pub(crate) fn pending_import(way: &Way) -> String {
    let arn = &way.key;
    format!("KMSInvalidStateException: {arn} is pending import.")
}

/// How an answer of an exception begins.
pub(crate) fn is(outcome: &str, exception: &str) -> bool {
    outcome.split(':').next() == Some(exception)
}

#[tokio::test]
async fn a_key_works_from_the_moment_on_that_its_material_is_here() {
    let server = open_server().await;
    let way = Way::make(&server, &json!({})).await;
    let before = describe(&server, &way.key).await;

    let id = way.import(&server, &ONE, &json!({})).await;

    let after = describe(&server, &way.key).await;
    assert_eq!(
        (&before["KeyState"], &before["Enabled"]),
        (&json!("PendingImport"), &json!(false))
    );
    assert_eq!(before.get("ExpirationModel"), None);
    assert_eq!(
        (&after["KeyState"], &after["Enabled"]),
        (&json!("Enabled"), &json!(true))
    );
    assert_eq!(after["CurrentKeyMaterialId"], json!(id));
    assert_eq!(
        after["ExpirationModel"],
        json!("KEY_MATERIAL_DOES_NOT_EXPIRE")
    );
    assert_eq!(after.get("ValidTo"), None);
    let ciphertext = encrypted(&server, &way.key).await;
    assert_eq!(opens(&server, &ciphertext).await, "ok");
}

#[tokio::test]
async fn a_wrapping_key_and_its_token_are_good_for_24_hours() {
    let server = open_today().await;
    let way = Way::make(&server, &json!({})).await;
    let body = json!({"KeyId": way.key, "WrappingAlgorithm": "RSAES_OAEP_SHA_1", "WrappingKeySpec": "RSA_2048"});

    let parameters = told(&server, "GetParametersForImport", &body).await;
    server.clock().advance(days(1));

    let end = TODAY + 86_400;
    assert_eq!(
        parameters["ParametersValidTo"].as_f64(),
        Some(f64::from(end))
    );
    assert_eq!(parameters["KeyId"], json!(way.key));
    let outcome = way.outcome(&server, &ONE, &json!({})).await;
    assert!(is(&outcome, "ExpiredImportTokenException"), "{outcome}");
}

#[tokio::test]
async fn deleted_material_shuts_a_key_until_the_same_is_brought_again() {
    let (server, way, id) = imported().await;
    let ciphertext = encrypted(&server, &way.key).await;

    let body = json!({"KeyId": way.key});
    let deleted = told(&server, "DeleteImportedKeyMaterial", &body).await;

    assert_eq!(deleted, json!({"KeyId": way.key, "KeyMaterialId": id}));
    assert_eq!(state(&server, &way.key).await, "PendingImport");
    assert_eq!(opens(&server, &ciphertext).await, pending_import(&way));
    let other = way.outcome(&server, &OTHER, &json!({})).await;
    assert!(is(&other, "IncorrectKeyMaterialException"), "{other}");
    assert_eq!(way.import(&server, &ONE, &json!({})).await, id);
    assert_eq!(opens(&server, &ciphertext).await, "ok");
    delete(&server, &way).await;
    delete(&server, &way).await;
    assert_eq!(state(&server, &way.key).await, "PendingImport");
}

#[tokio::test]
async fn material_expires_by_the_clock() {
    let server = open_today().await;
    let way = Way::make(&server, &json!({})).await;
    let expires = json!({"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": TODAY + 3 * 86_400});
    way.import(&server, &ONE, &expires).await;
    let ciphertext = encrypted(&server, &way.key).await;
    let before = describe(&server, &way.key).await;

    server.clock().advance(days(2));
    let still = opens(&server, &ciphertext).await;
    server.clock().advance(days(1));

    assert_eq!(before["ExpirationModel"], json!("KEY_MATERIAL_EXPIRES"));
    assert_eq!(
        before["ValidTo"].as_f64(),
        Some(f64::from(TODAY + 3 * 86_400))
    );
    assert_eq!(still, "ok");
    assert_eq!(opens(&server, &ciphertext).await, pending_import(&way));
    let after = describe(&server, &way.key).await;
    assert_eq!(after["KeyState"], json!("PendingImport"));
    assert_eq!(
        (after.get("ExpirationModel"), after.get("ValidTo")),
        (None, None)
    );
}

#[tokio::test]
async fn bringing_it_again_moves_the_day_on_which_it_expires() {
    let (server, way, id) = imported().await;
    let valid_to = TODAY + 86_400;
    let expires = json!({"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": valid_to, "KeyMaterialId": id});

    way.import(&server, &ONE, &expires).await;
    let with_end = describe(&server, &way.key).await;
    way.import(&server, &ONE, &json!({"ImportType": EXISTING}))
        .await;
    server.clock().advance(days(2));

    assert_eq!(with_end["ValidTo"].as_f64(), Some(f64::from(valid_to)));
    assert_eq!(state(&server, &way.key).await, "Enabled");
}

#[tokio::test]
async fn an_expiration_that_makes_no_sense_is_refused() {
    let server = open_today().await;
    let way = Way::make(&server, &json!({})).await;
    let expires = |members: Value| {
        let mut body = way.body(&ONE, &members);
        body["ExpirationModel"] = json!("KEY_MATERIAL_EXPIRES");
        body
    };
    let mut silent = way.body(&ONE, &json!({}));
    silent.as_object_mut().unwrap().remove("ExpirationModel");
    let missing = "ValidationException: A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES";

    let told = async |body: &Value| outcome(&server, "ImportKeyMaterial", body).await;

    assert_eq!(told(&expires(json!({}))).await, missing);
    assert_eq!(told(&silent).await, missing);
    for body in [
        expires(json!({"ValidTo": TODAY})),
        expires(json!({"ValidTo": TODAY + 366 * 86_400})),
        way.body(&ONE, &json!({"ValidTo": TODAY + 86_400})),
    ] {
        let told = told(&body).await;
        assert!(is(&told, "ValidationException"), "{told}");
    }
    assert_eq!(
        told(&expires(json!({"ValidTo": "soon"})))
            .await
            .split(':')
            .next(),
        Some("SerializationException")
    );
}

#[tokio::test]
async fn what_was_not_wrapped_for_this_key_is_refused() {
    let (server, way, _) = imported().await;
    let other = Way::make(&server, &json!({})).await;
    let mut changed = BASE64_STANDARD.decode(&way.token).unwrap();
    changed[40] ^= 1;
    let member = |name: &str, value: &str| json!({ name: value });

    for (members, exception) in [
        (
            member("ImportToken", &other.token),
            "InvalidImportTokenException",
        ),
        (
            member("ImportToken", &BASE64_STANDARD.encode(changed)),
            "InvalidImportTokenException",
        ),
        (member("ImportToken", "AQ=="), "InvalidImportTokenException"),
        (
            member("EncryptedKeyMaterial", &other.wrap(&ONE)),
            "InvalidCiphertextException",
        ),
        (
            member("EncryptedKeyMaterial", "AQ=="),
            "InvalidCiphertextException",
        ),
        (
            member("EncryptedKeyMaterial", &way.wrap(&[1; 31])),
            "IncorrectKeyMaterialException",
        ),
    ] {
        let outcome = way.outcome(&server, &ONE, &members).await;
        assert!(is(&outcome, exception), "{members}: {outcome}");
    }
}

#[tokio::test]
async fn only_keys_of_the_origin_external_take_material() {
    let (server, way, _) = imported().await;
    let made = told(&server, "CreateKey", &json!({})).await;
    let own = made["KeyMetadata"]["Arn"].as_str().unwrap();
    let unfit = format!(
        "UnsupportedOperationException: {own} origin is AWS_KMS which is not valid for this operation."
    );
    let parameters = json!({"KeyId": own, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"});

    let asked = outcome(&server, "GetParametersForImport", &parameters).await;
    let brought = way.outcome(&server, &ONE, &json!({"KeyId": own})).await;
    let body = json!({"KeyId": own});
    let taken = outcome(&server, "DeleteImportedKeyMaterial", &body).await;

    assert_eq!([asked, brought, taken], [(); 3].map(|()| unfit.clone()));
}

#[tokio::test]
async fn the_state_of_a_key_decides() {
    let (server, way, _) = imported().await;
    let body = json!({"KeyId": way.key});
    told(&server, "DisableKey", &body).await;
    way.import(&server, &ONE, &json!({})).await;
    let disabled = state(&server, &way.key).await;
    told(&server, "ScheduleKeyDeletion", &body).await;
    let pending = format!("KMSInvalidStateException: {} is pending deletion.", way.key);
    let parameters = json!({"KeyId": way.key, "WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"});

    let asked = outcome(&server, "GetParametersForImport", &parameters).await;
    let brought = way.outcome(&server, &ONE, &json!({})).await;
    delete(&server, &way).await;
    let waiting = state(&server, &way.key).await;
    told(&server, "CancelKeyDeletion", &body).await;

    assert_eq!(disabled, "Disabled");
    assert_eq!([asked, brought], [(); 2].map(|()| pending.clone()));
    assert_eq!(waiting, "PendingDeletion");
    assert_eq!(state(&server, &way.key).await, "PendingImport");
    let enable = outcome(&server, "EnableKey", &body).await;
    assert_eq!(enable, pending_import(&way));
}

/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html>
#[tokio::test]
async fn an_algorithm_that_does_not_suit_the_key_is_refused_before_a_key_is_made() {
    let server = open_server().await;
    let key = async |spec: &str, usage: &str| {
        let body = json!({"Origin": "EXTERNAL", "KeySpec": spec, "KeyUsage": usage});
        let made = told(&server, "CreateKey", &body).await;
        made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
    };
    let symmetric = key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT").await;
    let rsa = key("RSA_2048", "SIGN_VERIFY").await;
    let long = key("ECC_NIST_P521", "SIGN_VERIFY").await;

    for (key, algorithm, wrapping) in [
        (&symmetric, "RSAES_PKCS1_V1_5", "RSA_2048"),
        (&symmetric, "SM2PKE", "SM2"),
        (&symmetric, "RSAES_OAEP_SHA_256", "SM2"),
        (&symmetric, "RSA_AES_KEY_WRAP_SHA_256", "RSA_2048"),
        (&rsa, "RSAES_OAEP_SHA_256", "RSA_4096"),
        (&long, "RSAES_OAEP_SHA_1", "RSA_2048"),
    ] {
        let body =
            json!({"KeyId": key, "WrappingAlgorithm": algorithm, "WrappingKeySpec": wrapping});
        let outcome = outcome(&server, "GetParametersForImport", &body).await;
        assert!(
            is(&outcome, "UnsupportedOperationException"),
            "{body}: {outcome}"
        );
    }
}

#[tokio::test]
async fn a_key_that_makes_macs_has_one_material_for_good() {
    let server = open_server().await;
    let hmac = json!({"KeySpec": "HMAC_384", "KeyUsage": "GENERATE_VERIFY_MAC"});
    let way = Way::make(&server, &hmac).await;
    way.import(&server, &[1; 48], &json!({})).await;
    let mac = json!({"KeyId": way.key, "MacAlgorithm": "HMAC_SHA_384", "Message": "aGVsbG8="});
    let before = told(&server, "GenerateMac", &mac).await;

    let typed = way
        .outcome(&server, &[1; 48], &json!({"ImportType": EXISTING}))
        .await;
    let other = way.outcome(&server, &[2; 48], &json!({})).await;
    delete(&server, &way).await;
    let shut = outcome(&server, "GenerateMac", &mac).await;
    way.import(&server, &[1; 48], &json!({})).await;

    assert!(is(&typed, "UnsupportedOperationException"), "{typed}");
    assert!(is(&other, "IncorrectKeyMaterialException"), "{other}");
    assert_eq!(shut, pending_import(&way));
    assert_eq!(told(&server, "GenerateMac", &mac).await, before);
}

/// Source: <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html>
#[tokio::test]
async fn a_policy_may_look_at_how_material_comes() {
    let (server, way, _) = imported().await;
    let deny = |action: &str, operator: &str, condition: Value| json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*", "Condition": {operator: condition}});
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"},
        deny("kms:GetParametersForImport", "StringEquals", json!({"kms:WrappingAlgorithm": "RSAES_OAEP_SHA_1", "kms:WrappingKeySpec": "RSA_3072"})),
        deny("kms:ImportKeyMaterial", "StringEquals", json!({"kms:ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"})),
        deny("kms:ImportKeyMaterial", "DateGreaterThan", json!({"kms:ValidTo": "2027-01-20T00:00:00Z"})),
    ]});
    let put = json!({"KeyId": way.key, "PolicyName": "default", "Policy": policy.to_string()});
    told(&server, "PutKeyPolicy", &put).await;
    let expires = |days: u32| json!({"ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": TODAY + days * 86_400});
    let parameters = json!({"KeyId": way.key, "WrappingAlgorithm": "RSAES_OAEP_SHA_1", "WrappingKeySpec": "RSA_3072"});

    let asked = outcome(&server, "GetParametersForImport", &parameters).await;
    let forever = way.outcome(&server, &ONE, &json!({})).await;
    let long = way.outcome(&server, &ONE, &expires(6)).await;
    let short = way.outcome(&server, &ONE, &expires(4)).await;

    for outcome in [asked, forever, long] {
        assert!(is(&outcome, "AccessDeniedException"), "{outcome}");
    }
    assert_eq!(short, "ok");
}
