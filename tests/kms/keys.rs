//! Keys: made, told of, listed, described anew, switched, sent to their end.

use aws_sdk_kms::primitives::DateTime;
use aws_sdk_kms::types::{KeyManagerType, KeySpec, KeyState, KeyUsageType, OriginType, Tag};
use serde_json::json;
use strongroom_testkit::Strongroom;

use crate::sdk::{
    app, app_arn, app_today, awaiting_import, decrypt, describe, encrypt, is, new_key, refusal,
    today, violation,
};
use crate::table::{members, open_server, outcome, pages, told};

/// What is told of every key.
const ALWAYS: [&str; 15] = [
    "AWSAccountId",
    "Arn",
    "CreationDate",
    "CurrentKeyMaterialId",
    "CustomerMasterKeySpec",
    "Description",
    "Enabled",
    "EncryptionAlgorithms",
    "KeyId",
    "KeyManager",
    "KeySpec",
    "KeyState",
    "KeyUsage",
    "MultiRegion",
    "Origin",
];

#[tokio::test]
async fn a_new_key_is_symmetric_and_enabled() {
    let server = open_server().await;

    let answer = told(&server, "CreateKey", &json!({})).await;

    let key = &answer["KeyMetadata"];
    let (id, material) = (
        key["KeyId"].as_str().unwrap(),
        key["CurrentKeyMaterialId"].as_str(),
    );
    assert_eq!((id.len(), material.unwrap().len()), (36, 64));
    assert!(key["CreationDate"].is_f64());
    let expected = json!({
        "AWSAccountId": "000000000000",
        "Arn": format!("arn:aws:kms:us-east-1:000000000000:key/{id}"),
        "CreationDate": key["CreationDate"],
        "CurrentKeyMaterialId": material,
        "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "Description": "",
        "Enabled": true,
        "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
        "KeyId": id,
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyState": "Enabled",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "MultiRegion": false,
        "Origin": "AWS_KMS",
    });
    assert_eq!(*key, expected);
}

#[tokio::test]
async fn describing_a_key_tells_what_making_it_told() {
    let server = open_server().await;
    let made = told(&server, "CreateKey", &json!({"Description": "for photos"})).await;

    let key = json!({"KeyId": made["KeyMetadata"]["KeyId"]});
    let described = told(&server, "DescribeKey", &key).await;

    assert_eq!(made["KeyMetadata"]["Description"], "for photos");
    assert_eq!(described, made);
}

#[tokio::test]
async fn the_clock_dates_a_key() {
    let (_server, client) = app_today().await;

    let key = describe(&client, "alias/app").await;

    assert_eq!(key.creation_date, Some(DateTime::from(today())));
}

#[tokio::test]
async fn the_usual_spec_and_usage_can_be_named() {
    let (_server, client) = app().await;

    let create = client.create_key().key_spec(KeySpec::SymmetricDefault);
    let create = create.key_usage(KeyUsageType::EncryptDecrypt);
    let named = create.origin(OriginType::AwsKms).send().await.unwrap();

    let named = named.key_metadata.unwrap();
    assert_eq!(named.key_spec, Some(KeySpec::SymmetricDefault));
}

#[tokio::test]
async fn the_old_name_of_the_spec_is_taken_too() {
    let server = open_server().await;
    let both =
        json!({"KeySpec": "SYMMETRIC_DEFAULT", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"});

    let old = json!({"CustomerMasterKeySpec": "SYMMETRIC_DEFAULT"});
    let old = outcome(&server, "CreateKey", &old).await;
    let both = outcome(&server, "CreateKey", &both).await;

    assert_eq!(old, "ok");
    assert!(
        both.starts_with("ValidationException: You cannot specify KeySpec and"),
        "{both}"
    );
}

#[tokio::test]
async fn a_key_of_many_regions_says_that_it_is_the_first() {
    let server = open_server().await;

    let answer = told(&server, "CreateKey", &json!({"MultiRegion": true})).await;

    let key = &answer["KeyMetadata"];
    assert_eq!(key["MultiRegion"], true);
    let configuration = json!({
        "MultiRegionKeyType": "PRIMARY",
        "PrimaryKey": { "Arn": key["Arn"], "Region": "us-east-1" },
        "ReplicaKeys": [],
    });
    assert_eq!(key["MultiRegionConfiguration"], configuration);
}

#[tokio::test]
async fn a_key_of_imported_material_waits_for_it() {
    let server = open_server().await;

    let answer = told(&server, "CreateKey", &json!({"Origin": "EXTERNAL"})).await;

    let key = &answer["KeyMetadata"];
    let told = (&key["Origin"], &key["KeyState"], &key["Enabled"]);
    assert_eq!(
        told,
        (&json!("EXTERNAL"), &json!("PendingImport"), &json!(false))
    );
    let without_material = ALWAYS
        .into_iter()
        .filter(|name| *name != "CurrentKeyMaterialId");
    assert!(without_material.eq(members(key)));
}

#[tokio::test]
async fn a_key_is_born_with_its_tags_and_its_policy() {
    let (_server, client) = app().await;
    let tag = Tag::builder()
        .tag_key("team")
        .tag_value("red")
        .build()
        .unwrap();
    let policy =
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}"#;

    let create = client.create_key().tags(tag.clone()).policy(policy);
    let key = create.send().await.unwrap().key_metadata.unwrap().key_id;

    let tags = client
        .list_resource_tags()
        .key_id(&key)
        .send()
        .await
        .unwrap();
    assert_eq!(tags.tags(), [tag]);
    let kept = client.get_key_policy().key_id(&key).send().await.unwrap();
    assert_eq!(kept.policy(), Some(policy));
}

#[tokio::test]
async fn unknown_words_are_refused_with_the_known_ones() {
    let server = open_server().await;
    let cases = [
        (
            "KeyUsage",
            "keyUsage",
            "[ENCRYPT_DECRYPT, SIGN_VERIFY, GENERATE_VERIFY_MAC, KEY_AGREEMENT, ENCAPSULATE_DECAPSULATE]",
        ),
        (
            "Origin",
            "origin",
            "[AWS_KMS, EXTERNAL, AWS_CLOUDHSM, EXTERNAL_KEY_STORE]",
        ),
    ];

    for (member, path, words) in cases {
        let outcome = outcome(&server, "CreateKey", &json!({member: "NONE"})).await;
        let (_, told) = violation(
            &format!("Value 'NONE' at '{path}'"),
            &format!("satisfy enum value set: {words}"),
        );
        assert_eq!(outcome, format!("ValidationException: {told}"));
    }
}

#[tokio::test]
async fn a_symmetric_key_does_not_sign() {
    let (_server, client) = app().await;

    let answer = client
        .create_key()
        .key_usage(KeyUsageType::SignVerify)
        .send()
        .await;

    let message = "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT";
    assert_eq!(refusal(answer), is("ValidationException", message));
}

#[tokio::test]
async fn every_other_spec_needs_a_usage() {
    let (_server, client) = app().await;

    let answer = client.create_key().key_spec(KeySpec::Rsa2048).send().await;

    let message =
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.";
    assert_eq!(refusal(answer), is("ValidationException", message));
}

#[tokio::test]
async fn keys_are_listed_by_id_and_arn() {
    let server = open_server().await;

    let answer = told(&server, "ListKeys", &json!({})).await;

    assert_eq!(members(&answer), ["Keys", "Truncated"]);
    let key = &answer["Keys"][0];
    let arn = format!(
        "arn:aws:kms:us-east-1:000000000000:key/{}",
        key["KeyId"].as_str().unwrap()
    );
    assert_eq!(*key, json!({"KeyId": key["KeyId"], "KeyArn": arn}));
}

#[tokio::test]
async fn the_pages_of_keys_are_the_list() {
    let server = open_server().await;
    for _ in 0..6 {
        told(&server, "CreateKey", &json!({})).await;
    }
    let whole = told(&server, "ListKeys", &json!({})).await;
    assert_eq!(whole["Keys"].as_array().unwrap().len(), 7);

    for limit in [1, 2, 6, 7, 8] {
        let joined = pages(&server, "ListKeys", ("Keys", limit), &json!({})).await;
        assert_eq!(json!(joined), whole["Keys"], "{limit} a page");
    }
}

#[tokio::test]
async fn a_page_of_keys_holds_a_hundred_where_nothing_is_said() {
    let server = open_server().await;
    for _ in 0..100 {
        told(&server, "CreateKey", &json!({})).await;
    }

    let page = told(&server, "ListKeys", &json!({})).await;

    assert_eq!(
        (page["Keys"].as_array().unwrap().len(), &page["Truncated"]),
        (100, &json!(true))
    );
}

#[tokio::test]
async fn a_page_holds_one_to_a_thousand() {
    let (_server, client) = app().await;

    let none = client.list_keys().limit(0).send().await;
    let many = client.list_keys().limit(1_001).send().await;

    let rule = "have value greater than or equal to 1";
    assert_eq!(refusal(none), violation("Value '0' at 'limit'", rule));
    let rule = "have value less than or equal to 1000";
    assert_eq!(refusal(many), violation("Value '1001' at 'limit'", rule));
}

#[tokio::test]
async fn a_marker_that_was_not_given_out_is_refused() {
    let (_server, client) = app().await;

    for marker in ["***", "bm90aGluZw=="] {
        let answer = client.list_keys().marker(marker).send().await;
        assert_eq!(refusal(answer).0, "InvalidMarkerException", "{marker}");
    }
}

#[tokio::test]
async fn a_description_is_replaced() {
    let (_server, client) = app().await;
    let arn = app_arn(&client).await;

    for description in ["new", ""] {
        let update = client.update_key_description().key_id(&arn);
        update.description(description).send().await.unwrap();
        assert_eq!(
            describe(&client, &arn).await.description.as_deref(),
            Some(description)
        );
    }
}

#[tokio::test]
async fn a_description_has_8192_characters_at_most() {
    let (_server, client) = app().await;
    let long = "ä".repeat(8_192);

    let fits = client.create_key().description(&long).send().await;
    let too_long = client
        .create_key()
        .description(format!("{long}x"))
        .send()
        .await;

    assert!(fits.is_ok());
    let value = format!("Value '{long}x' at 'description'");
    assert_eq!(
        refusal(too_long),
        violation(&value, "have length less than or equal to 8192")
    );
}

#[tokio::test]
async fn a_disabled_key_works_again_when_it_is_enabled() {
    let (_server, client) = app().await;
    let ciphertext = encrypt(&client, "alias/app", b"secret").await;
    let arn = app_arn(&client).await;
    client.disable_key().key_id(&arn).send().await.unwrap();
    assert!(!describe(&client, &arn).await.enabled);

    client.enable_key().key_id(&arn).send().await.unwrap();

    assert!(describe(&client, &arn).await.enabled);
    assert_eq!(decrypt(&client, &ciphertext).await, b"secret");
}

#[tokio::test]
async fn the_key_that_aws_manages_can_be_looked_at() {
    let (_server, client) = app().await;

    let key = describe(&client, "alias/aws/s3").await;

    assert_eq!(key.key_manager, Some(KeyManagerType::Aws));
    let description = "Default key that protects my S3 objects when no other key is defined";
    assert_eq!(key.description.as_deref(), Some(description));
    let status = client
        .get_key_rotation_status()
        .key_id(&key.key_id)
        .send()
        .await
        .unwrap();
    assert_eq!(
        (status.key_rotation_enabled, status.rotation_period_in_days),
        (true, Some(365))
    );
}

#[tokio::test]
async fn the_key_that_aws_manages_refuses_all_else() {
    let server = open_server().await;
    let key = told(&server, "DescribeKey", &json!({"KeyId": "alias/aws/s3"})).await;
    let arn = key["KeyMetadata"]["Arn"].as_str().unwrap();
    let key = json!({"KeyId": arn});

    for operation in [
        "DisableKey",
        "DisableKeyRotation",
        "RotateKeyOnDemand",
        "ScheduleKeyDeletion",
    ] {
        let outcome = outcome(&server, operation, &key).await;
        let told = format!(
            "AccessDeniedException: User: arn:aws:iam::000000000000:root is not authorized to perform: kms:{operation} on resource: {arn} because no resource-based policy allows the kms:{operation} action"
        );
        assert_eq!(outcome, told);
    }
}

#[tokio::test]
async fn keys_outlive_their_server() {
    let folder = tempfile::tempdir().unwrap();
    let builder = || Strongroom::builder().data(folder.path());
    let server = builder().kms_key("alias/app").start().await;
    let ciphertext = encrypt(&server.kms_client(), "alias/app", b"secret").await;
    let (id, waiting) = (
        new_key(&server.kms_client()).await,
        awaiting_import(&server.kms_client()).await,
    );
    drop(server);

    let server = builder().start().await;

    let client = server.kms_client();
    assert_eq!(decrypt(&client, &ciphertext).await, b"secret");
    assert_eq!(
        describe(&client, &id).await.key_state,
        Some(KeyState::Enabled)
    );
    assert_eq!(
        describe(&client, &waiting).await.key_state,
        Some(KeyState::PendingImport)
    );
}

#[tokio::test]
async fn a_usage_that_no_key_of_the_spec_has_is_refused_before_what_is_not_built() {
    let (_server, client) = app().await;

    for (spec, name) in [
        (KeySpec::Rsa2048, "RSA_2048"),
        (KeySpec::MlDsa44, "ML_DSA_44"),
    ] {
        let create = client.create_key().key_spec(spec);
        let create = create.key_usage(KeyUsageType::KeyAgreement);

        let told = format!("KeyUsage KEY_AGREEMENT is not compatible with KeySpec {name}");
        assert_eq!(
            refusal(create.send().await),
            is("ValidationException", &told)
        );
    }
}

#[tokio::test]
async fn a_kind_that_aws_has_in_china_alone_says_so() {
    let (_server, client) = app().await;

    let create = client.create_key().key_spec(KeySpec::Sm2);
    let create = create.key_usage(KeyUsageType::SignVerify);

    let told = "KeySpec SM2 is not supported in this region.";
    let refused = refusal(create.send().await);
    assert_eq!(refused, is("UnsupportedOperationException", told));
}
