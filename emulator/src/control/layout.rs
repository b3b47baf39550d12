//! How a blob is cut into segments, layer by layer. It follows from the blob's length alone.

use crate::crypto::layout::{HEADER_BYTES, Layout, TAG_BYTES};
use crate::crypto::segments::SEGMENT_BYTES;

/// One layer of a blob: a header, and segments with a tag each.
///
/// What it seals is the plaintext, or under DSSE-KMS the whole inner layer, header and tags included.
///
/// ```
/// # fn check(server: &strongroom::Running) -> Result<(), String> {
/// let stored = server.stored("photos", "cat")?;
/// for layer in &stored.blobs[0].layout {
///     assert!(layer.sealed_bytes > layer.plaintext_bytes);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerLayout {
    /// The layer's size in bytes.
    pub sealed_bytes: u64,
    /// Size of what it seals, in bytes.
    pub plaintext_bytes: u64,
    /// The header at its beginning: its own length, a salt, the prefix of the nonces.
    pub header_bytes: usize,
    /// The tag at the end of each segment.
    pub tag_bytes: usize,
    /// The size of every segment but the last; the header is a part of the first.
    pub segment_bytes: usize,
}

/// A segment of a layer.
///
/// ```
/// # fn check(server: &strongroom::Running) -> Result<(), String> {
/// let layer = server.stored("photos", "cat")?.blobs[0].layout[0];
/// for segment in layer.segments() {
///     assert_eq!(segment.sealed_bytes, segment.plaintext_bytes + layer.tag_bytes as u64);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Where its ciphertext begins in the layer.
    pub offset: u64,
    /// The size of ciphertext and tag in bytes.
    pub sealed_bytes: u64,
    /// The size of its plaintext in bytes.
    pub plaintext_bytes: u64,
}

impl LayerLayout {
    /// Its segments, in order. There is one at least, and that of no plaintext is empty.
    ///
    /// ```
    /// # fn check(server: &strongroom::Running) -> Result<(), String> {
    /// let layer = server.stored("photos", "cat")?.blobs[0].layout[0];
    /// let plaintext: u64 = layer.segments().map(|segment| segment.plaintext_bytes).sum();
    /// assert_eq!(plaintext, layer.plaintext_bytes);
    /// # Ok(()) }
    /// ```
    pub fn segments(&self) -> impl Iterator<Item = Segment> + use<> {
        let (layout, size) = (Layout::of(self.segment_bytes), self.plaintext_bytes);
        (0..=layout.last(size)).map(move |index| {
            let (sealed, plain) = (
                layout.sealed_range(index, size),
                layout.plaintext_range(index, size),
            );
            Segment {
                offset: sealed.start,
                sealed_bytes: sealed.end - sealed.start,
                plaintext_bytes: plain.end - plain.start,
            }
        })
    }

    /// A layer that is this long; `None` where none can be.
    fn of(sealed_bytes: u64) -> Option<Self> {
        let plaintext_bytes = Layout::of(SEGMENT_BYTES).plaintext_bytes(sealed_bytes)?;
        Some(Self {
            sealed_bytes,
            plaintext_bytes,
            header_bytes: HEADER_BYTES,
            tag_bytes: TAG_BYTES,
            segment_bytes: SEGMENT_BYTES,
        })
    }
}

/// So many layers of a blob, the outermost first; `None` where a blob of this length cannot have them.
pub(super) fn layers_of(sealed_bytes: u64, layers: usize) -> Option<Vec<LayerLayout>> {
    let mut found: Vec<LayerLayout> = Vec::with_capacity(layers);
    for _ in 0..layers {
        let outer = found.last().map(|outer| outer.plaintext_bytes);
        found.push(LayerLayout::of(outer.unwrap_or(sealed_bytes))?);
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::data_key::DataKey;
    use crate::crypto::segments::{SealSeed, Sealer};

    /// What a sealer makes of this many zeros.
    fn sealed_bytes(plaintext_bytes: u64) -> u64 {
        let seed = SealSeed {
            salt: [1; 32],
            nonce_prefix: [2; 7],
        };
        let mut layer = Sealer::new(&DataKey::new([3; 32]), b"blob", &seed, SEGMENT_BYTES);
        let mut sealed = Vec::new();
        let plaintext = vec![0; usize::try_from(plaintext_bytes).unwrap()];
        layer.update(&plaintext, &mut sealed);
        layer.finish(&mut sealed);
        u64::try_from(sealed.len()).unwrap()
    }

    fn sizes(layer: LayerLayout) -> Vec<(u64, u64, u64)> {
        let sizes = |segment: Segment| {
            (
                segment.offset,
                segment.sealed_bytes,
                segment.plaintext_bytes,
            )
        };
        layer.segments().map(sizes).collect()
    }

    #[test]
    fn no_plaintext_is_one_empty_segment() {
        let layers = layers_of(72, 1).unwrap();

        assert_eq!(sizes(layers[0]), [(40, 32, 0)]);
        assert_eq!(layers_of(71, 1), None);
        assert_eq!(layers_of(72, 2), None);
    }

    #[test]
    fn an_outer_layer_seals_the_whole_inner_one() {
        let inner = sealed_bytes(70_000);

        let layers = layers_of(sealed_bytes(inner), 2).unwrap();

        assert_eq!(layers[0].plaintext_bytes, inner);
        assert_eq!(
            (layers[1].sealed_bytes, layers[1].plaintext_bytes),
            (inner, 70_000)
        );
        assert_eq!(
            sizes(layers[1]),
            [(40, 65_496, 65_464), (65_536, 4_568, 4_536)]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn segments_fill_the_layer_behind_its_header(size in 0_u64..300_000) {
            let sealed = sealed_bytes(size);

            let layer = layers_of(sealed, 1).unwrap()[0];

            let (mut end, mut plain) = (40, 0);
            for segment in layer.segments() {
                prop_assert_eq!(segment.offset, end);
                prop_assert_eq!(segment.sealed_bytes, segment.plaintext_bytes + 32);
                end += segment.sealed_bytes;
                plain += segment.plaintext_bytes;
            }
            prop_assert_eq!((end, plain, layer.plaintext_bytes), (sealed, size, size));
        }
    }
}
