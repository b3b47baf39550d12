//! Who may work on large bodies at the same time: as many as there are cores.
//!
//! Hashing and sealing keep a core busy. More of it at once would bring nothing but longer waits for small requests, so
//! each buffer's work asks for a place first; a core that is idle may take a part of another's work.

use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinError;

use crate::s3::error::S3Error;

/// The places, shared by all requests.
#[derive(Clone, Debug)]
pub(crate) struct Workers(Arc<Semaphore>);

/// A place; it is free again when dropped.
#[derive(Debug)]
pub(crate) struct Place(OwnedSemaphorePermit);

impl Workers {
    /// One place a core.
    pub(crate) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, NonZero::get);
        Self(Arc::new(Semaphore::new(cores)))
    }

    /// Waits for a place.
    ///
    /// # Errors
    ///
    /// `InternalError`, where the server is being torn down.
    pub(crate) async fn place(&self) -> Result<Place, S3Error> {
        Arc::clone(&self.0)
            .acquire_owned()
            .await
            .map(Place)
            .map_err(S3Error::internal)
    }

    /// A place that nobody wants right now.
    pub(crate) fn spare_place(&self) -> Option<Place> {
        Arc::clone(&self.0).try_acquire_owned().map(Place).ok()
    }
}

impl Place {
    /// Works on a thread for blocking work, and keeps the place until that ends.
    pub(crate) async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, S3Error> {
        let Self(permit) = self;
        let job = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        });
        joined(job.await)
    }
}

/// What work on another thread came to. Its panic goes on in the request that waits for it, and is caught and counted
/// there.
///
/// # Errors
///
/// `InternalError`, where the server is being torn down.
pub(crate) fn joined<T>(ended: Result<T, JoinError>) -> Result<T, S3Error> {
    ended.map_err(|error| match error.try_into_panic() {
        Ok(panic) => resume_unwind(panic),
        Err(cancelled) => S3Error::internal(cancelled),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[should_panic(expected = "a fault of ours")]
    async fn a_panic_on_another_thread_goes_on_in_its_request() {
        let place = Workers::new().place().await.unwrap();

        let _ = place.work::<()>(|| panic!("a fault of ours")).await;
    }

    #[tokio::test]
    async fn a_panic_gives_its_place_back() {
        let workers = Workers(Arc::new(Semaphore::new(1)));
        let place = workers.place().await.unwrap();

        let panicking = tokio::spawn(place.work::<()>(|| panic!("a fault of ours")));

        assert!(panicking.await.unwrap_err().is_panic());
        assert!(workers.spare_place().is_some());
    }
}
