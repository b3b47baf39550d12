//! Bucket keys in use: for five minutes of the clock, S3 wraps and unwraps data keys with them and asks KMS nothing.
//!
//! A bucket key belongs to one requester, one KMS key, and one encryption context, which names the bucket.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html>; the five minutes are ours.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::crypto::data_key::DataKey;
use crate::model::timestamp::Timestamp;

/// How long a bucket key is used.
const LIFE: Duration = Duration::from_mins(5);
/// The most that are held; the oldest go first, which costs a call of KMS and no more.
const MOST: usize = 1_000;

/// Whose a bucket key is, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// The requester's ARN.
    pub(super) caller: String,
    /// The ARN of the KMS key.
    pub(super) key_arn: String,
    /// The canonical context.
    pub(super) context: Vec<u8>,
}

/// A bucket key, in the clear and as KMS wrapped it.
#[derive(Clone, Debug)]
pub(super) struct BucketKey {
    /// In the clear: in memory alone.
    pub(super) key: DataKey,
    /// KMS's ciphertext of it.
    pub(super) ciphertext: Vec<u8>,
}

/// All that live.
#[derive(Default)]
pub(super) struct BucketKeys(Mutex<Vec<Live>>);

struct Live {
    holder: Holder,
    bucket_key: BucketKey,
    ends: Timestamp,
}

impl BucketKeys {
    /// The holder's bucket key: the one of a ciphertext, or the newest where any will do.
    pub(super) fn find(
        &self,
        holder: &Holder,
        ciphertext: Option<&[u8]>,
        now: Timestamp,
    ) -> Option<BucketKey> {
        let lives = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = lives.iter().rev().find(|live| {
            let is_meant = ciphertext.is_none_or(|bytes| bytes == live.bucket_key.ciphertext);
            live.ends > now && is_meant && live.holder == *holder
        });
        found.map(|live| live.bucket_key.clone())
    }

    /// Holds a bucket key from now on.
    pub(super) fn hold(&self, holder: Holder, bucket_key: BucketKey, now: Timestamp) {
        let mut lives = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lives.retain(|live| live.ends > now);
        if lives.len() == MOST {
            lives.remove(0);
        }
        lives.push(Live {
            holder,
            bucket_key,
            ends: now.plus(LIFE),
        });
    }
}

impl fmt::Debug for BucketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BucketKeys(…)")
    }
}
