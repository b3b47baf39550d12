//! Client-side encryption: S3 never sees a byte in the clear.
//! `cargo run -p strongroom-testkit --features client-side --example client_side`
//!
//! The client encrypts before it sends, and keeps the wrapped data key beside the object as metadata, in the format of AWS's
//! S3 encryption clients. S3 encrypts once more on its own account: two layers, and two parties that each need their key.

#![expect(clippy::print_stdout, reason = "a story is told")]

use std::error::Error;

use strongroom_testkit::{ClientSide, ClientSideError, Format, Strongroom, Through, format_of};

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
    assert_eq!(mine.get(&s3, "diaries", "monday").await?, DIARY);

    // A key of one's own does without KMS, which has seen the client itself, once to write and once to read.
    let own = ClientSide::aes(*b"a wrapping key of thirty-2 bytes");
    own.put(&s3, "diaries", "tuesday", DIARY).await?;
    assert_eq!(own.get(&s3, "diaries", "tuesday").await?, DIARY);
    let calls = aws.kms_calls();
    assert!(calls.len() == 2 && calls.iter().all(|call| call.through == Through::Direct));
    println!("The diary reads back, with KMS and without.");

    what_lies_on_the_disk(&aws).await?;
    what_is_refused(&aws, &mine).await
}

async fn what_lies_on_the_disk(aws: &Strongroom) -> Result<(), Box<dyn Error>> {
    // Whoever gets the object without this client gets ciphertext: as long as the plaintext, and a tag of 16 bytes.
    let object = aws.s3_client().get_object().bucket("diaries").key("monday");
    let object = object.send().await?;
    let metadata = object.metadata.ok_or("the wrapped key is metadata")?;
    assert_eq!(format_of(&metadata)?, Format::V3);
    let ciphertext = object.body.collect().await?.to_vec();
    assert_eq!(ciphertext.len(), DIARY.len() + 16);

    // The disk has not even that: S3 encrypted the ciphertext under a data key of its own.
    let stored = aws.stored("diaries", "monday");
    for seen in [&ciphertext[..8], &DIARY[..8]] {
        assert!(!stored.raw.windows(8).any(|bytes| bytes == seen));
    }
    println!("The disk has the client's ciphertext under another layer.");
    Ok(())
}

async fn what_is_refused(aws: &Strongroom, mine: &ClientSide) -> Result<(), Box<dyn Error>> {
    let (s3, kms) = (aws.s3_client(), aws.kms_client());

    // The right key under another context.
    let another = ClientSide::kms(&kms, "alias/mine").context("owner", "bert");
    let refused = another.get(&s3, "diaries", "monday").await;
    assert_eq!(refused, Err(ClientSideError::ContextMismatch));

    // A body that somebody changed.
    let mut written = mine.write(DIARY).await?;
    written.body[0] ^= 1;
    let refused = mine.read(&written.metadata, &written.body).await;
    assert_eq!(refused, Err(ClientSideError::BodyRefused));

    // Anything, once the key is disabled.
    let key = aws.kms_calls()[0].key_arn.clone();
    kms.disable_key().set_key_id(key).send().await?;
    let refused = mine.get(&s3, "diaries", "monday").await;
    let code = match &refused {
        Err(ClientSideError::Kms { code, .. }) => code,
        other => return Err(format!("not refused: {other:?}").into()),
    };
    assert_eq!(code, "DisabledException");
    println!("Another context, a changed body, a disabled key: refused.");
    Ok(())
}
