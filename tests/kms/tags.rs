//! Tags of a key: added, changed, taken away, listed; and what no key may get.

use aws_sdk_kms::Client;
use aws_sdk_kms::types::Tag;
use serde_json::json;

use crate::sdk::{app, app_arn, is, refusal};
use crate::table::{given, outcome, pages, told};

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder()
        .tag_key(key)
        .tag_value(value)
        .build()
        .unwrap()
}

fn numbered(count: usize) -> Vec<Tag> {
    (0..count)
        .map(|number| tag(&format!("tag{number:02}"), "x"))
        .collect()
}

async fn put(client: &Client, key: &str, tags: Vec<Tag>) -> Result<(), (String, String)> {
    let answer = client
        .tag_resource()
        .key_id(key)
        .set_tags(Some(tags))
        .send()
        .await;
    if answer.is_ok() {
        Ok(())
    } else {
        Err(refusal(answer))
    }
}

async fn tags_of(client: &Client, key: &str) -> Vec<Tag> {
    let answer = client.list_resource_tags().key_id(key).send().await;
    answer.unwrap().tags.unwrap()
}

/// What both ways of giving a key tags say to these.
async fn refused(tags: Vec<Tag>) -> (String, String) {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;
    let made = client
        .create_key()
        .set_tags(Some(tags.clone()))
        .send()
        .await;
    let refused = put(&client, &arn, tags).await.unwrap_err();
    assert_eq!(refused, refusal(made), "CreateKey and TagResource agree");
    refused
}

#[tokio::test]
async fn tags_are_added_and_changed() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;
    put(
        &client,
        &arn,
        vec![tag("tag1", "one"), tag("tag3", "three")],
    )
    .await
    .unwrap();

    put(
        &client,
        &arn,
        vec![tag("tag2", "two"), tag("tag1", "another")],
    )
    .await
    .unwrap();

    let expected = [
        tag("tag1", "another"),
        tag("tag2", "two"),
        tag("tag3", "three"),
    ];
    assert_eq!(tags_of(&client, &arn).await, expected);
}

#[tokio::test]
async fn tags_are_taken_away_whether_they_are_there_or_not() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;
    put(&client, &arn, vec![tag("team", "red"), tag("use", "test")])
        .await
        .unwrap();

    let untag = client.untag_resource().key_id(&arn).tag_keys("team");
    untag.tag_keys("nothing").send().await.unwrap();

    assert_eq!(tags_of(&client, &arn).await, [tag("use", "test")]);
}

#[tokio::test]
async fn a_list_of_no_tags_says_that_it_is_whole() {
    let (server, given) = given().await;

    let answer = told(&server, "ListResourceTags", &json!({"KeyId": given.key})).await;

    assert_eq!(answer, json!({"Tags": [], "Truncated": false}));
}

#[tokio::test]
async fn a_tag_is_told_by_key_and_value() {
    let (server, given) = given().await;
    let tag = json!({"TagKey": "Größe", "TagValue": ""});
    told(
        &server,
        "TagResource",
        &json!({"KeyId": given.key, "Tags": [tag]}),
    )
    .await;

    let answer = told(&server, "ListResourceTags", &json!({"KeyId": given.key})).await;

    assert_eq!(answer["Tags"], json!([tag]));
}

#[tokio::test]
async fn a_tag_comes_once() {
    let refused = refused(vec![tag("team", "red"), tag("team", "blue")]).await;

    assert_eq!(refused, is("TagException", "Duplicate tag keys"));
}

#[tokio::test]
async fn tags_of_aws_are_reserved_in_any_case() {
    for key in ["aws:team", "AWS:team", "aWs:"] {
        let refused = refused(vec![tag(key, "red")]).await;
        assert_eq!(
            refused,
            is("TagException", "Tags beginning with aws: are reserved")
        );
    }
}

#[tokio::test]
async fn a_key_has_50_tags_at_most() {
    assert_eq!(
        refused(numbered(51)).await,
        is("TagException", "Too many tags")
    );
}

#[tokio::test]
async fn a_full_key_gets_no_other_tag_and_still_another_value() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;
    put(&client, &arn, numbered(50)).await.unwrap();

    let other = put(&client, &arn, vec![tag("other", "x")]).await;
    let same = put(&client, &arn, vec![tag("tag07", "new")]).await;

    assert_eq!(other, Err(is("TagException", "Too many tags")));
    assert_eq!(same, Ok(()));
}

#[tokio::test]
async fn a_tag_has_bounds() {
    let (server, given) = given().await;
    let long = |length| "x".repeat(length);
    let cases = [
        (json!({"TagKey": long(129), "TagValue": ""}), format!("Value '{}' at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 128", long(129))),
        (json!({"TagKey": "", "TagValue": ""}), "Value '' at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length greater than or equal to 1".to_owned()),
        (json!({"TagKey": "a", "TagValue": long(257)}), format!("Value '{}' at 'tags.1.member.tagValue' failed to satisfy constraint: Member must have length less than or equal to 256", long(257))),
        (json!({"TagKey": "a"}), "Value null at 'tags.1.member.tagValue' failed to satisfy constraint: Member must not be null".to_owned()),
        (json!({"TagValue": "a"}), "Value null at 'tags.1.member.tagKey' failed to satisfy constraint: Member must not be null".to_owned()),
    ];

    for (tag, violation) in cases {
        let body = json!({"KeyId": given.key, "Tags": [tag]});
        let outcome = outcome(&server, "TagResource", &body).await;
        let told = format!("ValidationException: 1 validation error detected: {violation}");
        assert_eq!(outcome, told);
    }
}

#[tokio::test]
async fn the_longest_tag_is_taken() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;
    let longest = tag(&"ä".repeat(128), &"ö".repeat(256));

    put(&client, &arn, vec![longest.clone()]).await.unwrap();

    assert_eq!(tags_of(&client, &arn).await, [longest]);
}

#[tokio::test]
async fn the_pages_of_tags_are_the_list() {
    let (server, given) = given().await;
    let tags = (0..5).map(|number| json!({"TagKey": format!("tag{number}"), "TagValue": "x"}));
    let tags = json!(tags.collect::<Vec<_>>());
    told(
        &server,
        "TagResource",
        &json!({"KeyId": given.key, "Tags": tags}),
    )
    .await;

    for limit in 1..=6 {
        let body = json!({"KeyId": given.key});
        let joined = pages(&server, "ListResourceTags", ("Tags", limit), &body).await;
        assert_eq!(json!(joined), tags, "{limit} a page");
    }
}

#[tokio::test]
async fn a_marker_that_was_not_given_out_is_refused() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    let list = client.list_resource_tags().key_id(&arn).marker("***");

    assert_eq!(refusal(list.send().await).0, "InvalidMarkerException");
}
