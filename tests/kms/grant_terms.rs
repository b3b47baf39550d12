//! The terms of a grant: its name, its tokens, its operations, its principals, its constraints.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>; the words about `CreateGrant` alone
//! from ansible/ansible#31960, those about principals from refusals quoted in public.

use aws_sdk_kms::operation::create_grant::builders::CreateGrantFluentBuilder;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{GrantConstraints, GrantOperation, KeySpec, KeyUsageType};

use crate::parties::{ANN, Parties, equals, granting, subset};
use crate::sdk::{is, key_of, refusal, violation};

const ENCRYPTS: &[GrantOperation] = &[GrantOperation::Encrypt, GrantOperation::Decrypt];

#[tokio::test]
async fn the_same_name_and_terms_are_the_same_grant_with_a_new_token() {
    let parties = Parties::meet().await;
    let named = |operations: &[GrantOperation], name: Option<&str>| {
        let call = granting(&parties.root, &parties.arn, ANN, operations);
        call.set_name(name.map(str::to_owned)).send()
    };
    let turned: Vec<_> = ENCRYPTS.iter().rev().cloned().collect();

    let first = named(ENCRYPTS, Some("app")).await.unwrap();
    let again = named(&turned, Some("app")).await.unwrap();
    let other = named(&ENCRYPTS[..1], Some("app")).await.unwrap();
    let nameless = named(ENCRYPTS, None).await.unwrap();
    let nameless_again = named(ENCRYPTS, None).await.unwrap();

    assert_eq!(first.grant_id, again.grant_id);
    assert_ne!(first.grant_token, again.grant_token);
    assert_ne!(first.grant_id, other.grant_id);
    assert_ne!(nameless.grant_id, nameless_again.grant_id);
    let retire = parties.root.retire_grant();
    let retire = retire.grant_token(first.grant_token.unwrap());
    retire.send().await.unwrap();
    let listed = parties.root.list_grants().key_id(&parties.arn).send().await;
    assert_eq!(listed.unwrap().grants().len(), 3);
}

#[tokio::test]
async fn a_token_is_one_of_ours_or_refused() {
    let parties = Parties::meet().await;
    let token = parties.grant(ANN, ENCRYPTS).await.grant_token.unwrap();
    let with = |token: &str| {
        let call = parties.ann.encrypt().key_id(&parties.arn);
        call.plaintext(Blob::new("x")).grant_tokens(token).send()
    };

    assert!(with(&token).await.is_ok());
    let changed = format!("B{}", &token[1..]);
    for other in ["x", "AAAA", &changed, "!"] {
        let told = is(
            "InvalidGrantTokenException",
            "The grant token is not valid.",
        );
        assert_eq!(refusal(with(other).await), told, "{other}");
        let retire = parties.root.retire_grant().grant_token(other);
        assert_eq!(refusal(retire.send().await), told, "{other}");
    }
    let eleven = parties.ann.describe_key().key_id(&parties.arn);
    let eleven = eleven.set_grant_tokens(Some(vec![token; 11])).send().await;
    let (exception, message) = refusal(eleven);
    assert_eq!(exception, "ValidationException");
    assert!(message.ends_with("less than or equal to 10"), "{message}");
}

#[tokio::test]
async fn a_grants_operations_have_to_suit_its_key() {
    let parties = Parties::meet().await;
    let curve = key_of(
        &parties.root,
        KeySpec::EccNistP256,
        KeyUsageType::SignVerify,
    )
    .await;
    let rsa = key_of(
        &parties.root,
        KeySpec::Rsa2048,
        KeyUsageType::EncryptDecrypt,
    )
    .await;
    let codes = key_of(
        &parties.root,
        KeySpec::Hmac256,
        KeyUsageType::GenerateVerifyMac,
    )
    .await;
    let rows = [
        (&parties.arn, GrantOperation::GenerateDataKeyPair, true),
        (&parties.arn, GrantOperation::Sign, false),
        (&parties.arn, GrantOperation::GetPublicKey, false),
        (&curve, GrantOperation::Sign, true),
        (&curve, GrantOperation::GetPublicKey, true),
        (&curve, GrantOperation::DescribeKey, true),
        (&curve, GrantOperation::Encrypt, false),
        (&curve, GrantOperation::DeriveSharedSecret, false),
        (&rsa, GrantOperation::ReEncryptTo, true),
        (&rsa, GrantOperation::GenerateDataKey, false),
        (&rsa, GrantOperation::Verify, false),
        (&codes, GrantOperation::VerifyMac, true),
        (&codes, GrantOperation::Decrypt, false),
    ];
    for (key, operation, suits) in rows {
        let operations = std::slice::from_ref(&operation);
        let answer = granting(&parties.root, key, ANN, operations).send();
        let answer = answer.await;

        assert_eq!(answer.is_ok(), suits, "{key} {operation}");
        if !suits {
            let message =
                format!("The operation {operation} is not supported by the KMS key {key}.");
            assert_eq!(refusal(answer), is("ValidationException", &message));
        }
    }
    let constrained = granting(&parties.root, &curve, ANN, &[GrantOperation::Sign]);
    let constrained = constrained.constraints(subset(&[("team", "red")])).send();
    assert_eq!(refusal(constrained.await).0, "ValidationException");
}

#[tokio::test]
async fn what_no_grant_can_be_is_refused() {
    let parties = Parties::meet().await;
    let call = || granting(&parties.root, &parties.arn, ANN, ENCRYPTS);
    let only = granting(
        &parties.root,
        &parties.arn,
        ANN,
        &[GrantOperation::CreateGrant],
    );
    let message = "Grants must not contain only the CreateGrant operation.";
    assert_eq!(
        refusal(only.send().await),
        is("ValidationException", message)
    );

    let group = "arn:aws:iam::000000000000:group/admins";
    let told = format!("ARN does not refer to a valid principal: {group}");
    let told = is("InvalidArnException", &told);
    let grantee = call().grantee_principal(group).send().await;
    assert_eq!(refusal(grantee), told);
    let retiring = call().retiring_principal(group).send().await;
    assert_eq!(refusal(retiring), told);

    let name = call().name("a b").send().await;
    let rule = "satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$";
    assert_eq!(refusal(name), violation("Value 'a b' at 'name'", rule));
    let pairs: Vec<_> = ["a", "b", "c", "d", "e", "f", "g", "h", "i"]
        .map(|name| (name, "x"))
        .into();
    let long = "x".repeat(384);
    for constraints in [subset(&pairs), equals(&[("a", &long)])] {
        let answer = call().constraints(constraints).send().await;
        assert_eq!(refusal(answer).0, "ValidationException");
    }
    assert!(call().constraints(subset(&pairs[..8])).send().await.is_ok());

    let strange = granting(&parties.root, &parties.arn, ANN, &["Frobnicate".into()]);
    let (exception, message) = refusal(strange.send().await);
    assert_eq!(exception, "ValidationException");
    let start = "1 validation error detected: Value '[Frobnicate]' at 'operations' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [Decrypt, Encrypt, ";
    assert!(message.starts_with(start), "{message}");
}

#[tokio::test]
async fn a_grant_to_a_service_is_for_a_resource_and_can_be_retired() {
    let parties = Parties::meet().await;
    let call = || {
        let call = parties.root.create_grant().key_id(&parties.arn);
        let call = call.grantee_service_principal("sns.us-east-1.amazonaws.com");
        call.set_operations(Some(ENCRYPTS.to_vec()))
    };
    let source = GrantConstraints::builder().source_arn("arn:aws:sns:us-east-1:000000000000:a");
    let source = source.build();
    let refused = async |call: CreateGrantFluentBuilder| refusal(call.send().await).0;

    let without = "ValidationException";
    assert_eq!(refused(call()).await, without);
    assert_eq!(refused(call().constraints(source.clone())).await, without);
    assert_eq!(refused(call().retiring_principal(ANN)).await, without);
    assert_eq!(refused(call().grantee_principal(ANN)).await, without);
    let whole = call().constraints(source).retiring_principal(ANN).send();
    let token = whole.await.unwrap().grant_token.unwrap();
    let retired = parties.ann.retire_grant().grant_token(token).send();
    assert!(retired.await.is_ok());
}
