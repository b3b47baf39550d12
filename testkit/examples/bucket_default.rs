//! A bucket's default: writers ask for nothing and get the key that the bucket's owner chose.
//! `cargo run -p strongroom-testkit --features aws --example bucket_default`
//!
//! The default says under what objects lie whose writers do not say it themselves. With a bucket key, KMS is asked once for
//! the bucket and not once for each object.

#![expect(clippy::print_stdout, reason = "a story is told")]

use std::error::Error;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};
use strongroom_testkit::{Mode, Strongroom, WrappedUnder};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A server with a bucket, and a key in KMS. It stops when it goes out of scope.
    let aws = Strongroom::builder().bucket("ledgers").kms_key("alias/app");
    let aws = aws.start().await;
    put(&aws, "before").send().await?;

    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::AwsKms)
        .kms_master_key_id("alias/app")
        .build()?;
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(default)
        .bucket_key_enabled(true)
        .build();
    let rules = ServerSideEncryptionConfiguration::builder().rules(rule);
    let set = aws.s3_client().put_bucket_encryption().bucket("ledgers");
    let set = set.server_side_encryption_configuration(rules.build()?);
    set.send().await?;

    // The same plain PUT as before, and one whose writer knows better.
    for month in ["january", "february", "march"] {
        put(&aws, month).send().await?;
    }
    let own = put(&aws, "own").server_side_encryption(ServerSideEncryption::Aes256);
    own.send().await?;

    what_lies_on_the_disk(&aws);
    what_is_refused(&aws).await
}

fn put(aws: &Strongroom, key: &str) -> PutObjectFluentBuilder {
    let put = aws.s3_client().put_object().bucket("ledgers").key(key);
    put.body(b"Paid in full.".to_vec().into())
}

fn what_lies_on_the_disk(aws: &Strongroom) {
    // What was there before stays as it was; what a request says goes before the default.
    let mode = |key| aws.stored("ledgers", key).mode;
    assert_eq!((mode("before"), mode("own")), (Mode::SseS3, Mode::SseS3));

    // Under the default: each object's own data key, under the bucket key, which KMS wrapped once for all three.
    let stored = ["january", "february", "march"].map(|month| aws.stored("ledgers", month));
    for ledger in &stored {
        assert_eq!(ledger.mode, Mode::SseKms);
        assert_eq!(ledger.layers[0].under, WrappedUnder::BucketKey);
        assert_eq!(ledger.bucket_key, stored[0].bucket_key);
        assert_eq!(ledger.context["aws:s3:arn"], "arn:aws:s3:::ledgers");
        assert!(!ledger.raw.windows(4).any(|bytes| bytes == b"Paid"));
    }
    let spared = aws.kms_calls().into_iter().map(|call| call.bucket_key_hit);
    assert_eq!(spared.collect::<Vec<_>>(), [false, true, true]);
    println!("Three objects under the default, and one question to KMS.");
}

async fn what_is_refused(aws: &Strongroom) -> Result<(), Box<dyn Error>> {
    // Once the key is disabled, nobody writes under the default, and nobody reads what lies under it.
    let arn = aws.stored("ledgers", "march").kms_key_arn;
    let disable = aws.kms_client().disable_key().set_key_id(arn);
    disable.send().await?;

    let refused = put(aws, "april").send().await;
    let refused = refused.expect_err("the key is disabled");
    assert_eq!(refused.code(), Some("KMS.DisabledException"));

    let read = aws.s3_client().get_object().bucket("ledgers");
    let refused = read.clone().key("march").send().await;
    let refused = refused.expect_err("the key is disabled");
    assert_eq!(refused.code(), Some("KMS.DisabledException"));
    read.key("before").send().await?;
    println!("A disabled key: writes and reads under it are refused, all else goes on.");
    Ok(())
}
