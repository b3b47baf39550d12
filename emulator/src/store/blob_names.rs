//! Names for blobs: random in front, so that files spread over their folders; behind it a number that counts up, by
//! which small bodies are kept in the catalogue. Bodies that are written together then lie together: a commit touches
//! a few pages and not one for each body (twice the writes a second).

use std::sync::atomic::{AtomicU64, Ordering};

use crate::entropy::Entropy;
use crate::model::object::BlobId;

/// Gives names, none twice.
#[derive(Debug)]
pub(super) struct BlobNames {
    entropy: Entropy,
    next: AtomicU64,
}

impl BlobNames {
    /// Counts up from a number that another run hardly begins with.
    pub(super) fn new(entropy: Entropy) -> Self {
        let first = u64::from_be_bytes(entropy.bytes());
        Self {
            entropy,
            next: AtomicU64::new(first),
        }
    }

    /// A new name.
    pub(super) fn give(&self) -> BlobId {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut id = [0; 16];
        let (random, counted) = id.split_at_mut(8);
        self.entropy.fill(random);
        counted.copy_from_slice(&number.to_be_bytes());
        BlobId(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::keys;

    #[test]
    fn bodies_are_kept_in_the_order_in_which_they_were_named() {
        let names = BlobNames::new(Entropy::seeded(1));

        let bodies: Vec<_> = (0..300).map(|_| keys::body(names.give())).collect();

        assert!(bodies.is_sorted());
    }

    #[test]
    fn files_spread_over_their_folders() {
        let names = BlobNames::new(Entropy::seeded(1));

        let mut fronts: Vec<_> = (0..300).map(|_| names.give().0[0]).collect();
        fronts.sort_unstable();
        fronts.dedup();

        assert!(fronts.len() > 100);
    }
}
