//! Every call of KMS, as `CloudTrail` would tell it: by whom, with which key, under which context, and through whom.
//!
//! Never a key or a plaintext: what is not in a [`KmsCall`] cannot leak from here.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// The most calls that are remembered; the oldest are forgotten first.
const MOST_CALLS: usize = 10_000;

/// A call of KMS.
///
/// ```
/// # fn check(server: &strongroom::Running) {
/// let calls = server.kms_calls();
/// let last = calls.last().unwrap();
/// assert_eq!((last.operation.as_str(), &last.error), ("GenerateDataKey", &None));
/// assert_eq!(last.context["aws:s3:arn"], "arn:aws:s3:::photos/cat");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmsCall {
    /// When, by the server's clock.
    pub time: SystemTime,
    /// AWS's name of the operation: `GenerateDataKey`.
    pub operation: String,
    /// The ARN of who called; of S3's caller, where S3 called for him.
    pub caller: String,
    /// The ARN of the key, where the call found one.
    pub key_arn: Option<String>,
    /// The encryption context; empty where there was none.
    pub context: BTreeMap<String, String>,
    /// Of `ReEncrypt`, the ARN of the key that the ciphertext was under; `None` of all else.
    pub source_key_arn: Option<String>,
    /// The encryption context of that.
    pub source_context: BTreeMap<String, String>,
    /// Whether somebody called KMS himself, or S3 for him.
    pub through: Through,
    /// Whether a bucket key spared the call: S3 answered out of its own memory, and AWS would have seen nothing. A use
    /// that is refused for the key's state is no hit.
    pub bucket_key_hit: bool,
    /// The exception that it ended with: `DisabledException`; `None` for a call that succeeded.
    pub error: Option<String>,
}

/// Who asked KMS.
///
/// ```
/// # fn check(server: &strongroom::Running) {
/// # use strongroom::Through;
/// let calls = server.kms_calls();
/// assert!(calls.iter().all(|call| call.through == Through::S3), "no client called KMS itself");
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Through {
    /// A client.
    Direct,
    /// S3, for its caller.
    S3,
}

/// The calls since the start: clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct KmsCalls(Arc<Mutex<VecDeque<KmsCall>>>);

impl KmsCalls {
    /// Remembers a call.
    pub(crate) fn record(&self, call: KmsCall) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if calls.len() == MOST_CALLS {
            calls.pop_front();
        }
        calls.push_back(call);
    }

    /// Forgets all of them.
    pub(crate) fn clear(&self) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.clear();
    }

    /// All that are remembered, the oldest first.
    pub(crate) fn all(&self) -> Vec<KmsCall> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(operation: String) -> KmsCall {
        KmsCall {
            time: SystemTime::UNIX_EPOCH,
            operation,
            caller: "arn:aws:iam::000000000000:root".to_owned(),
            key_arn: None,
            context: BTreeMap::new(),
            source_key_arn: None,
            source_context: BTreeMap::new(),
            through: Through::Direct,
            bucket_key_hit: false,
            error: None,
        }
    }

    #[test]
    fn the_oldest_calls_are_forgotten_first() {
        let calls = KmsCalls::default();

        for number in 0..=MOST_CALLS {
            calls.record(call(number.to_string()));
        }

        let all = calls.all();
        assert_eq!(all.len(), MOST_CALLS);
        assert_eq!(all[0].operation, "1");
    }
}
