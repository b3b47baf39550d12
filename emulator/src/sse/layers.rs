//! What a body is sealed with: one layer, or the two of DSSE-KMS.
//!
//! The outer layer takes the whole result of the inner one for its plaintext, header and tags included, so that each of
//! the two is a complete sealing, which opens with the other one's key as little as with none.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingDSSEncryption.html>

use std::fmt;

use crate::crypto::segments::Sealer;

/// Seals a body while it comes, once or twice.
pub(crate) struct SealLayers {
    inner: Sealer,
    outer: Option<OuterSealer>,
}

/// The second layer.
struct OuterSealer {
    sealer: Sealer,
    /// What the inner layer gave and this one has not taken yet. Ciphertext: nothing has to be wiped.
    between: Vec<u8>,
}

impl SealLayers {
    /// One layer: it gives what the sealer gives, and costs no more.
    pub(crate) fn one(sealer: Sealer) -> Self {
        Self {
            inner: sealer,
            outer: None,
        }
    }

    /// Two layers. Their keys must differ.
    pub(crate) fn two(inner: Sealer, outer: Sealer) -> Self {
        let outer = OuterSealer {
            sealer: outer,
            between: Vec::new(),
        };
        Self {
            inner,
            outer: Some(outer),
        }
    }

    /// Takes plaintext and appends what can be sealed of it to `sealed`.
    pub(crate) fn update(&mut self, plaintext: &[u8], sealed: &mut Vec<u8>) {
        match &mut self.outer {
            None => self.inner.update(plaintext, sealed),
            Some(OuterSealer { sealer, between }) => {
                self.inner.update(plaintext, between);
                sealer.update(between, sealed);
                between.clear();
            }
        }
    }

    /// Appends the last segment of every layer.
    pub(crate) fn finish(self, sealed: &mut Vec<u8>) {
        match self.outer {
            None => self.inner.finish(sealed),
            Some(OuterSealer {
                mut sealer,
                mut between,
            }) => {
                self.inner.finish(&mut between);
                sealer.update(&between, sealed);
                sealer.finish(sealed);
            }
        }
    }
}

impl fmt::Debug for SealLayers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealLayers")
            .field("inner", &self.inner)
            .field("outer", &self.outer.as_ref().map(|outer| &outer.sealer))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;
    use crate::crypto::data_key::DataKey;
    use crate::crypto::error::CryptoError;
    use crate::crypto::segments::{Opener, SealSeed};

    const SEGMENT_BYTES: usize = 256;
    const INNER: [u8; 32] = [1; 32];
    const OUTER: [u8; 32] = [2; 32];

    fn plaintext(length: usize) -> Vec<u8> {
        let counted = (0_u32..).flat_map(u32::to_be_bytes);
        counted.take(length).collect()
    }

    fn sealer(key: [u8; 32]) -> Sealer {
        let seed = SealSeed {
            salt: [key[0] + 10; 32],
            nonce_prefix: [key[0] + 20; 7],
        };
        Sealer::new(&DataKey::new(key), b"blob", &seed, SEGMENT_BYTES)
    }

    fn alone(key: [u8; 32], plain: &[u8]) -> Vec<u8> {
        let (mut layer, mut sealed) = (sealer(key), Vec::new());
        layer.update(plain, &mut sealed);
        layer.finish(&mut sealed);
        sealed
    }

    fn seal(mut layers: SealLayers, pieces: &[&[u8]]) -> Vec<u8> {
        let mut sealed = Vec::new();
        for piece in pieces {
            layers.update(piece, &mut sealed);
        }
        layers.finish(&mut sealed);
        sealed
    }

    fn both() -> SealLayers {
        SealLayers::two(sealer(INNER), sealer(OUTER))
    }

    fn open(key: [u8; 32], sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let header = sealed.first_chunk().ok_or(CryptoError::BadLength)?;
        let length = u64::try_from(sealed.len()).unwrap();
        let opener = Opener::new(&DataKey::new(key), b"blob", header, length, SEGMENT_BYTES)?;
        let index = |offset: u64| usize::try_from(offset).unwrap();
        let mut plain = Vec::new();
        for segment in 0..=opener.segment_of(opener.plaintext_bytes().saturating_sub(1)) {
            let place = opener.sealed_range(segment);
            let mut piece = sealed[index(place.start)..index(place.end)].to_vec();
            plain.extend_from_slice(opener.open_segment(segment, &mut piece)?);
        }
        Ok(plain)
    }

    /// Whether sixteen bytes in a row of one stand anywhere in the other.
    fn share_bytes(one: &[u8], other: &[u8]) -> bool {
        let runs: HashSet<&[u8]> = one.windows(16).collect();
        other.windows(16).any(|run| runs.contains(run))
    }

    #[test]
    fn no_layer_shows_a_key() {
        let (one, two) = (SealLayers::one(sealer(INNER)), both());

        assert_eq!(
            format!("{one:?}"),
            "SealLayers { inner: Sealer { index: 0, .. }, outer: None }"
        );
        assert_eq!(
            format!("{two:?}"),
            "SealLayers { inner: Sealer { index: 0, .. }, outer: Some(Sealer { index: 0, .. }) }"
        );
    }

    #[test]
    fn two_layers_hide_the_plaintext_and_the_inner_body() {
        let plain = plaintext(3_000);

        let sealed = seal(both(), &[&plain]);

        assert!(share_bytes(&plain, &plain[7..]));
        assert!(!share_bytes(&plain, &sealed));
        assert!(!share_bytes(&alone(INNER, &plain), &sealed));
    }

    #[test]
    fn two_layers_open_with_both_keys_in_their_order() {
        let sealed = seal(both(), &[&plaintext(3_000)]);

        assert_eq!(open(INNER, &sealed), Err(CryptoError::TagMismatch));
        let inner = open(OUTER, &sealed).unwrap();
        assert_eq!(open(OUTER, &inner), Err(CryptoError::TagMismatch));
        assert_eq!(open(INNER, &inner).unwrap(), plaintext(3_000));
    }

    proptest! {
        #[test]
        fn one_layer_is_the_sealer_alone(length in 0_usize..2_000, cut: prop::sample::Index) {
            let plain = plaintext(length);
            let (head, tail) = plain.split_at(cut.index(length + 1));

            let sealed = seal(SealLayers::one(sealer(INNER)), &[head, tail]);

            prop_assert_eq!(sealed, alone(INNER, &plain));
        }

        #[test]
        fn two_layers_are_one_sealing_of_another(length in 0_usize..2_000, cuts in prop::collection::vec(0_usize..300, 0..20)) {
            let plain = plaintext(length);
            let mut pieces = Vec::new();
            let mut rest = &plain[..];
            for cut in cuts {
                let (piece, tail) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = tail;
            }
            pieces.push(rest);

            let sealed = seal(both(), &pieces);

            let inner = alone(INNER, &plain);
            prop_assert_eq!(&sealed, &alone(OUTER, &inner));
            prop_assert_eq!(open(OUTER, &sealed).unwrap(), inner.clone());
            prop_assert_eq!(open(INNER, &inner).unwrap(), plain);
        }
    }
}
