//! What the policies of identities mean to KMS: for keys as far as their policies let them, and alone for all that is about
//! no key.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html>; the words are from
//! refusals quoted in public.

use aws_sdk_kms::Client;
use aws_sdk_kms::error::ProvideErrorMetadata;
use aws_sdk_kms::types::{KeySpec, KeyUsageType, Tag};
use serde_json::{Value, json};
use strongroom_testkit::Strongroom;

use crate::sdk::{app_arn, client_of, is, new_key, refusal, user, with_identities};

/// A server whose one user, ann, has these statements; she, and the root.
async fn ann_may(statements: &Value) -> (Strongroom, Client, Client) {
    let file = json!({ "users": [user("ann", statements)] }).to_string();
    let server = with_identities(&file).await;
    let (ann, root) = (client_of(&server, "ann", "ann"), server.kms_client());
    (server, ann, root)
}

fn allowing(action: &Value, resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": action, "Resource": resource })
}

/// How ann is refused; `of` is what behind `on resource: `, with a blank before.
fn silent(action: &str, of: &str) -> (String, String) {
    let message = format!(
        "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: {action}{of} because no identity-based policy allows the {action} action"
    );
    is("AccessDeniedException", &message)
}

fn on(resource: &str) -> String {
    format!(" on resource: {resource}")
}

fn red() -> Tag {
    let tag = Tag::builder().tag_key("team").tag_value("red");
    tag.build().unwrap()
}

#[tokio::test]
async fn what_is_about_no_key_is_for_whose_policies_allow_it() {
    let (_server, ann, _root) = ann_may(&allowing(&json!("s3:*"), "*")).await;
    let refused = |action| silent(action, &on("*"));

    let create = ann.create_key().send().await;
    let keys = ann.list_keys().send().await;
    let aliases = ann.list_aliases().send().await;
    let random = ann.generate_random().number_of_bytes(8).send().await;
    let stores = ann.describe_custom_key_stores().send().await;

    assert_eq!(refusal(create), refused("kms:CreateKey"));
    assert_eq!(refusal(keys), refused("kms:ListKeys"));
    assert_eq!(refusal(aliases), refused("kms:ListAliases"));
    assert_eq!(refusal(random), refused("kms:GenerateRandom"));
    assert_eq!(refusal(stores), refused("kms:DescribeCustomKeyStores"));
}

#[tokio::test]
async fn one_action_is_not_another() {
    let statements = allowing(&json!(["kms:List*", "kms:GenerateRandom"]), "*");
    let (_server, ann, _root) = ann_may(&statements).await;

    assert!(ann.list_keys().send().await.is_ok());
    assert!(ann.list_aliases().send().await.is_ok());
    let random = ann.generate_random().number_of_bytes(8).send().await;
    assert!(random.is_ok());
    let create = ann.create_key().send().await;
    assert_eq!(refusal(create), silent("kms:CreateKey", &on("*")));
}

#[tokio::test]
async fn a_resource_that_is_no_key_is_a_star() {
    let statements = allowing(&json!("kms:CreateKey"), "arn:aws:kms:*:000000000000:key/*");
    let (_server, ann, _root) = ann_may(&statements).await;

    let create = ann.create_key().send().await;

    assert_eq!(refusal(create), silent("kms:CreateKey", &on("*")));
}

#[tokio::test]
async fn an_explicit_deny_is_told() {
    let deny = json!({ "Effect": "Deny", "Action": "kms:ListKeys", "Resource": "*" });
    let (_server, ann, _root) = ann_may(&json!([allowing(&json!("kms:*"), "*"), deny])).await;

    let listed = ann.list_keys().send().await;

    let message = "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: kms:ListKeys on resource: * with an explicit deny in an identity-based policy";
    assert_eq!(refusal(listed), is("AccessDeniedException", message));
}

#[tokio::test]
async fn a_key_of_the_account_is_for_whose_policies_name_it() {
    let only = |arn: &str| allowing(&json!(["kms:DescribeKey", "kms:EnableKey"]), arn);
    let (_server, ann, root) = ann_may(&json!([
        only("arn:aws:kms:us-east-1:000000000000:key/*"),
        json!({ "Effect": "Deny", "Action": "kms:EnableKey", "Resource": "*",
            "Condition": { "StringEquals": { "aws:ResourceTag/team": "red" } } }),
    ]))
    .await;
    let plain = app_arn(&root).await;
    let tagged = root.create_key().tags(red()).send().await.unwrap();
    let tagged = tagged.key_metadata.unwrap().arn.unwrap();

    assert!(ann.enable_key().key_id(&plain).send().await.is_ok());
    assert!(ann.describe_key().key_id(&tagged).send().await.is_ok());
    let enabled = ann.enable_key().key_id(&tagged).send().await;
    let message = format!(
        "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: kms:EnableKey on resource: {tagged} with an explicit deny in an identity-based policy"
    );
    assert_eq!(refusal(enabled), is("AccessDeniedException", &message));
    let disabled = ann.disable_key().key_id(&plain).send().await;
    assert_eq!(refusal(disabled), silent("kms:DisableKey", &on(&plain)));
}

#[tokio::test]
async fn to_make_a_key_with_tags_is_two_actions() {
    let (_server, ann, _root) = ann_may(&allowing(&json!("kms:CreateKey"), "*")).await;

    assert!(ann.create_key().send().await.is_ok());
    let tagged = ann.create_key().tags(red()).send().await;

    assert_eq!(refusal(tagged), silent("kms:TagResource", ""));
}

#[tokio::test]
async fn conditions_know_what_a_new_key_is_to_be() {
    let wanted = json!({
        "StringEquals": { "kms:KeySpec": "HMAC_256", "kms:KeyUsage": "GENERATE_VERIFY_MAC",
            "kms:KeyOrigin": "AWS_KMS", "aws:RequestTag/team": "red" },
        "ForAllValues:StringEquals": { "aws:TagKeys": "team" },
        "Bool": { "kms:MultiRegion": "false", "kms:BypassPolicyLockoutSafetyCheck": "false" },
        "Null": { "kms:MultiRegionKeyType": "true" },
    });
    let mut create = allowing(&json!("kms:CreateKey"), "*");
    create["Condition"] = wanted;
    let tag = allowing(
        &json!("kms:TagResource"),
        "arn:aws:kms:*:000000000000:key/*",
    );
    let (_server, ann, _root) = ann_may(&json!([create, tag])).await;
    let hmac = || {
        let create = ann.create_key().key_spec(KeySpec::Hmac256);
        create.key_usage(KeyUsageType::GenerateVerifyMac)
    };
    let other = Tag::builder().tag_key("cost").tag_value("1");

    assert!(hmac().tags(red()).send().await.is_ok());
    for refused in [
        ann.create_key().tags(red()),
        hmac(),
        hmac().tags(red()).tags(other.build().unwrap()),
        hmac().tags(red()).multi_region(true),
        hmac().tags(red()).bypass_policy_lockout_safety_check(true),
    ] {
        let told = refusal(refused.send().await);
        assert_eq!(told, silent("kms:CreateKey", &on("*")));
    }
}

#[tokio::test]
async fn an_alias_needs_a_right_on_it_and_one_on_its_key() {
    let alias = "arn:aws:kms:us-east-1:000000000000:alias/red-*";
    let key = "arn:aws:kms:us-east-1:000000000000:key/*";
    let named = json!(["kms:CreateAlias", "kms:DeleteAlias"]);
    let statements = json!([
        allowing(&named, alias),
        allowing(&json!("kms:CreateAlias"), key),
        allowing(&json!("kms:UpdateAlias"), key),
    ]);
    let (_server, ann, root) = ann_may(&statements).await;
    let arn = app_arn(&root).await;
    let name = async |name: &str| {
        let create = ann.create_alias().alias_name(name).target_key_id(&arn);
        create.send().await
    };

    assert!(name("alias/red-one").await.is_ok());
    let blue = name("alias/blue").await;
    let moved = ann.update_alias().alias_name("alias/red-one");
    let moved = moved.target_key_id(&arn).send().await;
    let deleted = ann.delete_alias().alias_name("alias/red-one").send().await;

    let blue_arn = "arn:aws:kms:us-east-1:000000000000:alias/blue";
    let red_arn = "arn:aws:kms:us-east-1:000000000000:alias/red-one";
    assert_eq!(refusal(blue), silent("kms:CreateAlias", &on(blue_arn)));
    assert_eq!(refusal(moved), silent("kms:UpdateAlias", &on(red_arn)));
    assert_eq!(refusal(deleted), silent("kms:DeleteAlias", &on(&arn)));
}

#[tokio::test]
async fn whoever_could_not_put_another_policy_by_his_own_is_locked_out() {
    let statements = allowing(&json!(["kms:CreateKey", "kms:Describe*"]), "*");
    let (_server, ann, root) = ann_may(&statements).await;
    let delegates = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"kms:*","Resource":"*"}}"#;
    let names = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/ann"},"Action":"kms:*","Resource":"*"}}"#;

    let locked_out = ann.create_key().policy(delegates).send().await;

    let told = "The new key policy will not allow you to update the key policy in the future.";
    assert_eq!(
        refusal(locked_out),
        is("MalformedPolicyDocumentException", told)
    );
    assert!(ann.create_key().policy(names).send().await.is_ok());
    let by_root = root.create_key().policy(delegates).send().await;
    assert!(by_root.is_ok(), "the root has no policies to fall short of");
}

#[tokio::test]
async fn what_skips_the_check_of_a_policy_can_be_denied() {
    let deny = json!({ "Effect": "Deny", "Action": "kms:PutKeyPolicy", "Resource": "*",
        "Condition": { "Bool": { "kms:BypassPolicyLockoutSafetyCheck": "true" } } });
    let (_server, ann, _root) = ann_may(&json!([allowing(&json!("kms:*"), "*"), deny])).await;
    let key = new_key(&ann).await;
    let policy =
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}"#;
    let put = || ann.put_key_policy().key_id(&key).policy(policy);

    assert!(put().send().await.is_ok());
    let bypassing = put().bypass_policy_lockout_safety_check(true).send().await;

    let (exception, message) = refusal(bypassing);
    assert_eq!(exception, "AccessDeniedException");
    let reason = "with an explicit deny in an identity-based policy";
    assert!(message.ends_with(reason), "{message}");
}

#[tokio::test]
async fn a_policy_can_look_at_the_names_of_a_key() {
    let mut by_name = allowing(&json!("kms:DescribeKey"), "*");
    by_name["Condition"] =
        json!({ "ForAnyValue:StringLike": { "kms:ResourceAliases": "alias/a*" } });
    let (_server, ann, root) = ann_may(&by_name).await;
    let nameless = new_key(&root).await;

    let named = ann.describe_key().key_id(app_arn(&root).await).send().await;
    let other = ann.describe_key().key_id(&nameless).send().await;

    assert!(named.is_ok());
    let code = other.unwrap_err().into_service_error();
    assert_eq!(code.code(), Some("AccessDeniedException"));
}
