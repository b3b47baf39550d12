//! Rotation: by itself and on demand; old ciphertexts open for ever.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::DateTime;
use aws_sdk_kms::types::RotationType;
use serde_json::{Value, json};
use strongroom_testkit::Strongroom;

use crate::sdk::{
    app, app_arn, app_today, awaiting_import, days, decrypt, describe, encrypt, is, refusal, today,
    violation,
};
use crate::table::{Given, given, members, outcome, pages, told};

/// Lets `alias/app`'s key turn every 90 days; its ARN.
async fn every_90_days(client: &Client) -> String {
    let arn = app_arn(client).await;
    let enable = client.enable_key_rotation().key_id(&arn);
    enable.rotation_period_in_days(90).send().await.unwrap();
    arn
}

async fn next_rotation(client: &Client, key: &str) -> Option<DateTime> {
    let status = client.get_key_rotation_status().key_id(key).send().await;
    status.unwrap().next_rotation_date
}

async fn rotate(client: &Client, key: &str) {
    client
        .rotate_key_on_demand()
        .key_id(key)
        .send()
        .await
        .unwrap();
}

async fn material(client: &Client) -> String {
    describe(client, "alias/app")
        .await
        .current_key_material_id
        .unwrap()
}

/// Turns the table's key so often.
async fn turned(times: usize) -> (Strongroom, Given) {
    let (server, given) = given().await;
    for _ in 0..times {
        told(&server, "RotateKeyOnDemand", &json!({"KeyId": given.key})).await;
    }
    (server, given)
}

#[tokio::test]
async fn a_new_key_does_not_turn() {
    let (server, given) = given().await;

    let status = told(
        &server,
        "GetKeyRotationStatus",
        &json!({"KeyId": given.key}),
    )
    .await;

    assert_eq!(
        status,
        json!({"KeyId": given.key, "KeyRotationEnabled": false})
    );
}

#[tokio::test]
async fn a_key_that_turns_tells_period_and_day() {
    let (_server, client) = app_today().await;
    let arn = every_90_days(&client).await;

    let status = client
        .get_key_rotation_status()
        .key_id(&arn)
        .send()
        .await
        .unwrap();

    assert_eq!(status.key_id.as_deref(), Some(arn.as_str()));
    assert_eq!(
        (status.key_rotation_enabled, status.rotation_period_in_days),
        (true, Some(90))
    );
    assert_eq!(
        status.next_rotation_date,
        Some(DateTime::from(today() + days(90)))
    );
}

#[tokio::test]
async fn a_period_has_365_days_where_nothing_is_said() {
    let (_server, client) = app_today().await;
    let arn = app_arn(&client).await;

    client
        .enable_key_rotation()
        .key_id(&arn)
        .send()
        .await
        .unwrap();

    assert_eq!(
        next_rotation(&client, &arn).await,
        Some(DateTime::from(today() + days(365)))
    );
}

#[tokio::test]
async fn a_period_can_be_changed() {
    let (server, client) = app_today().await;
    let arn = every_90_days(&client).await;
    server.clock().advance(days(10));

    let enable = client.enable_key_rotation().key_id(&arn);
    enable.rotation_period_in_days(100).send().await.unwrap();

    assert_eq!(
        next_rotation(&client, &arn).await,
        Some(DateTime::from(today() + days(110)))
    );
}

#[tokio::test]
async fn a_period_has_90_to_2560_days() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;
    let enable = |days| {
        let enable = client.enable_key_rotation().key_id(&arn);
        enable.rotation_period_in_days(days).send()
    };

    let (short, shortest, longest, long) = (
        enable(89).await,
        enable(90).await,
        enable(2_560).await,
        enable(2_561).await,
    );

    assert!(shortest.is_ok() && longest.is_ok());
    let rule = "have value greater than or equal to 90";
    assert_eq!(
        refusal(short),
        violation("Value '89' at 'rotationPeriodInDays'", rule)
    );
    let rule = "have value less than or equal to 2560";
    assert_eq!(
        refusal(long),
        violation("Value '2561' at 'rotationPeriodInDays'", rule)
    );
}

#[tokio::test]
async fn a_key_that_turns_no_more_keeps_its_material() {
    let (server, client) = app_today().await;
    let (arn, before) = (every_90_days(&client).await, material(&client).await);

    client
        .disable_key_rotation()
        .key_id(&arn)
        .send()
        .await
        .unwrap();
    server.clock().advance(days(90));

    assert_eq!(next_rotation(&client, &arn).await, None);
    assert_eq!(material(&client).await, before);
}

#[tokio::test]
async fn a_period_ends_with_new_material_and_begins_anew() {
    let (server, client) = app_today().await;
    let (arn, before) = (every_90_days(&client).await, material(&client).await);

    server.clock().advance(days(90));

    assert_ne!(material(&client).await, before);
    assert_eq!(app_arn(&client).await, arn);
    assert_eq!(
        next_rotation(&client, &arn).await,
        Some(DateTime::from(today() + days(180)))
    );
}

#[tokio::test]
async fn a_day_before_its_end_nothing_is_new() {
    let (server, client) = app_today().await;
    every_90_days(&client).await;
    let before = material(&client).await;

    server.clock().advance(days(89));

    assert_eq!(material(&client).await, before);
}

#[tokio::test]
async fn what_was_encrypted_before_a_rotation_opens_after_it() {
    let (server, client) = app_today().await;
    let arn = every_90_days(&client).await;
    let first = encrypt(&client, "alias/app", b"first").await;
    rotate(&client, &arn).await;
    let second = encrypt(&client, "alias/app", b"second").await;
    server.clock().advance(days(400));

    assert_eq!(decrypt(&client, &first).await, b"first");
    assert_eq!(decrypt(&client, &second).await, b"second");
}

#[tokio::test]
async fn a_ciphertext_tells_the_material_that_it_is_under() {
    let (_server, client) = app().await;
    let (arn, before) = (app_arn(&client).await, material(&client).await);
    let ciphertext = encrypt(&client, "alias/app", b"secret").await;

    rotate(&client, &arn).await;

    let opened = client
        .decrypt()
        .ciphertext_blob(ciphertext)
        .send()
        .await
        .unwrap();
    assert_eq!(opened.key_material_id, Some(before));
}

#[tokio::test]
async fn a_rotation_on_demand_is_done_at_once_and_tells_the_arn() {
    let (_server, client) = app().await;
    let (arn, before) = (app_arn(&client).await, material(&client).await);

    let answer = client
        .rotate_key_on_demand()
        .key_id(&arn)
        .send()
        .await
        .unwrap();

    assert_eq!(answer.key_id.as_deref(), Some(arn.as_str()));
    assert_ne!(material(&client).await, before);
}

#[tokio::test]
async fn a_rotation_on_demand_leaves_the_automatic_one_alone() {
    let (server, client) = app_today().await;
    let arn = every_90_days(&client).await;
    server.clock().advance(days(10));

    rotate(&client, &arn).await;

    assert_eq!(
        next_rotation(&client, &arn).await,
        Some(DateTime::from(today() + days(90)))
    );
}

#[tokio::test]
async fn a_rotation_on_demand_does_not_begin_automatic_ones() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    rotate(&client, &arn).await;

    let status = client
        .get_key_rotation_status()
        .key_id(&arn)
        .send()
        .await
        .unwrap();
    assert!(!status.key_rotation_enabled);
}

#[tokio::test]
async fn a_key_is_rotated_on_demand_25_times_at_most() {
    let (server, given) = turned(25).await;

    let outcome = outcome(&server, "RotateKeyOnDemand", &json!({"KeyId": given.key})).await;

    let told = format!(
        "LimitExceededException: The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: {}",
        given.key
    );
    assert_eq!(outcome, told);
}

#[tokio::test]
async fn rotations_are_listed_with_kind_and_day() {
    let (server, client) = app_today().await;
    let arn = every_90_days(&client).await;
    server.clock().advance(days(1));
    rotate(&client, &arn).await;
    server.clock().advance(days(89));

    let answer = client
        .list_key_rotations()
        .key_id(&arn)
        .send()
        .await
        .unwrap();

    let told = answer.rotations().iter();
    let told: Vec<_> = told
        .map(|rotation| {
            (
                rotation.rotation_type.clone().unwrap(),
                rotation.rotation_date.unwrap(),
            )
        })
        .collect();
    let on_demand = (RotationType::OnDemand, DateTime::from(today() + days(1)));
    let automatic = (RotationType::Automatic, DateTime::from(today() + days(90)));
    assert_eq!(told, [on_demand, automatic]);
}

#[tokio::test]
async fn a_rotation_tells_its_material() {
    let (server, given) = turned(1).await;
    let key = told(&server, "DescribeKey", &json!({"KeyId": given.key})).await;

    let answer = told(&server, "ListKeyRotations", &json!({"KeyId": given.key})).await;

    assert_eq!(members(&answer), ["Rotations", "Truncated"]);
    let rotation = &answer["Rotations"][0];
    assert_eq!(
        members(rotation),
        [
            "KeyId",
            "KeyMaterialId",
            "KeyMaterialState",
            "RotationDate",
            "RotationType"
        ]
    );
    assert_eq!(
        rotation["KeyMaterialId"],
        key["KeyMetadata"]["CurrentKeyMaterialId"]
    );
    assert_eq!(rotation["KeyMaterialState"], "CURRENT");
}

#[tokio::test]
async fn the_first_material_is_listed_where_all_are_asked_for() {
    let (server, given) = turned(1).await;

    let body = json!({"KeyId": given.key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"});
    let answer = told(&server, "ListKeyRotations", &body).await;

    let states = answer["Rotations"].as_array().unwrap().iter();
    let states: Vec<_> = states
        .map(|material| &material["KeyMaterialState"])
        .collect();
    assert_eq!(
        states,
        ["NON_CURRENT", "CURRENT"].map(Value::from).each_ref()
    );
}

#[tokio::test]
async fn the_pages_of_rotations_are_the_list() {
    let (server, given) = turned(5).await;
    let body = json!({"KeyId": given.key});
    let whole = told(&server, "ListKeyRotations", &body).await;

    for limit in 1..=6 {
        let joined = pages(&server, "ListKeyRotations", ("Rotations", limit), &body).await;
        assert_eq!(json!(joined), whole["Rotations"], "{limit} a page");
    }
}

#[tokio::test]
async fn a_marker_that_was_not_given_out_is_refused() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    for marker in ["***", "bm90aGluZw=="] {
        let list = client.list_key_rotations().key_id(&arn).marker(marker);
        assert_eq!(
            refusal(list.send().await).0,
            "InvalidMarkerException",
            "{marker}"
        );
    }
}

/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyRotationStatus.html>
#[tokio::test]
async fn a_key_that_is_enabled_again_turns_once_for_all_that_it_missed() {
    let (server, client) = app_today().await;
    let arn = every_90_days(&client).await;
    client.disable_key().key_id(&arn).send().await.unwrap();
    server.clock().advance(days(1_000));
    let list = || client.list_key_rotations().key_id(&arn).send();
    assert_eq!(list().await.unwrap().rotations().len(), 0);

    client.enable_key().key_id(&arn).send().await.unwrap();

    let at = |time| Some(DateTime::from(today() + days(time)));
    let rotations = list().await.unwrap();
    assert_eq!(rotations.rotations().len(), 1);
    assert_eq!(rotations.rotations()[0].rotation_date, at(1_000));
    let status = client.get_key_rotation_status().key_id(&arn).send().await;
    assert_eq!(status.unwrap().next_rotation_date, at(1_090));
}

#[tokio::test]
async fn rotation_rests_while_a_key_waits_for_its_deletion() {
    let (_server, client) = app_today().await;
    let arn = every_90_days(&client).await;
    let is_on = async || {
        let status = client.get_key_rotation_status().key_id(&arn).send().await;
        status.unwrap().key_rotation_enabled
    };

    let schedule = client.schedule_key_deletion().key_id(&arn);
    schedule.send().await.unwrap();
    let while_waiting = is_on().await;
    let cancel = client.cancel_key_deletion().key_id(&arn);
    cancel.send().await.unwrap();

    assert_eq!((while_waiting, is_on().await), (false, true));
}

#[tokio::test]
async fn imported_material_does_not_turn_by_itself() {
    let (_server, client) = app().await;
    let key = awaiting_import(&client).await;

    let answer = client.enable_key_rotation().key_id(&key).send().await;

    let arn = describe(&client, &key).await.arn.unwrap();
    let message = format!("{arn} origin is EXTERNAL which is not valid for this operation.");
    assert_eq!(
        refusal(answer),
        is("UnsupportedOperationException", &message)
    );
}

#[tokio::test]
async fn a_key_still_answers_where_the_clock_ends() {
    let (server, client) = app().await;
    let arn = every_90_days(&client).await;
    let ciphertext = encrypt(&client, "alias/app", b"secret").await;

    server
        .clock()
        .advance(std::time::Duration::from_hours(24 * 366 * 10_000));

    assert_eq!(decrypt(&client, &ciphertext).await, b"secret");
    assert_eq!(next_rotation(&client, &arn).await, None);
}

#[tokio::test]
async fn materials_are_listed_of_keys_that_turn_alone() {
    let (server, given) = given().await;
    for included in ["ALL_KEY_MATERIAL", "ROTATIONS_ONLY"] {
        for (key, expected) in [
            (&given.key, "ok"),
            (&given.mac_key, "UnsupportedOperationException: "),
            (&given.sign_key, "UnsupportedOperationException: "),
        ] {
            let body = json!({"KeyId": key, "IncludeKeyMaterial": included});
            assert_eq!(
                outcome(&server, "ListKeyRotations", &body).await,
                expected,
                "{body}"
            );
        }
    }
}
