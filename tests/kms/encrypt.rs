//! Small secrets: encrypted, decrypted, encrypted anew.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{EncryptionAlgorithmSpec, GrantOperation};
use serde_json::json;

use crate::sdk::{
    app, app_arn, client_in, decrypt, describe, encrypt, is, new_key, refusal, violation,
    would_have_succeeded,
};
use crate::table::{given, members, outcome, told};

const INCORRECT: &str =
    "The key ID in the request does not identify a CMK that can perform this operation.";
const ELSEWHERE: &str = "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.";

/// Encrypts `secret` for the team `red`.
async fn encrypt_for_red(client: &Client) -> Blob {
    let encrypt = client
        .encrypt()
        .key_id("alias/app")
        .plaintext(Blob::new("secret"));
    let encrypt = encrypt.encryption_context("team", "red");
    let encrypt = encrypt.encryption_context("use", "test");
    encrypt.send().await.unwrap().ciphertext_blob.unwrap()
}

fn invalid() -> (String, String) {
    is("InvalidCiphertextException", "")
}

#[tokio::test]
async fn what_was_encrypted_is_decrypted_without_a_key() {
    let (_server, client) = app().await;

    let ciphertext = encrypt(&client, "alias/app", b"secret").await;

    assert_eq!(decrypt(&client, &ciphertext).await, b"secret");
}

#[tokio::test]
async fn encrypt_tells_key_and_algorithm() {
    let (server, given) = given().await;

    let body = json!({"KeyId": "alias/table", "Plaintext": "c2VjcmV0"});
    let answer = told(&server, "Encrypt", &body).await;

    assert_eq!(
        members(&answer),
        ["CiphertextBlob", "EncryptionAlgorithm", "KeyId"]
    );
    assert_eq!(answer["EncryptionAlgorithm"], "SYMMETRIC_DEFAULT");
    assert_eq!(answer["KeyId"], given.key);
}

#[tokio::test]
async fn decrypt_tells_key_material_and_algorithm() {
    let (server, given) = given().await;
    let key = told(&server, "DescribeKey", &json!({"KeyId": given.key})).await;

    let answer = told(
        &server,
        "Decrypt",
        &json!({"CiphertextBlob": given.ciphertext}),
    )
    .await;

    let expected = json!({
        "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "KeyId": given.key,
        "KeyMaterialId": key["KeyMetadata"]["CurrentKeyMaterialId"],
        "Plaintext": "c2VjcmV0",
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_ciphertext_is_never_the_same_and_never_shows_the_plaintext() {
    let (_server, client) = app().await;

    let one = encrypt(&client, "alias/app", b"a secret of some length").await;
    let other = encrypt(&client, "alias/app", b"a secret of some length").await;

    assert_ne!(one, other);
    let has_secret = |bytes: &[u8]| bytes.windows(6).any(|six| six == b"secret");
    assert!(!has_secret(one.as_ref()));
}

#[tokio::test]
async fn a_context_opens_what_it_encrypted_in_any_order() {
    let (_server, client) = app().await;
    let ciphertext = encrypt_for_red(&client).await;

    let decrypt = client.decrypt().ciphertext_blob(ciphertext);
    let decrypt = decrypt.encryption_context("use", "test");
    let answer = decrypt.encryption_context("team", "red").send().await;

    assert_eq!(answer.unwrap().plaintext.unwrap().as_ref(), b"secret");
}

#[tokio::test]
async fn any_other_context_is_an_invalid_ciphertext() {
    let (_server, client) = app().await;
    let ciphertext = encrypt_for_red(&client).await;
    let contexts: [&[(&str, &str)]; 5] = [
        &[],
        &[("team", "red")],
        &[("team", "Red"), ("use", "test")],
        &[("Team", "red"), ("use", "test")],
        &[("team", "red"), ("use", "test"), ("more", "")],
    ];

    for context in contexts {
        let pairs = context
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let decrypt = client.decrypt().ciphertext_blob(ciphertext.clone());
        let answer = decrypt
            .set_encryption_context(Some(pairs.collect()))
            .send()
            .await;
        assert_eq!(refusal(answer), invalid(), "{context:?}");
    }
}

#[tokio::test]
async fn a_context_that_was_not_given_is_an_invalid_ciphertext() {
    let (_server, client) = app().await;
    let ciphertext = encrypt(&client, "alias/app", b"secret").await;

    let decrypt = client.decrypt().ciphertext_blob(ciphertext);
    let answer = decrypt.encryption_context("team", "red").send().await;

    assert_eq!(refusal(answer), invalid());
}

#[tokio::test]
async fn a_changed_ciphertext_is_an_invalid_one() {
    let (_server, client) = app().await;
    let ciphertext = encrypt(&client, "alias/app", b"secret").await.into_inner();

    let flipped = |at: usize| {
        let mut bytes = ciphertext.clone();
        bytes[at] ^= 1;
        bytes
    };
    let last = ciphertext.len() - 1;
    let longer = [ciphertext.as_slice(), b"x"].concat();
    for bytes in [
        flipped(0),
        flipped(9),
        flipped(40),
        flipped(last),
        ciphertext[..last].to_vec(),
        longer,
    ] {
        let answer = client
            .decrypt()
            .ciphertext_blob(Blob::new(bytes))
            .send()
            .await;
        assert_eq!(refusal(answer), invalid());
    }
}

#[tokio::test]
async fn the_right_key_may_be_named_and_no_other() {
    let (_server, client) = app().await;
    let ciphertext = encrypt(&client, "alias/app", b"secret").await;
    let other = new_key(&client).await;

    let decrypt = |key: &str| {
        client
            .decrypt()
            .key_id(key)
            .ciphertext_blob(ciphertext.clone())
    };
    let right = decrypt("alias/app").send().await;
    let wrong = decrypt(&other).send().await;

    assert!(right.is_ok());
    assert_eq!(refusal(wrong), is("IncorrectKeyException", INCORRECT));
}

#[tokio::test]
async fn a_ciphertext_of_another_region_is_denied() {
    let (server, client) = app().await;
    let ciphertext = encrypt(&client, "alias/app", b"secret").await;

    let elsewhere = client_in(&server, "eu-west-1");
    let answer = elsewhere.decrypt().ciphertext_blob(ciphertext).send().await;

    assert_eq!(refusal(answer), is("AccessDeniedException", ELSEWHERE));
}

#[tokio::test]
async fn a_plaintext_has_1_to_4096_bytes() {
    let (_server, client) = app().await;
    let encrypt = |length| {
        let plaintext = Blob::new(vec![7; length]);
        client
            .encrypt()
            .key_id("alias/app")
            .plaintext(plaintext)
            .send()
    };

    let (empty, longest, too_long) = (encrypt(0).await, encrypt(4_096).await, encrypt(4_097).await);

    let value = "Value at 'plaintext'";
    assert_eq!(
        refusal(empty),
        violation(value, "have length greater than or equal to 1")
    );
    assert_eq!(
        refusal(too_long),
        violation(value, "have length less than or equal to 4096")
    );
    let ciphertext = longest.unwrap().ciphertext_blob.unwrap();
    assert_eq!(decrypt(&client, &ciphertext).await, [7; 4_096]);
}

#[tokio::test]
async fn a_ciphertext_has_6144_bytes_at_most() {
    let (_server, client) = app().await;

    let answer = client
        .decrypt()
        .ciphertext_blob(Blob::new(vec![7; 6_145]))
        .send()
        .await;

    let rule = "have length less than or equal to 6144";
    assert_eq!(
        refusal(answer),
        violation("Value at 'ciphertextBlob'", rule)
    );
}

#[tokio::test]
async fn a_symmetric_key_has_one_algorithm() {
    let (_server, client) = app().await;
    let encrypt = |algorithm| {
        let encrypt = client
            .encrypt()
            .key_id("alias/app")
            .plaintext(Blob::new("x"));
        encrypt.encryption_algorithm(algorithm).send()
    };

    let own = encrypt(EncryptionAlgorithmSpec::SymmetricDefault).await;
    let other = encrypt(EncryptionAlgorithmSpec::RsaesOaepSha256).await;

    assert!(own.is_ok());
    let message = "Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.";
    assert_eq!(refusal(other), is("InvalidKeyUsageException", message));
}

#[tokio::test]
async fn an_unknown_algorithm_is_refused_with_the_known_ones() {
    let (server, given) = given().await;

    let body = json!({"CiphertextBlob": given.ciphertext, "EncryptionAlgorithm": "ROT13"});
    let outcome = outcome(&server, "Decrypt", &body).await;

    let (exception, message) = violation(
        "Value 'ROT13' at 'encryptionAlgorithm'",
        "satisfy enum value set: [SYMMETRIC_DEFAULT, RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE]",
    );
    assert_eq!(outcome, format!("{exception}: {message}"));
}

#[tokio::test]
async fn reencrypting_moves_a_secret_to_another_key() {
    let (_server, client) = app().await;
    let ciphertext = encrypt(&client, "alias/app", b"secret").await;
    let other = new_key(&client).await;

    let again = client.re_encrypt().ciphertext_blob(ciphertext);
    let again = again.destination_key_id(&other).send().await.unwrap();

    let decrypt = client
        .decrypt()
        .ciphertext_blob(again.ciphertext_blob.unwrap());
    let opened = decrypt.key_id(&other).send().await.unwrap();
    assert_eq!(opened.plaintext.unwrap().as_ref(), b"secret");
}

#[tokio::test]
async fn reencrypting_tells_both_keys() {
    let (server, given) = given().await;
    let made = told(&server, "CreateKey", &json!({})).await;
    let source = told(&server, "DescribeKey", &json!({"KeyId": given.key})).await;
    let (to, from) = (&made["KeyMetadata"], &source["KeyMetadata"]);

    let body = json!({"CiphertextBlob": given.ciphertext, "DestinationKeyId": to["KeyId"]});
    let answer = told(&server, "ReEncrypt", &body).await;

    let expected = json!({
        "CiphertextBlob": answer["CiphertextBlob"],
        "DestinationEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "DestinationKeyMaterialId": to["CurrentKeyMaterialId"],
        "KeyId": to["Arn"],
        "SourceEncryptionAlgorithm": "SYMMETRIC_DEFAULT",
        "SourceKeyId": from["Arn"],
        "SourceKeyMaterialId": from["CurrentKeyMaterialId"],
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn reencrypting_changes_the_context() {
    let (_server, client) = app().await;
    let ciphertext = encrypt_for_red(&client).await;

    let again = client.re_encrypt().ciphertext_blob(ciphertext);
    let again = again.source_encryption_context("team", "red");
    let again = again.source_encryption_context("use", "test");
    let again = again.destination_encryption_context("team", "blue");
    let again = again.destination_key_id("alias/app").send().await.unwrap();

    let decrypt = client
        .decrypt()
        .ciphertext_blob(again.ciphertext_blob.unwrap());
    let opened = decrypt.encryption_context("team", "blue").send().await;
    assert_eq!(opened.unwrap().plaintext.unwrap().as_ref(), b"secret");
}

#[tokio::test]
async fn reencrypting_needs_the_source_context() {
    let (_server, client) = app().await;
    let ciphertext = encrypt_for_red(&client).await;

    let again = client.re_encrypt().ciphertext_blob(ciphertext);
    let answer = again.destination_key_id("alias/app").send().await;

    assert_eq!(refusal(answer), invalid());
}

#[tokio::test]
async fn reencrypting_from_a_key_that_is_not_the_source_is_refused() {
    let (_server, client) = app().await;
    let ciphertext = encrypt(&client, "alias/app", b"secret").await;
    let other = new_key(&client).await;

    let again = client.re_encrypt().ciphertext_blob(ciphertext);
    let again = again.source_key_id(&other).destination_key_id(&other);
    let answer = again.send().await;

    assert_eq!(refusal(answer), is("IncorrectKeyException", INCORRECT));
}

#[tokio::test]
async fn a_dry_run_answers_nothing_else() {
    let (_server, client) = app().await;
    let ciphertext = encrypt(&client, "alias/app", b"secret").await;

    let encrypted = client
        .encrypt()
        .key_id("alias/app")
        .plaintext(Blob::new("x"));
    let encrypted = encrypted.dry_run(true).send().await;
    let decrypted = client.decrypt().ciphertext_blob(ciphertext.clone());
    let decrypted = decrypted.dry_run(true).send().await;
    let again = client.re_encrypt().ciphertext_blob(ciphertext);
    let again = again
        .destination_key_id("alias/app")
        .dry_run(true)
        .send()
        .await;

    assert_eq!(refusal(encrypted), would_have_succeeded());
    assert_eq!(refusal(decrypted), would_have_succeeded());
    assert_eq!(refusal(again), would_have_succeeded());
}

#[tokio::test]
async fn a_dry_run_fails_as_the_call_would() {
    let (_server, client) = app().await;

    let decrypt = client.decrypt().ciphertext_blob(Blob::new("nothing"));
    let answer = decrypt.dry_run(true).send().await;

    assert_eq!(refusal(answer), invalid());
}

#[tokio::test]
async fn ten_grant_tokens_are_taken_and_no_more() {
    let (_server, client) = app().await;
    let grant = client.create_grant().key_id(app_arn(&client).await);
    let grant = grant.grantee_principal("arn:aws:iam::000000000000:user/ann");
    let grant = grant.operations(GrantOperation::Encrypt).send().await;
    let token = grant.unwrap().grant_token.unwrap();
    let encrypt = |count| {
        let encrypt = client
            .encrypt()
            .key_id("alias/app")
            .plaintext(Blob::new("x"));
        encrypt
            .set_grant_tokens(Some(vec![token.clone(); count]))
            .send()
    };

    let (ten, eleven) = (encrypt(10).await, encrypt(11).await);

    assert!(ten.is_ok());
    assert_eq!(refusal(eleven).0, "ValidationException");
}

#[tokio::test]
async fn the_journal_knows_key_and_context() {
    let (server, client) = app().await;
    let arn = app_arn(&client).await;

    encrypt_for_red(&client).await;

    let call = server.kms_calls().pop().unwrap();
    assert_eq!(
        (call.operation.as_str(), call.key_arn),
        ("Encrypt", Some(arn))
    );
    assert_eq!(call.context.get("team").map(String::as_str), Some("red"));
    assert_eq!((call.error, call.bucket_key_hit), (None, false));
}

#[tokio::test]
async fn a_key_of_many_regions_encrypts_too() {
    let (_server, client) = app().await;
    let key = client.create_key().multi_region(true).send().await.unwrap();
    let key = key.key_metadata.unwrap().key_id;

    let ciphertext = encrypt(&client, &key, b"secret").await;

    assert_eq!(decrypt(&client, &ciphertext).await, b"secret");
    assert_eq!(describe(&client, &key).await.multi_region, Some(true));
}

#[tokio::test]
async fn a_context_has_8192_bytes_at_most() {
    let (_server, client) = app().await;
    // {"k":"…"} has eight bytes beside the value.
    for (length, is_taken) in [(8_184, true), (8_185, false)] {
        let encrypt = client.encrypt().key_id("alias/app");
        let encrypt = encrypt.encryption_context("k", "v".repeat(length));

        let answer = encrypt.plaintext(Blob::new("x")).send().await;

        assert_eq!(answer.is_ok(), is_taken, "{length}");
    }
}
