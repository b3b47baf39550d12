//! Lists of grants, and what becomes of grants when everything is replaced, or their key ends.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_ListGrants.html>

use std::collections::BTreeSet;

use aws_sdk_kms::types::{GrantConstraints, GrantListEntry, GrantOperation};
use serde_json::json;
use strongroom_testkit::Strongroom;

use crate::parties::{ANN, BOB, Parties, ROOT, granting, refused};
use crate::sdk::{days, is, new_key, refusal, today};
use crate::table::{members, open_server, pages, told};

const ENCRYPTS: &[GrantOperation] = &[GrantOperation::Encrypt];

fn ids(grants: &[GrantListEntry]) -> BTreeSet<&str> {
    grants.iter().filter_map(GrantListEntry::grant_id).collect()
}

#[tokio::test]
async fn a_list_tells_all_of_a_grant() {
    let parties = Parties::meet().await;
    let constraints = GrantConstraints::builder().encryption_context_subset("team", "red");
    let call = granting(&parties.root, &parties.arn, ANN, ENCRYPTS);
    let call = call.name("app").retiring_principal(BOB);
    let made = call.constraints(constraints.build()).send().await.unwrap();

    let listed = parties.root.list_grants().key_id(&parties.arn).send().await;

    let grants = listed.unwrap().grants.unwrap();
    let [grant] = &grants[..] else {
        panic!("{grants:?}")
    };
    assert_eq!(grant.grant_id, made.grant_id);
    assert_eq!(grant.grant_id().map(str::len), Some(64));
    assert_eq!(grant.key_id(), Some(parties.arn.as_str()));
    assert_eq!(grant.name(), Some("app"));
    assert_eq!(grant.grantee_principal(), Some(ANN));
    assert_eq!(grant.retiring_principal(), Some(BOB));
    assert_eq!(grant.issuing_account(), Some(ROOT));
    assert_eq!(grant.operations(), ENCRYPTS);
    let constraints = grant.constraints().unwrap();
    let pairs = constraints.encryption_context_subset().unwrap();
    assert_eq!(pairs["team"], "red");
    assert!(constraints.encryption_context_equals().is_none());
    assert!(grant.creation_date().is_some());
}

#[tokio::test]
async fn what_a_grant_does_not_have_is_not_told() {
    let server = open_server().await;
    let grant = json!({ "KeyId": told(&server, "DescribeKey", &json!({ "KeyId": "alias/table" })).await["KeyMetadata"]["KeyId"],
        "GranteePrincipal": ANN, "Operations": ["Decrypt"] });
    told(&server, "CreateGrant", &grant).await;

    let listed = told(&server, "ListGrants", &json!({ "KeyId": grant["KeyId"] })).await;

    let names = [
        "CreationDate",
        "GrantId",
        "GranteePrincipal",
        "IssuingAccount",
        "KeyId",
        "Name",
        "Operations",
    ];
    assert_eq!(members(&listed["Grants"][0]), names);
    assert_eq!(listed["Truncated"], false);
}

#[tokio::test]
async fn the_pages_joined_are_the_grants_and_a_filter_shows_some() {
    let server = open_server().await;
    let key = json!({ "KeyId": told(&server, "DescribeKey", &json!({ "KeyId": "alias/table" })).await["KeyMetadata"]["KeyId"] });
    let mut made = BTreeSet::new();
    for number in 0..5 {
        let mut body = key.clone();
        body["GranteePrincipal"] = json!(if number % 2 == 0 { ANN } else { BOB });
        body["RetiringPrincipal"] = json!(BOB);
        body["Operations"] = json!(["Decrypt"]);
        made.insert(told(&server, "CreateGrant", &body).await["GrantId"].to_string());
    }

    let joined = pages(&server, "ListGrants", ("Grants", 2), &key).await;
    let retirable = json!({ "RetiringPrincipal": BOB });
    let retirable = pages(&server, "ListRetirableGrants", ("Grants", 2), &retirable).await;
    let mut of_bob = key.clone();
    of_bob["GranteePrincipal"] = json!(BOB);
    let of_bob = told(&server, "ListGrants", &of_bob).await;
    let mut one = key.clone();
    one["GrantId"] = joined[3]["GrantId"].clone();
    let one = told(&server, "ListGrants", &one).await;

    let ids = |list: &[serde_json::Value]| -> BTreeSet<_> {
        list.iter()
            .map(|grant| grant["GrantId"].to_string())
            .collect()
    };
    assert_eq!((joined.len(), ids(&joined)), (5, made.clone()));
    assert_eq!((retirable.len(), ids(&retirable)), (5, made));
    assert_eq!(of_bob["Grants"].as_array().unwrap().len(), 2);
    assert_eq!(one["Grants"], json!([joined[3]]));
}

#[tokio::test]
async fn grants_are_listed_for_whom_the_keys_policy_lets() {
    let parties = Parties::meet().await;
    let made = parties.grant(ANN, ENCRYPTS).await;

    let listed = parties.ann.list_grants().key_id(&parties.arn).send().await;
    let bad = parties.root.list_grants().key_id(&parties.arn);
    let bad = bad.grant_id("1234").send().await;
    let marker = parties.root.list_grants().key_id(&parties.arn);
    let marker = marker.marker("?").send().await;
    let alias = parties.root.list_grants().key_id("alias/app").send().await;
    let nobody = parties.root.list_retirable_grants();
    let nobody = nobody.retiring_principal("ann").send().await;

    assert!(made.grant_id().is_some());
    assert_eq!(refusal(listed), parties.not_let(ANN, "kms:ListGrants"));
    assert_eq!(refusal(bad).0, "InvalidGrantIdException");
    assert_eq!(refusal(marker).0, "InvalidMarkerException");
    let told = "Invalid keyId 'alias/app'";
    assert_eq!(refusal(alias), is("NotFoundException", told));
    assert_eq!(refusal(nobody).0, "InvalidArnException");
}

#[tokio::test]
async fn a_keys_end_takes_its_grants_with_it() {
    let parties = Parties::of(Strongroom::builder().clock(today())).await;
    let call = granting(&parties.root, &parties.arn, ANN, ENCRYPTS).retiring_principal(BOB);
    let token = call.send().await.unwrap().grant_token.unwrap();
    let other = new_key(&parties.root).await;
    let kept = granting(&parties.root, &other, ANN, ENCRYPTS).retiring_principal(BOB);
    let kept = kept.send().await.unwrap().grant_id.unwrap();
    let doom = parties.root.schedule_key_deletion().key_id(&parties.arn);
    doom.pending_window_in_days(7).send().await.unwrap();
    parties.server.clock().advance(days(7));

    let listed = parties.bob.list_retirable_grants().retiring_principal(BOB);
    let listed = listed.send().await.unwrap();
    let retired = parties.bob.retire_grant().grant_token(token).send().await;

    assert_eq!(ids(listed.grants()), BTreeSet::from([kept.as_str()]));
    assert_eq!(refusal(retired).0, "NotFoundException");
}

#[tokio::test]
async fn grants_go_with_a_reset_and_come_back_with_a_snapshot() {
    let parties = Parties::meet().await;
    let token = parties.grant(ANN, ENCRYPTS).await.grant_token.unwrap();
    let snapshot = parties.server.snapshot().await;
    let retire = parties.root.retire_grant().grant_token(&token);
    retire.send().await.unwrap();
    assert!(refused(&parties.ann, &parties.arn).await.is_some());

    parties.server.restore(&snapshot).await;
    assert_eq!(refused(&parties.ann, &parties.arn).await, None);
    parties.server.reset().await;

    let retirable = parties.root.list_retirable_grants().retiring_principal(BOB);
    assert!(retirable.send().await.unwrap().grants().is_empty());
    let gone = parties.root.retire_grant().grant_token(token).send().await;
    assert_eq!(refusal(gone).0, "NotFoundException");
}
