//! Keys of many regions: replicas, and what they share with their primary.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::{Blob, DateTime};
use aws_sdk_kms::types::{
    KeySpec, KeyState, KeyUsageType, MacAlgorithmSpec, MessageType, SigningAlgorithmSpec, Tag,
};
use serde_json::{Value, json};

use crate::regions::{EAST, WEST, World, replicate, rotate, schedule};
use crate::sdk::{days, decrypt, describe, encrypt, is, refusal, today, violation};
use crate::table::{open_server, outcome, told};

#[tokio::test]
async fn a_replica_is_told_whole() {
    let server = open_server().await;
    let made = told(&server, "CreateKey", &json!({"MultiRegion": true})).await;
    let primary = &made["KeyMetadata"];
    let body = json!({
        "KeyId": primary["Arn"], "ReplicaRegion": WEST, "Description": "nearer",
        "Tags": [{"TagKey": "team", "TagValue": "red"}],
    });

    let answer = told(&server, "ReplicateKey", &body).await;

    let id = primary["KeyId"].as_str().unwrap();
    let arn = format!("arn:aws:kms:{WEST}:000000000000:key/{id}");
    let mut expected = primary.clone();
    expected["Arn"] = json!(arn);
    expected["Description"] = json!("nearer");
    expected["CreationDate"] = answer["ReplicaKeyMetadata"]["CreationDate"].clone();
    expected["MultiRegionConfiguration"] = json!({
        "MultiRegionKeyType": "REPLICA",
        "PrimaryKey": { "Arn": primary["Arn"], "Region": "us-east-1" },
        "ReplicaKeys": [{ "Arn": arn, "Region": WEST }],
    });
    assert_eq!(answer["ReplicaKeyMetadata"], expected);
    let policy: Value = serde_json::from_str(answer["ReplicaPolicy"].as_str().unwrap()).unwrap();
    assert_eq!(policy["Id"], "key-default-1");
    assert_eq!(
        answer["ReplicaTags"],
        json!([{ "TagKey": "team", "TagValue": "red" }])
    );
    let described = told(&server, "DescribeKey", &json!({"KeyId": primary["Arn"]})).await;
    let replicas = &described["KeyMetadata"]["MultiRegionConfiguration"]["ReplicaKeys"];
    assert_eq!(*replicas, json!([{ "Arn": arn, "Region": WEST }]));
}

#[tokio::test]
async fn what_one_encrypts_the_other_decrypts() {
    let world = World::replicated().await;
    let here = encrypt(&world.home, &world.id, b"from here").await;
    let there = encrypt(&world.west, &world.id, b"from there").await;

    assert_eq!(decrypt(&world.west, &here).await, b"from here");
    assert_eq!(decrypt(&world.home, &there).await, b"from there");
    let elsewhere = world.east.decrypt().ciphertext_blob(here).send().await;
    assert_eq!(refusal(elsewhere).0, "AccessDeniedException");
}

#[tokio::test]
async fn a_replica_has_a_state_tags_aliases_a_description_and_a_policy_of_its_own() {
    let world = World::replicated().await;
    let (west, id) = (&world.west, &world.id);
    let policy =
        r#"{"Statement":{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}}"#;
    let tag = Tag::builder().tag_key("a").tag_value("b").build().unwrap();

    let alias = west.create_alias().alias_name("alias/west");
    alias.target_key_id(id).send().await.unwrap();
    let tagging = west.tag_resource().key_id(id).tags(tag);
    tagging.send().await.unwrap();
    let telling = west.update_key_description().key_id(id);
    telling.description("west").send().await.unwrap();
    let putting = west.put_key_policy().key_id(id).policy(policy);
    putting.send().await.unwrap();
    west.disable_key().key_id(id).send().await.unwrap();

    assert_eq!(
        describe(west, "alias/west").await.key_state,
        Some(KeyState::Disabled)
    );
    let home = describe(&world.home, id).await;
    assert_eq!(home.key_state, Some(KeyState::Enabled));
    assert_eq!(home.description.as_deref(), Some(""));
    let tags = world.home.list_resource_tags().key_id(id).send().await;
    assert!(tags.unwrap().tags().is_empty());
    let kept = world.home.get_key_policy().key_id(id).send().await;
    assert_ne!(kept.unwrap().policy(), Some(policy));
    let alias = world.home.describe_key().key_id("alias/west").send().await;
    assert_eq!(refusal(alias).0, "NotFoundException");
}

#[tokio::test]
async fn the_rotation_of_the_primary_reaches_its_replicas() {
    let world = World::replicated().await;
    let old = encrypt(&world.west, &world.id, b"old").await;

    rotate(&world.home, &world.id).await;

    let material = describe(&world.home, &world.id)
        .await
        .current_key_material_id;
    assert_eq!(
        describe(&world.west, &world.id)
            .await
            .current_key_material_id,
        material
    );
    let new = encrypt(&world.home, &world.id, b"new").await;
    assert_eq!(decrypt(&world.west, &new).await, b"new");
    assert_eq!(decrypt(&world.home, &old).await, b"old");
    let listed = world
        .west
        .list_key_rotations()
        .key_id(&world.id)
        .send()
        .await;
    assert_eq!(listed.unwrap().rotations().len(), 1);
}

#[tokio::test]
async fn automatic_rotation_is_seen_first_by_whichever_key_is_looked_at() {
    let world = World::replicated().await;
    let enable = world.home.enable_key_rotation().key_id(&world.id);
    enable.rotation_period_in_days(90).send().await.unwrap();
    let status = world
        .west
        .get_key_rotation_status()
        .key_id(&world.id)
        .send()
        .await
        .unwrap();
    assert_eq!(
        status.next_rotation_date,
        Some(DateTime::from(today() + days(90)))
    );
    let before = describe(&world.west, &world.id)
        .await
        .current_key_material_id;

    world.server.clock().advance(days(91));

    let after = describe(&world.west, &world.id)
        .await
        .current_key_material_id;
    assert_ne!(after, before);
    assert_eq!(
        describe(&world.home, &world.id)
            .await
            .current_key_material_id,
        after
    );
    replicate(&world.home, &world.id, EAST).await;
    assert_eq!(
        describe(&world.east, &world.id)
            .await
            .current_key_material_id,
        after
    );
}

#[tokio::test]
async fn a_replica_is_not_rotated_by_itself() {
    let world = World::replicated().await;
    let (west, id) = (&world.west, &world.id);

    let on = west.enable_key_rotation().key_id(id).send().await;
    let off = west.disable_key_rotation().key_id(id).send().await;
    let now = west.rotate_key_on_demand().key_id(id).send().await;

    for refused in [refusal(on), refusal(off), refusal(now)] {
        assert_eq!(refused, world.not_primary(WEST));
    }
}

#[tokio::test]
async fn a_replica_that_is_enabled_again_makes_up_for_no_rotation_of_its_own() {
    let world = World::replicated().await;
    let enable = world.home.enable_key_rotation().key_id(&world.id);
    enable.rotation_period_in_days(90).send().await.unwrap();
    let west = &world.west;
    west.disable_key().key_id(&world.id).send().await.unwrap();
    world
        .home
        .disable_key()
        .key_id(&world.id)
        .send()
        .await
        .unwrap();
    world.server.clock().advance(days(91));
    let before = describe(&world.home, &world.id)
        .await
        .current_key_material_id;

    west.enable_key().key_id(&world.id).send().await.unwrap();

    assert_eq!(
        describe(west, &world.id).await.current_key_material_id,
        before
    );
    world
        .home
        .enable_key()
        .key_id(&world.id)
        .send()
        .await
        .unwrap();
    let after = describe(&world.home, &world.id)
        .await
        .current_key_material_id;
    assert_ne!(after, before);
    assert_eq!(
        describe(west, &world.id).await.current_key_material_id,
        after
    );
}

#[tokio::test]
async fn only_a_primary_is_replicated_and_only_once_to_a_region() {
    let world = World::replicated().await;
    let single = describe(&world.home, "alias/app").await;
    let replicate = async |client: &Client, id: &str, region: &str| {
        let replicate = client.replicate_key().key_id(id).replica_region(region);
        refusal(replicate.send().await)
    };

    let of_one = replicate(&world.home, &single.key_id, WEST).await;
    let of_replica = replicate(&world.west, &world.id, EAST).await;
    let again = replicate(&world.home, &world.id, WEST).await;
    let own = replicate(&world.home, &world.id, "us-east-1").await;
    let alias = replicate(&world.home, "alias/app", WEST).await;
    let other = replicate(&world.home, &world.arn(WEST), EAST).await;

    let message = format!("{} is not a multi-region primary key.", single.arn.unwrap());
    assert_eq!(of_one, is("UnsupportedOperationException", &message));
    assert_eq!(of_replica, world.not_primary(WEST));
    assert_eq!(again.0, "AlreadyExistsException");
    assert_eq!(own.0, "AlreadyExistsException");
    assert_eq!(alias, is("NotFoundException", "Invalid keyId 'alias/app'"));
    assert_eq!(
        other,
        is("NotFoundException", &format!("Invalid arn {WEST}"))
    );
}

#[tokio::test]
async fn a_primary_is_replicated_in_the_states_that_allow_it() {
    let world = World::start().await;
    let replicate = async || {
        let replicate = world.home.replicate_key().key_id(&world.id);
        refusal(replicate.replica_region(WEST).send().await)
    };
    let arn = world.arn("us-east-1");

    world
        .home
        .disable_key()
        .key_id(&world.id)
        .send()
        .await
        .unwrap();
    assert_eq!(
        replicate().await,
        is("DisabledException", &format!("{arn} is disabled."))
    );
    schedule(&world.home, &world.id, 7).await;
    let pending = format!("{arn} is pending deletion.");
    assert_eq!(replicate().await, is("KMSInvalidStateException", &pending));
}

#[tokio::test]
async fn what_is_no_region_is_refused() {
    let server = open_server().await;
    let made = told(&server, "CreateKey", &json!({"MultiRegion": true})).await;
    let key = &made["KeyMetadata"]["KeyId"];
    let (_, told) = violation(
        "Value 'west' at 'replicaRegion'",
        r"satisfy regular expression pattern: ([a-z]+-){2,3}\d+",
    );

    let body = json!({"KeyId": key, "ReplicaRegion": "west"});
    let refused = outcome(&server, "ReplicateKey", &body).await;

    assert_eq!(refused, format!("ValidationException: {told}"));
    let body = json!({"KeyId": key, "ReplicaRegion": "eu-west-1", "Policy": "{}"});
    let refused = outcome(&server, "ReplicateKey", &body).await;
    assert!(
        refused.starts_with("MalformedPolicyDocumentException"),
        "{refused}"
    );
    let tags = json!([{"TagKey": "aws:x", "TagValue": ""}]);
    let body = json!({"KeyId": key, "ReplicaRegion": "eu-west-1", "Tags": tags});
    let refused = outcome(&server, "ReplicateKey", &body).await;
    assert!(refused.starts_with("TagException"), "{refused}");
}

#[tokio::test]
async fn pairs_and_codes_are_shared_too() {
    let world = World::start().await;
    let create = |spec, usage| {
        let create = world.home.create_key().multi_region(true);
        create.key_spec(spec).key_usage(usage).send()
    };
    let curve = create(KeySpec::EccNistP256, KeyUsageType::SignVerify)
        .await
        .unwrap();
    let curve = curve.key_metadata.unwrap().key_id;
    let hmac = create(KeySpec::Hmac256, KeyUsageType::GenerateVerifyMac)
        .await
        .unwrap();
    let hmac = hmac.key_metadata.unwrap().key_id;
    for key in [&curve, &hmac] {
        replicate(&world.home, key, WEST).await;
    }
    let message = || Blob::new(b"hello");

    let sign = world.home.sign().key_id(&curve).message(message());
    let sign = sign.message_type(MessageType::Raw);
    let signed = sign
        .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256)
        .send()
        .await
        .unwrap();
    let mac = world.home.generate_mac().key_id(&hmac).message(message());
    let mac = mac
        .mac_algorithm(MacAlgorithmSpec::HmacSha256)
        .send()
        .await
        .unwrap();

    let verify = world.west.verify().key_id(&curve).message(message());
    let verify = verify.signing_algorithm(SigningAlgorithmSpec::EcdsaSha256);
    assert!(
        verify
            .signature(signed.signature.unwrap())
            .send()
            .await
            .is_ok()
    );
    let verify = world.west.verify_mac().key_id(&hmac).message(message());
    let verify = verify.mac_algorithm(MacAlgorithmSpec::HmacSha256);
    assert!(verify.mac(mac.mac.unwrap()).send().await.is_ok());
}
