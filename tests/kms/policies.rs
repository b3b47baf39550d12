//! The policy of a key: the one it is born with, another one, its name.

use aws_sdk_kms::Client;
use serde_json::{Value, json};

use crate::sdk::{app, app_arn, is, refusal};
use crate::table::{given, told};

/// Keeps everybody out.
const LOCKING: &str =
    r#"{"Statement":{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"}}"#;
const OPEN: &str = r#"{ "Statement": { "Effect": "Allow", "Principal": "*",
    "Action": "kms:*", "Resource": "*" } }"#;

async fn policy_of(client: &Client, key: &str) -> String {
    let answer = client.get_key_policy().key_id(key).send().await;
    answer.unwrap().policy.unwrap()
}

/// Exception and message where this is put.
async fn refused(policy: &str) -> (String, String) {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;
    let put = client
        .put_key_policy()
        .key_id(&arn)
        .policy(policy)
        .send()
        .await;
    let made = client.create_key().policy(policy).send().await;
    let refused = refusal(put);
    assert_eq!(refused, refusal(made), "CreateKey and PutKeyPolicy agree");
    refused
}

#[tokio::test]
async fn a_key_is_born_with_its_accounts_policy() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    let policy = policy_of(&client, &arn).await;

    let expected = json!({
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow",
            "Principal": { "AWS": "arn:aws:iam::000000000000:root" },
            "Action": "kms:*",
            "Resource": "*",
        }],
    });
    assert_eq!(serde_json::from_str::<Value>(&policy).unwrap(), expected);
    assert!(
        policy.starts_with("{\n  \"Version\" : \"2012-10-17\",\n"),
        "{policy}"
    );
}

#[tokio::test]
async fn a_policy_is_answered_as_it_was_put() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    client
        .put_key_policy()
        .key_id(&arn)
        .policy(OPEN)
        .send()
        .await
        .unwrap();

    assert_eq!(policy_of(&client, &arn).await, OPEN);
}

#[tokio::test]
async fn its_name_is_default() {
    let (server, given) = given().await;

    let body = json!({"KeyId": given.key, "PolicyName": "default"});
    let answer = told(&server, "GetKeyPolicy", &body).await;
    let listed = told(&server, "ListKeyPolicies", &json!({"KeyId": given.key})).await;

    assert_eq!(answer["PolicyName"], "default");
    assert_eq!(
        listed,
        json!({"PolicyNames": ["default"], "Truncated": false})
    );
}

#[tokio::test]
async fn no_other_name_is_there() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    let get = client.get_key_policy().key_id(&arn).policy_name("other");
    let put = client.put_key_policy().key_id(&arn).policy_name("other");
    let (got, put) = (get.send().await, put.policy(OPEN).send().await);

    let exceptions = [refusal(got).0, refusal(put).0];
    assert_eq!(exceptions, ["NotFoundException"; 2]);
}

#[tokio::test]
async fn a_statement_is_about_somebody() {
    let refused =
        refused(r#"{"Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}"#).await;

    let message = "Policy contains a statement with no principal.";
    assert_eq!(refused, is("MalformedPolicyDocumentException", message));
}

/// Source: an answer of 2018, quoted in aws/aws-sdk-ruby#1784.
#[tokio::test]
async fn what_is_no_json_is_refused_without_a_word() {
    for policy in ["nothing", "{", "[]"] {
        assert_eq!(
            refused(policy).await,
            is("MalformedPolicyDocumentException", "")
        );
    }
}

#[tokio::test]
async fn a_policy_has_32768_characters_at_most() {
    let longest = format!("{OPEN}{}", " ".repeat(32_768 - OPEN.len()));
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    let put = client
        .put_key_policy()
        .key_id(&arn)
        .policy(&longest)
        .send()
        .await;
    let (exception, _) = refused(&format!("{longest} ")).await;
    let beyond_all = format!("{OPEN}{}", " ".repeat(131_073));
    let (unread, message) = refused(&beyond_all).await;

    assert!(put.is_ok());
    assert_eq!(exception, "LimitExceededException");
    assert_eq!(unread, "ValidationException");
    assert!(message.ends_with("at 'policy' failed to satisfy constraint: Member must have length less than or equal to 131072"), "{message}");
}

#[tokio::test]
async fn a_policy_that_locks_its_sender_out_is_refused() {
    let stranger = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}}"#;
    let only_reads = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":"kms:Describe*","Resource":"*"}}"#;

    for policy in [LOCKING, stranger, only_reads] {
        let message =
            "The new key policy will not allow you to update the key policy in the future.";
        assert_eq!(
            refused(policy).await,
            is("MalformedPolicyDocumentException", message),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn the_lockout_check_can_be_skipped() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;
    let policy = LOCKING;

    let put = client.put_key_policy().key_id(&arn).policy(policy);
    put.bypass_policy_lockout_safety_check(true)
        .send()
        .await
        .unwrap();

    let (exception, message) = refusal(client.get_key_policy().key_id(&arn).send().await);
    assert_eq!(exception, "AccessDeniedException");
    let reason = "with an explicit deny in a resource-based policy";
    assert!(message.ends_with(reason), "{message}");
}

#[tokio::test]
async fn a_marker_that_was_not_given_out_is_refused() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    for marker in ["***", "bm90aGluZw=="] {
        let list = client.list_key_policies().key_id(&arn).marker(marker);
        assert_eq!(
            refusal(list.send().await).0,
            "InvalidMarkerException",
            "{marker}"
        );
    }
}
