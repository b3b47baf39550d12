//! A body as its innermost layer was sealed: the blob itself, or what an outer layer over it opens to.
//!
//! Segments of the two layers do not lie on each other: an inner one straddles two outer ones. The outer segment last
//! opened is kept, so that reading from front to back opens each of them once.

use std::fmt;
use std::ops::Range;

use crate::crypto::error::CryptoError;
use crate::crypto::segments::Opener;
use crate::model::object::BlobId;
use crate::s3::error::S3Error;
use crate::store::reader::BlobReader;

/// A sealed blob, and what its row says of it.
#[derive(Debug)]
pub(crate) struct SealedBlob {
    /// Its name.
    pub(crate) id: BlobId,
    /// The size of its plaintext in bytes.
    pub(crate) size_bytes: u64,
    /// Its bytes.
    pub(crate) reader: BlobReader,
}

/// Gives any part of a sealed body. Blocking.
#[derive(Debug)]
pub(crate) struct SealedSource {
    blob: BlobId,
    reader: BlobReader,
    outer: Option<OuterLayer>,
}

/// The layer that lies over the sealed body.
struct OuterLayer {
    opener: Opener,
    /// What the last opened segment gave, and its place in all that the layer gives: an empty one until a tag was
    /// checked. It is sealed still, so that nothing has to be wiped.
    held: Vec<u8>,
    place: Range<u64>,
}

impl SealedSource {
    /// The blob itself.
    pub(crate) fn of_blob(blob: BlobId, reader: BlobReader) -> Self {
        Self {
            blob,
            reader,
            outer: None,
        }
    }

    /// What lies under a layer of the blob.
    pub(crate) fn under(self, outer: Opener) -> Self {
        Self {
            outer: Some(OuterLayer {
                opener: outer,
                held: Vec::new(),
                place: 0..0,
            }),
            ..self
        }
    }

    /// The length of the sealed body in bytes.
    pub(crate) fn sealed_bytes(&self) -> u64 {
        match &self.outer {
            None => self.reader.sealed_bytes(),
            Some(outer) => outer.opener.plaintext_bytes(),
        }
    }

    /// Fills `out` with the bytes that begin at `offset`, each checked by the outer layer, where there is one.
    ///
    /// # Errors
    ///
    /// `InternalError` when the blob is unreadable, too short or fails the check; the cause names it.
    pub(crate) fn read_at(&mut self, mut offset: u64, mut out: &mut [u8]) -> Result<(), S3Error> {
        let length = u64::try_from(out.len()).map_err(S3Error::internal)?;
        let end = offset.saturating_add(length);
        let Some(outer) = &mut self.outer else {
            return Ok(self.reader.read_at(offset, out)?);
        };
        if end > outer.opener.plaintext_bytes() {
            return Err(damaged(self.blob, CryptoError::BadLength));
        }
        while offset < end {
            if !outer.place.contains(&offset) {
                outer.open(self.blob, &self.reader, offset)?;
            }
            let part = outer.part(offset..end)?;
            let (now, later) = out.split_at_mut(part.len());
            now.copy_from_slice(part);
            offset = end.min(outer.place.end);
            out = later;
        }
        Ok(())
    }

    /// Names the blob whose bytes did not open.
    pub(crate) fn damaged(&self, source: impl fmt::Display) -> S3Error {
        damaged(self.blob, source)
    }
}

impl OuterLayer {
    /// Opens the segment that holds an offset, in the place of the one that was held.
    fn open(&mut self, blob: BlobId, reader: &BlobReader, offset: u64) -> Result<(), S3Error> {
        let segment = self.opener.segment_of(offset);
        let sealed = self.opener.sealed_range(segment);
        let length = usize::try_from(sealed.end - sealed.start).map_err(S3Error::internal)?;
        self.place = 0..0;
        self.held.resize(length, 0);
        reader.read_at(sealed.start, &mut self.held)?;
        self.opener
            .open_segment(segment, &mut self.held)
            .map_err(|source| damaged(blob, source))?;
        self.place = self.opener.plaintext_range(segment);
        Ok(())
    }

    /// What is held of a range that begins in the held segment.
    fn part(&self, range: Range<u64>) -> Result<&[u8], S3Error> {
        let cut = |offset: u64| {
            usize::try_from(offset.min(self.place.end) - self.place.start)
                .map_err(S3Error::internal)
        };
        Ok(&self.held[cut(range.start)?..cut(range.end)?])
    }
}

fn damaged(blob: BlobId, source: impl fmt::Display) -> S3Error {
    S3Error::internal(format!("cannot open blob `{blob}`: {source}"))
}

impl fmt::Debug for OuterLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OuterLayer")
            .field("opener", &self.opener)
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;

    use proptest::prelude::*;

    use super::*;
    use crate::crypto::data_key::DataKey;
    use crate::crypto::segments::{SealSeed, Sealer};
    use crate::s3::fixtures::{Shelf, cause, plaintext};

    const SEGMENT_BYTES: usize = 256;

    /// A source under a layer of small segments that lies over `body`, with a change to the blob.
    fn layered(shelf: &Shelf, body: &[u8], change: impl FnOnce(&mut [u8])) -> SealedSource {
        let key = DataKey::new([2; 32]);
        let SealedBlob {
            id: blob, reader, ..
        } = shelf.keep(body.len(), |blob| {
            let seed = SealSeed {
                salt: [3; 32],
                nonce_prefix: [4; 7],
            };
            let id = blob.to_string();
            let mut layer = Sealer::new(&key, id.as_bytes(), &seed, SEGMENT_BYTES);
            let mut sealed = Vec::new();
            layer.update(body, &mut sealed);
            layer.finish(&mut sealed);
            change(&mut sealed);
            sealed
        });
        let (id, mut header) = (blob.to_string(), [0; 40]);
        reader.read_at(0, &mut header).unwrap();
        let length = reader.sealed_bytes();
        let opener = Opener::new(&key, id.as_bytes(), &header, length, SEGMENT_BYTES).unwrap();
        SealedSource::of_blob(blob, reader).under(opener)
    }

    fn read(source: &mut SealedSource, range: Range<usize>) -> Result<Vec<u8>, S3Error> {
        let mut out = vec![0; range.len()];
        source.read_at(u64::try_from(range.start).unwrap(), &mut out)?;
        Ok(out)
    }

    #[test]
    fn without_a_layer_it_is_the_blob() {
        let shelf = Shelf::new();
        let stored = shelf.keep(1_000, |_| plaintext(1_000));

        let mut source = SealedSource::of_blob(stored.id, stored.reader);

        assert_eq!(source.sealed_bytes(), 1_000);
        assert_eq!(read(&mut source, 3..900).unwrap(), plaintext(1_000)[3..900]);
        assert!(read(&mut source, 3..1_001).is_err());
    }

    #[test]
    fn nothing_is_read_beyond_the_end_of_a_layer() {
        let shelf = Shelf::new();
        let full = 184 + 224; // the last segment is full
        for length in [0, 1, full] {
            let mut source = layered(&shelf, &plaintext(length), |_| ());

            assert_eq!(source.sealed_bytes(), u64::try_from(length).unwrap());
            assert_eq!(read(&mut source, 0..length).unwrap(), plaintext(length));
            for offset in [length, 9_999] {
                let error = read(&mut source, offset..offset + 1).unwrap_err();
                assert!(cause(&error).starts_with("cannot open blob `"), "{error}");
            }
            assert!(source.read_at(u64::MAX, &mut [0; 2]).is_err());
        }
    }

    #[test]
    fn an_opened_segment_is_not_read_again() {
        let shelf = Shelf::new();
        let body = plaintext(5_000);
        let mut source = layered(&shelf, &body, |_| ());
        let id = source.blob.to_string();
        read(&mut source, 0..1).unwrap();

        let path = shelf.store.path().join("blobs").join(&id[..2]).join(&id);
        let file = OpenOptions::new().write(true).open(path).unwrap();
        file.set_len(0).unwrap();

        assert_eq!(read(&mut source, 1..184).unwrap(), body[1..184]);
        let lost = read(&mut source, 183..185).unwrap_err();
        assert!(cause(&lost).contains(&id), "{}", cause(&lost));
        assert!(
            read(&mut source, 0..1).is_err(),
            "what did not open is not held"
        );
    }

    #[test]
    fn debug_shows_no_bytes() {
        let mut source = layered(&Shelf::new(), &plaintext(5_000), |_| ());
        read(&mut source, 0..100).unwrap();

        let shown = format!("{:?}", source.outer.unwrap());

        let opener = "Opener { plaintext_bytes: 5000, .. }";
        assert_eq!(
            shown,
            format!("OuterLayer {{ opener: {opener}, place: 0..184, .. }}")
        );
    }

    #[test]
    fn any_parts_are_slices_of_the_body() {
        let shelf = Shelf::new();
        let parts =
            prop::collection::vec(any::<(prop::sample::Index, prop::sample::Index)>(), 1..8);
        proptest!(|(length in 1_usize..3_000, parts in parts)| {
            let body = plaintext(length);
            let mut source = layered(&shelf, &body, |_| ());
            for (one, other) in parts {
                let (one, other) = (one.index(length + 1), other.index(length + 1));
                let range = one.min(other)..one.max(other);

                prop_assert_eq!(&read(&mut source, range.clone()).unwrap(), &body[range]);
            }
        });
    }

    #[test]
    fn a_flipped_bit_is_refused_and_gives_no_wrong_byte() {
        let shelf = Shelf::new();
        proptest!(|(length in 1_usize..3_000, step in 1_usize..400, at: prop::sample::Index, bit in 0_u32..8)| {
            let body = plaintext(length);
            let mut source = layered(&shelf, &body, |sealed| {
                let at = 1 + at.index(sealed.len() - 1); // byte 0 is refused before there is an opener
                sealed[at] ^= 1_u8 << bit;
            });
            let id = source.blob.to_string();
            let mut refused = 0;
            for start in (0..length).step_by(step) {
                let range = start..length.min(start + step);
                match read(&mut source, range.clone()) {
                    Ok(part) => prop_assert_eq!(&part, &body[range]),
                    Err(error) => {
                        prop_assert!(cause(&error).contains(&id));
                        refused += 1;
                    }
                }
            }
            prop_assert!(refused > 0);
        });
    }
}
