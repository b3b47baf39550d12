//! A point in time, to the millisecond, and the four spellings that AWS uses.
//!
//! S3 keeps whole seconds: [`Timestamp::to_seconds`] cuts, and everything that is stored is cut first, so that a
//! listing, a header and a condition never disagree about the same object.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const ISO: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const ISO_SECONDS: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
const ISO_FRACTION: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:1+]Z");
const AMZ: &[BorrowedFormatItem<'_>] =
    format_description!("[year][month][day]T[hour][minute][second]Z");

/// Milliseconds since 1970-01-01T00:00:00Z, between the years 1970 and 9999.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub(crate) struct Timestamp(u64);

/// The last millisecond of the year 9999, the last that all spellings can carry.
const LATEST_MILLIS: u64 = 253_402_300_799_999;

impl Timestamp {
    /// From milliseconds since the epoch; later than the year 9999 becomes its last millisecond.
    pub(crate) fn from_unix_millis(millis: u64) -> Self {
        Self(millis.min(LATEST_MILLIS))
    }

    /// As a system time.
    pub(crate) fn to_system(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0)
    }

    /// From a system time; earlier than the epoch becomes the epoch.
    pub(crate) fn from_system(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_unix_millis(u64::try_from(since.as_millis()).unwrap_or(LATEST_MILLIS))
    }

    /// Milliseconds since the epoch.
    pub(crate) fn unix_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, cut.
    pub(crate) fn unix_seconds(self) -> u64 {
        self.0 / 1_000
    }

    /// The same second, without its milliseconds.
    #[must_use]
    pub(crate) fn to_seconds(self) -> Self {
        Self(self.0 - self.0 % 1_000)
    }

    /// This much later.
    #[must_use]
    pub(crate) fn plus(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(LATEST_MILLIS);
        Self::from_unix_millis(self.0.saturating_add(millis))
    }

    /// This much earlier, not before the epoch.
    #[must_use]
    pub(crate) fn minus(self, duration: Duration) -> Self {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(LATEST_MILLIS);
        Self(self.0.saturating_sub(millis))
    }

    /// So many days later.
    #[must_use]
    pub(crate) fn plus_days(self, days: u32) -> Self {
        self.plus(Duration::from_hours(24 * u64::from(days)))
    }

    /// How far apart two points are, whichever comes first.
    pub(crate) fn distance(self, other: Self) -> Duration {
        Duration::from_millis(self.0.abs_diff(other.0))
    }

    /// As in XML: `2026-03-15T13:23:28.000Z`.
    pub(crate) fn iso8601(self) -> String {
        self.format(ISO)
    }

    /// As in refusals and policies: `2026-03-15T13:23:28Z`.
    pub(crate) fn iso8601_seconds(self) -> String {
        self.format(ISO_SECONDS)
    }

    /// As SigV4 writes it: `20260315T132328Z`; its first eight characters are the day of a credential scope.
    pub(crate) fn amz_date(self) -> String {
        self.format(AMZ)
    }

    /// As in headers (RFC 9110 §5.6.7): `Sun, 15 Mar 2026 13:23:28 GMT`.
    pub(crate) fn http_date(self) -> String {
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_millis(self.0))
    }

    /// Reads SigV4's form, and that alone.
    pub(crate) fn parse_amz_date(text: &str) -> Option<Self> {
        let time = PrimitiveDateTime::parse(text, AMZ).ok()?;
        Self::from_offset(time.assume_utc())
    }

    /// Reads ISO 8601 in UTC, with a fraction of the second or without: `2026-03-15T13:23:28.042Z`.
    pub(crate) fn parse_iso8601(text: &str) -> Option<Self> {
        let forms = [ISO_SECONDS, ISO_FRACTION];
        let time = forms
            .into_iter()
            .find_map(|form| PrimitiveDateTime::parse(text, form).ok())?;
        Self::from_offset(time.assume_utc())
    }

    /// Reads any of the three forms of RFC 9110 §5.6.7.
    pub(crate) fn parse_http_date(text: &str) -> Option<Self> {
        httpdate::parse_http_date(text).ok().map(Self::from_system)
    }

    fn from_offset(time: OffsetDateTime) -> Option<Self> {
        let millis = time.unix_timestamp_nanos() / 1_000_000;
        u64::try_from(millis).ok().map(Self::from_unix_millis)
    }

    fn format(self, format: &[BorrowedFormatItem<'_>]) -> String {
        let nanos = i128::from(self.0) * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .and_then(|time| time.format(format).ok())
            .expect("a Timestamp lies between 1970 and 9999")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPELLED: Timestamp = Timestamp(1_773_581_008_042);

    #[test]
    fn every_spelling_names_the_same_moment() {
        assert_eq!(SPELLED.iso8601(), "2026-03-15T13:23:28.042Z");
        assert_eq!(SPELLED.iso8601_seconds(), "2026-03-15T13:23:28Z");
        assert_eq!(SPELLED.amz_date(), "20260315T132328Z");
        assert_eq!(SPELLED.http_date(), "Sun, 15 Mar 2026 13:23:28 GMT");
    }

    #[test]
    fn what_was_written_reads_back_to_the_second() {
        let second = SPELLED.to_seconds();
        assert_eq!(Timestamp::parse_amz_date(&SPELLED.amz_date()), Some(second));
        assert_eq!(
            Timestamp::parse_http_date(&SPELLED.http_date()),
            Some(second)
        );
        let iso = SPELLED.iso8601_seconds();
        assert_eq!(Timestamp::parse_iso8601(&iso), Some(second));
        assert_eq!(Timestamp::parse_iso8601(&SPELLED.iso8601()), Some(SPELLED));
    }

    #[test]
    fn iso_8601_is_read_in_utc_alone() {
        for other in [
            "2026-03-15 13:23:28Z",
            "2026-03-15T13:23:28",
            "2026-03-15T13:23:28+00:00",
            "2026-02-30T13:23:28Z",
            "tomorrow",
        ] {
            assert_eq!(Timestamp::parse_iso8601(other), None, "{other}");
        }
    }

    #[test]
    fn other_forms_are_not_amz_dates() {
        assert_eq!(Timestamp::parse_amz_date("2026-03-15T13:23:28Z"), None);
        assert_eq!(Timestamp::parse_amz_date("20260315T132328"), None);
        assert_eq!(Timestamp::parse_amz_date("20261315T132328Z"), None);
    }

    #[test]
    fn the_far_future_still_formats() {
        let far = Timestamp::from_unix_millis(u64::MAX);
        assert!(far.iso8601().starts_with("9999-12-31"));
    }
}
