//! SSE-S3: nobody asks for encryption, and the disk has nothing to read.
//! `cargo run -p strongroom-testkit --features aws --example sse_s3`
//!
//! S3 draws a data key for each object, seals the body under it, and keeps the data key wrapped under a root key that no
//! client ever sees. Whoever may read the object gets plaintext; whoever has only the disk does not.

#![expect(clippy::print_stdout, reason = "a story is told")]

use std::error::Error;
use std::fs;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::ServerSideEncryption;
use strongroom_testkit::{Mode, Strongroom, WrappedUnder};

/// Long enough to lie in a file of its own and not in the catalogue.
const LINE: &str = "All work and no play makes Jack a dull boy.\n";
const LINES: usize = 500;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A server with a bucket. It stops when it goes out of scope.
    let aws = Strongroom::builder().bucket("novels").start().await;
    let s3 = aws.s3_client();
    let novel = LINE.repeat(LINES);

    // A plain PUT: S3 encrypts all the same, and says so.
    let put = s3.put_object().bucket("novels").key("jack");
    let put = put.body(novel.clone().into_bytes().into()).send().await?;
    assert_eq!(
        put.server_side_encryption,
        Some(ServerSideEncryption::Aes256)
    );
    let read = s3.get_object().bucket("novels").key("jack").send().await?;
    assert_eq!(read.body.collect().await?.to_vec(), novel.into_bytes());
    println!("The novel reads back.");

    what_lies_on_the_disk(&aws);
    what_is_refused(&aws).await
}

fn what_lies_on_the_disk(aws: &Strongroom) {
    // One layer, under a data key that is wrapped under the root key.
    let stored = aws.stored("novels", "jack");
    assert_eq!(stored.mode, Mode::SseS3);
    assert_eq!(stored.layers[0].under, WrappedUnder::RootKey);

    // Five hundred lines that are all the same: not one of them can be seen.
    let line = LINE.as_bytes();
    assert!(!stored.raw.windows(line.len()).any(|bytes| bytes == line));
    println!(
        "The disk has {} bytes of ciphertext for {} of plaintext.",
        stored.raw.len(),
        stored.size_bytes
    );
}

async fn what_is_refused(aws: &Strongroom) -> Result<(), Box<dyn Error>> {
    let config = aws_sdk_s3::config::Builder::from(&aws.sdk_config());
    let s3 = config.retry_config(RetryConfig::disabled()).build();
    let s3 = aws_sdk_s3::Client::from_conf(s3);
    let read = s3.get_object().bucket("novels").key("jack");

    // A customer's key, for an object that is under none.
    let keyed = read.clone().sse_customer_algorithm("AES256");
    let keyed = keyed.sse_customer_key("MTIzNDU2Nzg5MGFiY2RlZjEyMzQ1Njc4OTBhYmNkZWY=");
    let refused = keyed
        .sse_customer_key_md5("JMwgiexXqwuPqIPjYFmIZQ==")
        .send();
    let refused = refused.await.expect_err("there is no customer's key");
    assert_eq!(refused.code(), Some("InvalidRequest"));

    // A file in which somebody turned one bit: an error, and never a wrong byte.
    let id = aws.stored("novels", "jack").blob_id;
    let file = aws.data_folder().join("blobs").join(&id[..2]).join(&id);
    let mut bytes = fs::read(&file)?;
    bytes[10_000] ^= 1;
    fs::write(&file, bytes)?;
    let refused = read.send().await.expect_err("the file was changed");
    assert_eq!(refused.code(), Some("InternalError"));
    println!("A needless key, a changed disk: refused.");
    Ok(())
}
