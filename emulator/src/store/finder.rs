//! Finds any of many byte strings in bytes that come in pieces, in one pass.
//!
//! The first eight bytes of every pattern are hashed into a table of bits; what passes it is looked up, and what is
//! found there is compared in full.

use std::collections::HashMap;

/// The fewest bytes that a pattern must have.
pub(crate) const SHORTEST_PATTERN: usize = 8;
/// The table of bits is indexed by so many bits of the hash.
const TABLE_BITS: u32 = 20;
/// Spreads bits: 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// What is looked for.
pub(crate) struct Finder {
    patterns: Vec<Vec<u8>>,
    /// Patterns by their first eight bytes.
    heads: HashMap<u64, Vec<usize>>,
    may_begin: Vec<bool>,
    longest: usize,
}

impl Finder {
    /// Over patterns of at least [`SHORTEST_PATTERN`] bytes; a shorter one is never found.
    pub(crate) fn new(patterns: Vec<Vec<u8>>) -> Self {
        let mut heads: HashMap<u64, Vec<usize>> = HashMap::new();
        let mut may_begin = vec![false; 1 << TABLE_BITS];
        for (index, pattern) in patterns.iter().enumerate() {
            if let Some(head) = pattern.first_chunk() {
                let head = u64::from_le_bytes(*head);
                heads.entry(head).or_default().push(index);
                may_begin[slot(head)] = true;
            }
        }
        Self {
            longest: patterns.iter().map(Vec::len).max().unwrap_or_default(),
            patterns,
            heads,
            may_begin,
        }
    }

    /// How many bytes of a piece have to be looked at once more, in front of the next one.
    pub(crate) fn overlap(&self) -> usize {
        self.longest.saturating_sub(1)
    }

    /// Tells `found` of every pattern that stands in the bytes, each time that it does.
    pub(crate) fn find(&self, bytes: &[u8], mut found: impl FnMut(usize)) {
        for (at, head) in bytes.array_windows::<SHORTEST_PATTERN>().enumerate() {
            let head = u64::from_le_bytes(*head);
            if !self.may_begin[slot(head)] {
                continue;
            }
            for &index in self.heads.get(&head).into_iter().flatten() {
                if bytes[at..].starts_with(&self.patterns[index]) {
                    found(index);
                }
            }
        }
    }
}

fn slot(head: u64) -> usize {
    let bits = head.wrapping_mul(SPREAD) >> (u64::BITS - TABLE_BITS);
    usize::try_from(bits).unwrap_or_default()
}

/// Says nothing of what is looked for: that is a secret, often.
impl std::fmt::Debug for Finder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Finder")
            .field("patterns", &self.patterns.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(finder: &Finder, bytes: &[u8]) -> Vec<usize> {
        let mut found = Vec::new();
        finder.find(bytes, |index| found.push(index));
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn patterns_that_begin_alike_are_told_apart() {
        let patterns = ["12345678", "12345678-a", "12345678-b"];
        let finder = Finder::new(patterns.map(|text| text.as_bytes().to_vec()).into());

        assert_eq!(found(&finder, b"..12345678-b"), [0, 2]);
        assert!(found(&finder, b"..1234567").is_empty());
        assert_eq!(finder.overlap(), 9);
    }

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(
            bytes in prop::collection::vec(0_u8..3, 0..400),
            patterns in prop::collection::vec(prop::collection::vec(0_u8..3, 8..12), 1..30),
        ) {
            let plain: Vec<_> = (0..patterns.len())
                .filter(|index| bytes.windows(patterns[*index].len()).any(|window| window == patterns[*index]))
                .collect();

            prop_assert_eq!(found(&Finder::new(patterns), &bytes), plain);
        }
    }
}
