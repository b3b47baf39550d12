//! Aliases: given, moved, taken away, listed.

use aws_sdk_kms::Client;
use aws_sdk_kms::error::SdkError;
use aws_sdk_kms::operation::create_alias::{CreateAliasError, CreateAliasOutput};
use aws_sdk_kms::primitives::DateTime;
use aws_sdk_kms::types::{KeySpec, KeyUsageType};
use serde_json::{Value, json};
use strongroom_testkit::Strongroom;

use crate::sdk::{
    app, app_arn, app_today, days, decrypt, describe, encrypt, is, new_key, refusal, today,
    violation,
};
use crate::table::{members, open_server, pages, told};

const HERE: &str = "arn:aws:kms:us-east-1:000000000000:";

type Created =
    Result<CreateAliasOutput, SdkError<CreateAliasError, aws_sdk_kms::config::http::HttpResponse>>;

async fn create(client: &Client, name: &str, key: &str) -> Created {
    let create = client.create_alias().alias_name(name).target_key_id(key);
    create.send().await
}

async fn names(client: &Client, key: Option<&str>) -> Vec<String> {
    let list = client.list_aliases().set_key_id(key.map(str::to_owned));
    let answer = list.send().await.unwrap();
    let names = answer.aliases.unwrap().into_iter();
    names.filter_map(|alias| alias.alias_name).collect()
}

/// A server with these aliases, all of one key.
async fn with_aliases(names: &[&str]) -> Strongroom {
    let server = open_server().await;
    let key = told(&server, "DescribeKey", &json!({"KeyId": "alias/table"})).await;
    for name in names {
        let body = json!({"AliasName": name, "TargetKeyId": key["KeyMetadata"]["Arn"]});
        told(&server, "CreateAlias", &body).await;
    }
    server
}

#[tokio::test]
async fn an_alias_stands_for_its_key() {
    let (_server, client) = app().await;
    let key = new_key(&client).await;

    create(&client, "alias/a/b-c_d:9", &key).await.unwrap();

    assert_eq!(describe(&client, "alias/a/b-c_d:9").await.key_id, key);
}

#[tokio::test]
async fn a_key_may_have_several_aliases() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    create(&client, "alias/second", &arn).await.unwrap();

    assert_eq!(
        names(&client, Some(&arn)).await,
        ["alias/app", "alias/second"]
    );
}

#[tokio::test]
async fn an_alias_that_is_taken_cannot_be_made_again() {
    let (_server, client) = app().await;
    let (same, other) = (app_arn(&client).await, new_key(&client).await);

    for key in [same, other] {
        let answer = create(&client, "alias/app", &key).await;
        let message = format!("An alias with the name {HERE}alias/app already exists");
        assert_eq!(refusal(answer), is("AlreadyExistsException", &message));
    }
}

#[tokio::test]
async fn an_alias_moves_to_another_key() {
    let (_server, client) = app().await;
    let (old, new) = (app_arn(&client).await, new_key(&client).await);
    let ciphertext = encrypt(&client, "alias/app", b"secret").await;

    let update = client.update_alias().alias_name("alias/app");
    update.target_key_id(&new).send().await.unwrap();

    assert_eq!(describe(&client, "alias/app").await.key_id, new);
    assert_eq!(names(&client, Some(&old)).await, [""; 0]);
    assert_eq!(decrypt(&client, &ciphertext).await, b"secret");
}

#[tokio::test]
async fn deleting_an_alias_leaves_its_key() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    client
        .delete_alias()
        .alias_name("alias/app")
        .send()
        .await
        .unwrap();

    let answer = client.describe_key().key_id("alias/app").send().await;
    let message = format!("Alias {HERE}alias/app is not found.");
    assert_eq!(refusal(answer), is("NotFoundException", &message));
    assert!(describe(&client, &arn).await.enabled);
}

#[tokio::test]
async fn an_alias_that_is_not_there_is_neither_moved_nor_deleted() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    let update = client
        .update_alias()
        .alias_name("alias/none")
        .target_key_id(&arn);
    let moved = update.send().await;
    let deleted = client.delete_alias().alias_name("alias/none").send().await;

    let missing = is(
        "NotFoundException",
        &format!("Alias {HERE}alias/none is not found."),
    );
    assert_eq!(
        (refusal(moved), refusal(deleted)),
        (missing.clone(), missing)
    );
}

#[tokio::test]
async fn an_alias_begins_with_its_prefix() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    let made = create(&client, "app", &arn).await;
    let update = client
        .update_alias()
        .alias_name("Alias/app")
        .target_key_id(&arn);
    let moved = update.send().await;
    let deleted = client.delete_alias().alias_name("app").send().await;

    let message = "Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html";
    let refused = is("ValidationException", message);
    assert_eq!(refusal(made), refused);
    assert_eq!(
        (refusal(moved), refusal(deleted)),
        (refused.clone(), refused)
    );
}

#[tokio::test]
async fn aliases_of_aws_are_nobody_elses() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    let made = create(&client, "alias/aws/mine", &arn).await;
    let update = client
        .update_alias()
        .alias_name("alias/aws/s3")
        .target_key_id(&arn);
    let moved = update.send().await;
    let deleted = client
        .delete_alias()
        .alias_name("alias/aws/s3")
        .send()
        .await;

    let exceptions = [refusal(made).0, refusal(moved).0, refusal(deleted).0];
    assert_eq!(exceptions, ["NotAuthorizedException"; 3]);
}

#[tokio::test]
async fn an_alias_is_made_of_few_characters() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    for name in ["alias/a b", "alias/ä", "alias/a.b"] {
        let answer = create(&client, name, &arn).await;
        let value = format!("Value '{name}' at 'aliasName'");
        let rule = "satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$";
        assert_eq!(refusal(answer), violation(&value, rule));
    }
}

#[tokio::test]
async fn an_alias_has_256_characters_at_most() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;
    let longest = format!("alias/{}", "x".repeat(250));

    let fits = create(&client, &longest, &arn).await;
    let too_long = create(&client, &format!("{longest}x"), &arn).await;

    assert!(fits.is_ok());
    let value = format!("Value '{longest}x' at 'aliasName'");
    assert_eq!(
        refusal(too_long),
        violation(&value, "have length less than or equal to 256")
    );
}

#[tokio::test]
async fn a_key_has_50_aliases_at_most() {
    let (_server, client) = app().await;
    let (full, other) = (new_key(&client).await, app_arn(&client).await);
    for number in 0..50 {
        create(&client, &format!("alias/{number}"), &full)
            .await
            .unwrap();
    }

    let made = create(&client, "alias/51", &full).await;
    let update = client
        .update_alias()
        .alias_name("alias/app")
        .target_key_id(&full);
    let moved = update.send().await;

    assert_eq!(refusal(made).0, "LimitExceededException");
    assert_eq!(refusal(moved).0, "LimitExceededException");
    assert!(create(&client, "alias/51", &other).await.is_ok());
}

#[tokio::test]
async fn a_full_key_keeps_an_alias_that_it_has() {
    let (_server, client) = app().await;
    let full = new_key(&client).await;
    for number in 0..50 {
        create(&client, &format!("alias/{number}"), &full)
            .await
            .unwrap();
    }

    let update = client
        .update_alias()
        .alias_name("alias/0")
        .target_key_id(&full);

    assert!(update.send().await.is_ok());
}

#[tokio::test]
async fn an_alias_is_listed_with_its_key_and_its_days() {
    let (server, client) = app_today().await;
    let key = new_key(&client).await;
    server.clock().advance(days(1));

    let update = client.update_alias().alias_name("alias/app");
    update.target_key_id(&key).send().await.unwrap();

    let answer = client.list_aliases().send().await.unwrap();
    let alias = &answer.aliases()[0];
    assert_eq!(alias.alias_name(), Some("alias/app"));
    assert_eq!(alias.alias_arn(), Some(format!("{HERE}alias/app").as_str()));
    assert_eq!(alias.target_key_id(), Some(key.as_str()));
    assert_eq!(alias.creation_date(), Some(&DateTime::from(today())));
    assert_eq!(
        alias.last_updated_date(),
        Some(&DateTime::from(today() + days(1)))
    );
    assert!(!answer.truncated());
}

#[tokio::test]
async fn the_alias_of_s3s_key_is_listed_before_there_is_one() {
    let server = open_server().await;

    let answer = told(&server, "ListAliases", &json!({})).await;

    let unmade = json!({"AliasName": "alias/aws/s3", "AliasArn": format!("{HERE}alias/aws/s3")});
    assert_eq!(answer["Aliases"][0], unmade);
    assert_eq!(members(&answer), ["Aliases", "Truncated"]);
}

#[tokio::test]
async fn the_alias_of_s3s_key_names_it_once_there_is_one() {
    let (_server, client) = app().await;
    let key = describe(&client, "alias/aws/s3").await.key_id;

    let answer = client.list_aliases().send().await.unwrap();

    assert_eq!(answer.aliases()[1].alias_name(), Some("alias/aws/s3"));
    assert_eq!(answer.aliases()[1].target_key_id(), Some(key.as_str()));
    assert_eq!(names(&client, Some(&key)).await, ["alias/aws/s3"]);
}

#[tokio::test]
async fn the_pages_of_aliases_are_the_list() {
    for with_s3s_key in [false, true] {
        for others in [
            &["alias/a", "alias/b", "alias/x", "alias/z"][..],
            &["alias/a"],
            &[],
        ] {
            let server = with_aliases(others).await;
            if with_s3s_key {
                told(&server, "DescribeKey", &json!({"KeyId": "alias/aws/s3"})).await;
            }
            let whole = told(&server, "ListAliases", &json!({})).await;
            assert_eq!(whole["Aliases"].as_array().unwrap().len(), others.len() + 2);

            for limit in 1..=7 {
                let joined = pages(&server, "ListAliases", ("Aliases", limit), &json!({})).await;
                assert_eq!(json!(joined), whole["Aliases"], "{limit} a page");
            }
        }
    }
}

/// The last alias of all is then before AWS's own, which is not stored yet.
#[tokio::test]
async fn the_pages_end_with_s3s_alias_where_it_is_the_last() {
    let server = with_aliases(&["alias/a", "alias/app"]).await;
    told(&server, "DeleteAlias", &json!({"AliasName": "alias/table"})).await;

    for limit in 1..=4 {
        let joined = pages(&server, "ListAliases", ("Aliases", limit), &json!({})).await;
        let names: Vec<_> = joined.iter().map(|alias| &alias["AliasName"]).collect();
        assert_eq!(
            names,
            ["alias/a", "alias/app", "alias/aws/s3"]
                .map(Value::from)
                .each_ref()
        );
    }
}

#[tokio::test]
async fn the_pages_of_one_keys_aliases_are_the_list() {
    let server = with_aliases(&["alias/a", "alias/b"]).await;
    let other = told(&server, "CreateKey", &json!({})).await;
    let other = &other["KeyMetadata"]["KeyId"];
    told(
        &server,
        "CreateAlias",
        &json!({"AliasName": "alias/aa", "TargetKeyId": other}),
    )
    .await;
    let key = told(&server, "DescribeKey", &json!({"KeyId": "alias/a"})).await;

    let body = json!({"KeyId": key["KeyMetadata"]["KeyId"]});
    let joined = pages(&server, "ListAliases", ("Aliases", 1), &body).await;

    let names: Vec<_> = joined.iter().map(|alias| &alias["AliasName"]).collect();
    assert_eq!(
        names,
        ["alias/a", "alias/b", "alias/table"]
            .map(Value::from)
            .each_ref()
    );
}

#[tokio::test]
async fn a_page_whose_aliases_have_all_ended_is_not_the_last() {
    let (server, client) = app_today().await;
    let (ending, staying) = (app_arn(&client).await, new_key(&client).await);
    create(&client, "alias/apple", &ending).await.unwrap();
    create(&client, "alias/zebra", &staying).await.unwrap();
    client
        .schedule_key_deletion()
        .key_id(&ending)
        .send()
        .await
        .unwrap();
    server.clock().advance(days(30));

    let mut found = Vec::new();
    let mut marker = None;
    loop {
        let list = client.list_aliases().limit(1).set_marker(marker);
        let page = list.send().await.unwrap();
        found.extend(
            page.aliases()
                .iter()
                .filter_map(|alias| alias.alias_name().map(str::to_owned)),
        );
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }

    assert_eq!(found, ["alias/aws/s3", "alias/zebra"]);
}

#[tokio::test]
async fn a_marker_that_was_not_given_out_is_refused() {
    let (_server, client) = app().await;

    for marker in ["***", "bm90aGluZw=="] {
        let answer = client.list_aliases().marker(marker).send().await;
        assert_eq!(refusal(answer).0, "InvalidMarkerException", "{marker}");
    }
}

#[tokio::test]
async fn an_alias_moves_only_to_a_key_of_its_own_kind() {
    let (_server, client) = app().await;
    for (spec, usage) in [
        (KeySpec::Hmac256, KeyUsageType::GenerateVerifyMac),
        (KeySpec::Rsa2048, KeyUsageType::EncryptDecrypt),
    ] {
        let create = client.create_key().key_spec(spec).key_usage(usage);
        let other = create.send().await.unwrap().key_metadata.unwrap().key_id;

        let update = client.update_alias().alias_name("alias/app");
        let refused = update.target_key_id(&other).send().await;

        assert_eq!(refusal(refused).0, "ValidationException");
        assert_ne!(describe(&client, "alias/app").await.key_id, other);
    }
}
