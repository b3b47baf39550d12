//! The README's blocks of Rust run: they stand here as they stand there, but for what rustfmt does to them.

use std::error::Error;

use object_store::ObjectStoreExt;
use object_store::aws::AmazonS3Builder;
use strongroom_rust_clients::use_ring;
use strongroom_testkit::Mode;

const README: &str = include_str!("../../../README.md");
const HERE: &str = include_str!("readme.rs");

#[tokio::test]
async fn with_the_sdk() -> Result<(), Box<dyn Error>> {
    let s3 = strongroom_testkit::Strongroom::builder()
        .bucket("photos")
        .kms_key("alias/app")
        .start()
        .await;
    let put = s3
        .s3_client()
        .put_object()
        .bucket("photos")
        .key("cat")
        .body(b"a cat that sleeps".to_vec().into());
    put.server_side_encryption("aws:kms".into())
        .ssekms_key_id("alias/app")
        .send()
        .await?;
    s3.assert_encrypted_with(
        "photos",
        "cat",
        strongroom_testkit::Encryption::sse_kms("alias/app"),
    );
    s3.assert_not_stored("a cat that sleeps");
    Ok(())
}

#[tokio::test]
async fn with_object_store() -> Result<(), Box<dyn Error>> {
    use_ring();
    let s3 = strongroom_testkit::Strongroom::builder()
        .bucket("photos")
        .start()
        .await;
    let options = s3.object_store_options("photos").into_iter();
    let builder = options.fold(AmazonS3Builder::new(), |all, (key, value)| {
        all.with_config(key.parse().unwrap(), value)
    });
    let store = builder
        .with_config("aws_server_side_encryption".parse()?, "aws:kms")
        .build()?;
    store.put(&"cat".into(), "meow".into()).await?;
    s3.assert_encrypted_with("photos", "cat", Mode::SseKms);
    Ok(())
}

#[test]
fn the_readme_tells_what_runs_here() {
    let blocks = README.split("```rust\n").skip(1);
    let told: Vec<_> = blocks.filter_map(|rest| rest.split("```").next()).collect();

    assert_eq!(told.len(), 2);
    for block in told {
        assert!(squeezed(HERE).contains(&squeezed(block)), "{block}");
    }
}

/// Without comments, and without what rustfmt adds: white space, commas, braces.
fn squeezed(code: &str) -> String {
    let lines = code.lines().filter_map(|line| line.split("//").next());
    let kept = |c: &char| !c.is_whitespace() && !",{}".contains(*c);
    lines.flat_map(str::chars).filter(kept).collect()
}
