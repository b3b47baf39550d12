//! Time, injected: the one place that asks the system what time it is.
//!
//! Everything that depends on time (dates in answers, skew, expiry, retention) asks a [`Clock`]. A test sets it and moves it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::model::timestamp::Timestamp;

/// A handle to a clock: clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock(Arc<Source>);

#[derive(Debug, Default)]
struct Source {
    /// Where it stood first, if it was held.
    first: Option<Timestamp>,
    /// Where the clock stands while it is held; `None` follows the system.
    held: Mutex<Option<Timestamp>>,
    /// How far ahead of the system a clock that runs has been moved, in milliseconds.
    ahead_millis: AtomicU64,
}

impl Clock {
    /// Follows the system.
    pub(crate) fn system() -> Self {
        Self::default()
    }

    /// Stands at `time` until it is moved.
    pub(crate) fn at(time: Timestamp) -> Self {
        Self(Arc::new(Source {
            first: Some(time),
            held: Mutex::new(Some(time)),
            ahead_millis: AtomicU64::new(0),
        }))
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        let held = *self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.unwrap_or_else(|| {
            let ahead = self.0.ahead_millis.load(Ordering::Relaxed);
            system_now().plus(Duration::from_millis(ahead))
        })
    }

    /// Holds the clock at `time`.
    pub(crate) fn set(&self, time: Timestamp) {
        *self.0.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(time);
    }

    /// Sets it back to what it was at first.
    pub(crate) fn restart(&self) {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        *held = self.0.first;
        self.0.ahead_millis.store(0, Ordering::Relaxed);
    }

    /// Moves the clock forward, whether it is held or runs.
    pub(crate) fn advance(&self, duration: Duration) {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(time) = held.as_mut() {
            *time = time.plus(duration);
        } else {
            let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
            self.0.ahead_millis.fetch_add(millis, Ordering::Relaxed);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the Clock that everyone else asks"
)]
fn system_now() -> Timestamp {
    Timestamp::from_system(SystemTime::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_clock_moves_only_when_told() {
        let clock = Clock::at(Timestamp::from_unix_millis(5_000));
        let same = clock.clone();

        same.advance(Duration::from_hours(24));

        assert_eq!(clock.now(), Timestamp::from_unix_millis(86_405_000));
    }

    #[test]
    fn a_clock_can_be_set_back_to_where_it_began() {
        let (held, running) = (Clock::at(Timestamp::from_unix_millis(5)), Clock::system());
        let before = running.now();
        for clock in [&held, &running] {
            clock.advance(Duration::from_hours(1));
            clock.set(clock.now());
            clock.advance(Duration::from_hours(1));
        }

        held.restart();
        running.restart();

        assert_eq!(held.now(), Timestamp::from_unix_millis(5));
        assert!(running.now() < before.plus(Duration::from_hours(1)));
    }

    #[test]
    fn a_running_clock_can_be_moved_ahead() {
        let clock = Clock::system();
        let before = clock.now();

        clock.advance(Duration::from_hours(1));

        assert!(clock.now() >= before.plus(Duration::from_hours(1)));
    }
}
