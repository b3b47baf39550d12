//! Dates as conditions write them: ISO 8601, or seconds since 1970; both with fractions down to a nanosecond.
//!
//! Source: <https://www.w3.org/TR/NOTE-datetime>, whose forms IAM takes.

use crate::model::timestamp::Timestamp;

const NANOS: i128 = 1_000_000_000;

/// Nanoseconds since 1970; `None` for what is no date.
// AWS: unverified. That four digits are a year.
pub(super) fn parse(text: &str) -> Option<i128> {
    if text.len() != 4
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return parse_seconds(text);
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let date = match date.len() {
        4 => format!("{date}-01-01"),
        7 => format!("{date}-01"),
        _ => date.to_owned(),
    };
    let zone_at = time.find(['Z', '+', '-'])?;
    let (clock, zone) = time.split_at(zone_at);
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let seconds = if clock.len() == 5 { ":00" } else { "" };
    let whole = Timestamp::parse_iso8601(&format!("{date}T{clock}{seconds}Z"))?;
    let seconds = i128::from(whole.unix_seconds()) - offset_seconds(zone)?;
    Some(seconds * NANOS + nanos(fraction)?)
}

fn parse_seconds(text: &str) -> Option<i128> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let seconds: i64 = seconds.parse().ok()?;
    Some(i128::from(seconds) * NANOS + nanos(fraction)?)
}

/// A fraction of a second, cut after nine digits.
fn nanos(fraction: &str) -> Option<i128> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let cut = &fraction[..fraction.len().min(9)];
    format!("{cut:0<9}").parse().ok()
}

/// `Z`, `+02:00`, `-08:30`.
fn offset_seconds(zone: &str) -> Option<i128> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let part = |text: &str, most: i128| {
        let value = (text.len() == 2).then(|| text.parse::<u8>().ok())??;
        Some(i128::from(value)).filter(|value| *value <= most)
    };
    Some(sign * (part(hours, 23)? * 3_600 + part(minutes, 59)? * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_date_is_read() {
        let midnight = 1_767_225_600 * NANOS;
        let cases = [
            ("2026-01-01T00:00:00Z", midnight),
            ("2026-01-01", midnight),
            ("2026-01", midnight),
            ("2026", midnight),
            ("2026-01-01T00:00Z", midnight),
            ("2026-01-01T02:30:00+02:30", midnight),
            ("2025-12-31T16:00:00-08:00", midnight),
            ("1767225600", midnight),
            ("1767225600.5", midnight + NANOS / 2),
            ("2026-01-01T00:00:00.000000001Z", midnight + 1),
            ("2026-01-01T00:00:00.0000000019Z", midnight + 1),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "tomorrow",
            "2026-13-01",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+0200",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+é:00",
            "1.2.3",
            ".",
            "99999999999999999999",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
