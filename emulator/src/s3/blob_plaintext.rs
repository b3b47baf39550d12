//! The plaintext of one sealed blob: read segment by segment, each checked before a byte of it is given.

use bytes::Bytes;

use crate::crypto::segments::Opener;
use crate::s3::error::S3Error;
use crate::s3::layers::SealedSource;

/// How many segments are opened at once.
const SEGMENTS_A_JOB: u32 = 8;

/// A plaintext range of a sealed body, read from front to back. Blocking.
#[derive(Debug)]
pub(crate) struct BlobPlaintext {
    opener: Opener,
    sealed: SealedSource,
    /// The next byte to give, and the byte behind the last one.
    next: u64,
    end: u64,
}

impl BlobPlaintext {
    /// Opens `first ..= last` of a body, which lies within it; `None` for all of it. An empty body gives nothing.
    pub(crate) fn new(opener: Opener, sealed: SealedSource, range: Option<(u64, u64)>) -> Self {
        let (next, end) = range.map_or((0, opener.plaintext_bytes()), |(first, last)| {
            (first, last + 1)
        });
        Self {
            opener,
            sealed,
            next,
            end,
        }
    }

    /// How many bytes are still to come.
    pub(crate) fn remaining_bytes(&self) -> u64 {
        self.end - self.next
    }

    /// The next bytes, up to [`SEGMENTS_A_JOB`] segments' worth; `None` at the end.
    ///
    /// # Errors
    ///
    /// `InternalError` when the blob is unreadable or fails its check; the cause names it.
    pub(crate) fn read(&mut self) -> Result<Option<Bytes>, S3Error> {
        if self.next == self.end {
            return Ok(None);
        }
        let first = self.opener.segment_of(self.next);
        let last = self
            .opener
            .segment_of(self.end - 1)
            .min(first.saturating_add(SEGMENTS_A_JOB - 1));
        let sealed = self.opener.sealed_range(last).end - self.opener.sealed_range(first).start;
        let mut plain = Vec::with_capacity(usize::try_from(sealed).map_err(S3Error::internal)?);
        for segment in first..=last {
            self.read_segment(segment, &mut plain)?;
        }
        Ok(Some(plain.into()))
    }

    /// Appends what is wanted of a segment: read, opened and cut where it will stay.
    fn read_segment(&mut self, segment: u32, plain: &mut Vec<u8>) -> Result<(), S3Error> {
        let sealed = self.opener.sealed_range(segment);
        let length = usize::try_from(sealed.end - sealed.start).map_err(S3Error::internal)?;
        let start = plain.len();
        plain.resize(start + length, 0);
        self.sealed.read_at(sealed.start, &mut plain[start..])?;
        self.opener
            .open_segment(segment, &mut plain[start..])
            .map_err(|source| self.sealed.damaged(source))?;
        let whole = self.opener.plaintext_range(segment);
        let stop = self.end.min(whole.end);
        let cut = |offset: u64| usize::try_from(offset - whole.start).map_err(S3Error::internal);
        let (first, last) = (cut(self.next)?, cut(stop)?);
        plain.copy_within(start + first..start + last, start);
        plain.truncate(start + last - first);
        self.next = stop;
        Ok(())
    }

    /// Opens the one segment of an empty body, which nobody else would read: that may be damaged too.
    ///
    /// # Errors
    ///
    /// As [`BlobPlaintext::read`].
    pub(crate) fn check_empty(&mut self) -> Result<(), S3Error> {
        self.read_segment(0, &mut Vec::new())
    }
}
