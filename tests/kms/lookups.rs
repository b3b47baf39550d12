//! How a key is named: what each operation takes, and what it says to a name that leads nowhere.

use serde_json::json;
use strongroom_testkit::Strongroom;

use crate::table::{Given, given, outcome, row, told};

/// Operations that take all four forms, and the member that names the key.
const ANY_FORM: &[(&str, &str)] = &[
    ("Decrypt", "KeyId"),
    ("DescribeKey", "KeyId"),
    ("Encrypt", "KeyId"),
    ("GenerateDataKey", "KeyId"),
    ("GenerateDataKeyWithoutPlaintext", "KeyId"),
    ("ReEncrypt", "SourceKeyId"),
    ("ReEncrypt", "DestinationKeyId"),
];

/// Those that take an id or an ARN of a key.
const KEYS_ALONE: &[(&str, &str)] = &[
    ("CancelKeyDeletion", "KeyId"),
    ("CreateAlias", "TargetKeyId"),
    ("DisableKey", "KeyId"),
    ("DisableKeyRotation", "KeyId"),
    ("EnableKey", "KeyId"),
    ("EnableKeyRotation", "KeyId"),
    ("GetKeyPolicy", "KeyId"),
    ("GetKeyRotationStatus", "KeyId"),
    ("ListAliases", "KeyId"),
    ("ListKeyPolicies", "KeyId"),
    ("ListKeyRotations", "KeyId"),
    ("ListResourceTags", "KeyId"),
    ("PutKeyPolicy", "KeyId"),
    ("RotateKeyOnDemand", "KeyId"),
    ("ScheduleKeyDeletion", "KeyId"),
    ("TagResource", "KeyId"),
    ("UntagResource", "KeyId"),
    ("UpdateAlias", "TargetKeyId"),
    ("UpdateKeyDescription", "KeyId"),
];

const UNKNOWN: &str = "00000000-1111-2222-3333-444444444444";
const HERE: &str = "arn:aws:kms:us-east-1:000000000000:";

/// How an operation ends when its key goes by another name.
async fn with_name(
    (server, given): &(Strongroom, Given),
    (operation, member): (&str, &str),
    name: &str,
) -> String {
    let mut body = row(operation).body(given);
    body[member] = json!(name);
    outcome(server, operation, &body).await
}

/// The ARN of the key that an operation's row is about.
fn key_of<'g>(given: &'g Given, operation: &str) -> &'g str {
    if operation == "CancelKeyDeletion" {
        &given.doomed
    } else {
        &given.key
    }
}

fn id_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap()
}

async fn every_operation_says(name: &str, outcome: &str) {
    let given = given().await;
    for place in ANY_FORM.iter().chain(KEYS_ALONE) {
        assert_eq!(with_name(&given, *place, name).await, outcome, "{place:?}");
    }
}

#[tokio::test]
async fn every_operation_takes_an_id() {
    for place in ANY_FORM.iter().chain(KEYS_ALONE) {
        let given = given().await;

        let name = id_of(key_of(&given.1, place.0));
        let outcome = with_name(&given, *place, name).await;

        assert_eq!(outcome, "ok", "{place:?}");
    }
}

#[tokio::test]
async fn every_operation_takes_an_arn() {
    for place in ANY_FORM.iter().chain(KEYS_ALONE) {
        let given = given().await;

        let name = key_of(&given.1, place.0);
        let outcome = with_name(&given, *place, name).await;

        assert_eq!(outcome, "ok", "{place:?}");
    }
}

#[tokio::test]
async fn cryptography_and_description_take_an_alias_too() {
    let given = given().await;

    for place in ANY_FORM {
        let by_name = with_name(&given, *place, "alias/table").await;
        let by_arn = with_name(&given, *place, &format!("{HERE}alias/table")).await;
        assert_eq!(
            (by_name.as_str(), by_arn.as_str()),
            ("ok", "ok"),
            "{place:?}"
        );
    }
}

#[tokio::test]
async fn no_other_operation_takes_the_arn_of_an_alias() {
    let given = given().await;
    let name = format!("{HERE}alias/table");

    for place in KEYS_ALONE {
        let outcome = with_name(&given, *place, &name).await;
        let told = "InvalidArnException: Key Aliases are not supported for this operation.";
        assert_eq!(outcome, told, "{place:?}");
    }
}

#[tokio::test]
async fn no_other_operation_takes_the_name_of_an_alias() {
    let given = given().await;

    for place in KEYS_ALONE {
        let outcome = with_name(&given, *place, "alias/table").await;
        assert_eq!(
            outcome, "NotFoundException: Invalid keyId 'alias/table'",
            "{place:?}"
        );
    }
}

#[tokio::test]
async fn what_is_no_id_is_an_invalid_one() {
    for name in [
        "nothing",
        "00000000111122223333444444444444",
        "mrk-fake-key-id",
    ] {
        every_operation_says(name, &format!("NotFoundException: Invalid keyId '{name}'")).await;
    }
}

#[tokio::test]
async fn an_unknown_id_is_no_key() {
    let told = format!("NotFoundException: Key '{HERE}key/{UNKNOWN}' does not exist");

    every_operation_says(UNKNOWN, &told).await;
}

#[tokio::test]
async fn an_unknown_arn_is_no_key() {
    let arn = format!("{HERE}key/{UNKNOWN}");

    every_operation_says(
        &arn,
        &format!("NotFoundException: Key '{arn}' does not exist"),
    )
    .await;
}

#[tokio::test]
async fn an_arn_of_another_region_is_invalid() {
    let arn = format!("arn:aws:kms:eu-west-1:000000000000:key/{UNKNOWN}");

    every_operation_says(&arn, "NotFoundException: Invalid arn eu-west-1").await;
}

#[tokio::test]
async fn an_alias_of_another_region_is_invalid() {
    let given = given().await;

    for place in ANY_FORM {
        let name = "arn:aws:kms:eu-west-1:000000000000:alias/table";
        let outcome = with_name(&given, *place, name).await;
        assert_eq!(
            outcome, "NotFoundException: Invalid arn eu-west-1",
            "{place:?}"
        );
    }
}

#[tokio::test]
async fn an_empty_name_is_too_short() {
    let given = given().await;

    for place in ANY_FORM.iter().chain(KEYS_ALONE) {
        let outcome = with_name(&given, *place, "").await;
        let (first, rest) = place.1.split_at(1);
        let member = first.to_lowercase() + rest;
        let told = format!(
            "ValidationException: 1 validation error detected: Value '' at '{member}' failed to satisfy constraint: Member must have length greater than or equal to 1"
        );
        assert_eq!(outcome, told, "{place:?}");
    }
}

#[tokio::test]
async fn an_unknown_alias_is_not_found_by_name_and_by_arn() {
    let given = given().await;
    let arn = format!("{HERE}alias/none");

    for place in ANY_FORM {
        for name in ["alias/none", &arn] {
            let outcome = with_name(&given, *place, name).await;
            assert_eq!(
                outcome,
                format!("NotFoundException: Alias {arn} is not found."),
                "{place:?}"
            );
        }
    }
}

#[tokio::test]
async fn an_alias_that_nobody_can_have_is_not_found_either() {
    let (server, _given) = given().await;

    let outcome = outcome(&server, "DescribeKey", &json!({"KeyId": "alias/"})).await;

    assert_eq!(
        outcome,
        format!("NotFoundException: Alias {HERE}alias/ is not found.")
    );
}

#[tokio::test]
async fn a_multi_region_id_is_an_id() {
    let (server, _given) = given().await;
    let made = told(&server, "CreateKey", &json!({"MultiRegion": true})).await;
    let id = made["KeyMetadata"]["KeyId"].as_str().unwrap();

    let found = told(&server, "DescribeKey", &json!({"KeyId": id})).await;

    assert!(id.starts_with("mrk-") && id.len() == 36, "{id}");
    assert_eq!(found, made);
}
