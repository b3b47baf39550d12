//! What conditions may look at of a request, of its caller and of the key.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>

use serde_json::{Value, json};
use strongroom_testkit::Strongroom;
use strongroom_tests::send_body;

use crate::table::{encrypted, json_of, open_server, outcome, outcome_of, told};

/// An operation, its body, and conditions under which the key's policy lets the root do it, or does not. In the body,
/// `$KEY` is the key's ARN.
struct Row {
    operation: &'static str,
    body: Value,
    lets: Vec<Value>,
    refuses: Vec<Value>,
}

const ALIAS: &str = "alias/row";

fn row(operation: &'static str, body: Value, lets: Vec<Value>, refuses: Vec<Value>) -> Row {
    Row {
        operation,
        body,
        lets,
        refuses,
    }
}

fn equals(key: &str, value: &str) -> Value {
    json!({ "StringEquals": { key: value } })
}

fn is_absent(key: &str) -> Value {
    json!({ "Null": { key: "true" } })
}

/// A key with the alias, whose policy lets the root do this under a condition, and what every test needs without one; its
/// ARN.
async fn key_for(server: &Strongroom, operation: &str, condition: &Value) -> String {
    let (spec, usage) = match operation {
        "GenerateMac" => ("HMAC_256", "GENERATE_VERIFY_MAC"),
        "Sign" => ("ECC_NIST_P256", "SIGN_VERIFY"),
        _ => ("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"),
    };
    let root = json!({ "AWS": "arn:aws:iam::000000000000:root" });
    let allowing = |action: &[String]| json!({ "Effect": "Allow", "Principal": root, "Action": action, "Resource": "*" });
    let needed = ["CreateAlias", "DeleteAlias", "Encrypt"].map(|action| format!("kms:{action}"));
    let needed: Vec<_> = needed
        .into_iter()
        .filter(|action| !action.ends_with(operation))
        .collect();
    let mut wanted = allowing(&[format!("kms:{operation}*")]);
    wanted["Condition"] = condition.clone();
    let policy = json!({ "Version": "2012-10-17", "Statement": [allowing(&needed), wanted] });
    let create = json!({
        "KeySpec": spec,
        "KeyUsage": usage,
        "MultiRegion": condition.to_string().contains("PRIMARY"),
        "Tags": [{ "TagKey": "team", "TagValue": "red" }],
        "Policy": policy.to_string(),
        "BypassPolicyLockoutSafetyCheck": true,
    });
    let made = told(server, "CreateKey", &create).await;
    let arn = made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned();
    let named = json!({ "AliasName": ALIAS, "TargetKeyId": arn });
    told(server, "CreateAlias", &named).await;
    arn
}

async fn check(server: &Strongroom, row: &Row) {
    let lets = row.lets.iter().map(|condition| (condition, true));
    let refuses = row.refuses.iter().map(|condition| (condition, false));
    for (condition, is_let_in) in lets.chain(refuses) {
        let arn = key_for(server, row.operation, condition).await;
        let mut body = row.body.to_string().replace("$KEY", &arn);
        if body.contains("$CIPHERTEXT") {
            body = body.replace("$CIPHERTEXT", &encrypted(server, &arn).await);
        }
        let body = serde_json::from_str(&body).unwrap();

        let outcome = outcome(server, row.operation, &body).await;

        told(server, "DeleteAlias", &json!({ "AliasName": ALIAS })).await;
        let place = format!("{} {body} if {condition}", row.operation);
        if is_let_in {
            assert_eq!(outcome, "ok", "{place}");
        } else {
            let denied = "no resource-based policy allows the";
            assert!(outcome.contains(denied), "{place}: {outcome}");
        }
    }
}

#[tokio::test]
async fn of_the_names_of_a_key() {
    let server = open_server().await;
    let any = |pattern| json!({ "ForAnyValue:StringLike": { "kms:ResourceAliases": pattern } });
    let all = |pattern| json!({ "ForAllValues:StringLike": { "kms:ResourceAliases": pattern } });
    let by_alias = json!({ "KeyId": ALIAS });
    let by_alias_arn = json!({ "KeyId": "arn:aws:kms:us-east-1:000000000000:alias/row" });
    let by_arn = json!({ "KeyId": "$KEY" });
    let named = equals("kms:RequestAlias", ALIAS);
    let rows = [
        row(
            "DescribeKey",
            by_alias,
            vec![named.clone()],
            vec![is_absent("kms:RequestAlias")],
        ),
        row("DescribeKey", by_alias_arn, vec![named.clone()], vec![]),
        row(
            "DescribeKey",
            by_arn,
            vec![
                is_absent("kms:RequestAlias"),
                any("alias/r*"),
                all("alias/*"),
                json!({ "ForAllValues:StringEquals": { "aws:TagKeys": "team" } }),
            ],
            vec![named, any("alias/other*"), all("alias/other*")],
        ),
    ];
    for row in &rows {
        check(&server, row).await;
    }
}

/// Whether an operation is one of the symmetric algorithm.
fn symmetric() -> Vec<Value> {
    vec![equals("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT")]
}

fn rsa() -> Vec<Value> {
    vec![equals("kms:EncryptionAlgorithm", "RSAES_OAEP_SHA_256")]
}

#[tokio::test]
async fn of_algorithms_of_encryption() {
    let server = open_server().await;
    let key = |name: &str, value: Value| json!({ "KeyId": "$KEY", name: value });
    let same = |is: &str| json!({ "Bool": { "kms:ReEncryptOnSameKey": is } });
    let again = |to: &str| json!({ "CiphertextBlob": "$CIPHERTEXT", "DestinationKeyId": to });
    let pair_of = |spec| equals("kms:DataKeyPairSpec", spec);
    let sealed = json!({ "CiphertextBlob": "$CIPHERTEXT" });
    let text = key("Plaintext", json!("eA=="));
    let data_key = key("KeySpec", json!("AES_256"));
    let rows = [
        row("Encrypt", text, symmetric(), rsa()),
        row("Decrypt", sealed, symmetric(), rsa()),
        row("GenerateDataKey", data_key, symmetric(), rsa()),
        row(
            "GenerateDataKeyPair",
            key("KeyPairSpec", json!("ECC_NIST_P256")),
            [vec![pair_of("ECC_NIST_P256")], symmetric()].concat(),
            vec![pair_of("RSA_2048")],
        ),
        row(
            "ReEncrypt",
            again("$KEY"),
            [vec![same("true")], symmetric()].concat(),
            [vec![same("false")], rsa()].concat(),
        ),
        row(
            "ReEncrypt",
            again("alias/table"),
            vec![same("false")],
            vec![same("true")],
        ),
    ];
    for row in &rows {
        check(&server, row).await;
    }
}

#[tokio::test]
async fn of_macs_and_signatures() {
    let server = open_server().await;
    let sign =
        json!({ "KeyId": "$KEY", "Message": "aGVsbG8=", "SigningAlgorithm": "ECDSA_SHA_256" });
    let mac = json!({ "KeyId": "$KEY", "Message": "aGVsbG8=", "MacAlgorithm": "HMAC_SHA_256" });
    let rows = [
        row(
            "GenerateMac",
            mac,
            vec![
                equals("kms:MacAlgorithm", "HMAC_SHA_256"),
                is_absent("kms:EncryptionAlgorithm"),
            ],
            vec![equals("kms:MacAlgorithm", "HMAC_SHA_512")],
        ),
        row(
            "Sign",
            sign,
            vec![
                equals("kms:SigningAlgorithm", "ECDSA_SHA_256"),
                equals("kms:MessageType", "RAW"),
            ],
            vec![
                equals("kms:SigningAlgorithm", "ECDSA_SHA_384"),
                equals("kms:MessageType", "DIGEST"),
            ],
        ),
    ];
    for row in &rows {
        check(&server, row).await;
    }
}

#[tokio::test]
async fn of_days_and_tags() {
    let server = open_server().await;
    let number = |key: &str, value: &str| json!({ "NumericEquals": { key: value } });
    let window = "kms:ScheduleKeyDeletionPendingWindowInDays";
    let period = "kms:RotationPeriodInDays";
    let tags = json!({ "KeyId": "$KEY", "Tags": [{ "TagKey": "cost", "TagValue": "1" }, { "TagKey": "a", "TagValue": "b" }] });
    let names = json!({ "KeyId": "$KEY", "TagKeys": ["team"] });
    let all = |names: &[&str]| json!({ "ForAllValues:StringEquals": { "aws:TagKeys": names } });
    let key = || json!({ "KeyId": "$KEY" });
    let rows = [
        row(
            "ScheduleKeyDeletion",
            json!({ "KeyId": "$KEY", "PendingWindowInDays": 7 }),
            vec![number(window, "7")],
            vec![number(window, "30")],
        ),
        row(
            "ScheduleKeyDeletion",
            key(),
            vec![number(window, "30")],
            vec![],
        ),
        row(
            "EnableKeyRotation",
            json!({ "KeyId": "$KEY", "RotationPeriodInDays": 100 }),
            vec![number(period, "100")],
            vec![number(period, "365")],
        ),
        row(
            "TagResource",
            tags,
            vec![equals("aws:RequestTag/cost", "1"), all(&["cost", "a"])],
            vec![equals("aws:RequestTag/cost", "2"), all(&["cost"])],
        ),
        row(
            "UntagResource",
            names,
            vec![all(&["team"])],
            vec![all(&["cost"])],
        ),
    ];
    for row in &rows {
        check(&server, row).await;
    }
}

#[tokio::test]
async fn of_the_caller_his_connection_and_the_key() {
    let server = open_server().await;
    let lets = vec![
        json!({ "IpAddress": { "aws:SourceIp": "127.0.0.0/8" } }),
        json!({ "Bool": { "aws:SecureTransport": "false" } }),
        equals("aws:RequestedRegion", "us-east-1"),
        equals("aws:PrincipalType", "Account"),
        equals("aws:userid", "000000000000"),
        equals("aws:PrincipalArn", "arn:aws:iam::000000000000:root"),
        equals("aws:ResourceTag/team", "red"),
        equals("kms:MultiRegionKeyType", "PRIMARY"),
        is_absent("kms:MultiRegionKeyType"),
        is_absent("aws:username"),
        is_absent("aws:CalledVia"),
        is_absent("aws:Referer"),
        is_absent("kms:ViaService"),
        json!({ "Bool": { "aws:ViaAWSService": "false" } }),
    ];
    let refuses = vec![
        json!({ "IpAddress": { "aws:SourceIp": "10.0.0.0/8" } }),
        json!({ "Bool": { "aws:SecureTransport": "true" } }),
        equals("aws:RequestedRegion", "eu-west-1"),
        equals("aws:ResourceTag/team", "blue"),
        is_absent("aws:SourceIp"),
    ];
    let describe = row("DescribeKey", json!({ "KeyId": "$KEY" }), lets, refuses);

    check(&server, &describe).await;
}

#[tokio::test]
async fn of_what_sent_the_request_and_from_which_page() {
    let server = open_server().await;
    let condition = json!({ "StringLike": { "aws:UserAgent": "tester/*",
        "aws:Referer": "http://example.com/*" } });
    let arn = key_for(&server, "DescribeKey", &condition).await;
    let body = json!({ "KeyId": arn }).to_string();
    let describe = async |agent: &str, page: &str| {
        let headers = [
            ("X-Amz-Target", "TrentService.DescribeKey"),
            ("User-Agent", agent),
            ("Referer", page),
        ];
        send_body(server.address(), "POST /", &headers, body.as_bytes()).await
    };

    let met = describe("tester/1", "http://example.com/page").await;
    let other_agent = describe("curl/8", "http://example.com/page").await;
    let other_page = describe("tester/1", "http://example.org/page").await;

    assert_eq!(json_of(&met)["KeyMetadata"]["Arn"], arn);
    for refused in [other_agent, other_page] {
        let outcome = outcome_of(&refused);
        assert!(outcome.starts_with("AccessDeniedException"), "{outcome}");
    }
}
