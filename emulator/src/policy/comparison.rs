//! How a value of a request compares with one of a condition. What cannot be read matches nothing.

use std::cmp::Ordering;
use std::net::IpAddr;

use crate::policy::keys::ContextKeys;
use crate::policy::moment;
use crate::policy::pattern::{Token, matches};
use crate::policy::template::Template;

/// A way to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// As texts.
    Text(TextMatch),
    /// As numbers, whole or with a fraction.
    Number(Order),
    /// As moments.
    Date(Order),
    /// As `true` and `false`.
    Bool,
    /// As bytes in base64.
    Binary,
    /// An address with a range.
    IpAddress,
    /// An ARN with a pattern for each of its six parts.
    Arn,
}

/// How texts match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextMatch {
    /// Letter by letter.
    Exact,
    /// The same without regard to case.
    IgnoringCase,
    /// With `*` and `?`.
    Pattern,
}

/// How a request's value is to stand to the condition's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Equal.
    Equal,
    /// Less, earlier.
    Less,
    /// Less or equal.
    AtMost,
    /// Greater, later.
    Greater,
    /// Greater or equal.
    AtLeast,
}

/// Whether a request's value is as a condition wants it, negation aside.
pub(super) fn compares(
    comparison: Comparison,
    expected: &Template,
    actual: &str,
    keys: &ContextKeys,
) -> bool {
    let written = expected.source.as_str();
    match comparison {
        Comparison::Text(TextMatch::Pattern) => expected
            .pattern(keys)
            .is_some_and(|pattern| matches(&pattern, actual)),
        Comparison::Text(how) => expected
            .text(keys)
            .is_some_and(|expected| same_text(how, &expected, actual)),
        Comparison::Number(order) => fits(order, decimal(actual), decimal(written)),
        Comparison::Date(order) => fits(order, moment::parse(actual), moment::parse(written)),
        Comparison::Bool => expected.text(keys).is_some_and(|expected| {
            boolean(actual).is_some_and(|it| boolean(&expected) == Some(it))
        }),
        Comparison::Binary => is_base64(written) && written == actual,
        Comparison::IpAddress => within(actual, written),
        Comparison::Arn => expected
            .pattern(keys)
            .is_some_and(|pattern| arn_matches(&pattern, actual)),
    }
}

fn same_text(how: TextMatch, expected: &str, actual: &str) -> bool {
    match how {
        TextMatch::IgnoringCase => expected.to_lowercase() == actual.to_lowercase(),
        _ => expected == actual,
    }
}

fn fits<T: Ord>(order: Order, actual: Option<T>, expected: Option<T>) -> bool {
    let (Some(actual), Some(expected)) = (actual, expected) else {
        return false;
    };
    let found = actual.cmp(&expected);
    match order {
        Order::Equal => found == Ordering::Equal,
        Order::Less => found == Ordering::Less,
        Order::AtMost => found != Ordering::Greater,
        Order::Greater => found == Ordering::Greater,
        Order::AtLeast => found != Ordering::Less,
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A number of any length: exact, as a number in binary would not be.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    /// Without zeros before it.
    whole: String,
    /// Without zeros behind it.
    fraction: String,
}

fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let whole = whole.trim_start_matches('0').to_owned();
    let fraction = fraction.trim_end_matches('0').to_owned();
    let is_zero = whole.is_empty() && fraction.is_empty();
    Some(Decimal {
        is_negative: digits.len() < text.len() && !is_zero,
        whole,
        fraction,
    })
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |it: &Self| (it.whole.len(), it.whole.clone(), it.fraction.clone());
        match (self.is_negative, other.is_negative) {
            (false, false) => size(self).cmp(&size(other)),
            (true, true) => size(other).cmp(&size(self)),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Whether this is a range of addresses, or one.
pub(super) fn is_network(text: &str) -> bool {
    network(text).is_some()
}

/// A range: an address, and how many bits of it count.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, prefix) = match text.split_once('/') {
        None => (text, None),
        Some((address, prefix)) => (address, Some(prefix)),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = prefix.map_or(Some(most), |prefix| prefix.parse().ok())?;
    (bits <= most).then_some((address, bits))
}

/// IPv4 and IPv6 have nothing in common.
fn within(address: &str, range: &str) -> bool {
    let (Ok(address), Some((range, bits))) = (address.parse(), network(range)) else {
        return false;
    };
    match (address, range) {
        (IpAddr::V4(address), IpAddr::V4(range)) => {
            let differs = address.to_bits() ^ range.to_bits();
            differs.checked_shr(32 - bits).unwrap_or(0) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(range)) => {
            let differs = address.to_bits() ^ range.to_bits();
            differs.checked_shr(128 - bits).unwrap_or(0) == 0
        }
        _ => false,
    }
}

/// Whether this is base64 in its one form, so that equal texts are equal bytes.
pub(super) fn is_base64(text: &str) -> bool {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    text.len().is_multiple_of(4) && padding <= 2 && digits.bytes().all(is_digit)
}

// AWS: unverified. That what has fewer than six parts, such as `*` alone, is no pattern of ARNs.
fn arn_matches(pattern: &[Token], actual: &str) -> bool {
    let actual: Vec<_> = actual.splitn(6, ':').collect();
    let colon = |token: &Token| *token == Token::Letter(':');
    let pattern: Vec<_> = pattern.splitn(6, colon).collect();
    actual.len() == 6
        && pattern.len() == 6
        && pattern
            .iter()
            .zip(actual)
            .all(|(pattern, actual)| matches(pattern, actual))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_ordered_as_numbers_are(left in -100_000_i64..100_000, right in -100_000_i64..100_000) {
            let spelled = |thousandths: i64| {
                let sign = if thousandths < 0 { "-" } else { "" };
                let size = thousandths.abs();
                decimal(&format!("{sign}0{}.{:03}", size / 1_000, size % 1_000)).unwrap()
            };

            prop_assert_eq!(spelled(left).cmp(&spelled(right)), left.cmp(&right));
        }

        #[test]
        fn a_range_holds_the_addresses_that_share_its_bits(address: u32, other: u32, bits in 0_u32..=32) {
            let text = |bits: u32| std::net::Ipv4Addr::from_bits(bits).to_string();
            let shared = (0..bits).all(|bit| (address ^ other) & (1 << (31 - bit)) == 0);

            prop_assert_eq!(within(&text(address), &format!("{}/{bits}", text(other))), shared);
        }
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in [
            "", "-", ".", "1.", ".5", "1e3", "+1", " 1", "--1", "1.2.3", "0x10",
        ] {
            assert_eq!(decimal(text), None, "{text}");
        }
        assert_eq!(decimal("-0.0"), decimal("0"));
    }
}
