//! Conditional requests: reads (RFC 9110 §13), writes, deletes and copy sources.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html>, and recorded answers.

use crate::model::etag::ETag;
use crate::model::timestamp::Timestamp;
use crate::s3::code::Code;
use crate::s3::error::S3Error;
use crate::store::versions::WriteCondition;
use crate::wire::request::Request;

/// The four conditions of a read, or of the source of a copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadConditions {
    matches: Option<String>,
    none_matches: Option<String>,
    modified_since: Option<Timestamp>,
    unmodified_since: Option<Timestamp>,
}

/// How the conditions of a read turned out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadOutcome {
    /// They hold.
    Go,
    /// The client has it already.
    NotModified,
    /// One does not hold: its header.
    Failed(&'static str),
}

/// The spelling of each condition's header, as `<Condition>` names it.
struct Spelling {
    matches: &'static str,
    none_matches: &'static str,
    modified_since: &'static str,
    unmodified_since: &'static str,
}

const OF_READ: Spelling = Spelling {
    matches: "If-Match",
    none_matches: "If-None-Match",
    modified_since: "If-Modified-Since",
    unmodified_since: "If-Unmodified-Since",
};

const OF_SOURCE: Spelling = Spelling {
    matches: "x-amz-copy-source-If-Match",
    none_matches: "x-amz-copy-source-If-None-Match",
    modified_since: "x-amz-copy-source-If-Modified-Since",
    unmodified_since: "x-amz-copy-source-If-Unmodified-Since",
};

impl ReadConditions {
    /// Of a read.
    pub(crate) fn of_read(request: &Request) -> Self {
        Self::parse(request, &OF_READ)
    }

    /// Of the source of a copy.
    pub(crate) fn of_source(request: &Request) -> Self {
        Self::parse(request, &OF_SOURCE)
    }

    /// A date that cannot be read is no condition, as RFC 9110 has it.
    fn parse(request: &Request, spelling: &Spelling) -> Self {
        let text = |name: &str| request.header(name).map(str::to_owned);
        let date = |name: &str| request.header(name).and_then(Timestamp::parse_http_date);
        Self {
            matches: text(spelling.matches),
            none_matches: text(spelling.none_matches),
            modified_since: date(spelling.modified_since),
            unmodified_since: date(spelling.unmodified_since),
        }
    }

    /// Checks a read. `If-Match` outdoes `If-Unmodified-Since`, and `If-None-Match` outdoes `If-Modified-Since`; a date
    /// in the future says nothing.
    pub(crate) fn check_read(
        &self,
        etag: &ETag,
        modified: Timestamp,
        now: Timestamp,
    ) -> ReadOutcome {
        match (&self.matches, self.unmodified_since) {
            (Some(tags), _) if !etag.is_named_by(tags) => {
                return ReadOutcome::Failed(OF_READ.matches);
            }
            (None, Some(since)) if modified > since => {
                return ReadOutcome::Failed(OF_READ.unmodified_since);
            }
            _ => {}
        }
        match (&self.none_matches, self.modified_since) {
            (Some(tags), _) if etag.is_named_by(tags) => ReadOutcome::NotModified,
            (None, Some(since)) if modified <= since && since <= now => ReadOutcome::NotModified,
            _ => ReadOutcome::Go,
        }
    }

    /// Checks the source of a copy, where every failure is a 412.
    ///
    /// # Errors
    ///
    /// `PreconditionFailed` with the header.
    pub(crate) fn check_source(
        &self,
        etag: &ETag,
        modified: Timestamp,
        now: Timestamp,
    ) -> Result<(), S3Error> {
        let failed = match self.check_read(etag, modified, now) {
            ReadOutcome::Go => return Ok(()),
            ReadOutcome::Failed(header) if header == OF_READ.matches => OF_SOURCE.matches,
            ReadOutcome::Failed(_) => OF_SOURCE.unmodified_since,
            ReadOutcome::NotModified if self.none_matches.is_some() => OF_SOURCE.none_matches,
            ReadOutcome::NotModified => OF_SOURCE.modified_since,
        };
        Err(Code::PreconditionFailed.with("Condition", failed))
    }
}

/// The condition of a write: `If-None-Match: *` or `If-Match: "etag"`, not both.
///
/// # Errors
///
/// `NotImplemented` for any other form.
pub(crate) fn parse_write(request: &Request) -> Result<WriteCondition, S3Error> {
    match (request.header("if-match"), request.header("if-none-match")) {
        (None, None) => Ok(WriteCondition::None),
        (Some(_), Some(_)) => Err(S3Error::header_not_implemented(
            "If-Match,If-None-Match",
            "Multiple conditional request headers present in the request",
        )),
        (None, Some("*")) => Ok(WriteCondition::IfAbsent),
        (None, Some(_)) => Err(S3Error::header_not_implemented(
            "If-None-Match",
            "We don't accept the provided value of If-None-Match header for this API",
        )),
        (Some("*"), None) => Err(S3Error::header_not_implemented(
            "If-Match",
            "We don't accept the provided value of If-Match header for this API",
        )),
        (Some(etag), None) => Ok(WriteCondition::IfMatch(etag.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};

    use super::*;

    fn outcome(headers: &[(&'static str, &str)]) -> ReadOutcome {
        let mut request = Request::new(Method::GET, "/photos/cat", "");
        for (name, value) in headers {
            request
                .headers
                .insert(*name, HeaderValue::from_str(value).unwrap());
        }
        let now = Timestamp::parse_http_date("Sun, 15 Mar 2026 13:00:00 GMT").unwrap();
        let modified = Timestamp::parse_http_date("Sun, 15 Mar 2026 12:00:00 GMT").unwrap();
        ReadConditions::of_read(&request).check_read(&ETag::of_bytes([1; 16]), modified, now)
    }

    const MODIFIED: &str = "Sun, 15 Mar 2026 12:00:00 GMT";
    const EARLIER: &str = "Sun, 15 Mar 2026 11:59:59 GMT";
    const FUTURE: &str = "Mon, 16 Mar 2026 12:00:00 GMT";
    const TAG: &str = "\"01010101010101010101010101010101\"";

    #[test]
    fn tags_outdo_dates() {
        assert_eq!(
            outcome(&[("if-match", TAG), ("if-unmodified-since", EARLIER)]),
            ReadOutcome::Go
        );
        assert_eq!(
            outcome(&[("if-none-match", "\"x\""), ("if-modified-since", MODIFIED)]),
            ReadOutcome::Go
        );
        assert_eq!(
            outcome(&[("if-match", "\"x\""), ("if-none-match", TAG)]),
            ReadOutcome::Failed("If-Match")
        );
    }

    #[test]
    fn dates_compare_to_the_second() {
        assert_eq!(
            outcome(&[("if-modified-since", MODIFIED)]),
            ReadOutcome::NotModified
        );
        assert_eq!(outcome(&[("if-modified-since", EARLIER)]), ReadOutcome::Go);
        assert_eq!(outcome(&[("if-modified-since", FUTURE)]), ReadOutcome::Go);
        assert_eq!(
            outcome(&[("if-unmodified-since", MODIFIED)]),
            ReadOutcome::Go
        );
        assert_eq!(
            outcome(&[("if-unmodified-since", EARLIER)]),
            ReadOutcome::Failed("If-Unmodified-Since")
        );
        assert_eq!(
            outcome(&[("if-modified-since", "yesterday")]),
            ReadOutcome::Go
        );
    }
}
