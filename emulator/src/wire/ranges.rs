//! The `Range` header of a read: one range of bytes, inclusive as in HTTP.
//!
//! S3 ignores what it cannot read, and several ranges too: the whole object comes then, with 200.

/// What a reader wants of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it: 200.
    Whole,
    /// The bytes from `first` to `last`, both included, both inside the object: 206.
    Part {
        /// The first byte, counted from 0.
        first: u64,
        /// The last byte.
        last: u64,
    },
    /// Nothing that is there: 416.
    Unsatisfiable,
}

/// Reads a `Range` header against an object's size in bytes.
///
/// Source: answers recorded for `0-8`, `0-100`, `-15`, `100-200`, `-0`, `1-0` and `-1-` of 10 bytes; RFC 9110 §14.1.2.
pub(crate) fn parse_range(header: &str, size_bytes: u64) -> Wanted {
    // AWS: unverified whether `Bytes=` counts as `bytes=`, as RFC 9110 would have it.
    let bounds = header.strip_prefix("bytes=").and_then(parse_bounds);
    let Some(bounds) = bounds else {
        return Wanted::Whole;
    };
    let (first, last) = match bounds {
        (Some(first), Some(last)) if first > last => return Wanted::Whole,
        (Some(first), last) => (first, last.unwrap_or(u64::MAX)),
        (None, Some(0)) => return Wanted::Unsatisfiable,
        (None, Some(length)) => (size_bytes.saturating_sub(length), u64::MAX),
        (None, None) => return Wanted::Whole,
    };
    if first >= size_bytes {
        return Wanted::Unsatisfiable;
    }
    Wanted::Part {
        first,
        last: last.min(size_bytes - 1),
    }
}

/// The two sides of one dash, either of which may be empty; `None` for anything but digits there.
///
/// A number may be of any length: above `u64` it is as good as the end of any object.
fn parse_bounds(range: &str) -> Option<(Option<u64>, Option<u64>)> {
    let is_number = |digits: &str| digits.bytes().all(|digit| digit.is_ascii_digit());
    let bound = |digits: &str| (!digits.is_empty()).then(|| digits.parse().unwrap_or(u64::MAX));
    let (first, last) = range.split_once('-')?;
    (is_number(first) && is_number(last)).then(|| (bound(first), bound(last)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(first: u64, last: u64) -> Wanted {
        Wanted::Part { first, last }
    }

    #[test]
    fn ranges_of_ten_bytes_answer_as_recorded() {
        let recorded = [
            ("bytes=0-8", part(0, 8)),
            ("bytes=0-100", part(0, 9)),
            ("bytes=5-", part(5, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-15", part(0, 9)),
            ("bytes=9-9", part(9, 9)),
            ("bytes=100-200", Wanted::Unsatisfiable),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=99999999999999999999-", Wanted::Unsatisfiable),
            ("bytes=0-99999999999999999999", part(0, 9)),
        ];
        for (header, wanted) in recorded {
            assert_eq!(parse_range(header, 10), wanted, "{header}");
        }
    }

    #[test]
    fn what_is_no_single_range_is_ignored() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=1-0",
            "bytes=-1-",
            "bytes=0-1,3-4",
            "bytes=+1-2",
            "bytes=0 - 1",
            "bytes=a-b",
            "items=0-1",
            "0-1",
        ] {
            assert_eq!(parse_range(header, 10), Wanted::Whole, "{header}");
        }
    }

    #[test]
    fn no_range_of_an_empty_object_can_be_satisfied() {
        for header in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            assert_eq!(parse_range(header, 0), Wanted::Unsatisfiable, "{header}");
        }
    }

    proptest! {
        #[test]
        fn a_part_lies_inside_the_object(header in "bytes=[0-9]{0,3}-[0-9]{0,3}", size: u16) {
            let size = u64::from(size);
            if let Wanted::Part { first, last } = parse_range(&header, size) {
                prop_assert!(first <= last && last < size);
            }
        }
    }
}
