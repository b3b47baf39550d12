//! What the policies of identities mean for objects under KMS: S3 asks KMS for its caller, by his own policies too.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/policy-evaluation.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html>

use serde_json::{Value, json};
use strongroom_testkit::{Builder, Strongroom};
use strongroom_tests::who::{ACCOUNT, CALLERS, ROWS, identities};

use crate::keyed::Keyed;
use crate::sdk::{client_of, get, head, read, refused, says, upload_under};

/// A server that knows the users of a file.
fn knowing(file: &str) -> Builder {
    Strongroom::builder().seed_json(format!(r#"{{"identities":{file}}}"#))
}

#[tokio::test]
async fn each_caller_hears_under_each_policy_what_kms_says() {
    let keyed = Keyed::of(knowing(&identities())).await;
    let guest = client_of(&keyed.server, "111122223333", "111122223333");
    guest.create_bucket().bucket("theirs").send().await.unwrap();
    for row in ROWS {
        let create = keyed.kms.create_key().policy(row.policy());
        let create = create.bypass_policy_lockout_safety_check(true);
        let arn = create.send().await.unwrap().key_metadata.unwrap();
        let arn = arn.arn.unwrap();
        for (caller, told) in CALLERS.into_iter().zip(row.told) {
            let own = if caller.account() == ACCOUNT {
                "photos"
            } else {
                "theirs"
            };
            let client = client_of(&keyed.server, caller.key, caller.key);

            let upload = upload_under(&client, &arn, "key", "x").bucket(own);
            let answer = upload.send().await;

            let place = format!("{} under {}", caller.arn, row.statements);
            match told.words(caller, "kms:GenerateDataKey", &arn) {
                None => assert!(answer.is_ok(), "{place}: {answer:?}"),
                Some(words) => {
                    assert_eq!(
                        refused(answer),
                        says("AccessDenied", 403, &words),
                        "{place}"
                    );
                }
            }
        }
    }
}

/// Whoever may everything by his own policies may not what the key's does not let him.
#[tokio::test]
async fn a_key_for_one_role_reads_for_nobody_else() {
    let ann = json!({ "name": "u", "account": "000000000000", "access_key": "u", "secret_key": "u",
        "policies": [{ "Statement": { "Effect": "Allow", "Action": ["kms:*", "s3:*"], "Resource": "*" } }] });
    let keyed = Keyed::of(knowing(&json!({ "users": [ann] }).to_string())).await;
    let u = client_of(&keyed.server, "u", "u");
    upload_under(&u, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();
    assert_eq!(get(&u, "key").await, b"x");
    let admin = r#"{"Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:role/admin"},"Action":"kms:*","Resource":"*"}}"#;
    let put = keyed.kms.put_key_policy().key_id(&keyed.arn).policy(admin);
    let put = put.bypass_policy_lockout_safety_check(true);
    put.send().await.unwrap();

    let got = refused(read(&u, "key").send().await);

    let message = format!(
        "User: arn:aws:iam::000000000000:user/u is not authorized to perform: kms:Decrypt on resource: {} because no resource-based policy allows the kms:Decrypt action",
        keyed.arn
    );
    assert_eq!(got, says("AccessDenied", 403, &message));
    assert!(head(&u, "key").send().await.is_ok());
}

#[tokio::test]
async fn a_user_may_write_and_not_read() {
    let ann = json!({ "name": "ann", "account": "000000000000", "access_key": "ann", "secret_key": "ann",
        "policies": [{ "Statement": { "Effect": "Allow", "Action": "kms:GenerateDataKey", "Resource": "*" } }] });
    let keyed = Keyed::of(knowing(&json!({ "users": [ann] }).to_string())).await;
    let ann = client_of(&keyed.server, "ann", "ann");
    upload_under(&ann, &keyed.arn, "key", "x")
        .send()
        .await
        .unwrap();

    let got = refused(read(&ann, "key").send().await);

    let message = format!(
        "User: arn:aws:iam::000000000000:user/ann is not authorized to perform: kms:Decrypt on resource: {} because no identity-based policy allows the kms:Decrypt action",
        keyed.arn
    );
    assert_eq!(got, says("AccessDenied", 403, &message));
}

#[tokio::test]
async fn conditions_know_that_s3_calls_and_for_whom() {
    let keyed = Keyed::start().await;
    let equals = |key: &str, value: &str| json!({ "StringEquals": { key: value } });
    let rows: [(Value, bool); 13] = [
        (equals("kms:ViaService", "s3.us-east-1.amazonaws.com"), true),
        (
            json!({ "ForAnyValue:StringEquals": { "aws:CalledVia": "s3.amazonaws.com" } }),
            true,
        ),
        (
            json!({ "ForAnyValue:StringEquals": { "aws:CalledVia": "athena.amazonaws.com" } }),
            false,
        ),
        (equals("aws:CalledViaFirst", "s3.amazonaws.com"), true),
        (equals("aws:CalledViaLast", "s3.amazonaws.com"), true),
        (json!({ "Bool": { "aws:ViaAWSService": "true" } }), true),
        (json!({ "Bool": { "aws:SecureTransport": "true" } }), true),
        (
            json!({ "IpAddress": { "aws:SourceIp": "127.0.0.1" } }),
            true,
        ),
        (
            json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } }),
            false,
        ),
        (equals("aws:UserAgent", "AWS Internal"), true),
        (equals("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT"), true),
        (equals("aws:PrincipalType", "Account"), true),
        (equals("kms:RequestAlias", "alias/app"), false),
    ];
    for (condition, is_let_in) in rows {
        let root = "arn:aws:iam::000000000000:root";
        let policy = json!({ "Version": "2012-10-17", "Statement": [
            { "Effect": "Allow", "Principal": { "AWS": root }, "Action": "kms:PutKeyPolicy", "Resource": "*" },
            { "Effect": "Allow", "Principal": { "AWS": root }, "Action": "kms:GenerateDataKey",
              "Resource": "*", "Condition": condition },
        ] });
        let put = keyed.kms.put_key_policy().key_id(&keyed.arn);
        put.policy(policy.to_string()).send().await.unwrap();

        let written = upload_under(&keyed.s3, &keyed.arn, "key", "x").send().await;

        assert_eq!(written.is_ok(), is_let_in, "{condition}");
    }
}
