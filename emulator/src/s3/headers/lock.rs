//! Object lock as a write asks for it. No bucket can have object lock yet, so that each such write is refused as AWS refuses
//! it in a bucket without; what cannot be is refused first.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>; the words from answers recorded from AWS.

use crate::s3::code::Code;
use crate::s3::error::S3Error;
use crate::wire::request::Request;

const MODE: &str = "x-amz-object-lock-mode";
const UNTIL: &str = "x-amz-object-lock-retain-until-date";
const MODES: [&str; 2] = ["GOVERNANCE", "COMPLIANCE"];
const LEGAL_HOLD: &str = "x-amz-object-lock-legal-hold";
const BOTH: &str =
    "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied";
const MISSING: &str = "Bucket is missing Object Lock Configuration";

/// Refuses a write that wants its object locked.
///
/// # Errors
///
/// `InvalidArgument` for half a retention and for an unknown mode; `InvalidRequest`.
pub(crate) fn refuse(request: &Request) -> Result<(), S3Error> {
    match (request.header(MODE), request.header(UNTIL)) {
        (None, None) if request.header(LEGAL_HOLD).is_none() => Ok(()),
        (Some(_), None) => Err(S3Error::argument(UNTIL, BOTH)),
        (None, Some(_)) => Err(S3Error::argument(MODE, BOTH)),
        (Some(mode), Some(_)) if !MODES.contains(&mode) => Err(S3Error::argument_value(
            MODE,
            mode,
            "Unknown wormMode directive.",
        )),
        _ => Err(Code::InvalidRequest.says(MISSING)),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};

    use super::*;

    #[test]
    fn nothing_is_locked_and_nothing_of_it_ignored() {
        for (headers, refused) in [
            (&[][..], None),
            (&[(MODE, "GOVERNANCE")], Some(BOTH)),
            (&[(UNTIL, "2030-01-01T00:00:00Z")], Some(BOTH)),
            (
                &[(MODE, "NONSENSE"), (UNTIL, "2030-01-01T00:00:00Z")],
                Some("Unknown wormMode directive."),
            ),
            (
                &[(MODE, "COMPLIANCE"), (UNTIL, "2030-01-01T00:00:00Z")],
                Some(MISSING),
            ),
            (&[(LEGAL_HOLD, "OFF")], Some(MISSING)),
        ] {
            let mut request = Request::new(Method::PUT, "/photos/cat", "");
            for (name, value) in headers {
                let value = HeaderValue::from_static(value);
                request.headers.insert(*name, value);
            }

            let told = refuse(&request).err().map(|error| error.to_string());

            match refused {
                None => assert_eq!(told, None),
                Some(words) => assert!(told.unwrap().contains(words), "{headers:?}"),
            }
        }
    }
}
