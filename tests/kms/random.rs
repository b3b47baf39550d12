//! Random bytes.

use aws_sdk_kms::Client;

use crate::sdk::{app, is, refusal, violation};

async fn random(client: &Client, count: i32) -> Vec<u8> {
    let answer = client.generate_random().number_of_bytes(count).send().await;
    answer.unwrap().plaintext.unwrap().into_inner()
}

#[tokio::test]
async fn as_many_bytes_come_as_were_asked_for() {
    let (_server, client) = app().await;

    for (count, length) in [(1, 1), (32, 32), (1_024, 1_024)] {
        assert_eq!(random(&client, count).await.len(), length);
    }
}

#[tokio::test]
async fn they_are_never_the_same() {
    let (_server, client) = app().await;

    let (one, other) = (random(&client, 32).await, random(&client, 32).await);

    assert_ne!(one, other);
}

#[tokio::test]
async fn their_number_must_be_named() {
    let (_server, client) = app().await;

    let answer = client.generate_random().send().await;

    assert_eq!(
        refusal(answer),
        is("ValidationException", "NumberOfBytes is required.")
    );
}

#[tokio::test]
async fn their_number_is_1_to_1024() {
    let (_server, client) = app().await;

    let none = client.generate_random().number_of_bytes(0).send().await;
    let many = client.generate_random().number_of_bytes(1_025).send().await;

    let rule = "have value greater than or equal to 1";
    assert_eq!(
        refusal(none),
        violation("Value '0' at 'numberOfBytes'", rule)
    );
    let rule = "have value less than or equal to 1024";
    assert_eq!(
        refusal(many),
        violation("Value '1025' at 'numberOfBytes'", rule)
    );
}
