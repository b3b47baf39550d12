//! The JSON protocol: heads and bodies of answers, who may ask, and what is no request of KMS.

use aws_sdk_kms::Client;
use serde_json::json;
use strongroom_testkit::Strongroom;
use strongroom_tests::{Answer, send_body};

use crate::sdk::{
    app, app_arn, client_in, client_of, describe, encrypt, is, new_key, refusal, today,
};
use crate::table::{ask, given, json_of, members, open_server, outcome, outcome_of};

const JSON: &str = "application/x-amz-json-1.1";

async fn keys_of(client: &Client) -> usize {
    client.list_keys().send().await.unwrap().keys().len()
}

async fn unsigned(server: &Strongroom) -> Answer {
    let headers = [("X-Amz-Target", "TrentService.ListKeys")];
    send_body(server.address(), "POST /", &headers, b"{}").await
}

#[tokio::test]
async fn an_answer_is_json_and_has_an_id() {
    let server = open_server().await;

    let answer = ask(&server, "ListKeys", b"{}").await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some(JSON));
    assert_eq!(answer.header("x-amzn-requestid").unwrap().len(), 36);
    assert!(answer.header("date").is_some());
}

#[tokio::test]
async fn two_answers_have_two_ids() {
    let server = open_server().await;

    let one = ask(&server, "ListKeys", b"{}").await;
    let other = ask(&server, "ListKeys", b"{}").await;

    let id = |answer: &Answer| answer.header("x-amzn-requestid").map(str::to_owned);
    assert_ne!(id(&one), id(&other));
}

#[tokio::test]
async fn a_refusal_has_a_bare_name_and_a_message_in_lower_case() {
    let server = open_server().await;

    let answer = ask(&server, "DescribeKey", br#"{"KeyId":"nothing"}"#).await;

    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("content-type"), Some(JSON));
    assert!(answer.header("x-amzn-requestid").is_some());
    let error = json!({"__type": "NotFoundException", "message": "Invalid keyId 'nothing'"});
    assert_eq!(json_of(&answer), error);
}

#[tokio::test]
async fn a_refusal_about_which_kms_says_nothing_has_no_message() {
    let server = open_server().await;

    let answer = ask(&server, "Decrypt", br#"{"CiphertextBlob":"bm90aGluZw=="}"#).await;

    let error = json!({"__type": "InvalidCiphertextException"});
    assert_eq!((answer.status, json_of(&answer)), (400, error));
}

#[tokio::test]
async fn an_operation_without_output_answers_an_empty_body() {
    let server = open_server().await;
    let body = br#"{"AliasName":"alias/table"}"#;

    let answer = ask(&server, "DeleteAlias", body).await;

    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header("content-type"), Some(JSON));
}

#[tokio::test]
async fn an_empty_body_is_a_request_without_members() {
    let server = open_server().await;

    let answer = ask(&server, "CreateKey", b"").await;

    assert_eq!(members(&json_of(&answer)), ["KeyMetadata"]);
}

#[tokio::test]
async fn a_member_that_is_null_is_not_there() {
    let server = open_server().await;

    let outcome = outcome(&server, "ListKeys", &json!({"Limit": null, "Marker": null})).await;

    assert_eq!(outcome, "ok");
}

#[tokio::test]
async fn what_is_no_json_object_cannot_be_read() {
    let server = open_server().await;
    let bodies: [&[u8]; 6] = [
        b"{",
        b"[]",
        b"5",
        b"null",
        b"Action=ListKeys",
        b"{\"\xff\":1}",
    ];

    for body in bodies {
        let answer = ask(&server, "ListKeys", body).await;
        assert_eq!(answer.status, 400);
        assert_eq!(json_of(&answer)["__type"], "SerializationException");
    }
}

#[tokio::test]
async fn a_member_of_another_type_cannot_be_read() {
    let server = open_server().await;
    let requests = [
        ("ListKeys", json!({"Limit": "5"})),
        ("DescribeKey", json!({"KeyId": 5})),
        ("Encrypt", json!({"KeyId": "alias/table", "Plaintext": "*"})),
        (
            "Encrypt",
            json!({"KeyId": "alias/table", "Plaintext": "YQ==", "EncryptionContext": {"a": 1}}),
        ),
        ("CreateKey", json!({"MultiRegion": "yes"})),
        ("CreateKey", json!({"Tags": ["team"]})),
        (
            "CreateKey",
            json!({"Tags": [{"TagKey": 1, "TagValue": "red"}]}),
        ),
        (
            "UntagResource",
            json!({"KeyId": "alias/table", "TagKeys": "team"}),
        ),
    ];

    for (operation, body) in requests {
        let outcome = outcome(&server, operation, &body).await;
        assert!(
            outcome.starts_with("SerializationException"),
            "{body}: {outcome}"
        );
    }
}

#[tokio::test]
async fn a_member_that_is_missing_is_named() {
    let server = open_server().await;
    let requests = [
        ("DescribeKey", "keyId"),
        ("DeleteAlias", "aliasName"),
        ("Decrypt", "ciphertextBlob"),
        ("CancelKeyDeletion", "keyId"),
    ];

    for (operation, member) in requests {
        let told = format!(
            "ValidationException: 1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        );
        assert_eq!(outcome(&server, operation, &json!({})).await, told);
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_named_at_once() {
    let server = open_server().await;

    let outcome = outcome(&server, "CreateAlias", &json!({})).await;

    assert!(outcome.starts_with("ValidationException: 2 validation errors detected: "));
    assert!(outcome.contains("Value null at 'aliasName'"), "{outcome}");
    assert!(
        outcome.contains("; Value null at 'targetKeyId'"),
        "{outcome}"
    );
}

#[tokio::test]
async fn an_unsigned_request_lacks_its_token() {
    let server = Strongroom::start().await;

    let answer = unsigned(&server).await;

    let told = "MissingAuthenticationTokenException: Missing Authentication Token";
    assert_eq!(outcome_of(&answer), told);
}

#[tokio::test]
async fn an_unknown_access_key_is_an_unrecognized_client() {
    let server = Strongroom::start().await;

    let answer = client_of(&server, "AKIDUNKNOWN", "x")
        .list_keys()
        .send()
        .await;

    let message = "The security token included in the request is invalid.";
    assert_eq!(refusal(answer), is("UnrecognizedClientException", message));
}

#[tokio::test]
async fn a_wrong_secret_is_an_invalid_signature() {
    let server = Strongroom::start().await;

    let answer = client_of(&server, "test", "wrong").list_keys().send().await;

    let message = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
    assert_eq!(refusal(answer), is("InvalidSignatureException", message));
}

#[tokio::test]
async fn a_region_sees_its_own_keys_alone() {
    let (server, client) = app().await;
    let elsewhere = client_in(&server, "eu-west-1");

    let made = new_key(&elsewhere).await;

    assert_eq!((keys_of(&client).await, keys_of(&elsewhere).await), (1, 1));
    let arn = describe(&elsewhere, &made).await.arn.unwrap();
    assert_eq!(
        arn,
        format!("arn:aws:kms:eu-west-1:000000000000:key/{made}")
    );
    let answer = client.describe_key().key_id(&made).send().await;
    let message = format!("Key 'arn:aws:kms:us-east-1:000000000000:key/{made}' does not exist");
    assert_eq!(refusal(answer), is("NotFoundException", &message));
}

#[tokio::test]
async fn an_alias_stands_for_another_key_in_another_region() {
    let (server, client) = app().await;
    let elsewhere = client_in(&server, "eu-west-1");
    let made = new_key(&elsewhere).await;

    let create = elsewhere.create_alias().alias_name("alias/app");
    create.target_key_id(&made).send().await.unwrap();

    assert_eq!(describe(&elsewhere, "alias/app").await.key_id, made);
    assert_ne!(describe(&client, "alias/app").await.key_id, made);
}

#[tokio::test]
async fn a_twelve_digit_access_key_is_the_root_of_its_account() {
    let (server, client) = app().await;
    let stranger = client_of(&server, "111122223333", "111122223333");

    let made = new_key(&stranger).await;

    assert_eq!((keys_of(&client).await, keys_of(&stranger).await), (1, 1));
    let key = describe(&stranger, &made).await;
    assert_eq!(key.aws_account_id.as_deref(), Some("111122223333"));
    assert_eq!(
        server.kms_calls().last().unwrap().caller,
        "arn:aws:iam::111122223333:root"
    );
}

#[tokio::test]
async fn an_account_has_aliases_of_its_own() {
    let (server, client) = app().await;
    let stranger = client_of(&server, "111122223333", "111122223333");
    let made = new_key(&stranger).await;

    let create = stranger.create_alias().alias_name("alias/app");
    create.target_key_id(&made).send().await.unwrap();

    assert_eq!(describe(&stranger, "alias/app").await.key_id, made);
    assert_ne!(describe(&client, "alias/app").await.key_id, made);
}

#[tokio::test]
async fn a_key_of_another_account_is_denied_by_arn_and_unknown_by_id() {
    let (server, client) = app().await;
    let stranger = client_of(&server, "111122223333", "111122223333");
    let (arn, id) = (
        app_arn(&client).await,
        describe(&client, "alias/app").await.key_id,
    );

    let by_arn = stranger.describe_key().key_id(arn).send().await;
    let by_id = stranger.describe_key().key_id(&id).send().await;

    let (exception, message) = refusal(by_arn);
    assert_eq!(exception, "AccessDeniedException");
    let start =
        "User: arn:aws:iam::111122223333:root is not authorized to perform: kms:DescribeKey";
    assert!(message.starts_with(start), "{message}");
    let message = format!("Key 'arn:aws:kms:us-east-1:111122223333:key/{id}' does not exist");
    assert_eq!(refusal(by_id), is("NotFoundException", &message));
}

#[tokio::test]
async fn a_ciphertext_of_another_account_is_denied() {
    let (server, client) = app().await;
    let stranger = client_of(&server, "111122223333", "111122223333");
    let ciphertext = encrypt(&client, "alias/app", b"secret").await;

    let answer = stranger.decrypt().ciphertext_blob(ciphertext).send().await;

    let message = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";
    assert_eq!(refusal(answer), is("AccessDeniedException", message));
}

#[tokio::test]
async fn a_post_of_the_root_without_a_target_is_s3s() {
    let server = open_server().await;

    let answer = send_body(server.address(), "POST /", &[("Content-Type", JSON)], b"{}").await;

    assert_eq!(answer.status, 405);
    assert_eq!(answer.element("Code").as_deref(), Some("MethodNotAllowed"));
}

#[tokio::test]
async fn a_body_beyond_any_request_is_refused() {
    let server = open_server().await;
    let body = format!("{{\"Description\":\"{}\"}}", "x".repeat(300_000));

    let answer = ask(&server, "CreateKey", body.as_bytes()).await;

    assert_eq!(
        (answer.status, json_of(&answer)["__type"].is_string()),
        (400, true)
    );
}

/// The head of a request that was signed at a time and for a service; its signature is checked after both.
async fn signed(server: &Strongroom, date: &str, service: &str) -> String {
    let day = &date[..8];
    let scope = format!(
        "AWS4-HMAC-SHA256 Credential=test/{day}/us-east-1/{service}/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=0"
    );
    let headers = [
        ("Authorization", scope.as_str()),
        ("X-Amz-Date", date),
        ("X-Amz-Target", "TrentService.ListKeys"),
    ];
    let answer = send_body(server.address(), "POST /", &headers, b"{}").await;
    outcome_of(&answer)
}

/// Source: aws/aws-sdk-js#254.
#[tokio::test]
async fn a_signature_out_of_time_is_told_on_which_side() {
    let builder = Strongroom::builder().clock(today()); // 2027-01-15T00:00:00Z
    let server = builder.start().await;

    let early = signed(&server, "20270114T233000Z", "kms").await;
    let late = signed(&server, "20270115T003000Z", "kms").await;

    assert_eq!(
        early,
        "InvalidSignatureException: Signature expired: 20270114T233000Z is now earlier than 20270114T234500Z (20270115T000000Z - 15 min.)"
    );
    assert_eq!(
        late,
        "InvalidSignatureException: Signature not yet current: 20270115T003000Z is still later than 20270115T001500Z (20270115T000000Z + 15 min.)"
    );
}

#[tokio::test]
async fn a_signature_for_another_service_is_told_the_right_one() {
    let server = Strongroom::builder().clock(today()).start().await;

    let outcome = signed(&server, "20270115T000000Z", "s3").await;

    assert_eq!(
        outcome,
        "InvalidSignatureException: Credential should be scoped to correct service: 'kms'. "
    );
}

#[tokio::test]
async fn a_request_of_more_than_256_kib_is_too_large() {
    let server = open_server().await;
    let body = format!("{{\"KeyId\":\"{}\"}}", "x".repeat(262_144));

    let answer = ask(&server, "DescribeKey", body.as_bytes()).await;

    assert_eq!(answer.status, 400);
    let exception = &json_of(&answer)["__type"];
    assert_eq!(exception, "RequestEntityTooLargeException");
}

#[tokio::test]
async fn nothing_is_answered_in_the_clear_that_was_asked_for_an_enclave() {
    let (server, given) = given().await;
    let recipient =
        json!({"KeyEncryptionAlgorithm": "RSAES_OAEP_SHA_256", "AttestationDocument": "AAAA"});
    for (operation, body) in [
        (
            "GenerateDataKey",
            json!({"KeyId": given.key, "KeySpec": "AES_256"}),
        ),
        (
            "GenerateDataKeyPair",
            json!({"KeyId": given.key, "KeyPairSpec": "ECC_NIST_P256"}),
        ),
        ("GenerateRandom", json!({"NumberOfBytes": 32})),
        ("Decrypt", json!({"CiphertextBlob": given.ciphertext})),
    ] {
        assert_eq!(
            outcome(&server, operation, &body).await,
            "ok",
            "{operation}"
        );
        let mut body = body;
        body["Recipient"] = recipient.clone();

        let refused = outcome(&server, operation, &body).await;

        assert!(
            refused.starts_with("UnsupportedOperationException: "),
            "{operation}: {refused}"
        );
    }
}

#[tokio::test]
async fn a_call_is_posted_to_the_root() {
    let (server, _) = given().await;
    let headers = [
        ("X-Amz-Target", "TrentService.ListKeys"),
        ("X-Amz-Date", "20261129T000000Z"),
        (
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=test/20261129/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0",
        ),
    ];
    for target in ["POST /", "PUT /", "GET /", "POST /keys"] {
        let answer = send_body(server.address(), target, &headers, b"{}").await;
        let is_known = answer.status == 200;
        assert_eq!(is_known, target == "POST /", "{target}: {}", answer.text());
        assert_eq!(
            answer.text().contains("UnknownOperationException"),
            !is_known,
            "{target}"
        );
    }
}
