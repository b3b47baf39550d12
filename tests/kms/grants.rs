//! Grants: what they let their grantees do beside the key's policy, who makes them, and how they end.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>; `NotFoundException` for an unknown grant
//! is from getmoto/moto#5411.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{GrantConstraints, GrantOperation};
use serde_json::json;

use crate::parties::{ANN, BOB, Parties, ROOT, equals, granting, refused, subset};
use crate::sdk::{awaiting_import, decrypt, encrypt, is, new_key, refusal, would_have_succeeded};

const ENCRYPTS: &[GrantOperation] = &[GrantOperation::Encrypt, GrantOperation::Decrypt];

/// Whether somebody may encrypt under a context.
async fn encrypts_under(client: &Client, key: &str, pairs: &[(&str, &str)]) -> bool {
    let call = client.encrypt().key_id(key).plaintext(Blob::new("x"));
    let call = pairs.iter().fold(call, |call, (name, value)| {
        call.encryption_context(*name, *value)
    });
    match call.send().await {
        Ok(_) => true,
        refused => {
            assert_eq!(refusal(refused).0, "AccessDeniedException");
            false
        }
    }
}

#[tokio::test]
async fn a_grant_lets_its_grantee_do_what_it_says_and_no_more() {
    let parties = Parties::meet().await;
    let told = parties.not_let(ANN, "kms:Encrypt");
    assert_eq!(refused(&parties.ann, &parties.arn).await, Some(told));

    parties.grant(ANN, ENCRYPTS).await;

    let ciphertext = encrypt(&parties.ann, &parties.arn, b"secret").await;
    assert_eq!(decrypt(&parties.ann, &ciphertext).await, b"secret");
    let looked = parties.ann.describe_key().key_id(&parties.arn).send().await;
    assert_eq!(refusal(looked), parties.not_let(ANN, "kms:DescribeKey"));
    let told = parties.not_let(BOB, "kms:Encrypt");
    assert_eq!(refused(&parties.bob, &parties.arn).await, Some(told));
}

#[tokio::test]
async fn a_grant_on_one_key_is_none_on_another() {
    let parties = Parties::meet().await;
    let other = new_key(&parties.root).await;
    parties.shut(&other, &[]).await;

    parties.grant(ANN, ENCRYPTS).await;

    assert_eq!(refused(&parties.ann, &parties.arn).await, None);
    assert!(refused(&parties.ann, &other).await.is_some());
}

#[tokio::test]
async fn an_explicit_deny_beats_a_grant() {
    let parties = Parties::meet().await;
    parties.grant(ANN, ENCRYPTS).await;
    let deny = json!({ "Effect": "Deny", "Principal": { "AWS": ANN }, "Action": "kms:Encrypt", "Resource": "*" });
    parties.shut(&parties.arn, &[deny]).await;

    let (exception, message) = refused(&parties.ann, &parties.arn).await.unwrap();

    assert_eq!(exception, "AccessDeniedException");
    let reason = "with an explicit deny in a resource-based policy";
    assert!(message.ends_with(reason), "{message}");
}

#[tokio::test]
async fn a_grant_to_the_account_is_one_to_its_users() {
    let parties = Parties::meet().await;

    parties.grant(ROOT, ENCRYPTS).await;

    assert_eq!(refused(&parties.ann, &parties.arn).await, None);
    assert_eq!(refused(&parties.bob, &parties.arn).await, None);
}

#[tokio::test]
async fn to_encrypt_again_takes_a_grant_of_each_half() {
    let parties = Parties::meet().await;
    let ciphertext = encrypt(&parties.root, &parties.arn, b"secret").await;
    let again = || {
        let call = parties.ann.re_encrypt().ciphertext_blob(ciphertext.clone());
        call.destination_key_id(&parties.arn).send()
    };
    parties.grant(ANN, &[GrantOperation::ReEncryptFrom]).await;

    let half = refusal(again().await);
    parties.grant(ANN, &[GrantOperation::ReEncryptTo]).await;

    assert_eq!(half, parties.not_let(ANN, "kms:ReEncryptTo"));
    assert!(again().await.is_ok());
}

#[tokio::test]
async fn constraints_ask_for_an_encryption_context() {
    let parties = Parties::meet().await;
    let grant = async |constraints| {
        let call = granting(&parties.root, &parties.arn, ANN, ENCRYPTS);
        let made = call.constraints(constraints).send().await.unwrap();
        made.grant_id.unwrap()
    };
    let outcomes = async || {
        let mut outcomes = Vec::new();
        for pairs in [
            &[("Team", "red")][..],
            &[("team", "red")],
            &[("Team", "red"), ("stage", "test")],
            &[("Team", "RED")],
            &[],
        ] {
            outcomes.push(encrypts_under(&parties.ann, &parties.arn, pairs).await);
        }
        outcomes
    };

    let by_subset = grant(subset(&[("Team", "red")])).await;
    let of_subset = outcomes().await;
    let revoke = parties.root.revoke_grant().key_id(&parties.arn);
    revoke.grant_id(by_subset).send().await.unwrap();
    grant(equals(&[("Team", "red")])).await;
    let of_equals = outcomes().await;

    assert_eq!(of_subset, [true, true, true, false, false]);
    assert_eq!(of_equals, [true, true, false, false, false]);
}

#[tokio::test]
async fn a_constraint_on_the_resource_of_a_service_is_met_by_nobody_who_calls_himself() {
    let parties = Parties::meet().await;
    let constraints = GrantConstraints::builder().source_arn("arn:aws:s3:::photos");
    let call = granting(&parties.root, &parties.arn, ANN, ENCRYPTS);

    call.constraints(constraints.build()).send().await.unwrap();

    assert!(refused(&parties.ann, &parties.arn).await.is_some());
}

#[tokio::test]
async fn a_revoked_grant_lets_nobody_in_any_more() {
    let parties = Parties::meet().await;
    let grant = parties.grant(ANN, ENCRYPTS).await.grant_id.unwrap();
    let ciphertext = encrypt(&parties.ann, &parties.arn, b"secret").await;
    let revoke = |client: &Client| {
        let call = client.revoke_grant().key_id(&parties.arn);
        call.grant_id(&grant)
    };

    let by_grantee = refusal(revoke(&parties.ann).send().await);
    let dry = refusal(revoke(&parties.root).dry_run(true).send().await);
    assert_eq!(refused(&parties.ann, &parties.arn).await, None);
    revoke(&parties.root).send().await.unwrap();

    assert_eq!(by_grantee, parties.not_let(ANN, "kms:RevokeGrant"));
    assert_eq!(dry, would_have_succeeded());
    assert!(refused(&parties.ann, &parties.arn).await.is_some());
    let read = parties.ann.decrypt().ciphertext_blob(ciphertext).send();
    assert_eq!(refusal(read.await), parties.not_let(ANN, "kms:Decrypt"));
    let again = refusal(revoke(&parties.root).send().await);
    let told = format!("Grant ID {grant} not found");
    assert_eq!(again, is("NotFoundException", &told));
}

#[tokio::test]
async fn a_grant_is_retired_by_whom_it_names_and_by_nobody_else() {
    let parties = Parties::meet().await;
    let retire = |client: &Client, token: &str| client.retire_grant().grant_token(token);
    let keep = GrantOperation::RetireGrant;
    let both = [GrantOperation::Encrypt, keep];
    let by_grantee = parties.grant(ANN, &both).await.grant_token.unwrap();
    let call = granting(&parties.root, &parties.arn, ANN, ENCRYPTS).retiring_principal(BOB);
    let made = call.send().await.unwrap();
    let (by_bob, id) = (made.grant_token.unwrap(), made.grant_id.unwrap());

    let dry = refusal(retire(&parties.ann, &by_grantee).dry_run(true).send().await);
    retire(&parties.ann, &by_grantee).send().await.unwrap();
    assert_eq!(refused(&parties.ann, &parties.arn).await, None);
    let call = parties.bob.retire_grant().key_id(&parties.arn);
    call.grant_id(id).send().await.unwrap();

    assert_eq!(dry, would_have_succeeded());
    assert!(refused(&parties.ann, &parties.arn).await.is_some());
    let gone = refusal(retire(&parties.bob, &by_bob).send().await);
    assert_eq!(gone.0, "NotFoundException");
    let key = parties.root.retire_grant().key_id(&parties.arn);
    let half = refusal(key.send().await);
    assert_eq!(half.0, "ValidationException");
}

/// It may leave that to its users: those here have no policies that limit them.
#[tokio::test]
async fn the_account_that_made_a_grant_may_retire_it() {
    let parties = Parties::meet().await;
    for client in [&parties.root, &parties.bob] {
        let token = parties.grant(ANN, ENCRYPTS).await.grant_token.unwrap();

        client
            .retire_grant()
            .grant_token(token)
            .send()
            .await
            .unwrap();

        assert!(refused(&parties.ann, &parties.arn).await.is_some());
    }
}

#[tokio::test]
async fn who_grants_by_a_grant_gives_no_more_than_it_gives() {
    let parties = Parties::meet().await;
    let own = [
        GrantOperation::CreateGrant,
        GrantOperation::Encrypt,
        GrantOperation::Decrypt,
    ];
    let constrained = granting(&parties.root, &parties.arn, ANN, &own);
    let constrained = constrained.constraints(subset(&[("team", "red")]));
    constrained.send().await.unwrap();
    let give = |operations: &[GrantOperation], constraints: Option<GrantConstraints>| {
        let call = granting(&parties.ann, &parties.arn, BOB, operations);
        call.set_constraints(constraints).send()
    };

    let red = &[("team", "red")][..];
    let narrow = &[("team", "red"), ("stage", "test")][..];
    let more = &[GrantOperation::Encrypt, GrantOperation::DescribeKey][..];
    for (operations, constraints, is_given) in [
        (&ENCRYPTS[..1], Some(subset(red)), true),
        (ENCRYPTS, Some(equals(red)), true),
        (ENCRYPTS, Some(subset(narrow)), true),
        (ENCRYPTS, None, false),
        (ENCRYPTS, Some(subset(&[("team", "blue")])), false),
        (ENCRYPTS, Some(subset(&[("stage", "test")])), false),
        (more, Some(subset(red)), false),
    ] {
        let answer = give(operations, constraints.clone()).await;

        assert_eq!(answer.is_ok(), is_given, "{operations:?} {constraints:?}");
        if !is_given {
            assert_eq!(refusal(answer), parties.not_let(ANN, "kms:CreateGrant"));
        }
    }
    assert!(encrypts_under(&parties.bob, &parties.arn, red).await);
    assert!(!encrypts_under(&parties.bob, &parties.arn, &[]).await);
}

#[tokio::test]
async fn who_may_not_grant_makes_none() {
    let parties = Parties::meet().await;
    parties.grant(ANN, ENCRYPTS).await;

    let made = granting(&parties.ann, &parties.arn, BOB, ENCRYPTS).send();

    assert_eq!(refusal(made.await), parties.not_let(ANN, "kms:CreateGrant"));
}

#[tokio::test]
async fn a_policy_can_say_which_grants_somebody_may_make() {
    let parties = Parties::meet().await;
    let may = json!({ "Effect": "Allow", "Principal": { "AWS": ANN }, "Action": "kms:CreateGrant", "Resource": "*",
        "Condition": {
            "ForAllValues:StringEquals": { "kms:GrantOperations": ["Encrypt", "Decrypt"] },
            "StringEquals": { "kms:GranteePrincipal": BOB, "kms:RetiringPrincipal": ANN,
                "kms:GrantConstraintType": "EncryptionContextSubset", "kms:EncryptionContext:team": "red" },
            "Bool": { "kms:GrantIsForAWSResource": "false" } } });
    parties.shut(&parties.arn, &[may]).await;
    let call = |grantee: &str, operations: &[GrantOperation]| {
        let call = granting(&parties.ann, &parties.arn, grantee, operations);
        call.retiring_principal(ANN)
            .constraints(subset(&[("team", "red")]))
    };

    let more = [GrantOperation::Encrypt, GrantOperation::GenerateDataKey];
    assert!(call(BOB, ENCRYPTS).send().await.is_ok());
    for other in [
        call(ANN, ENCRYPTS),
        call(BOB, &more),
        call(BOB, ENCRYPTS).retiring_principal(BOB),
        call(BOB, ENCRYPTS).constraints(equals(&[("team", "red")])),
        call(BOB, ENCRYPTS).constraints(subset(&[("team", "blue")])),
        call(BOB, ENCRYPTS).set_constraints(None),
    ] {
        let told = parties.not_let(ANN, "kms:CreateGrant");
        assert_eq!(refusal(other.send().await), told);
    }
}

#[tokio::test]
async fn a_key_that_does_not_work_gets_no_grants_and_loses_those_it_has() {
    let parties = Parties::meet().await;
    let call = || granting(&parties.root, &parties.arn, ANN, ENCRYPTS);
    let [first, second] = [call().send().await, call().send().await].map(Result::unwrap);
    let disable = parties.root.disable_key().key_id(&parties.arn);
    disable.send().await.unwrap();

    let disabled = refusal(call().send().await);
    let dry = refusal(call().dry_run(true).send().await);
    let retire = parties.root.retire_grant();
    let retired = retire.grant_token(first.grant_token.unwrap()).send().await;
    let doom = parties.root.schedule_key_deletion().key_id(&parties.arn);
    doom.send().await.unwrap();
    let doomed = refusal(call().send().await);
    let revoke = parties.root.revoke_grant().key_id(&parties.arn);
    let revoked = revoke.grant_id(second.grant_id.unwrap()).send().await;
    let awaiting = awaiting_import(&parties.root).await;
    let awaiting = granting(&parties.root, &awaiting, ANN, ENCRYPTS)
        .send()
        .await;

    let arn = &parties.arn;
    let told = is("DisabledException", &format!("{arn} is disabled."));
    assert_eq!((disabled, dry), (told.clone(), told));
    let told = format!("{arn} is pending deletion.");
    assert_eq!(doomed, is("KMSInvalidStateException", &told));
    assert_eq!(refusal(awaiting).0, "KMSInvalidStateException");
    assert!(retired.is_ok() && revoked.is_ok());
}

#[tokio::test]
async fn a_dry_run_makes_none() {
    let parties = Parties::meet().await;
    let call = granting(&parties.root, &parties.arn, ANN, ENCRYPTS);

    let dry = call.dry_run(true).send().await;

    assert_eq!(refusal(dry), would_have_succeeded());
    assert!(refused(&parties.ann, &parties.arn).await.is_some());
}

#[tokio::test]
async fn every_call_about_grants_is_in_the_journal() {
    let parties = Parties::meet().await;
    let before = parties.server.kms_calls().len();
    let token = parties.grant(ANN, ENCRYPTS).await.grant_token.unwrap();
    encrypt(&parties.ann, &parties.arn, b"secret").await;
    let retire = parties.bob.retire_grant().grant_token(token);
    retire.send().await.unwrap();
    assert!(refused(&parties.ann, &parties.arn).await.is_some());

    let calls = &parties.server.kms_calls()[before..];

    let told: Vec<_> = calls
        .iter()
        .map(|call| (call.operation.as_str(), call.caller.as_str()))
        .collect();
    let expected = [
        ("CreateGrant", ROOT),
        ("Encrypt", ANN),
        ("RetireGrant", BOB),
        ("Encrypt", ANN),
    ];
    assert_eq!(told, expected);
    let about: Vec<_> = calls[..3].iter().map(|call| call.key_arn.clone()).collect();
    assert_eq!(about, [(); 3].map(|()| Some(parties.arn.clone())));
}
