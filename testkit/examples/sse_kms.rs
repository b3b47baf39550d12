//! SSE-KMS: a key that its owner can take away.
//! `cargo run -p strongroom-testkit --features aws --example sse_kms`
//!
//! S3 asks KMS for a data key, seals the body under it, and keeps what KMS encrypted of that key. To read, it has to ask KMS
//! again, in its caller's name: a disabled key closes every object under it at once.

#![expect(clippy::print_stdout, reason = "a story is told")]

use std::error::Error;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::ServerSideEncryption;
use strongroom_testkit::{Mode, Strongroom, Through, WrappedUnder};

const LETTER: &[u8] = b"Burn this letter when you have read it.";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A server with a bucket, and a key in KMS. It stops when it goes out of scope.
    let aws = Strongroom::builder().bucket("letters").kms_key("alias/app");
    let aws = aws.start().await;
    let s3 = aws.s3_client();

    // The key may be named by its alias; the answer names it in full.
    let put = s3.put_object().bucket("letters").key("anne");
    let put = put.body(LETTER.to_vec().into());
    let put = put.server_side_encryption(ServerSideEncryption::AwsKms);
    let put = put.ssekms_key_id("alias/app").send().await?;
    let arn = put.ssekms_key_id.ok_or("S3 names the key")?;
    println!("The letter lies under {arn}.");

    let read = s3.get_object().bucket("letters").key("anne").send().await?;
    assert_eq!(read.body.collect().await?.to_vec(), LETTER);

    what_lies_on_the_disk(&aws, &arn);
    what_kms_was_asked(&aws, &arn);
    what_is_refused(&aws, &arn).await
}

fn what_lies_on_the_disk(aws: &Strongroom, arn: &str) {
    // The data key lies there as KMS encrypted it, bound to this one object.
    let stored = aws.stored("letters", "anne");
    assert_eq!(stored.mode, Mode::SseKms);
    assert_eq!(stored.kms_key_arn.as_deref(), Some(arn));
    assert_eq!(stored.layers[0].under, WrappedUnder::KmsKey);
    assert_eq!(stored.context["aws:s3:arn"], "arn:aws:s3:::letters/anne");
    assert!(!stored.raw.windows(4).any(|bytes| bytes == b"Burn"));
}

fn what_kms_was_asked(aws: &Strongroom, arn: &str) {
    // One question for the write and one for the read, by S3 for its caller.
    let calls = aws.kms_calls();
    let asked: Vec<_> = calls.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(asked, ["GenerateDataKey", "Decrypt"]);
    for call in &calls {
        assert_eq!(call.through, Through::S3);
        assert_eq!(call.key_arn.as_deref(), Some(arn));
    }
    println!("KMS was asked for {}.", asked.join(" and "));
}

async fn what_is_refused(aws: &Strongroom, arn: &str) -> Result<(), Box<dyn Error>> {
    let (s3, kms) = (aws.s3_client(), aws.kms_client());
    let read = s3.get_object().bucket("letters").key("anne");

    // A disabled key: the bytes are all there, and nobody can read them.
    kms.disable_key().key_id(arn).send().await?;
    let refused = read.clone().send().await;
    let refused = refused.expect_err("the key is disabled");
    assert_eq!(refused.code(), Some("KMS.DisabledException"));
    println!(
        "A disabled key: refused. {}",
        refused.message().unwrap_or_default()
    );

    // Enabled again, it opens them again.
    kms.enable_key().key_id(arn).send().await?;
    assert_eq!(read.send().await?.body.collect().await?.to_vec(), LETTER);
    Ok(())
}
