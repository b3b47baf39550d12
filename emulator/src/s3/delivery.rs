//! An object out: opened segment by segment, each checked before a byte of it leaves.
//!
//! The first buffer is opened before the status leaves, so that a blob which fails its check can still be a 500; behind
//! it, each further buffer is one blocking job, and the next one is under way while the last is sent.

use std::fmt;

use bytes::Bytes;
use tokio::task::JoinHandle;

use crate::s3::blob_plaintext::BlobPlaintext;
use crate::s3::error::S3Error;
use crate::s3::workers::joined;
use crate::wire::body::{Body, BodyError};

/// Up to this much plaintext is opened on the runtime.
const INLINE_BYTES: u64 = 65_536;

const ENDS_EARLY: &str = "the blobs of an object hold less than it";

/// Blobs that are opened one behind the other.
pub(crate) type Blobs = Box<dyn Iterator<Item = Result<BlobPlaintext, S3Error>> + Send>;

/// A plaintext range of an object, read from front to back, whatever number of blobs it lies in. Blocking.
pub(crate) struct Plaintext {
    current: Option<BlobPlaintext>,
    behind: Option<Blobs>,
    left_bytes: u64,
}

impl Plaintext {
    /// Of one blob.
    pub(crate) fn of_blob(blob: BlobPlaintext) -> Self {
        Self {
            left_bytes: blob.remaining_bytes(),
            current: Some(blob),
            behind: None,
        }
    }

    /// Of many, which give so many bytes together.
    pub(crate) fn of_blobs(blobs: Blobs, length_bytes: u64) -> Self {
        Self {
            current: None,
            behind: Some(blobs),
            left_bytes: length_bytes,
        }
    }

    /// How many bytes are still to come.
    pub(crate) fn remaining_bytes(&self) -> u64 {
        self.left_bytes
    }

    /// The next bytes, of one blob, up to half a mebibyte; `None` at the end.
    ///
    /// # Errors
    ///
    /// `InternalError` when a blob is unreadable or fails its check; the cause names it.
    pub(crate) fn read(&mut self) -> Result<Option<Bytes>, S3Error> {
        loop {
            if let Some(blob) = &mut self.current
                && let Some(bytes) = blob.read()?
            {
                self.left_bytes = self
                    .left_bytes
                    .saturating_sub(u64::try_from(bytes.len()).map_err(S3Error::internal)?);
                return Ok(Some(bytes));
            }
            let next = self.behind.as_mut().and_then(Iterator::next);
            match next.transpose()? {
                Some(blob) => self.current = Some(blob),
                None if self.left_bytes == 0 => return Ok(None),
                None => return Err(S3Error::internal(ENDS_EARLY)),
            }
        }
    }

    /// All bytes in one piece, for the few that are opened on the runtime.
    fn read_all(&mut self) -> Result<Bytes, S3Error> {
        let first = self.read()?.unwrap_or_default();
        if self.left_bytes == 0 {
            return Ok(first);
        }
        let mut whole = first.to_vec();
        while let Some(bytes) = self.read()? {
            whole.extend_from_slice(&bytes);
        }
        Ok(whole.into())
    }

    /// The body of an answer; its first buffer is already open.
    ///
    /// # Errors
    ///
    /// As [`Plaintext::read`], for the first buffer.
    pub(crate) async fn into_body(mut self) -> Result<Body, S3Error> {
        let length = self.remaining_bytes();
        if length == 0 {
            return Ok(Body::empty());
        }
        if length <= INLINE_BYTES {
            return Ok(self.read_all()?.into());
        }
        let (first, rest) = spawn(self).await.map_err(S3Error::internal)??;
        let state = State {
            ready: first,
            job: spawn(rest),
        };
        let stream = futures_util::stream::unfold(Some(state), advance);
        Ok(Body::stream(Box::pin(stream), Some(length)))
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Plaintext({} bytes)", self.left_bytes)
    }
}

type Job = JoinHandle<Result<(Option<Bytes>, Plaintext), S3Error>>;

/// What a stream holds between two buffers.
struct State {
    ready: Option<Bytes>,
    job: Job,
}

fn spawn(mut plaintext: Plaintext) -> Job {
    tokio::task::spawn_blocking(move || plaintext.read().map(|bytes| (bytes, plaintext)))
}

async fn advance(state: Option<State>) -> Option<(Result<Bytes, BodyError>, Option<State>)> {
    let State { ready, job } = state?;
    if let Some(bytes) = ready {
        return Some((Ok(bytes), Some(State { ready: None, job })));
    }
    match joined(job.await).flatten() {
        Ok((None, _)) => None,
        Ok((Some(bytes), rest)) => Some((
            Ok(bytes),
            Some(State {
                ready: None,
                job: spawn(rest),
            }),
        )),
        Err(error) => {
            let cause = error.source.unwrap_or_else(|| error.message.into());
            tracing::error!(%cause, "cut an answer short");
            Some((Err(BodyError::Failed(cause)), None))
        }
    }
}
