//! The `Range` header, as S3 reads it.
//!
//! One range of bytes; what is malformed, reversed or several is no range at all, and the whole object is answered.
//!
//! Source: RFC 9110 §14, and answers recorded from AWS.

/// What a `Range` header asks of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Whole,
    /// A part: the first and the last byte, both included.
    Part {
        /// Offset of the first byte.
        first: u64,
        /// Offset of the last byte.
        last: u64,
    },
    /// A part that the object does not have.
    Unsatisfiable,
}

/// Reads a header for an object of `size_bytes`.
pub(crate) fn parse_range(header: &str, size_bytes: u64) -> Wanted {
    parse(header, size_bytes).unwrap_or(Wanted::Whole)
}

fn parse(header: &str, size_bytes: u64) -> Option<Wanted> {
    let (first, last) = header.trim().strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    if first.is_empty() {
        let length = number(last)?.min(size_bytes);
        return Some(if length == 0 {
            Wanted::Unsatisfiable
        } else {
            Wanted::Part {
                first: size_bytes - length,
                last: size_bytes - 1,
            }
        });
    }
    let first = number(first)?;
    let last = if last.is_empty() {
        u64::MAX
    } else {
        number(last)?
    };
    if last < first {
        return None;
    }
    match size_bytes.checked_sub(1) {
        Some(end) if first <= end => Some(Wanted::Part {
            first,
            last: last.min(end),
        }),
        _ => Some(Wanted::Unsatisfiable),
    }
}

/// Digits alone: no sign, no blank. More than 64 bits is beyond every object.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Recorded from AWS on an object of ten bytes.
    #[test]
    fn ranges_are_read_as_aws_does() {
        let part = |first, last| Wanted::Part { first, last };
        let cases = [
            ("bytes=0-8", part(0, 8)),
            ("bytes=0-100", part(0, 9)),
            ("bytes=5-", part(5, 9)),
            ("bytes=-15", part(0, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=100-200", Wanted::Unsatisfiable),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=1-0", Wanted::Whole),
            ("bytes=-1-", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("0-1", Wanted::Whole),
            ("", Wanted::Whole),
        ];
        for (header, wanted) in cases {
            assert_eq!(parse_range(header, 10), wanted, "{header}");
        }
    }

    #[test]
    fn an_empty_object_has_no_part() {
        assert_eq!(parse_range("bytes=0-", 0), Wanted::Unsatisfiable);
        assert_eq!(parse_range("bytes=-5", 0), Wanted::Unsatisfiable);
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_object(header in "(bytes=)?[0-9]{0,21}-[0-9]{0,21}", size: u64) {
            if let Wanted::Part { first, last } = parse_range(&header, size) {
                prop_assert!(first <= last && last < size);
            }
        }
    }
}
