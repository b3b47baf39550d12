//! Randomness, injected: keys, nonces, ids. The one place that asks the operating system for it.
//!
//! A seeded source makes ids and `ETags` repeat from run to run. Its "keys" are no secret.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

/// A handle to a source of random bytes: clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entropy(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Seeded {
        seed: u64,
        counter: Arc<AtomicU64>,
    },
}

impl Entropy {
    /// The operating system's generator.
    pub(crate) fn system() -> Self {
        Self(Source::System)
    }

    /// The same bytes in the same order for the same seed: ids, `ETag`s and keys repeat from run to run. Not secret.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Source::Seeded {
            seed,
            counter: Arc::default(),
        })
    }

    /// Fills `buffer` with random bytes.
    ///
    /// # Panics
    ///
    /// When the operating system has no randomness to give: no key could be trusted then, so nothing goes on.
    pub(crate) fn fill(&self, buffer: &mut [u8]) {
        match &self.0 {
            Source::System => {
                getrandom::fill(buffer).expect("the operating system gives random bytes");
            }
            Source::Seeded { seed, counter } => {
                for chunk in buffer.chunks_mut(32) {
                    let index = counter.fetch_add(1, Ordering::Relaxed);
                    let mut hash = Sha256::new();
                    hash.update(seed.to_be_bytes());
                    hash.update(index.to_be_bytes());
                    chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
                }
            }
        }
    }

    /// A UUID of version 4 (RFC 9562 §5.4).
    pub(crate) fn uuid(&self) -> String {
        let mut bytes: [u8; 16] = self.bytes();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = hex::encode(bytes);
        let ends = [(0, 8), (8, 12), (12, 16), (16, 20), (20, 32)];
        ends.map(|(start, end)| &hex[start..end]).join("-")
    }

    /// `N` random bytes.
    pub(crate) fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_its_bytes_do_not() {
        let (one, same) = (Entropy::seeded(7), Entropy::seeded(7));
        let first: [u8; 40] = one.bytes();

        assert_eq!(first, same.bytes::<40>());
        assert_ne!(first, one.bytes::<40>());
    }

    #[test]
    fn the_system_never_repeats() {
        let system = Entropy::system();
        assert_ne!(system.bytes::<32>(), system.bytes::<32>());
    }
}
