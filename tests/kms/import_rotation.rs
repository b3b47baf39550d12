//! Several materials of one key: the owner brings the next one, and turns the key to it.
//!
//! Source: answers recorded from AWS in November 2025;
//! <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListKeyRotations.html>

use serde_json::json;

use crate::import::{
    ONE, OTHER, TODAY, delete, describe, imported, is, open_today, opens, pending_import, state,
};
use crate::sdk::days;
use crate::table::{encrypted, outcome, pages, told};
use crate::wrapping::Way;

const NEW: &str = "NEW_KEY_MATERIAL";

#[tokio::test]
async fn new_material_waits_for_its_rotation_and_one_alone() {
    let (server, way, first) = imported().await;
    let ciphertext = encrypted(&server, &way.key).await;
    let rotate = json!({"KeyId": way.key});
    let nothing = outcome(&server, "RotateKeyOnDemand", &rotate).await;

    let second = way
        .import(&server, &OTHER, &json!({"ImportType": NEW}))
        .await;
    let before = describe(&server, &way.key).await;
    let third = way
        .outcome(&server, &[3; 32], &json!({"ImportType": NEW}))
        .await;
    told(&server, "RotateKeyOnDemand", &rotate).await;
    let after = describe(&server, &way.key).await;

    let arn = &way.key;
    assert_eq!(
        nothing,
        format!(
            "KMSInvalidStateException: No available key material pending rotation for the key: {arn}."
        )
    );
    assert_eq!(before["CurrentKeyMaterialId"], json!(first));
    let behind = format!(
        " cannot be imported into KMS key {arn}, because another key material (id: {second}) is pending rotation."
    );
    assert!(
        third.starts_with("KMSInvalidStateException: New key material (id: "),
        "{third}"
    );
    assert!(third.ends_with(&behind), "{third}");
    assert_eq!(after["CurrentKeyMaterialId"], json!(second));
    let decrypted = told(&server, "Decrypt", &json!({"CiphertextBlob": ciphertext})).await;
    assert_eq!(decrypted["KeyMaterialId"], json!(first));
}

#[tokio::test]
async fn material_that_is_known_is_not_new_and_new_one_is_not_known() {
    let (server, way, first) = imported().await;
    let new = json!({"ImportType": NEW});

    let known = way.outcome(&server, &ONE, &new).await;
    let unknown = way.outcome(&server, &OTHER, &json!({})).await;
    way.import(&server, &OTHER, &new).await;
    let twice = way.outcome(&server, &OTHER, &new).await;
    let other_id = way
        .outcome(&server, &OTHER, &json!({"KeyMaterialId": first}))
        .await;
    let both = way
        .outcome(
            &server,
            &OTHER,
            &json!({"ImportType": NEW, "KeyMaterialId": first}),
        )
        .await;

    for outcome in [known, unknown, twice, other_id] {
        assert!(is(&outcome, "IncorrectKeyMaterialException"), "{outcome}");
    }
    assert!(is(&both, "ValidationException"), "{both}");
}

#[tokio::test]
async fn a_key_needs_all_the_material_that_it_ever_turned_to() {
    let (server, way, first) = imported().await;
    let second = way
        .import(&server, &OTHER, &json!({"ImportType": NEW}))
        .await;
    told(&server, "RotateKeyOnDemand", &json!({"KeyId": way.key})).await;
    let ciphertext = encrypted(&server, &way.key).await;

    let body = json!({"KeyId": way.key, "KeyMaterialId": first});
    told(&server, "DeleteImportedKeyMaterial", &body).await;

    assert_eq!(opens(&server, &ciphertext).await, pending_import(&way));
    let rotate = outcome(&server, "RotateKeyOnDemand", &json!({"KeyId": way.key})).await;
    assert_eq!(rotate, pending_import(&way));
    delete(&server, &way).await;
    way.import(&server, &OTHER, &json!({"KeyMaterialId": second}))
        .await;
    assert_eq!(state(&server, &way.key).await, "PendingImport");
    way.import(&server, &ONE, &json!({})).await;
    assert_eq!(opens(&server, &ciphertext).await, "ok");
    let unknown = json!({"KeyId": way.key, "KeyMaterialId": "0".repeat(64)});
    let unknown = outcome(&server, "DeleteImportedKeyMaterial", &unknown).await;
    assert!(is(&unknown, "NotFoundException"), "{unknown}");
}

#[tokio::test]
async fn material_that_waits_for_its_rotation_can_be_exchanged_and_expires() {
    let (server, way, _) = imported().await;
    let new = json!({"ImportType": NEW});
    let second = way.import(&server, &OTHER, &new).await;

    let body = json!({"KeyId": way.key, "KeyMaterialId": second});
    told(&server, "DeleteImportedKeyMaterial", &body).await;
    let deleted = state(&server, &way.key).await;
    let expires = json!({"ImportType": NEW, "ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": TODAY + 60});
    way.import(&server, &[3; 32], &expires).await;
    server.clock().advance(days(1));

    assert_eq!(deleted, "Enabled");
    assert_eq!(state(&server, &way.key).await, "Enabled");
    let rotate = outcome(&server, "RotateKeyOnDemand", &json!({"KeyId": way.key})).await;
    assert!(
        rotate.contains("No available key material pending rotation"),
        "{rotate}"
    );
}

#[tokio::test]
async fn each_material_is_listed_with_what_is_known_of_it() {
    let (server, way, first) = imported().await;
    let described = json!({"ImportType": NEW, "KeyMaterialDescription": "of 2027"});
    let second = way.import(&server, &OTHER, &described).await;
    told(&server, "RotateKeyOnDemand", &json!({"KeyId": way.key})).await;
    delete(&server, &way).await;
    let valid_to = TODAY + 86_400;
    let pending =
        json!({"ImportType": NEW, "ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": valid_to});
    let third = way.import(&server, &[3; 32], &pending).await;

    let list = |what: &str| json!({"KeyId": way.key, "IncludeKeyMaterial": what});
    let all = list("ALL_KEY_MATERIAL");
    let all = pages(&server, "ListKeyRotations", ("Rotations", 1), &all).await;
    let turned = list("ROTATIONS_ONLY");
    let turned = told(&server, "ListKeyRotations", &turned).await;

    let id = way.key.rsplit('/').next().unwrap();
    let day = f64::from(TODAY);
    let expected = [
        json!({"KeyId": id, "KeyMaterialId": first, "KeyMaterialState": "NON_CURRENT", "ImportState": "IMPORTED", "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}),
        json!({"KeyId": id, "KeyMaterialId": second, "KeyMaterialState": "CURRENT", "ImportState": "PENDING_IMPORT", "KeyMaterialDescription": "of 2027", "RotationDate": day, "RotationType": "ON_DEMAND"}),
        json!({"KeyId": id, "KeyMaterialId": third, "KeyMaterialState": "PENDING_ROTATION", "ImportState": "IMPORTED", "ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": day + 86_400.0}),
    ];
    assert_eq!(all, expected);
    assert_eq!(turned["Rotations"], json!([expected[1]]));
}

#[tokio::test]
async fn a_description_stays_until_another_is_given() {
    let server = open_today().await;
    let way = Way::make(&server, &json!({})).await;
    let description = async || {
        let list = json!({"KeyId": way.key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"});
        let list = told(&server, "ListKeyRotations", &list).await;
        list["Rotations"][0]["KeyMaterialDescription"].clone()
    };

    way.import(&server, &ONE, &json!({"KeyMaterialDescription": "a"}))
        .await;
    way.import(&server, &ONE, &json!({})).await;
    let kept = description().await;
    way.import(&server, &ONE, &json!({"KeyMaterialDescription": "b"}))
        .await;

    assert_eq!((kept, description().await), (json!("a"), json!("b")));
    let wrong = way
        .outcome(&server, &ONE, &json!({"KeyMaterialDescription": "?"}))
        .await;
    assert!(is(&wrong, "ValidationException"), "{wrong}");
}
