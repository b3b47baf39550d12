//! Bucket keys in use: for five minutes of the clock, S3 wraps and unwraps data keys with them and asks KMS nothing.
//!
//! A bucket key belongs to one requester, one KMS key, one encryption context, which names the bucket, and one state of the
//! store: a request of before a reset must not leave one behind it.
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
    /// Which state of the store the requester began with: a key of before it was replaced serves nobody after.
    pub(super) epoch: Option<u64>,
}

/// A bucket key, in the clear and as KMS wrapped it.
#[derive(Clone, Debug)]
pub(super) struct BucketKey {
    /// In the clear: in memory alone.
    pub(super) key: DataKey,
    /// KMS's ciphertext of it.
    pub(super) ciphertext: Vec<u8>,
}

/// What a bucket key is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted<'c> {
    /// To wrap a new data key. One that was only decrypted does not serve: reading old objects would prolong its life.
    Seal,
    /// To unwrap an old one: the bucket key of this ciphertext.
    Open(&'c [u8]),
}

/// All that live.
#[derive(Default)]
pub(super) struct BucketKeys(Mutex<Vec<Live>>);

struct Live {
    holder: Holder,
    bucket_key: BucketKey,
    seals: bool,
    ends: Timestamp,
}

impl BucketKeys {
    /// The holder's bucket key, and whether it was there; else the one that `make` has of KMS, from now on. Who asks at
    /// the same time waits for it, so that KMS is asked once.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    pub(super) fn find_or_make<E>(
        &self,
        holder: Holder,
        wanted: Wanted<'_>,
        now: Timestamp,
        make: impl FnOnce() -> Result<BucketKey, E>,
    ) -> Result<(BucketKey, bool), E> {
        let mut lives = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lives.retain(|live| live.ends > now);
        let mut own = lives.iter().filter(|live| live.holder == holder);
        if let Some(found) = own.find(|live| live.serves(wanted)) {
            return Ok((found.bucket_key.clone(), true));
        }
        let bucket_key = make()?;
        if lives.len() == MOST {
            lives.remove(0);
        }
        lives.push(Live {
            holder,
            bucket_key: bucket_key.clone(),
            seals: wanted == Wanted::Seal,
            ends: now.plus(LIFE),
        });
        Ok((bucket_key, false))
    }

    /// Forgets all of them.
    pub(super) fn clear(&self) {
        let mut lives = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lives.clear();
    }
}

impl Live {
    fn serves(&self, wanted: Wanted<'_>) -> bool {
        match wanted {
            Wanted::Seal => self.seals,
            Wanted::Open(ciphertext) => self.bucket_key.ciphertext == ciphertext,
        }
    }
}

impl fmt::Debug for BucketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BucketKeys(…)")
    }
}
