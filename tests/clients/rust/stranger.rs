//! A program that knows nothing of Strongroom: it finds S3 by its environment, as programs do, and keeps a letter there.
//!
//! `stranger BUCKET KEY`

use std::error::Error;

use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectStore, PutOptions};
use strongroom_rust_clients::{LETTER, use_ring};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    use_ring();
    let mut arguments = std::env::args().skip(1);
    let bucket = arguments.next().ok_or("which bucket?")?;
    let key = arguments.next().ok_or("which key?")?;

    let builder = AmazonS3Builder::from_env().with_bucket_name(bucket);
    let store = builder.build()?;
    let letter = LETTER.to_vec().into();
    store
        .put_opts(&Path::from(key), letter, PutOptions::default())
        .await?;
    Ok(())
}
