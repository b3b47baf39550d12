//! Dry runs that ask for rights alone, without a ciphertext.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>, `DryRunModifiers`.

use serde_json::{Value, json};

use crate::table::{given, outcome};

#[tokio::test]
async fn a_dry_run_may_ask_for_rights_alone() {
    let (server, given) = given().await;
    let would =
        "DryRunOperationException: The request would have succeeded, but the DryRun option is set.";
    let modifiers = json!(["IGNORE_CIPHERTEXT"]);
    let key = &given.key;
    let decrypt = |body: Value| ("Decrypt", body);
    let again = |body: Value| ("ReEncrypt", body);
    for ((operation, mut body), named, expected) in [
        (decrypt(json!({"KeyId": key})), true, would),
        (
            decrypt(json!({"KeyId": key, "CiphertextBlob": "AAAA"})),
            true,
            would,
        ),
        (
            decrypt(json!({"KeyId": key, "CiphertextBlob": "AAAA"})),
            false,
            "InvalidCiphertextException: ",
        ),
        (
            decrypt(json!({})),
            true,
            "ValidationException: 1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null",
        ),
        (
            decrypt(json!({"KeyId": key})),
            false,
            "ValidationException: 1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
        ),
        (
            again(json!({"SourceKeyId": key, "DestinationKeyId": key})),
            true,
            would,
        ),
    ] {
        body["DryRun"] = json!(true);
        if named {
            body["DryRunModifiers"] = modifiers.clone();
        }
        assert_eq!(
            outcome(&server, operation, &body).await,
            expected,
            "{operation} {body}"
        );
    }
    let unknown = json!({"KeyId": key, "DryRun": true, "DryRunModifiers": ["ANY"]});
    let refused = outcome(&server, "Decrypt", &unknown).await;
    assert!(refused.starts_with("ValidationException"), "{refused}");
    let wet = json!({"CiphertextBlob": given.ciphertext, "DryRunModifiers": modifiers});
    assert_eq!(outcome(&server, "Decrypt", &wet).await, "ok");
}
