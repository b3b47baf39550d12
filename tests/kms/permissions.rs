//! Who may use a key: its policy decides for whoever calls KMS.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>; the words are from refusals
//! quoted in public.

use std::io::Write;

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use serde_json::{Value, json};
use strongroom_testkit::Strongroom;

use crate::sdk::{app_arn, client_of, decrypt, encrypt, is, refusal};

const ANN: &str = "arn:aws:iam::000000000000:user/ann";
const BOB: &str = "arn:aws:iam::000000000000:user/bob";
const ROOT: &str = "arn:aws:iam::000000000000:root";
const IN_RESOURCE: &str = "with an explicit deny in a resource-based policy";

/// A server with a key, its root, and two users of the account.
struct Parties {
    _server: Strongroom,
    root: Client,
    ann: Client,
    bob: Client,
    arn: String,
}

impl Parties {
    async fn meet() -> Self {
        let user = |name: &str| json!({ "name": name, "account": "000000000000", "access_key": name, "secret_key": name });
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "{}", json!({ "users": [user("ann"), user("bob")] })).unwrap();
        let path = file.path().to_owned();
        let known = |config: &mut strongroom_testkit::Config| config.identities = Some(path);
        let builder = Strongroom::builder().kms_key("alias/app").config(known);
        let server = builder.start().await;
        let root = server.kms_client();
        Self {
            ann: client_of(&server, "ann", "ann"),
            bob: client_of(&server, "bob", "bob"),
            arn: app_arn(&root).await,
            root,
            _server: server,
        }
    }

    /// Gives the key a policy of these statements, each for every action unless it says otherwise.
    async fn set(&self, statements: &[Value]) {
        let whole = |statement: &Value| {
            let mut whole = json!({ "Effect": "Allow", "Action": "kms:*", "Resource": "*" });
            let members = statement.as_object().unwrap().clone();
            whole.as_object_mut().unwrap().extend(members);
            whole
        };
        let statements: Vec<_> = statements.iter().map(whole).collect();
        let policy = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let put = self.root.put_key_policy().key_id(&self.arn).policy(policy);
        let put = put.bypass_policy_lockout_safety_check(true);
        put.send().await.unwrap();
    }

    /// How somebody is refused an action, for a reason.
    fn not_allowed(&self, who: &str, action: &str, reason: &str) -> (String, String) {
        let arn = &self.arn;
        let message = format!(
            "User: {who} is not authorized to perform: {action} on resource: {arn} {reason}"
        );
        is("AccessDeniedException", &message)
    }
}

/// How somebody is refused to encrypt.
async fn refused(client: &Client, arn: &str) -> (String, String) {
    let call = client.encrypt().key_id(arn).plaintext(Blob::new("secret"));
    refusal(call.send().await)
}

fn everybody() -> Value {
    json!({ "Principal": { "AWS": ROOT } })
}

#[tokio::test]
async fn the_policy_that_a_key_is_born_with_lets_the_whole_account_in() {
    let parties = Parties::meet().await;

    for client in [&parties.root, &parties.ann, &parties.bob] {
        let ciphertext = encrypt(client, &parties.arn, b"secret").await;
        assert_eq!(decrypt(client, &ciphertext).await, b"secret");
    }
}

#[tokio::test]
async fn a_policy_that_names_one_user_refuses_all_others_and_the_root() {
    let parties = Parties::meet().await;
    parties.set(&[json!({ "Principal": { "AWS": ANN } })]).await;

    let ciphertext = encrypt(&parties.ann, &parties.arn, b"secret").await;
    let read = parties
        .bob
        .decrypt()
        .ciphertext_blob(ciphertext)
        .send()
        .await;
    let looked = parties.root.describe_key().key_id("alias/app").send().await;

    let silent =
        |action: &str| format!("because no resource-based policy allows the {action} action");
    let told = |who, action| parties.not_allowed(who, action, &silent(action));
    assert_eq!(refusal(read), told(BOB, "kms:Decrypt"));
    assert_eq!(refusal(looked), told(ROOT, "kms:DescribeKey"));
    assert_eq!(
        refused(&parties.bob, &parties.arn).await,
        told(BOB, "kms:Encrypt")
    );
}

#[tokio::test]
async fn an_explicit_deny_beats_what_is_allowed() {
    let parties = Parties::meet().await;
    let deny = json!({ "Effect": "Deny", "Principal": { "AWS": BOB }, "Action": "kms:enc*" });
    parties.set(&[everybody(), deny]).await;

    let ciphertext = encrypt(&parties.ann, &parties.arn, b"secret").await;

    let told = parties.not_allowed(BOB, "kms:Encrypt", IN_RESOURCE);
    assert_eq!(refused(&parties.bob, &parties.arn).await, told);
    assert_eq!(decrypt(&parties.bob, &ciphertext).await, b"secret");
}

#[tokio::test]
async fn a_statement_can_ask_for_an_encryption_context() {
    let parties = Parties::meet().await;
    let red = json!({ "StringEquals": { "kms:EncryptionContext:Team": "red" },
        "ForAllValues:StringEquals": { "kms:EncryptionContextKeys": ["Team", "stage"] } });
    parties
        .set(&[json!({ "Principal": { "AWS": ANN }, "Condition": red })])
        .await;
    let under = |pairs: &'static [(&str, &str)]| {
        let call = parties
            .ann
            .encrypt()
            .key_id(&parties.arn)
            .plaintext(Blob::new("x"));
        let add =
            |call: aws_sdk_kms::operation::encrypt::builders::EncryptFluentBuilder,
             (name, value): &(&str, &str)| { call.encryption_context(*name, *value) };
        pairs.iter().fold(call, add).send()
    };

    let ciphertext = under(&[("Team", "red"), ("stage", "test")]).await.unwrap();

    let decrypt = parties
        .ann
        .decrypt()
        .ciphertext_blob(ciphertext.ciphertext_blob.unwrap());
    let decrypt = decrypt
        .encryption_context("Team", "red")
        .encryption_context("stage", "test");
    assert!(decrypt.send().await.is_ok());
    for pairs in [
        &[][..],
        &[("Team", "blue")],
        &[("team", "red")],
        &[("Team", "red"), ("more", "x")],
    ] {
        assert_eq!(
            refusal(under(pairs).await).0,
            "AccessDeniedException",
            "{pairs:?}"
        );
    }
}

#[tokio::test]
async fn conditions_know_the_caller_the_key_and_who_calls_for_him() {
    let parties = Parties::meet().await;
    let rows = [
        (
            json!({ "StringEquals": { "kms:CallerAccount": "000000000000" } }),
            true,
        ),
        (json!({ "StringEquals": { "aws:username": ["ann"] } }), true),
        (json!({ "StringEquals": { "aws:username": "bob" } }), false),
        (
            json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:user/a*" } }),
            true,
        ),
        (
            json!({ "StringEquals": { "aws:PrincipalAccount": "111122223333" } }),
            false,
        ),
        (
            json!({ "StringEquals": { "kms:KeySpec": "SYMMETRIC_DEFAULT", "kms:KeyUsage": "ENCRYPT_DECRYPT" } }),
            true,
        ),
        (
            json!({ "StringEquals": { "kms:KeyOrigin": "EXTERNAL" } }),
            false,
        ),
        (
            json!({ "StringEquals": { "kms:EncryptionAlgorithm": "SYMMETRIC_DEFAULT" } }),
            true,
        ),
        (
            json!({ "StringEquals": { "kms:ViaService": "s3.us-east-1.amazonaws.com" } }),
            false,
        ),
        (json!({ "Null": { "kms:ViaService": "true" } }), true),
        (
            json!({ "Bool": { "kms:MultiRegion": "false", "aws:ViaAWSService": "false" } }),
            true,
        ),
        (
            json!({ "DateGreaterThan": { "aws:CurrentTime": "2000-01-01" } }),
            true,
        ),
        (
            json!({ "NumericLessThan": { "aws:EpochTime": "1000000000" } }),
            false,
        ),
    ];
    for (condition, is_let_in) in rows {
        let encrypts =
            json!({ "Principal": { "AWS": ANN }, "Action": "kms:Encrypt", "Condition": condition });
        let puts = json!({ "Principal": { "AWS": ROOT }, "Action": "kms:PutKeyPolicy" });
        parties.set(&[encrypts, puts]).await;

        let call = parties
            .ann
            .encrypt()
            .key_id(&parties.arn)
            .plaintext(Blob::new("x"));

        assert_eq!(call.send().await.is_ok(), is_let_in, "{condition}");
    }
}

#[tokio::test]
async fn to_encrypt_again_is_one_action_on_each_key() {
    let parties = Parties::meet().await;
    let ciphertext = encrypt(&parties.root, &parties.arn, b"secret").await;
    for action in ["kms:ReEncryptFrom", "kms:ReEncryptTo"] {
        let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": action });
        parties.set(&[everybody(), deny]).await;

        let again = parties.ann.re_encrypt().ciphertext_blob(ciphertext.clone());
        let again = again.destination_key_id(&parties.arn).send().await;

        assert_eq!(
            refusal(again),
            parties.not_allowed(ANN, action, IN_RESOURCE)
        );
    }
}

#[tokio::test]
async fn a_name_is_taken_from_a_key_by_whom_its_policy_lets() {
    let parties = Parties::meet().await;
    let other = parties.root.create_key().send().await.unwrap();
    let other = other.key_metadata.unwrap().key_id;
    let deny = json!({ "Effect": "Deny", "Principal": { "AWS": BOB },
        "Action": ["kms:UpdateAlias", "kms:DeleteAlias"] });
    parties.set(&[everybody(), deny]).await;

    let moved = parties
        .bob
        .update_alias()
        .alias_name("alias/app")
        .target_key_id(&other);
    let deleted = parties.bob.delete_alias().alias_name("alias/app");
    let (moved, deleted) = (moved.send().await, deleted.send().await);

    let told = |action| parties.not_allowed(BOB, action, IN_RESOURCE);
    assert_eq!(refusal(moved), told("kms:UpdateAlias"));
    assert_eq!(refusal(deleted), told("kms:DeleteAlias"));
    let by_ann = parties.ann.delete_alias().alias_name("alias/app").send();
    assert!(by_ann.await.is_ok());
}

/// The policies of identities alone decide that.
#[tokio::test]
async fn the_names_of_a_key_are_listed_for_whoever_is_in_the_account() {
    let parties = Parties::meet().await;
    parties.set(&[json!({ "Principal": { "AWS": ANN } })]).await;

    let listed = parties.bob.list_aliases().key_id(&parties.arn).send().await;

    assert_eq!(listed.unwrap().aliases().len(), 1);
}
