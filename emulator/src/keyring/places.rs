//! How many may work with key pairs at one time.

use std::num::NonZero;
use std::sync::Arc;

use tokio::sync::Semaphore;

/// The places of those who work with pairs at one time: as many as there are cores, for each of two kinds of work.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// For those who use a pair, which takes milliseconds.
    pub(super) using: Arc<Semaphore>,
    /// For those who make one, which may take seconds.
    pub(super) making: Arc<Semaphore>,
}

impl Default for Places {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(2, NonZero::get);
        let places = || Arc::new(Semaphore::new(cores));
        Self {
            using: places(),
            making: places(),
        }
    }
}
