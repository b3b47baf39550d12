//! Every request that was answered, the last of them in full and all of them by number.
//!
//! It is on the way of each request, so it takes one short lock and no more memory than its bounds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::journal::kept::{Draft, Kept, Outcome};
use crate::journal::received::ReceivedRequest;

/// The most requests that are remembered; the oldest are forgotten first.
const MOST_REQUESTS: usize = 10_000;
/// The most memory that they take, in bytes: fewer are remembered where they are long.
const MOST_BYTES: usize = 4 * 1_024 * 1_024;

/// The requests since the start or the last reset: clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests(Arc<Mutex<Remembered>>);

#[derive(Debug, Default)]
struct Remembered {
    requests: VecDeque<Kept>,
    size_bytes: usize,
    /// By operation; these never forget.
    counts: BTreeMap<&'static str, u64>,
}

/// Which requests somebody wants to see.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wanted<'w> {
    /// Those that this operation answered.
    pub(crate) operation: Option<&'w str>,
    /// Those about this bucket.
    pub(crate) bucket: Option<&'w str>,
    /// The last so many of them.
    pub(crate) limit: Option<usize>,
}

impl Requests {
    /// Remembers a request.
    pub(crate) fn record(&self, draft: Draft, outcome: &Outcome<'_>) {
        let kept = draft.end(outcome);
        let mut remembered = self.lock();
        if let Some(operation) = kept.operation {
            *remembered.counts.entry(operation).or_default() += 1;
        }
        remembered.push(kept);
    }

    /// All that are remembered, in the order of their answers.
    pub(crate) fn all(&self) -> Vec<ReceivedRequest> {
        self.find(&Wanted::default())
    }

    /// Those that are wanted, in the order of their answers.
    pub(crate) fn find(&self, wanted: &Wanted<'_>) -> Vec<ReceivedRequest> {
        let remembered = self.lock();
        let newest_first = remembered.requests.iter().rev();
        let fitting = newest_first
            .filter(|kept| wanted.operation.is_none() || kept.operation == wanted.operation)
            .map(Kept::tell)
            .filter(|told| wanted.bucket.is_none() || told.bucket.as_deref() == wanted.bucket);
        let mut found: Vec<_> = fitting.take(wanted.limit.unwrap_or(usize::MAX)).collect();
        found.reverse();
        found
    }

    /// How many requests each operation has answered.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        self.lock().counts.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn push(&mut self, kept: Kept) {
        self.size_bytes += kept.size_bytes();
        self.requests.push_back(kept);
        while self.requests.len() > MOST_REQUESTS || self.size_bytes > MOST_BYTES {
            let Some(oldest) = self.requests.pop_front() else {
                return;
            };
            self.size_bytes -= oldest.size_bytes();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::timestamp::Timestamp;

    fn record(requests: &Requests, path: &str, operation: &'static str, bucket: &str) {
        let time = Timestamp::from_unix_millis(0);
        let outcome = Outcome {
            operation: Some(operation),
            bucket: Some(bucket),
            ..Outcome::default()
        };
        requests.record(Draft::new(time, false, ("GET", path)), &outcome);
    }

    fn paths(requests: &[ReceivedRequest]) -> Vec<&str> {
        let paths = requests.iter().map(|request| request.path.as_str());
        paths.collect()
    }

    #[test]
    fn the_oldest_requests_are_forgotten_first_and_counted_for_good() {
        let requests = Requests::default();

        for number in 0..=MOST_REQUESTS {
            record(&requests, &number.to_string(), "GetObject", "b");
        }

        let all = requests.all();
        assert_eq!(all.len(), MOST_REQUESTS);
        assert_eq!(all[0].path, "1");
        assert_eq!(requests.counts(), [("GetObject", 10_001)].into());
    }

    #[test]
    fn long_requests_take_no_more_memory_than_the_bound() {
        let requests = Requests::default();
        let path = "x".repeat(3_000);

        for _ in 0..MOST_REQUESTS {
            record(&requests, &path, "GetObject", "b");
        }

        let remembered = requests.lock();
        let texts = remembered.requests.iter().map(Kept::size_bytes);
        assert_eq!(remembered.size_bytes, texts.sum::<usize>());
        assert!(remembered.size_bytes <= MOST_BYTES);
        assert!(remembered.size_bytes > MOST_BYTES - 2 * path.len());
    }

    #[test]
    fn the_last_of_those_that_fit_are_found_in_their_order() {
        let requests = Requests::default();
        for (path, operation, bucket) in [
            ("1", "GetObject", "a"),
            ("2", "PutObject", "a"),
            ("3", "GetObject", "b"),
            ("4", "GetObject", "a"),
            ("5", "GetObject", "a"),
        ] {
            record(&requests, path, operation, bucket);
        }
        let mut wanted = Wanted {
            operation: Some("GetObject"),
            bucket: Some("a"),
            limit: None,
        };

        assert_eq!(paths(&requests.find(&wanted)), ["1", "4", "5"]);
        wanted.limit = Some(2);
        assert_eq!(paths(&requests.find(&wanted)), ["4", "5"]);
    }
}
