//! SSE-C: the customer's key comes with every request, and S3 keeps none of it.
//! `cargo run -p strongroom-testkit --features aws --example sse_c`
//!
//! S3 seals the body under the key that it was sent, and forgets it. Only its MD5 stays, by which a wrong key is told: lose
//! the key, and the object is lost. AWS takes such keys over HTTPS alone, so the test kit brings TLS and the trust in it.

#![expect(clippy::print_stdout, reason = "a story is told")]

use std::error::Error;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use strongroom_testkit::{Mode, Strongroom, WrappedUnder};

const RECIPE: &[u8] = b"Seven herbs, and the eighth is a secret.";

/// A key of 32 bytes and its MD5, both in base64, as S3 takes them.
type Key = (&'static str, &'static str);
const MINE: Key = (
    "K0+/yQHJcx5CgotqScZJqhfJ8hpfw4leiB3Bzyo8HSo=",
    "I0aPuXuw4REDJuP1fw07QQ==",
);
const ANOTHER: Key = (
    "pO3upElrwuEXSoFwCfnZPdSsmt/xWeFa0N9KgDijwVs=",
    "DWygnHRtgiJ77HCm+1rvHw==",
);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A server with a bucket, whose clients speak HTTPS. It stops when it goes out of scope.
    let aws = Strongroom::builder().bucket("recipes").tls().start().await;
    let s3 = aws.s3_client();

    let put = s3.put_object().bucket("recipes").key("soup");
    let put = put.body(RECIPE.to_vec().into());
    let put = put
        .sse_customer_algorithm("AES256")
        .sse_customer_key(MINE.0);
    put.sse_customer_key_md5(MINE.1).send().await?;

    let recipe = read(&aws, Some(MINE)).send().await?;
    assert_eq!(recipe.sse_customer_key_md5.as_deref(), Some(MINE.1));
    assert_eq!(recipe.body.collect().await?.to_vec(), RECIPE);
    println!("The recipe reads back with the key.");

    what_lies_on_the_disk(&aws);
    what_is_refused(&aws).await
}

fn read(aws: &Strongroom, key: Option<Key>) -> GetObjectFluentBuilder {
    let read = aws.s3_client().get_object().bucket("recipes").key("soup");
    let algorithm = key.map(|_| "AES256".to_owned());
    read.set_sse_customer_algorithm(algorithm)
        .set_sse_customer_key(key.map(|(key, _)| key.to_owned()))
        .set_sse_customer_key_md5(key.map(|(_, md5)| md5.to_owned()))
}

fn what_lies_on_the_disk(aws: &Strongroom) {
    // No wrapped key: nothing that the server has opens the body.
    let stored = aws.stored("recipes", "soup");
    assert_eq!(stored.mode, Mode::SseC);
    assert_eq!(stored.layers[0].under, WrappedUnder::Nothing);
    assert_eq!(stored.layers[0].wrapped_key, None);
    assert!(!stored.raw.windows(5).any(|bytes| bytes == b"Seven"));
    println!("The disk has ciphertext and no key for it.");
}

async fn what_is_refused(aws: &Strongroom) -> Result<(), Box<dyn Error>> {
    let refused = read(aws, None).send().await;
    let refused = refused.expect_err("no key was brought");
    assert_eq!(refused.code(), Some("InvalidRequest"));

    let refused = read(aws, Some(ANOTHER)).send().await;
    let refused = refused.expect_err("another key was brought");
    assert_eq!(refused.code(), Some("AccessDenied"));
    println!("No key, another key: refused.");
    Ok(())
}
