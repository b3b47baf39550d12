//! When each key was last used, and for what: in memory alone, so that a use costs no write.
//!
//! So what is known begins with the server, or with the last reset or restore; KMS says since when it watches, and so does this.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html>

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::kms_key::KmsKey;
use crate::model::timestamp::Timestamp;

/// A use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastUse {
    /// KMS's operation.
    pub(crate) operation: &'static str,
    /// When.
    pub(crate) time: Timestamp,
    /// The id of KMS's answer; `None` where S3 asked in process.
    pub(crate) request_id: Option<String>,
}

/// The last use of every key, by its ARN.
#[derive(Debug)]
pub(super) struct LastUses(Mutex<Watched>);

#[derive(Debug)]
struct Watched {
    since: Timestamp,
    uses: HashMap<String, LastUse>,
}

impl LastUses {
    /// Watches from now on.
    pub(super) fn since(now: Timestamp) -> Self {
        Self(Mutex::new(Watched {
            since: now,
            uses: HashMap::new(),
        }))
    }

    /// Begins anew.
    pub(super) fn forget(&self, now: Timestamp) {
        let mut watched = self.watched();
        watched.since = now;
        watched.uses.clear();
    }

    /// Notes a use of the key with this ARN.
    pub(super) fn note(&self, arn: &str, last: LastUse) {
        let mut watched = self.watched();
        match watched.uses.get_mut(arn) {
            Some(known) => *known = last,
            None => drop(watched.uses.insert(arn.to_owned(), last)),
        }
    }

    /// The last use of a key, and since when it is watched.
    pub(super) fn of(&self, key: &KmsKey) -> (Option<LastUse>, Timestamp) {
        let watched = self.watched();
        let known = watched.uses.get(&key.arn()).cloned();
        (known, watched.since.max(key.created))
    }

    fn watched(&self) -> MutexGuard<'_, Watched> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
