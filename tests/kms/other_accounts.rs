//! Keys of other accounts: used and looked at by whom both sides let, and never changed.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html>

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use serde_json::json;
use strongroom_testkit::Strongroom;

use crate::sdk::{app, app_arn, client_of, decrypt, encrypt, is, new_key, refusal};

const OTHER: &str = "111122223333";

/// A server with a key that both accounts may use; clients of its root and of the other account's, and its ARN.
async fn shared() -> (Strongroom, Client, Client, String) {
    let (server, owner) = app().await;
    let arn = app_arn(&owner).await;
    let policy = json!({ "Statement": { "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Principal": { "AWS": ["000000000000", OTHER] } } });
    let put = owner.put_key_policy().key_id(&arn);
    put.policy(policy.to_string()).send().await.unwrap();
    let guest = client_of(&server, OTHER, OTHER);
    (server, owner, guest, arn)
}

fn foreign(action: &str) -> (String, String) {
    let message = format!(
        "User: arn:aws:iam::111122223333:root is not authorized to perform: {action} on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access"
    );
    is("AccessDeniedException", &message)
}

#[tokio::test]
async fn a_guest_uses_a_key_by_its_arn_and_by_its_aliases() {
    let (_server, owner, guest, arn) = shared().await;
    let alias = "arn:aws:kms:us-east-1:000000000000:alias/app";
    for name in [&arn, alias] {
        let ciphertext = encrypt(&guest, name, b"secret").await;

        assert_eq!(decrypt(&guest, &ciphertext).await, b"secret");
        assert_eq!(decrypt(&owner, &ciphertext).await, b"secret");
        let described = guest.describe_key().key_id(name).send().await.unwrap();
        let described = described.key_metadata.unwrap();
        assert_eq!(described.aws_account_id.as_deref(), Some("000000000000"));
        let status = guest.get_key_rotation_status().key_id(&arn).send().await;
        assert!(status.is_ok());
    }
}

#[tokio::test]
async fn a_bare_name_is_looked_up_at_home() {
    let (_server, _owner, guest, arn) = shared().await;
    let id = arn.rsplit('/').next().unwrap();

    let by_id = guest.describe_key().key_id(id).send().await;
    let by_alias = guest.describe_key().key_id("alias/app").send().await;

    let missing = format!("Key 'arn:aws:kms:us-east-1:111122223333:key/{id}' does not exist");
    assert_eq!(refusal(by_id), is("NotFoundException", &missing));
    let unnamed = "Alias arn:aws:kms:us-east-1:111122223333:alias/app is not found.";
    assert_eq!(refusal(by_alias), is("NotFoundException", unnamed));
}

#[tokio::test]
async fn a_ciphertext_goes_from_one_account_to_another() {
    let (_server, owner, guest, arn) = shared().await;
    let own = new_key(&guest).await;
    let ciphertext = encrypt(&owner, &arn, b"secret").await;

    let again = guest.re_encrypt().ciphertext_blob(ciphertext);
    let again = again.destination_key_id(&own).send().await.unwrap();

    let again = again.ciphertext_blob.unwrap();
    assert_eq!(decrypt(&guest, &again).await, b"secret");
    let denied = owner.decrypt().ciphertext_blob(again).send().await;
    assert_eq!(refusal(denied).0, "AccessDeniedException");
}

#[tokio::test]
async fn a_guest_changes_nothing_whatever_the_policy_says() {
    let (_server, _owner, guest, arn) = shared().await;
    let key = || Some(arn.clone());

    let disabled = guest.disable_key().set_key_id(key()).send().await;
    let policy = guest.get_key_policy().set_key_id(key()).send().await;
    let tags = guest.list_resource_tags().set_key_id(key()).send().await;
    let doomed = guest.schedule_key_deletion().set_key_id(key()).send();
    let named = guest.create_alias().alias_name("alias/guest");
    let named = named.set_target_key_id(key()).send().await;
    let listed = guest.list_aliases().set_key_id(key()).send().await;

    assert_eq!(refusal(disabled), foreign("kms:DisableKey"));
    assert_eq!(refusal(policy), foreign("kms:GetKeyPolicy"));
    assert_eq!(refusal(tags), foreign("kms:ListResourceTags"));
    assert_eq!(refusal(doomed.await), foreign("kms:ScheduleKeyDeletion"));
    assert_eq!(refusal(named), foreign("kms:CreateAlias"));
    assert_eq!(refusal(listed), foreign("kms:ListAliases"));
}

/// Whether there is such a key or such a name is not a stranger's business.
#[tokio::test]
async fn what_is_not_there_is_told_like_what_is_not_allowed() {
    let (_server, _owner, guest, _arn) = shared().await;
    let unknown = "arn:aws:kms:us-east-1:000000000000:key/134f2428-cec1-4b25-a1ae-9048164dba47";
    for name in [
        unknown,
        "arn:aws:kms:us-east-1:000000000000:alias/none",
        "arn:aws:kms:us-east-1:000000000000:alias/aws/s3",
    ] {
        let described = guest.describe_key().key_id(name).send().await;

        assert_eq!(refusal(described), foreign("kms:DescribeKey"), "{name}");
    }
}

#[tokio::test]
async fn a_guest_whom_the_policy_lets_out_is_let_out() {
    let (_server, owner, guest, arn) = shared().await;
    let ciphertext = encrypt(&guest, &arn, b"secret").await;
    let alone = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"kms:*","Resource":"*"}}"#;
    let put = owner.put_key_policy().key_id(&arn).policy(alone);
    put.send().await.unwrap();

    let named = guest.decrypt().ciphertext_blob(ciphertext.clone());
    let named = named.key_id(&arn).send().await;
    let unnamed = guest.decrypt().ciphertext_blob(ciphertext).send().await;
    let made = guest.generate_data_key().key_id(&arn).number_of_bytes(32);

    assert_eq!(refusal(named), foreign("kms:Decrypt"));
    let message = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";
    assert_eq!(refusal(unnamed), is("AccessDeniedException", message));
    assert_eq!(refusal(made.send().await), foreign("kms:GenerateDataKey"));
}

#[tokio::test]
async fn conditions_know_the_account_of_a_guest() {
    let (server, owner, guest, arn) = shared().await;
    let policy = json!({ "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": "000000000000" }, "Action": "kms:*", "Resource": "*" },
        { "Effect": "Allow", "Principal": "*", "Action": "kms:Encrypt", "Resource": "*",
          "Condition": { "StringEquals": { "kms:CallerAccount": OTHER, "aws:ResourceAccount": "000000000000" } } },
    ] });
    let put = owner.put_key_policy().key_id(&arn);
    put.policy(policy.to_string()).send().await.unwrap();

    encrypt(&guest, &arn, b"secret").await;

    let stranger = client_of(&server, "222233334444", "222233334444");
    let call = stranger.encrypt().key_id(&arn).plaintext(Blob::new("x"));
    let told = refusal(call.send().await);
    assert_eq!(told.0, "AccessDeniedException");
}
