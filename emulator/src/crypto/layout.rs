//! Where the segments of a sealed body begin and end. It follows from the body's length alone, so that no key is needed
//! to tell it.

use std::ops::Range;

/// The header: its own length, salt, nonce prefix.
pub(crate) const HEADER_BYTES: usize = 1 + SALT_BYTES + PREFIX_BYTES;
/// The tag behind each segment.
pub(crate) const TAG_BYTES: usize = 32;
pub(super) const SALT_BYTES: usize = 32;
pub(super) const PREFIX_BYTES: usize = 7;

/// The layout of bodies whose sealed segments have a given size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    segment_bytes: u64,
}

impl Layout {
    /// Of segments of this many bytes, tag included; the header is a part of the first.
    pub(crate) fn of(segment_bytes: usize) -> Self {
        Self {
            segment_bytes: widen(segment_bytes),
        }
    }

    /// Plaintext bytes of the first segment, which shares its room with the header.
    fn first(self) -> u64 {
        self.later() - widen(HEADER_BYTES)
    }

    /// Plaintext bytes of every other segment but the last.
    fn later(self) -> u64 {
        self.segment_bytes - widen(TAG_BYTES)
    }

    /// Plaintext bytes of a segment that is not the last.
    pub(super) fn plaintext_of(self, index: u32) -> u64 {
        if index == 0 {
            self.first()
        } else {
            self.later()
        }
    }

    /// The plaintext offset at which a segment begins.
    fn start(self, index: u32) -> u64 {
        match index.checked_sub(1) {
            None => 0,
            Some(before) => self.first() + u64::from(before) * self.later(),
        }
    }

    /// The segment that holds a plaintext offset.
    pub(super) fn segment_of(self, offset: u64) -> u32 {
        let behind_first = offset.checked_sub(self.first());
        let index = behind_first.map_or(0, |offset| 1 + offset / self.later());
        u32::try_from(index).unwrap_or(u32::MAX)
    }

    /// The last segment of a plaintext of this length.
    pub(crate) fn last(self, plaintext_bytes: u64) -> u32 {
        self.segment_of(plaintext_bytes.saturating_sub(1))
    }

    /// The plaintext's length, if a body of this sealed length can be.
    pub(crate) fn plaintext_bytes(self, sealed_bytes: u64) -> Option<u64> {
        let segments = sealed_bytes.div_ceil(self.segment_bytes);
        let last = sealed_bytes - segments.checked_sub(1)? * self.segment_bytes;
        let overhead = widen(HEADER_BYTES) + segments * widen(TAG_BYTES);
        let minimum = if segments == 1 {
            widen(HEADER_BYTES + TAG_BYTES)
        } else {
            widen(TAG_BYTES) + 1
        };
        (last >= minimum && u32::try_from(segments).is_ok()).then(|| sealed_bytes - overhead)
    }

    /// The plaintext offsets of a segment.
    pub(crate) fn plaintext_range(self, index: u32, plaintext_bytes: u64) -> Range<u64> {
        let start = self.start(index);
        start..(start + self.plaintext_of(index)).min(plaintext_bytes)
    }

    /// Where a segment lies in the sealed body, its tag included and the header left out.
    pub(crate) fn sealed_range(self, index: u32, plaintext_bytes: u64) -> Range<u64> {
        let start = u64::from(index) * self.segment_bytes;
        let first = if index == 0 {
            widen(HEADER_BYTES)
        } else {
            start
        };
        let plain = self.plaintext_range(index, plaintext_bytes);
        first..first + (plain.end - plain.start) + widen(TAG_BYTES)
    }
}

/// A length as an offset.
pub(super) fn widen(bytes: usize) -> u64 {
    u64::try_from(bytes).expect("these are lengths of slices and constants")
}
