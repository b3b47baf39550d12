//! Primaries: moved to another region, kept until their replicas are gone, told apart by policies.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::{Blob, DateTime};
use aws_sdk_kms::types::KeyState;
use serde_json::{Value, json};

use crate::regions::{EAST, WEST, World, replicate, rotate, schedule};
use crate::sdk::{days, decrypt, describe, encrypt, is, refusal, today};
use crate::table::{given, outcome, told};

#[tokio::test]
async fn the_primary_can_be_moved_to_a_replica() {
    let world = World::replicated().await;
    replicate(&world.home, &world.id, EAST).await;

    let update = world.home.update_primary_region().key_id(&world.id);
    update.primary_region(WEST).send().await.unwrap();

    for client in [&world.home, &world.west, &world.east] {
        let told = describe(client, &world.id).await;
        let configuration = told.multi_region_configuration.unwrap();
        let arns = configuration
            .replica_keys()
            .iter()
            .map(|key| key.arn().unwrap());
        assert!(arns.eq([world.arn(EAST), world.arn("us-east-1")]));
        assert_eq!(
            configuration.primary_key.unwrap().arn,
            Some(world.arn(WEST))
        );
    }
    let here = world
        .home
        .rotate_key_on_demand()
        .key_id(&world.id)
        .send()
        .await;
    assert_eq!(refusal(here), world.not_primary("us-east-1"));
    rotate(&world.west, &world.id).await;
    let material = describe(&world.west, &world.id)
        .await
        .current_key_material_id;
    for client in [&world.home, &world.east] {
        assert_eq!(
            describe(client, &world.id).await.current_key_material_id,
            material
        );
    }
}

#[tokio::test]
async fn the_primary_is_moved_to_enabled_replicas_alone() {
    let world = World::replicated().await;
    let update = async |client: &Client, region: &str| {
        let update = client.update_primary_region().key_id(&world.id);
        refusal(update.primary_region(region).send().await)
    };

    assert_eq!(
        update(&world.west, "us-east-1").await,
        world.not_primary(WEST)
    );
    let missing = format!("Key '{}' does not exist", world.arn(EAST));
    assert_eq!(
        update(&world.home, EAST).await,
        is("NotFoundException", &missing)
    );
    assert_eq!(
        update(&world.home, "us-east-1").await.0,
        "AlreadyExistsException"
    );
    world
        .west
        .disable_key()
        .key_id(&world.id)
        .send()
        .await
        .unwrap();
    let disabled = format!("{} is disabled.", world.arn(WEST));
    assert_eq!(
        update(&world.home, WEST).await,
        is("DisabledException", &disabled)
    );
}

#[tokio::test]
async fn a_primary_waits_for_its_replicas_before_it_waits_for_itself() {
    let world = World::replicated().await;
    let (home, west, id) = (&world.home, &world.west, &world.id);

    let scheduled = home.schedule_key_deletion().key_id(id);
    let scheduled = scheduled.pending_window_in_days(10).send().await.unwrap();

    assert_eq!(scheduled.key_state, Some(KeyState::PendingReplicaDeletion));
    assert_eq!(
        (scheduled.deletion_date, scheduled.pending_window_in_days),
        (None, Some(10))
    );
    let told = describe(home, id).await;
    assert_eq!(told.key_state, Some(KeyState::PendingReplicaDeletion));
    assert_eq!(
        (told.deletion_date, told.pending_deletion_window_in_days),
        (None, Some(10))
    );
    assert!(!told.enabled);
    let used = home
        .encrypt()
        .key_id(id)
        .plaintext(Blob::new(b"x"))
        .send()
        .await;
    let pending = format!("{} is pending replica deletion.", world.arn("us-east-1"));
    assert_eq!(refusal(used), is("KMSInvalidStateException", &pending));
    assert_eq!(decrypt(west, &encrypt(west, id, b"x").await).await, b"x");

    world.server.clock().advance(days(100));
    assert_eq!(
        describe(home, id).await.key_state,
        Some(KeyState::PendingReplicaDeletion)
    );
    assert_eq!(schedule(west, id, 7).await, Some(KeyState::PendingDeletion));
    world.server.clock().advance(days(8));

    let told = describe(home, id).await;
    let deletion = today() + days(117);
    assert_eq!(told.key_state, Some(KeyState::PendingDeletion));
    assert_eq!(told.deletion_date, Some(DateTime::from(deletion)));
    assert!(
        told.multi_region_configuration
            .unwrap()
            .replica_keys()
            .is_empty()
    );
    world.server.clock().advance(days(9));
    assert_eq!(
        refusal(home.describe_key().key_id(id).send().await).0,
        "NotFoundException"
    );
}

#[tokio::test]
async fn the_end_of_a_primary_can_be_called_off() {
    let world = World::replicated().await;
    schedule(&world.home, &world.id, 7).await;

    let cancelled = world
        .home
        .cancel_key_deletion()
        .key_id(&world.id)
        .send()
        .await;

    assert_eq!(cancelled.unwrap().key_id, Some(world.arn("us-east-1")));
    assert_eq!(
        describe(&world.home, &world.id).await.key_state,
        Some(KeyState::Disabled)
    );
    world
        .home
        .enable_key()
        .key_id(&world.id)
        .send()
        .await
        .unwrap();
    replicate(&world.home, &world.id, EAST).await;
}

#[tokio::test]
async fn a_region_whose_replica_is_gone_takes_another() {
    let world = World::replicated().await;
    let old = encrypt(&world.west, &world.id, b"old").await;
    schedule(&world.west, &world.id, 7).await;
    world.server.clock().advance(days(8));

    replicate(&world.home, &world.id, WEST).await;

    assert_eq!(decrypt(&world.west, &old).await, b"old");
    let told = describe(&world.home, &world.id).await;
    let configuration = told.multi_region_configuration.unwrap();
    assert_eq!(configuration.replica_keys().len(), 1);
}

#[tokio::test]
async fn policies_tell_primaries_replicas_and_regions_apart() {
    let (server, given) = given().await;
    let allowing = |condition: Value| {
        json!({ "Statement": [
            { "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*" },
            { "Effect": "Deny", "Principal": "*", "Action": ["kms:ReplicateKey", "kms:UpdatePrimaryRegion"],
              "Resource": "*", "Condition": condition },
        ]})
        .to_string()
    };
    let replicate = json!({"KeyId": given.primary, "ReplicaRegion": "sa-east-1"});
    let update = json!({"KeyId": given.primary, "PrimaryRegion": "eu-west-1"});
    let cases = [
        (
            json!({ "StringEquals": { "kms:ReplicaRegion": "sa-east-1" } }),
            "ReplicateKey",
            &replicate,
        ),
        (
            json!({ "StringEquals": { "kms:PrimaryRegion": "eu-west-1" } }),
            "UpdatePrimaryRegion",
            &update,
        ),
        (
            json!({ "StringEquals": { "kms:MultiRegionKeyType": "PRIMARY" } }),
            "ReplicateKey",
            &replicate,
        ),
    ];

    for (condition, operation, body) in cases {
        let put = json!({"KeyId": given.primary, "Policy": allowing(condition.clone())});
        told(&server, "PutKeyPolicy", &put).await;
        let refused = outcome(&server, operation, body).await;
        assert!(
            refused.starts_with("AccessDeniedException"),
            "{condition}: {refused}"
        );
    }

    let other = json!({ "StringEquals": { "kms:ReplicaRegion": "eu-central-1", "kms:MultiRegionKeyType": "REPLICA" } });
    let put = json!({"KeyId": given.primary, "Policy": allowing(other)});
    told(&server, "PutKeyPolicy", &put).await;
    assert_eq!(outcome(&server, "ReplicateKey", &replicate).await, "ok");
}

#[tokio::test]
async fn a_replica_that_keeps_its_caller_out_does_not_become_the_primary() {
    let world = World::replicated().await;
    let policy = json!({ "Statement": [
        { "Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*" },
        { "Effect": "Deny", "Principal": "*", "Action": "kms:UpdatePrimaryRegion", "Resource": "*" },
    ]});
    let put = world.west.put_key_policy().key_id(&world.id);
    put.policy(policy.to_string()).send().await.unwrap();

    let update = world.home.update_primary_region().key_id(&world.id);
    let refused = refusal(update.primary_region(WEST).send().await);

    assert_eq!(refused.0, "AccessDeniedException");
    assert!(refused.1.contains(&world.arn(WEST)), "{}", refused.1);
}
