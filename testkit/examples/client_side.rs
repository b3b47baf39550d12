//! Client-side encryption, from the first key to the stolen disk:
//! `cargo run -p strongroom-testkit --features client-side --example client_side`
//!
//! The client encrypts before S3 sees a byte, and keeps the wrapped data key beside the object as metadata, in the format of
//! AWS's S3 encryption clients. S3 then encrypts once more, on its own account: two layers, and two parties that each need
//! their key.

#![expect(clippy::print_stdout, reason = "a story is told")]

use std::error::Error;

use strongroom_testkit::{ClientSide, ClientSideError, Strongroom, Through, format_of};

const DIARY: &[u8] = b"Nobody but me reads this.";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A server with a bucket, and a key in KMS. It stops when it goes out of scope.
    let aws = Strongroom::builder()
        .bucket("diaries")
        .kms_key("alias/mine");
    let aws = aws.start().await;
    let s3 = aws.s3_client();

    // Who reads has to have the right to use the key, and to name the same context.
    let mine = ClientSide::kms(&aws.kms_client(), "alias/mine").context("owner", "anne");
    mine.put(&s3, "diaries", "monday", DIARY).await?;
    let diary = mine.get(&s3, "diaries", "monday").await?;
    println!("The diary reads back: {}", String::from_utf8(diary)?);

    what_others_see(&aws).await?;
    what_is_refused(&aws, &mine).await?;

    // A key of one's own does without KMS.
    let own = ClientSide::aes(*b"a wrapping key of thirty-2 bytes");
    own.put(&s3, "diaries", "tuesday", DIARY).await?;
    assert_eq!(own.get(&s3, "diaries", "tuesday").await?, DIARY);
    println!("With a key of her own, Anne needs no KMS.");
    Ok(())
}

async fn what_others_see(aws: &Strongroom) -> Result<(), Box<dyn Error>> {
    // Whoever gets the object without this client gets ciphertext: as long as the plaintext, and a tag of 16 bytes.
    let object = aws.s3_client().get_object().bucket("diaries").key("monday");
    let object = object.send().await?;
    let metadata = object.metadata.unwrap_or_default();
    let ciphertext = object.body.collect().await?.to_vec();
    println!(
        "S3 has {} bytes in {:?}, and with them:",
        ciphertext.len(),
        format_of(&metadata)?
    );
    for (name, value) in metadata {
        println!("    x-amz-meta-{name}: {value}");
    }

    // The disk has not even that: S3 encrypted the ciphertext under a data key of its own.
    let stored = aws.stored("diaries", "monday");
    assert!(
        !stored
            .raw
            .windows(16)
            .any(|bytes| bytes == &ciphertext[..16])
    );
    println!(
        "The disk has {} bytes of another layer, {:?}.",
        stored.raw.len(),
        stored.mode
    );

    // KMS saw the client itself, once for the write and once for the read.
    for call in aws.kms_calls() {
        assert_eq!(call.through, Through::Direct);
        println!(
            "KMS was asked for {} under {:?}.",
            call.operation, call.context
        );
    }
    Ok(())
}

async fn what_is_refused(aws: &Strongroom, mine: &ClientSide) -> Result<(), Box<dyn Error>> {
    // The right key under another context.
    let another = ClientSide::kms(&aws.kms_client(), "alias/mine").context("owner", "bert");
    let refused = another.get(&aws.s3_client(), "diaries", "monday").await;
    assert_eq!(refused, Err(ClientSideError::ContextMismatch));

    // A body that somebody changed.
    let mut written = mine.write(DIARY).await?;
    written.body[0] ^= 1;
    let refused = mine.read(&written.metadata, &written.body).await;
    assert_eq!(refused, Err(ClientSideError::BodyRefused));

    // Anything, once the key is disabled.
    aws.kms_client()
        .disable_key()
        .key_id(key_id(aws).await?)
        .send()
        .await?;
    let refused = mine.get(&aws.s3_client(), "diaries", "monday").await;
    assert!(
        matches!(refused, Err(ClientSideError::Kms { code, .. }) if code == "DisabledException")
    );
    println!("Another context, a changed body, a disabled key: refused.");
    Ok(())
}

async fn key_id(aws: &Strongroom) -> Result<String, Box<dyn Error>> {
    let described = aws.kms_client().describe_key().key_id("alias/mine");
    let metadata = described.send().await?.key_metadata;
    Ok(metadata.ok_or("the key is described")?.key_id)
}
