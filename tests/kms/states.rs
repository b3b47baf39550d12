//! What a key in each state allows, operation by operation.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html>, and answers recorded from AWS, which
//! win: `RotateKeyOnDemand` of a key that waits for its material answers its state, not its origin.

use serde_json::{Value, json};
use strongroom_testkit::Strongroom;

use crate::table::{Given, encrypted, open_server, outcome, row, told};

/// What comes of an operation.
#[derive(Clone, Copy, Debug)]
enum Mark {
    Ok,
    Disabled,
    PendingDeletion,
    PendingImport,
    NotPendingDeletion,
    Imported,
    /// There is no ciphertext of such a key; the one of another key opens.
    Never,
}

use Mark::{Disabled as D, Imported as I, Never, NotPendingDeletion as N, Ok as O};
use Mark::{PendingDeletion as PD, PendingImport as PI};

/// Operation, and what comes of it for a key that is enabled, disabled, pending deletion, pending import.
const TABLE: &[(&str, [Mark; 4])] = &[
    ("CancelKeyDeletion", [N, N, O, N]),
    ("CreateAlias", [O, O, PD, O]),
    ("Decrypt", [O, D, PD, Never]),
    ("DeleteAlias", [O, O, O, O]),
    ("DescribeKey", [O, O, O, O]),
    ("DisableKey", [O, O, PD, PI]),
    ("DisableKeyRotation", [O, D, PD, I]),
    ("EnableKey", [O, O, PD, PI]),
    ("EnableKeyRotation", [O, D, PD, I]),
    ("Encrypt", [O, D, PD, PI]),
    ("GenerateDataKey", [O, D, PD, PI]),
    ("GenerateDataKeyWithoutPlaintext", [O, D, PD, PI]),
    ("GetKeyPolicy", [O, O, O, O]),
    ("GetKeyRotationStatus", [O, O, O, I]),
    ("ListAliases", [O, O, O, O]),
    ("ListKeyPolicies", [O, O, O, O]),
    ("ListKeyRotations", [O, O, O, O]),
    ("ListResourceTags", [O, O, O, O]),
    ("PutKeyPolicy", [O, O, O, O]),
    ("ReEncrypt", [O, D, PD, PI]),
    ("RotateKeyOnDemand", [O, D, PD, PI]),
    ("ScheduleKeyDeletion", [O, O, PD, O]),
    ("TagResource", [O, O, PD, O]),
    ("UntagResource", [O, O, PD, O]),
    ("UpdateAlias", [O, O, PD, O]),
    ("UpdateKeyDescription", [O, O, PD, O]),
];

const STATES: [&str; 4] = ["Enabled", "Disabled", "PendingDeletion", "PendingImport"];

impl Mark {
    fn outcome(self, arn: &str) -> String {
        let state = |words: &str| format!("KMSInvalidStateException: {arn} is {words}.");
        match self {
            Self::Ok | Self::Never => "ok".to_owned(),
            Self::Disabled => format!("DisabledException: {arn} is disabled."),
            Self::PendingDeletion => state("pending deletion"),
            Self::PendingImport => state("pending import"),
            Self::NotPendingDeletion => state("not pending deletion"),
            Self::Imported => format!(
                "UnsupportedOperationException: {arn} origin is EXTERNAL which is not valid for this operation."
            ),
        }
    }
}

/// A key in a state, with the alias `alias/table` and a ciphertext.
async fn key_in(server: &Strongroom, state: &str) -> Given {
    let is_external = state == "PendingImport";
    let origin = if is_external { "EXTERNAL" } else { "AWS_KMS" };
    let made = told(server, "CreateKey", &json!({"Origin": origin})).await;
    let key = made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned();
    let encrypting = if is_external { "alias/table" } else { &key };
    let ciphertext = encrypted(server, encrypting).await;
    let body = json!({"AliasName": "alias/table", "TargetKeyId": key});
    told(server, "UpdateAlias", &body).await;
    match state {
        "Disabled" => told(server, "DisableKey", &json!({"KeyId": key})).await,
        "PendingDeletion" => told(server, "ScheduleKeyDeletion", &json!({"KeyId": key})).await,
        _ => Value::Null,
    };
    let doomed = key.clone();
    Given {
        key,
        doomed,
        ciphertext,
        ..Given::default()
    }
}

async fn state_of(server: &Strongroom, key: &str) -> String {
    let answer = told(server, "DescribeKey", &json!({"KeyId": key})).await;
    answer["KeyMetadata"]["KeyState"]
        .as_str()
        .unwrap()
        .to_owned()
}

async fn column_holds(column: usize) {
    for (operation, marks) in TABLE {
        let server = open_server().await;
        let given = key_in(&server, STATES[column]).await;
        assert_eq!(state_of(&server, &given.key).await, STATES[column]);

        let mut body = row(operation).body(&given);
        if *operation == "ListAliases" {
            body["KeyId"] = json!(given.key);
        }
        let outcome = outcome(&server, operation, &body).await;

        assert_eq!(outcome, marks[column].outcome(&given.key), "{operation}");
    }
}

#[tokio::test]
async fn an_enabled_key_allows_what_the_table_says() {
    column_holds(0).await;
}

#[tokio::test]
async fn a_disabled_key_allows_what_the_table_says() {
    column_holds(1).await;
}

#[tokio::test]
async fn a_key_that_waits_for_its_deletion_allows_what_the_table_says() {
    column_holds(2).await;
}

#[tokio::test]
async fn a_key_that_waits_for_its_material_allows_what_the_table_says() {
    column_holds(3).await;
}

#[tokio::test]
async fn either_key_of_a_reencryption_must_be_enabled() {
    for (state, mark) in [("Disabled", D), ("PendingDeletion", PD)] {
        let server = open_server().await;
        let target = told(&server, "CreateKey", &json!({})).await;
        let given = key_in(&server, state).await;

        let mut body = row("ReEncrypt").body(&given);
        body["DestinationKeyId"] = target["KeyMetadata"]["Arn"].clone();
        let from = outcome(&server, "ReEncrypt", &body).await;

        let other = target["KeyMetadata"]["Arn"].as_str().unwrap();
        body["CiphertextBlob"] = json!(encrypted(&server, other).await);
        body["DestinationKeyId"] = json!(given.key);
        let to = outcome(&server, "ReEncrypt", &body).await;

        assert_eq!(from, mark.outcome(&given.key));
        assert_eq!(to, mark.outcome(&given.key));
    }
}

#[tokio::test]
async fn a_dry_run_does_not_go_past_a_state() {
    for (state, mark) in [("Enabled", O), ("Disabled", D), ("PendingDeletion", PD)] {
        let server = open_server().await;
        let given = key_in(&server, state).await;

        for operation in ["Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey"] {
            let mut body = row(operation).body(&given);
            body["DryRun"] = json!(true);
            let outcome = outcome(&server, operation, &body).await;

            let told = match mark {
                Mark::Ok => "DryRunOperationException: The request would have succeeded, but the DryRun option is set.".to_owned(),
                mark => mark.outcome(&given.key),
            };
            assert_eq!(outcome, told, "{operation}");
        }
    }
}

#[tokio::test]
async fn disabling_and_enabling_lead_there_and_back() {
    let server = open_server().await;
    let given = key_in(&server, "Enabled").await;
    let body = json!({"KeyId": given.key});

    for (operation, state) in [
        ("DisableKey", "Disabled"),
        ("DisableKey", "Disabled"),
        ("EnableKey", "Enabled"),
        ("EnableKey", "Enabled"),
    ] {
        told(&server, operation, &body).await;
        assert_eq!(state_of(&server, &given.key).await, state);
    }
    let decrypted = told(&server, "Decrypt", &row("Decrypt").body(&given)).await;
    assert_eq!(decrypted["Plaintext"], "c2VjcmV0");
}

#[tokio::test]
async fn a_key_whose_deletion_is_called_off_is_disabled() {
    for enabled_before in [true, false] {
        let server = open_server().await;
        let given = key_in(
            &server,
            if enabled_before {
                "Enabled"
            } else {
                "Disabled"
            },
        )
        .await;
        let body = json!({"KeyId": given.key});
        told(&server, "ScheduleKeyDeletion", &body).await;

        told(&server, "CancelKeyDeletion", &body).await;

        assert_eq!(state_of(&server, &given.key).await, "Disabled");
    }
}

/// Nothing brought its material in between, so that it could not be enabled.
#[tokio::test]
async fn a_key_without_material_waits_for_it_again_when_its_deletion_is_called_off() {
    let server = open_server().await;
    let given = key_in(&server, "PendingImport").await;
    let body = json!({"KeyId": given.key});
    told(&server, "ScheduleKeyDeletion", &body).await;

    told(&server, "CancelKeyDeletion", &body).await;

    assert_eq!(state_of(&server, &given.key).await, "PendingImport");
}
