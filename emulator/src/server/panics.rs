//! Panics of our own: a client sees none but as AWS's 500, none ends the server, and each is counted.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{FutureExt, StreamExt};

use crate::wire::body::{BodyError, BodyStream};

/// How many there were, shared by all that may meet one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Panics(Arc<AtomicU64>);

/// A panic that was caught: what it said, where it said anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Panicked(String);

impl Panics {
    /// Since the start.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Waits for work.
    ///
    /// # Errors
    ///
    /// [`Panicked`], when it panicked. Whatever the work had in hand was dropped: nothing of it is looked at again, and
    /// no lock of the house minds a holder that unwound.
    pub(crate) async fn catch<T>(&self, work: impl Future<Output = T>) -> Result<T, Panicked> {
        let caught = AssertUnwindSafe(work).catch_unwind().await;
        caught.map_err(|panic| self.note(panic.as_ref()))
    }

    /// The same body, which fails where it would panic: its connection is cut, and no other.
    pub(crate) fn guard(&self, body: BodyStream) -> BodyStream {
        let panics = self.clone();
        let pieces = AssertUnwindSafe(body).catch_unwind();
        Box::pin(pieces.map(move |piece| {
            piece.unwrap_or_else(|panic| {
                let panicked = panics.note(panic.as_ref());
                tracing::error!("cut an answer short: {panicked}");
                Err(BodyError::Failed(panicked.into()))
            })
        }))
    }

    /// Counts one that was caught elsewhere.
    pub(crate) fn note(&self, panic: &(dyn Any + Send)) -> Panicked {
        self.0.fetch_add(1, Ordering::Relaxed);
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Panicked(text.unwrap_or("it says nothing").to_owned())
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server panicked: {}", self.0)
    }
}

impl Error for Panicked {}
