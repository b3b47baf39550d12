//! Deletion windows: how long they are, and their end, when the key and its aliases are gone and what it encrypted is lost.

use std::time::Duration;

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::DateTime;
use aws_sdk_kms::types::KeyState;

use crate::sdk::{
    app, app_arn, app_today, days, decrypt, describe, encrypt, is, new_key, refusal, today,
};

const ALIAS: &str = "arn:aws:kms:us-east-1:000000000000:alias/app";

/// Lets `alias/app`'s key end after seven days; its ARN.
async fn doom(client: &Client) -> String {
    let arn = app_arn(client).await;
    let schedule = client.schedule_key_deletion().key_id(&arn);
    schedule.pending_window_in_days(7).send().await.unwrap();
    arn
}

fn no_alias() -> (String, String) {
    is("NotFoundException", &format!("Alias {ALIAS} is not found."))
}

fn no_key(arn: &str) -> (String, String) {
    is("NotFoundException", &format!("Key '{arn}' does not exist"))
}

#[tokio::test]
async fn scheduling_a_deletion_tells_its_day() {
    let (_server, client) = app_today().await;
    let arn = app_arn(&client).await;

    let schedule = client.schedule_key_deletion().key_id(&arn);
    let answer = schedule.pending_window_in_days(7).send().await.unwrap();

    let day = DateTime::from(today() + days(7));
    assert_eq!(answer.key_id.as_deref(), Some(arn.as_str()));
    assert_eq!(
        (answer.deletion_date, answer.key_state),
        (Some(day), Some(KeyState::PendingDeletion))
    );
    assert_eq!(answer.pending_window_in_days, Some(7));
    let key = describe(&client, &arn).await;
    assert_eq!((key.deletion_date, key.enabled), (Some(day), false));
}

#[tokio::test]
async fn a_window_has_30_days_where_nothing_is_said() {
    let (_server, client) = app_today().await;
    let arn = app_arn(&client).await;

    let answer = client
        .schedule_key_deletion()
        .key_id(&arn)
        .send()
        .await
        .unwrap();

    assert_eq!(answer.pending_window_in_days, Some(30));
    assert_eq!(
        answer.deletion_date,
        Some(DateTime::from(today() + days(30)))
    );
}

#[tokio::test]
async fn a_window_has_7_to_30_days() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    for days in [1, 6, 31, 365] {
        let schedule = client.schedule_key_deletion().key_id(&arn);
        let answer = schedule.pending_window_in_days(days).send().await;
        let message = "PendingWindowInDays must be between 7 and 30";
        assert_eq!(
            refusal(answer),
            is("ValidationException", message),
            "{days}"
        );
    }
}

#[tokio::test]
async fn calling_a_deletion_off_tells_the_arn_and_takes_the_day_away() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;
    client
        .schedule_key_deletion()
        .key_id(&arn)
        .send()
        .await
        .unwrap();

    let answer = client
        .cancel_key_deletion()
        .key_id(&arn)
        .send()
        .await
        .unwrap();

    assert_eq!(answer.key_id.as_deref(), Some(arn.as_str()));
    assert_eq!(describe(&client, &arn).await.deletion_date, None);
}

#[tokio::test]
async fn until_it_ends_the_key_is_there() {
    let (server, client) = app_today().await;
    let arn = doom(&client).await;

    server.clock().advance(Duration::from_secs(7 * 86_400 - 1));

    assert_eq!(
        describe(&client, &arn).await.key_state,
        Some(KeyState::PendingDeletion)
    );
}

#[tokio::test]
async fn a_key_can_be_had_back_until_then() {
    let (server, client) = app_today().await;
    let ciphertext = encrypt(&client, "alias/app", b"secret").await;
    let arn = doom(&client).await;
    server.clock().advance(days(6));

    client
        .cancel_key_deletion()
        .key_id(&arn)
        .send()
        .await
        .unwrap();
    client.enable_key().key_id(&arn).send().await.unwrap();
    server.clock().advance(days(6));

    assert_eq!(decrypt(&client, &ciphertext).await, b"secret");
}

#[tokio::test]
async fn afterwards_the_key_does_not_exist() {
    let (server, client) = app_today().await;
    let arn = doom(&client).await;
    server.clock().advance(days(7));

    let described = client.describe_key().key_id(&arn).send().await;
    let cancelled = client.cancel_key_deletion().key_id(&arn).send().await;

    assert_eq!(refusal(described), no_key(&arn));
    assert_eq!(refusal(cancelled), no_key(&arn));
}

#[tokio::test]
async fn afterwards_its_ciphertexts_are_lost() {
    let (server, client) = app_today().await;
    let ciphertext = encrypt(&client, "alias/app", b"secret").await;
    doom(&client).await;
    server.clock().advance(days(7));

    let answer = client.decrypt().ciphertext_blob(ciphertext).send().await;

    let message = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";
    assert_eq!(refusal(answer), is("AccessDeniedException", message));
}

#[tokio::test]
async fn afterwards_its_alias_leads_nowhere() {
    let (server, client) = app_today().await;
    doom(&client).await;
    server.clock().advance(days(7));

    let first = client.describe_key().key_id("alias/app").send().await;
    let second = client.describe_key().key_id(ALIAS).send().await;

    assert_eq!(refusal(first), no_alias());
    assert_eq!(refusal(second), no_alias());
}

#[tokio::test]
async fn afterwards_its_alias_cannot_get_another_key() {
    let (server, client) = app_today().await;
    doom(&client).await;
    let other = new_key(&client).await;
    server.clock().advance(days(7));

    let update = client.update_alias().alias_name("alias/app");
    let answer = update.target_key_id(&other).send().await;

    assert_eq!(refusal(answer), no_alias());
}

#[tokio::test]
async fn afterwards_its_alias_cannot_be_deleted() {
    let (server, client) = app_today().await;
    doom(&client).await;
    server.clock().advance(days(7));

    let answer = client.delete_alias().alias_name("alias/app").send().await;

    assert_eq!(refusal(answer), no_alias());
}

#[tokio::test]
async fn afterwards_the_name_of_its_alias_is_free() {
    let (server, client) = app_today().await;
    doom(&client).await;
    let other = new_key(&client).await;
    server.clock().advance(days(7));

    let create = client.create_alias().alias_name("alias/app");
    create.target_key_id(&other).send().await.unwrap();

    assert_eq!(describe(&client, "alias/app").await.key_id, other);
}

#[tokio::test]
async fn an_alias_that_went_to_another_key_in_time_stays() {
    let (server, client) = app_today().await;
    doom(&client).await;
    let other = new_key(&client).await;
    let update = client.update_alias().alias_name("alias/app");
    update.target_key_id(&other).send().await.unwrap();

    server.clock().advance(days(7));

    assert_eq!(describe(&client, "alias/app").await.key_id, other);
}

#[tokio::test]
async fn afterwards_no_list_names_key_or_alias() {
    let (server, client) = app_today().await;
    doom(&client).await;
    server.clock().advance(days(7));

    let aliases = client.list_aliases().send().await.unwrap();
    let keys = client.list_keys().send().await.unwrap();

    let names: Vec<_> = aliases
        .aliases()
        .iter()
        .filter_map(|alias| alias.alias_name())
        .collect();
    assert_eq!(names, ["alias/aws/s3"]);
    assert_eq!(keys.keys().len(), 0);
}
