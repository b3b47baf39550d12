//! Why a caller is not known, as a situation with its data; each protocol words it in its own errors.

use std::fmt;

use crate::model::timestamp::Timestamp;

/// Why a request is refused before anybody asks what it wants.
#[derive(Debug)]
pub(crate) enum AuthError {
    /// The `Authorization` header cannot be read; holds what AWS says of it.
    Header(String),
    /// The signature in the query cannot be read; holds what AWS says of it.
    Query(String),
    /// The credential is for another service.
    Service {
        /// What the credential says.
        given: String,
        /// What it must say.
        expected: String,
        /// Whether it stood in the query.
        in_query: bool,
    },
    /// The region of the credential is none that anything is signed for, or another than it must be.
    Region {
        /// What the credential says.
        given: String,
        /// What it must say.
        expected: String,
        /// Whether it stood in the query.
        in_query: bool,
    },
    /// A header of version 2 cannot be read; holds it.
    OldHeader(String),
    /// A query of version 2 cannot be read; holds what AWS says of it.
    OldQuery(String),
    /// Signed twice, in header and query.
    TwoMechanisms,
    /// A scheme that is none of AWS's.
    UnknownScheme(String),
    /// Nobody has this access key.
    UnknownKey(String),
    /// No token of a session, or one beside a key that has none.
    BadToken(SentToken),
    /// The session is over.
    ExpiredToken(SentToken),
    /// A session token, and nobody's key.
    NoAccessKey,
    /// Neither `x-amz-date` nor `Date` can be read.
    NoDate,
    /// The client's clock and ours are too far apart.
    Skewed {
        /// The client's time, as it was sent.
        request: String,
        /// The same, read.
        sent: Timestamp,
        /// Ours.
        server: Timestamp,
    },
    /// A presigned request came too late.
    Expired {
        /// `X-Amz-Expires`, where the signature has one.
        seconds: Option<u64>,
        /// When it ended.
        expires: Timestamp,
        /// Our time.
        server: Timestamp,
    },
    /// A presigned request came before it was signed.
    NotYetValid,
    /// Headers that have to be signed were sent and not signed.
    Unsigned(Vec<String>),
    /// The payload's hash is missing, though the signature is in the header.
    NoPayloadHash,
    /// The payload's hash is none; holds it.
    BadPayloadHash(String),
    /// The signature is another one.
    Mismatch(Box<Mismatch>),
}

/// The token of a session, as it was sent: for its sender's eyes alone.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SentToken(pub(crate) String);

/// Two signatures that differ, and how ours came to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// Whose.
    pub(crate) access_key: String,
    /// What was signed.
    pub(crate) string_to_sign: String,
    /// The client's signature.
    pub(crate) signature: String,
    /// The canonical request; there is none in version 2.
    pub(crate) canonical_request: Option<String>,
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(message) | Self::Query(message) | Self::OldQuery(message) => {
                f.write_str(message)
            }
            Self::Service { given, .. } => write!(f, "signed for the service {given}"),
            Self::Region {
                given, expected, ..
            } => write!(f, "the region '{given}' is wrong; expecting '{expected}'"),
            Self::OldHeader(header) => write!(f, "the signature {header}"),
            Self::TwoMechanisms => f.write_str("signed both in header and query"),
            Self::UnknownScheme(scheme) => write!(f, "the scheme {scheme}"),
            Self::UnknownKey(key) => write!(f, "nobody has the access key {key}"),
            Self::BadToken(_) => f.write_str("no token of this key"),
            Self::ExpiredToken(_) => f.write_str("the session is over"),
            Self::NoAccessKey => f.write_str("a session token without an access key"),
            Self::NoDate => f.write_str("no readable date"),
            Self::Skewed { request, .. } => {
                write!(f, "the request's time {request} is too far off")
            }
            Self::Expired { expires, .. } => write!(f, "expired at {}", expires.iso8601()),
            Self::NotYetValid => f.write_str("signed in the future"),
            Self::Unsigned(names) => write!(f, "not signed: {}", names.join(", ")),
            Self::NoPayloadHash => f.write_str("no x-amz-content-sha256"),
            Self::BadPayloadHash(hash) => write!(f, "the payload hash {hash}"),
            Self::Mismatch(mismatch) => {
                write!(f, "another signature than {}'s", mismatch.access_key)
            }
        }
    }
}

impl std::error::Error for AuthError {}

impl fmt::Debug for SentToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SentToken(…)")
    }
}
