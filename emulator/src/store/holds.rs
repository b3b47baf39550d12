//! Who may remove the file of a blob that no row names any more.
//!
//! Not while a snapshot holds it: then it stays, and goes with the last such snapshot. And not once a restored row names it
//! again: the sentence under which it was to be removed is void then, whenever it is carried out.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::object::BlobId;

/// What is known of the files of one store: clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Holds(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// By how many snapshots a blob is held.
    held: HashMap<BlobId, usize>,
    /// Those of them that no row names, and whose sentence was carried out as far as it could be.
    left: HashSet<BlobId>,
    /// The number of the sentence that is valid for a blob.
    condemned: HashMap<BlobId, u64>,
    sentences: u64,
}

/// That a file is to be removed, since no row names its blob.
#[derive(Debug)]
pub(super) struct Sentence {
    holds: Holds,
    blob: BlobId,
    number: u64,
}

impl Holds {
    /// No row names the blob any more.
    pub(super) fn condemn(&self, blob: BlobId) -> Sentence {
        let mut known = self.lock();
        known.sentences += 1;
        let number = known.sentences;
        known.condemned.insert(blob, number);
        Sentence {
            holds: self.clone(),
            blob,
            number,
        }
    }

    /// A snapshot holds these blobs, which rows name.
    pub(super) fn hold(&self, blobs: impl IntoIterator<Item = BlobId>) {
        let mut known = self.lock();
        for blob in blobs {
            *known.held.entry(blob).or_default() += 1;
        }
    }

    /// Rows are about to name these blobs again, which a snapshot holds.
    pub(super) fn revive(&self, blobs: impl IntoIterator<Item = BlobId>) {
        let mut known = self.lock();
        for blob in blobs {
            known.left.remove(&blob);
            known.condemned.remove(&blob);
        }
    }

    /// The snapshot is gone: tells which of these blobs nobody wants any more.
    pub(super) fn release(&self, blobs: impl IntoIterator<Item = BlobId>) -> Vec<BlobId> {
        let mut known = self.lock();
        let mut unwanted = Vec::new();
        for blob in blobs {
            let is_last = known.held.get_mut(&blob).is_none_or(|count| {
                *count -= 1;
                *count == 0
            });
            if is_last {
                known.held.remove(&blob);
                if known.left.remove(&blob) {
                    unwanted.push(blob);
                }
            }
        }
        unwanted
    }

    /// Whether both are of the same store.
    pub(super) fn are(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sentence {
    /// Whether the file is to be removed now. Where a snapshot holds it, that is its business from now on.
    pub(super) fn is_due(&self) -> bool {
        let mut known = self.holds.lock();
        if known.condemned.get(&self.blob) != Some(&self.number) {
            return false;
        }
        known.condemned.remove(&self.blob);
        let is_held = known.held.contains_key(&self.blob);
        if is_held {
            known.left.insert(self.blob);
        }
        !is_held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOB: BlobId = BlobId([1; 16]);

    #[test]
    fn what_nobody_holds_goes_at_once() {
        let holds = Holds::default();

        assert!(holds.condemn(BLOB).is_due());
    }

    #[test]
    fn what_is_held_goes_with_the_last_that_holds_it() {
        let holds = Holds::default();
        holds.hold([BLOB]);
        holds.hold([BLOB]);

        let sentence = holds.condemn(BLOB);

        assert!(!sentence.is_due());
        assert_eq!(holds.release([BLOB]), []);
        assert_eq!(holds.release([BLOB]), [BLOB]);
    }

    #[test]
    fn what_rows_name_stays_when_it_is_no_longer_held() {
        let holds = Holds::default();
        holds.hold([BLOB]);

        assert_eq!(holds.release([BLOB]), []);
        assert!(holds.condemn(BLOB).is_due());
    }

    #[test]
    fn a_sentence_that_waits_while_its_blob_is_released_is_carried_out_later() {
        let holds = Holds::default();
        holds.hold([BLOB]);
        let sentence = holds.condemn(BLOB);

        assert_eq!(holds.release([BLOB]), []);
        assert!(sentence.is_due());
    }

    #[test]
    fn what_is_named_again_outlives_every_older_sentence() {
        let holds = Holds::default();
        holds.hold([BLOB]);
        let first = holds.condemn(BLOB);
        holds.revive([BLOB]);
        let second = holds.condemn(BLOB);
        assert_eq!(holds.release([BLOB]), []);

        assert!(!first.is_due());
        assert!(second.is_due());
    }

    #[test]
    fn what_was_left_and_is_named_again_does_not_go_with_its_snapshot() {
        let holds = Holds::default();
        holds.hold([BLOB]);
        assert!(!holds.condemn(BLOB).is_due());

        holds.revive([BLOB]);

        assert_eq!(holds.release([BLOB]), []);
    }
}
