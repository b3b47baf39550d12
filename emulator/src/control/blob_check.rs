//! A sealed body, opened from its first byte to its last, layer by layer, to tell whether it is what was written. It is
//! read once, in pieces, and no more than a segment of each layer is kept.

use crate::crypto::data_key::DataKey;
use crate::crypto::error::CryptoError;
use crate::crypto::layout::HEADER_BYTES;
use crate::crypto::segments::{Opener, SEGMENT_BYTES};
use crate::store::error::StoreError;
use crate::store::reader::BlobReader;

/// Why a body does not open. Layers are counted from the outermost, which is 1; segments from 0.
#[derive(Debug)]
pub(super) enum Broken {
    /// A segment's tag does not match.
    Tag {
        /// The layer.
        layer: usize,
        /// The segment.
        segment: u32,
    },
    /// A layer does not begin as it should.
    Header {
        /// The layer.
        layer: usize,
    },
    /// No body can be of this length, or its plaintext has another size than its row says.
    Size,
    /// It cannot be read.
    Unreadable(StoreError),
}

/// Opens a whole body under the keys of its layers, the outermost first: all of them, and one at least.
///
/// # Errors
///
/// [`Broken`], at the first byte that is not what was written.
pub(super) fn check(
    reader: &BlobReader,
    blob_id: &str,
    keys: &[DataKey],
    size_bytes: u64,
) -> Result<(), Broken> {
    let Some(mut outermost) = Layer::stack(keys, reader.sealed_bytes()) else {
        return Err(Broken::Size);
    };
    let mut piece = vec![0; SEGMENT_BYTES];
    let mut at = 0;
    while at < reader.sealed_bytes() {
        let left = usize::try_from(reader.sealed_bytes() - at).unwrap_or(usize::MAX);
        let now = &mut piece[..left.min(SEGMENT_BYTES)];
        reader.read_at(at, now).map_err(Broken::Unreadable)?;
        outermost.take(now, blob_id)?;
        at += u64::try_from(now.len()).unwrap_or(u64::MAX);
    }
    if outermost.plaintext_bytes() == Some(size_bytes) {
        Ok(())
    } else {
        Err(Broken::Size)
    }
}

/// Whether a body begins as one does, where no key is at hand to open it.
///
/// # Errors
///
/// [`Broken`], where it does not.
pub(super) fn check_header(reader: &BlobReader) -> Result<(), Broken> {
    let mut first = [0];
    reader.read_at(0, &mut first).map_err(Broken::Unreadable)?;
    if usize::from(first[0]) == HEADER_BYTES {
        Ok(())
    } else {
        Err(Broken::Header { layer: 1 })
    }
}

/// A layer on its way through.
struct Layer {
    number: usize,
    key: DataKey,
    sealed_bytes: u64,
    /// `None` until the header is there.
    opener: Option<Opener>,
    next_segment: u32,
    /// What is there of the header, or of the next segment.
    pending: Vec<u8>,
    inner: Option<Box<Layer>>,
}

impl Layer {
    /// The outermost of these layers; `None` where there is no key.
    fn stack(keys: &[DataKey], sealed_bytes: u64) -> Option<Self> {
        let counted = keys.iter().enumerate().rev();
        counted.fold(None, |inner, (index, key)| {
            Some(Self {
                number: index + 1,
                key: key.clone(),
                sealed_bytes,
                opener: None,
                next_segment: 0,
                pending: Vec::new(),
                inner: inner.map(Box::new),
            })
        })
    }

    /// Takes what comes next of the layer, and opens what is whole.
    fn take(&mut self, mut bytes: &[u8], blob_id: &str) -> Result<(), Broken> {
        while !bytes.is_empty() {
            let wanted = self.whole_bytes()? - self.pending.len();
            let (now, later) = bytes.split_at(wanted.min(bytes.len()));
            self.pending.extend_from_slice(now);
            bytes = later;
            if now.len() == wanted {
                self.open(blob_id)?;
                self.pending.clear();
            }
        }
        Ok(())
    }

    /// The size of what comes next.
    fn whole_bytes(&self) -> Result<usize, Broken> {
        let Some(opener) = &self.opener else {
            return Ok(HEADER_BYTES);
        };
        let last = opener.segment_of(opener.plaintext_bytes().saturating_sub(1));
        if self.next_segment > last {
            return Err(Broken::Size);
        }
        let range = opener.sealed_range(self.next_segment);
        usize::try_from(range.end - range.start).map_err(|_| Broken::Size)
    }

    fn open(&mut self, blob_id: &str) -> Result<(), Broken> {
        let (layer, segment) = (self.number, self.next_segment);
        let told = |error| match error {
            CryptoError::TagMismatch => Broken::Tag { layer, segment },
            // No body is a key pair.
            CryptoError::BadHeader | CryptoError::BadKey => Broken::Header { layer },
            CryptoError::BadLength => Broken::Size,
        };
        let Some(opener) = &self.opener else {
            let opener = self.begin(blob_id).map_err(told)?;
            if let Some(inner) = &mut self.inner {
                inner.sealed_bytes = opener.plaintext_bytes();
            }
            self.opener = Some(opener);
            return Ok(());
        };
        let plain = opener
            .open_segment(segment, &mut self.pending)
            .map_err(told)?;
        self.next_segment += 1;
        match &mut self.inner {
            Some(inner) => inner.take(plain, blob_id),
            None => Ok(()),
        }
    }

    fn begin(&self, blob_id: &str) -> Result<Opener, CryptoError> {
        let header = self.pending.first_chunk().ok_or(CryptoError::BadLength)?;
        Opener::new(
            &self.key,
            blob_id.as_bytes(),
            header,
            self.sealed_bytes,
            SEGMENT_BYTES,
        )
    }

    /// The size of the innermost plaintext; `None` where a layer has not been opened to its end.
    fn plaintext_bytes(&self) -> Option<u64> {
        let opener = self.opener.as_ref()?;
        let last = opener.segment_of(opener.plaintext_bytes().saturating_sub(1));
        if self.next_segment <= last {
            return None;
        }
        match &self.inner {
            Some(inner) => inner.plaintext_bytes(),
            None => Some(opener.plaintext_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::segments::{SealSeed, Sealer};
    use crate::s3::fixtures::{Shelf, plaintext};
    use crate::s3::layers::SealedBlob;

    fn seal(key: &DataKey, blob_id: &str, body: &[u8]) -> Vec<u8> {
        let seed = SealSeed {
            salt: [3; 32],
            nonce_prefix: [4; 7],
        };
        let mut sealer = Sealer::new(key, blob_id.as_bytes(), &seed, SEGMENT_BYTES);
        let mut bytes = Vec::new();
        sealer.update(body, &mut bytes);
        sealer.finish(&mut bytes);
        bytes
    }

    fn keys(layers: usize) -> Vec<DataKey> {
        (1..)
            .map(|byte| DataKey::new([byte; 32]))
            .take(layers)
            .collect()
    }

    /// A blob of so many layers, and what comes of checking it after a change.
    fn checked(
        shelf: &Shelf,
        (length, layers): (usize, usize),
        change: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Broken> {
        let keys = keys(layers);
        let SealedBlob {
            id,
            size_bytes,
            reader,
        } = shelf.keep(length, |blob| {
            let id = blob.to_string();
            let sealed = keys.iter().rev();
            let mut sealed = sealed.fold(plaintext(length), |body, key| seal(key, &id, &body));
            change(&mut sealed);
            sealed
        });
        check(&reader, &id.to_string(), &keys, size_bytes)
    }

    #[test]
    fn bodies_of_all_sizes_and_layers_open_to_their_end() {
        let shelf = Shelf::new();
        // Around the borders of the first and the second segment, of one layer and of the layer over it.
        for length in [
            0, 1, 65_391, 65_392, 65_463, 65_464, 65_465, 130_968, 130_969, 300_000,
        ] {
            for layers in [1, 2] {
                let checked = checked(&shelf, (length, layers), |_| ());

                assert!(checked.is_ok(), "{length}, {layers}: {checked:?}");
            }
        }
    }

    #[test]
    fn any_flipped_bit_is_found() {
        let shelf = Shelf::new();
        proptest!(ProptestConfig::with_cases(48), |(length in 0_usize..200_000, layers in 1_usize..3, at: prop::sample::Index, bit in 0_u32..8)| {
            let mut expected = 0;

            let checked = checked(&shelf, (length, layers), |sealed| {
                let at = at.index(sealed.len());
                expected = at / SEGMENT_BYTES;
                sealed[at] ^= 1_u8 << bit;
            });

            match checked.unwrap_err() {
                Broken::Tag { layer, segment } => {
                    prop_assert_eq!((layer, segment), (1, u32::try_from(expected).unwrap()));
                }
                Broken::Header { layer } => prop_assert_eq!((layer, expected), (1, 0)),
                other => prop_assert!(false, "{:?}", other),
            }
        });
    }

    #[test]
    fn an_inner_layer_that_is_another_one_is_told_from_the_outer() {
        let shelf = Shelf::new();
        let other = DataKey::new([9; 32]);

        let keys = keys(1);
        let blob = shelf.keep(10, |blob| {
            let id = blob.to_string();
            seal(&keys[0], &id, &seal(&other, &id, &plaintext(10)))
        });
        let pair = [keys[0].clone(), DataKey::new([8; 32])];
        let checked = check(&blob.reader, &blob.id.to_string(), &pair, 10);

        let found = checked.unwrap_err();
        assert!(
            matches!(
                found,
                Broken::Tag {
                    layer: 2,
                    segment: 0
                }
            ),
            "{found:?}"
        );
    }

    #[test]
    fn a_body_of_another_size_than_its_row_says_is_found() {
        let shelf = Shelf::new();
        let (id, keys) = (std::cell::OnceCell::new(), keys(1));
        let blob = shelf.keep(70_000, |blob| {
            let id = id.get_or_init(|| blob.to_string());
            seal(&keys[0], id, &plaintext(70_000))
        });

        let checked = check(&blob.reader, id.get().unwrap(), &keys, 69_999);

        assert!(matches!(checked, Err(Broken::Size)), "{checked:?}");
    }
}
