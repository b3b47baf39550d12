//! From one object to another inside the server: opened, digested and sealed again, a buffer at a time.

use crate::s3::delivery::Plaintext;
use crate::s3::error::S3Error;
use crate::s3::intake::{Pipeline, Received};
use crate::s3::workers::joined;

/// Up to this much is worked on without a hop to another thread, in bytes.
const INLINE_BYTES: u64 = 65_536;

/// Pours a plaintext into a pipeline.
///
/// # Errors
///
/// `InternalError` for a damaged source or a destination that cannot be written.
pub(crate) async fn run(
    mut source: Plaintext,
    mut pipeline: Pipeline,
) -> Result<Received, S3Error> {
    if source.remaining_bytes() <= INLINE_BYTES {
        while step(&mut source, &mut pipeline)? {}
        return pipeline.finish(None);
    }
    loop {
        let job = tokio::task::spawn_blocking(move || {
            let more = step(&mut source, &mut pipeline)?;
            Ok::<_, S3Error>((more, source, pipeline))
        });
        let (more, next_source, next_pipeline) = joined(job.await)??;
        (source, pipeline) = (next_source, next_pipeline);
        if !more {
            break;
        }
    }
    let job = tokio::task::spawn_blocking(move || pipeline.finish(None));
    joined(job.await)?
}

/// One buffer; whether there may be another.
fn step(source: &mut Plaintext, pipeline: &mut Pipeline) -> Result<bool, S3Error> {
    match source.read()? {
        Some(bytes) => pipeline.absorb(&bytes).map(|()| true),
        None => Ok(false),
    }
}
