//! Signatures in the query: what they say, and the headers that travel there with them.

use std::time::Duration;

use http::{HeaderName, HeaderValue};

use crate::auth::error::AuthError;
use crate::auth::sigv4::{ALGORITHM, Credential, Signed};
use crate::model::timestamp::Timestamp;
use crate::wire::query::Query;
use crate::wire::request::Request;

/// A week, the longest that a presigned request lasts.
const MAX_SECONDS: u64 = 604_800;

const PARAMETERS: [&str; 6] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
];

/// What says of a body what only its sender can know.
const CHECKSUMS: [&str; 6] = [
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-sdk-checksum-algorithm",
];

/// A signature of version 4 in the query.
#[derive(Debug)]
pub(super) struct Presigned {
    pub(super) signed: Signed,
    pub(super) begins: Timestamp,
    pub(super) seconds: u64,
}

impl Presigned {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`AuthError::Query`] in AWS's words.
    pub(super) fn parse(query: &Query) -> Result<Self, AuthError> {
        let refuse = |message: &str| AuthError::Query(message.to_owned());
        let [algorithm, credential, signature, date, headers, expires] =
            PARAMETERS.map(|name| query.find(name));
        let (
            Some(algorithm),
            Some(credential),
            Some(signature),
            Some(date),
            Some(headers),
            Some(expires),
        ) = (algorithm, credential, signature, date, headers, expires)
        else {
            return Err(refuse(
                "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
            ));
        };
        if algorithm != ALGORITHM {
            return Err(refuse(
                "X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\"",
            ));
        }
        let credential = Credential::parse(credential).ok_or_else(|| {
            refuse("Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
        })?;
        let begins = Timestamp::parse_amz_date(date).ok_or_else(|| {
            refuse("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
        })?;
        if !date.starts_with(&credential.day) {
            let message = format!(
                "Invalid credential date \"{}\". This date is not the same as X-Amz-Date: \"{}\".",
                credential.day,
                &date[..8]
            );
            return Err(AuthError::Query(message));
        }
        let signed = Signed {
            credential,
            headers: headers.split(';').map(str::to_ascii_lowercase).collect(),
            signature: signature.to_owned(),
            date: date.to_owned(),
        };
        Ok(Self {
            signed,
            begins,
            seconds: parse_seconds(expires)?,
        })
    }

    /// Checks that it is not over.
    ///
    /// # Errors
    ///
    /// [`AuthError::Expired`].
    pub(super) fn check_time(&self, now: Timestamp) -> Result<(), AuthError> {
        let expires = self.begins.plus(Duration::from_secs(self.seconds));
        if now < expires {
            return Ok(());
        }
        Err(AuthError::Expired {
            seconds: Some(self.seconds),
            expires,
            server: now,
        })
    }
}

fn parse_seconds(text: &str) -> Result<u64, AuthError> {
    let number: i64 = text
        .parse()
        .map_err(|_| AuthError::Query("X-Amz-Expires should be a number".to_owned()))?;
    let seconds = u64::try_from(number)
        .map_err(|_| AuthError::Query("X-Amz-Expires must be non-negative".to_owned()))?;
    if seconds > MAX_SECONDS {
        let message = "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds";
        return Err(AuthError::Query(message.to_owned()));
    }
    Ok(seconds)
}

/// Turns the `x-amz-*` parameters of a presigned request into the headers that they stand for. A header that was sent as
/// well counts.
///
/// A checksum in the query is signed and no more: the SDK for JavaScript puts that of an empty body into every presigned
/// upload, since it has no other when it signs, and AWS takes what is uploaded.
///
/// Source: <https://github.com/aws/aws-sdk-go-v2/issues/2610>, <https://github.com/localstack/localstack/issues/12169>.
pub(super) fn hoist(request: &mut Request) {
    let own = |name: &str| {
        PARAMETERS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    let stands = |name: &str| {
        let name = name.to_ascii_lowercase();
        name.starts_with("x-amz-") && !own(&name) && !CHECKSUMS.contains(&name.as_str())
    };
    let hoisted: Vec<_> = request
        .query
        .pairs()
        .filter(|(name, _)| stands(name))
        .filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
        })
        .collect();
    for (name, value) in hoisted {
        if !request.headers.contains_key(&name) {
            request.headers.insert(name, value);
        }
    }
}
