//! `S3Error`, and how each error of the floors below becomes one.
//!
//! The floors below know neither code nor status: here is the one table that turns their errors into AWS's.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use http::Method;

use crate::auth::authenticator::MAX_SKEW;
use crate::auth::error::{AuthError, Mismatch};
use crate::auth::payload::PayloadError;
use crate::auth::post_policy::PolicyError;
use crate::auth::signed_form::FormAuthError;
use crate::faults::rules::FaultAnswer;
use crate::keyring::error::KeyringError;
use crate::keyring::refusal::Refusal;
use crate::model::bucket::{Bucket, Versioning};
use crate::model::object::VersionId;
use crate::s3::code::Code;
use crate::sse::error::SseError;
use crate::store::error::{FailedCondition, StoreError};
use crate::wire::aws_chunked::ChunkError;
use crate::wire::body::BodyError;
use crate::wire::forms::{FormError, MAX_FIELDS_BYTES};

/// An answer that is an error: code, message, and the further elements of its body in order.
#[derive(Debug)]
pub(crate) struct S3Error {
    pub(crate) code: Code,
    pub(crate) message: Cow<'static, str>,
    pub(crate) details: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) source: Option<Box<dyn Error + Send + Sync>>,
    /// Whether the message may quote a client's secret: it is answered then, and not logged.
    pub(crate) is_private: bool,
}

/// The form of an operation's errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ErrorForm {
    /// With an XML declaration.
    #[default]
    Declared,
    /// Without one.
    Bare,
    /// Without one, and the connection ends with it.
    BareAndLast,
}

impl S3Error {
    pub(crate) fn new(code: Code, message: Cow<'static, str>) -> Self {
        Self {
            code,
            message,
            details: Vec::new(),
            headers: Vec::new(),
            source: None,
            is_private: false,
        }
    }

    /// One of our own failures: logged whole, told as `InternalError`.
    pub(crate) fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Code::InternalError.error()
        }
    }

    /// `InvalidArgument` with its `ArgumentName`.
    pub(crate) fn argument(name: &str, message: impl Into<Cow<'static, str>>) -> Self {
        Code::InvalidArgument
            .says(message)
            .with("ArgumentName", name)
    }

    /// `InvalidArgument` with its `ArgumentName` and `ArgumentValue`.
    pub(crate) fn argument_value(
        name: &str,
        value: &str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self::argument(name, message).with("ArgumentValue", value)
    }

    /// `InvalidArgument` for a form without a field that it must have.
    pub(crate) fn no_form_field(name: &str) -> Self {
        let message = format!(
            "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
        );
        Self::argument_value(name, "", message)
    }

    /// `NotImplemented` for a header that AWS's general purpose buckets do not take.
    pub(crate) fn header_not_implemented(header: &str, additional: &str) -> Self {
        Code::NotImplemented
            .with("Header", header)
            .with("additionalMessage", additional)
    }

    /// Adds an element to the body.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "values and references read alike at the call"
    )]
    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.details.push((name, value.to_string()));
        self
    }

    /// What a read answers: for a delete marker that it names, which methods go.
    pub(crate) fn of_read(error: StoreError, method: &Method) -> Self {
        match error {
            StoreError::IsMarker(marker) => Code::MethodNotAllowed
                .with("Method", method)
                .with("ResourceType", "DeleteMarker")
                .with_header("allow", "DELETE")
                .with_header("last-modified", marker.last_modified.http_date())
                .of_marker(marker.version_id),
            other => other.into(),
        }
    }

    /// Tells that a delete marker is the reason.
    fn of_marker(self, id: VersionId) -> Self {
        self.with_header("x-amz-delete-marker", "true")
            .with_header("x-amz-version-id", id)
    }

    /// Adds a header to the answer.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "values and references read alike at the call"
    )]
    pub(crate) fn with_header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }
}

impl Code {
    /// An error with this code and its usual message.
    pub(crate) fn error(self) -> S3Error {
        S3Error::new(self, Cow::Borrowed(self.message()))
    }

    /// The same, with one more element in its body.
    pub(crate) fn with(self, name: &'static str, value: impl ToString) -> S3Error {
        self.error().with(name, value)
    }

    /// An error with this code and a message of its own.
    pub(crate) fn says(self, message: impl Into<Cow<'static, str>>) -> S3Error {
        S3Error::new(self, message.into())
    }
}

impl From<FaultAnswer> for S3Error {
    fn from(answer: FaultAnswer) -> Self {
        let code = match answer {
            FaultAnswer::SlowDown => Code::SlowDown,
            FaultAnswer::InternalError => Code::InternalError,
            FaultAnswer::ServiceUnavailable => Code::ServiceUnavailable,
            FaultAnswer::RequestTimeout => Code::RequestTimeout,
            FaultAnswer::AccessDenied => Code::AccessDenied,
        };
        code.error()
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)
    }
}

impl Error for S3Error {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_ref()
            .map(|source| -> &(dyn Error + 'static) { source.as_ref() })
    }
}

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NoSuchBucket(name) => Code::NoSuchBucket.with("BucketName", name),
            StoreError::BucketExists(bucket) => {
                Code::BucketAlreadyExists.with("BucketName", bucket.name)
            }
            StoreError::BucketNotEmpty(bucket) => not_empty(&bucket),
            StoreError::NoSuchKey(key) => Code::NoSuchKey.with("Key", key),
            StoreError::NoSuchVersion(key, id) => {
                Code::NoSuchVersion.with("Key", key).with("VersionId", id)
            }
            StoreError::Deleted(marker) => Code::NoSuchKey
                .with("Key", &marker.key)
                .of_marker(marker.version_id),
            StoreError::IsMarker(marker) => Code::MethodNotAllowed
                .with("ResourceType", "DeleteMarker")
                .of_marker(marker.version_id),
            StoreError::NoSuchUpload(id) => Code::NoSuchUpload.with("UploadId", id),
            StoreError::ConditionConflict(key, asked) => Code::ConditionalRequestConflict
                .with("Condition", condition_header(asked))
                .with("Key", key),
            StoreError::ConditionFailed(asked) => {
                Code::PreconditionFailed.with("Condition", condition_header(asked))
            }
            // AWS: unverified. Clients send it again, into the state that is there now.
            StoreError::Replaced => Code::ServiceUnavailable.error(),
            other => Self::internal(other),
        }
    }
}

/// The header that asked for a state.
fn condition_header(asked: FailedCondition) -> &'static str {
    match asked {
        FailedCondition::Absent => "If-None-Match",
        FailedCondition::Match => "If-Match",
    }
}

/// A bucket that was ever versioned may look empty.
fn not_empty(bucket: &Bucket) -> S3Error {
    let code = Code::BucketNotEmpty;
    let error = match bucket.versioning {
        Versioning::Unversioned => code.error(),
        Versioning::Enabled | Versioning::Suspended => code.says(
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
        ),
    };
    error.with("BucketName", &bucket.name)
}

impl From<SseError> for S3Error {
    fn from(error: SseError) -> Self {
        match error {
            SseError::KeyMissing => Code::InvalidRequest.says(
                "The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.",
            ),
            SseError::KeyNotApplicable => {
                Code::InvalidRequest.says("The encryption parameters are not applicable to this object.")
            }
            SseError::WrongKey => Code::AccessDenied.says(
                "Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.",
            ),
            SseError::KeyLength => Self::argument(
                "x-amz-server-side-encryption",
                "The secret key was invalid for the specified algorithm.",
            ),
            SseError::Keyring(KeyringError::Refused(refusal)) => refusal.into(),
            SseError::Keyring(KeyringError::Fault(FaultAnswer::SlowDown)) => Code::SlowDown.says(
                "Please reduce your request rate for operations involving AWS KMS.",
            ),
            SseError::Keyring(KeyringError::Fault(answer)) => answer.into(),
            SseError::Keyring(KeyringError::Replaced) => StoreError::Replaced.into(),
            other => Self::internal(other),
        }
    }
}

/// KMS's own code and words, but for a denial, which is S3's.
impl From<Refusal> for S3Error {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.exception() {
            "AccessDeniedException" => Code::AccessDenied,
            "NotFoundException" => Code::KmsNotFoundException,
            "DisabledException" => Code::KmsDisabledException,
            "KMSInvalidStateException" => Code::KmsInvalidStateException,
            "InvalidKeyUsageException" => Code::KmsInvalidKeyUsageException,
            "InvalidCiphertextException" => Code::KmsInvalidCiphertextException,
            _ => return Self::internal(refusal.to_string()),
        };
        code.says(refusal.to_string())
    }
}

/// Source: answers recorded from AWS; the texts of `AuthorizationHeaderMalformed` and its kin come with the error.
impl From<AuthError> for S3Error {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Header(message) => Code::AuthorizationHeaderMalformed.says(message),
            AuthError::Query(message) => Code::AuthorizationQueryParametersError.says(message),
            AuthError::Service { given, expected, in_query } => {
                let problem = format!("incorrect service \"{given}\". This endpoint belongs to \"{expected}\".");
                if in_query {
                    let message = format!("Error parsing the X-Amz-Credential parameter; {problem}");
                    return Code::AuthorizationQueryParametersError.says(message);
                }
                Code::AuthorizationHeaderMalformed.says(format!("The authorization header is malformed; {problem}"))
            }
            AuthError::Region { given, expected, in_query } => {
                let (code, place) = if in_query {
                    (Code::AuthorizationQueryParametersError, "Error parsing the X-Amz-Credential parameter")
                } else {
                    (Code::AuthorizationHeaderMalformed, "The authorization header is malformed")
                };
                code.says(format!("{place}; the region '{given}' is wrong; expecting '{expected}'"))
                    .with("Region", expected)
            }
            AuthError::OldHeader(value) => Self::argument_value(
                "Authorization",
                &value,
                "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature",
            ),
            AuthError::OldQuery(message) => Code::AccessDenied.says(message),
            AuthError::TwoMechanisms => Code::InvalidArgument.says(
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
            ),
            AuthError::UnknownScheme(value) => {
                Self::argument_value("Authorization", &value, "Unsupported Authorization Type")
            }
            AuthError::UnknownKey(key) => Code::InvalidAccessKeyId.with("AWSAccessKeyId", key),
            AuthError::BadToken(_) | AuthError::ExpiredToken(_) | AuthError::NoAccessKey => of_token(error),
            AuthError::NoDate => Code::AccessDenied.says("AWS authentication requires a valid Date or x-amz-date header"),
            AuthError::Skewed { request, server, .. } => Code::RequestTimeTooSkewed
                .with("RequestTime", request)
                .with("ServerTime", server.iso8601_seconds())
                .with("MaxAllowedSkewMilliseconds", MAX_SKEW.as_millis()),
            AuthError::Expired { seconds, expires, server } => {
                let mut error = Code::AccessDenied.says("Request has expired");
                if let Some(seconds) = seconds {
                    error = error.with("X-Amz-Expires", seconds);
                }
                error.with("Expires", expires.iso8601_seconds()).with("ServerTime", server.iso8601_seconds())
            }
            AuthError::NotYetValid => Code::AccessDenied.says("Request is not valid yet"),
            AuthError::Unsigned(names) => Code::AccessDenied
                .says("There were headers present in the request which were not signed")
                .with("HeadersNotSigned", names.join(", ")),
            AuthError::NoPayloadHash => {
                Code::InvalidRequest.says("Missing required header for this request: x-amz-content-sha256")
            }
            AuthError::BadPayloadHash(value) => Self::argument_value(
                "x-amz-content-sha256",
                &value,
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.",
            ),
            AuthError::Mismatch(mismatch) => mismatched(&mismatch),
        }
    }
}

/// What is wrong with the token of a session; it is repeated to its sender alone.
fn of_token(error: AuthError) -> S3Error {
    match error {
        AuthError::BadToken(token) => Code::InvalidToken.with("Token-0", token.0),
        AuthError::ExpiredToken(token) => Code::ExpiredToken.with("Token-0", token.0),
        _ => Code::AccessDenied.says("No AWSAccessKey was presented."),
    }
}

/// Source: answers recorded from AWS, and such as were quoted from it.
impl From<FormAuthError> for S3Error {
    fn from(error: FormAuthError) -> Self {
        match error {
            FormAuthError::Missing(name) => Self::no_form_field(name),
            FormAuthError::Field {
                name,
                value,
                message,
            } => Self::argument_value(name, &value, message),
            FormAuthError::Auth(error) => error.into(),
            FormAuthError::Policy(error) => {
                let refusal = match error {
                    PolicyError::Unreadable(message) => {
                        Code::InvalidPolicyDocument.says(format!("Invalid Policy: {message}"))
                    }
                    PolicyError::Broken(message) => {
                        Code::AccessDenied.says(format!("Invalid according to Policy: {message}"))
                    }
                };
                // A condition may name a customer's key.
                Self {
                    is_private: true,
                    ..refusal
                }
            }
        }
    }
}

impl From<FormError> for S3Error {
    fn from(error: FormError) -> Self {
        match error {
            FormError::Malformed => Code::MalformedPOSTRequest.error(),
            FormError::TooLarge => Code::MaxPostPreDataLengthExceeded
                .with("MaxPostPreDataLengthBytes", MAX_FIELDS_BYTES),
            FormError::NoFile => Self::argument_value(
                "file",
                "0",
                "POST requires exactly one file upload per request.",
            ),
            FormError::Body(error) => error.into(),
        }
    }
}

fn mismatched(mismatch: &Mismatch) -> S3Error {
    let mut error = Code::SignatureDoesNotMatch
        .with("AWSAccessKeyId", &mismatch.access_key)
        .with("StringToSign", &mismatch.string_to_sign)
        .with("SignatureProvided", &mismatch.signature)
        .with("StringToSignBytes", spaced_hex(&mismatch.string_to_sign));
    if let Some(canonical) = &mismatch.canonical_request {
        error = error
            .with("CanonicalRequest", canonical)
            .with("CanonicalRequestBytes", spaced_hex(canonical));
    }
    error
}

/// Two digits a byte, blanks between them.
fn spaced_hex(text: &str) -> String {
    text.bytes()
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(" ")
}

impl From<PayloadError> for S3Error {
    fn from(error: PayloadError) -> Self {
        match error {
            PayloadError::NoLength => Code::MissingContentLength.error(),
            PayloadError::Hash(client, computed) => Code::XAmzContentSHA256Mismatch
                .with("ClientComputedContentSHA256", client)
                .with("S3ComputedContentSHA256", computed),
            PayloadError::Signature(mismatch) => mismatched(&mismatch),
            PayloadError::Chunk(ChunkError::TooShort(index, length)) => Code::InvalidChunkSizeError
                .with("Chunk", index)
                .with("BadChunkSize", length),
            PayloadError::Chunk(ChunkError::MalformedTrailer) => {
                Code::MalformedTrailerError.error()
            }
            PayloadError::Chunk(ChunkError::Malformed | ChunkError::Incomplete)
            | PayloadError::Length => Code::IncompleteBody.error(),
        }
    }
}

impl From<BodyError> for S3Error {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Idle => Code::RequestTimeout.error(),
            BodyError::Cut(_) => Code::IncompleteBody.error(),
            BodyError::Malformed => Code::MalformedPOSTRequest.error(),
            failed @ BodyError::Failed(_) => Self::internal(failed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(refusal: Refusal) -> (&'static str, u16, String) {
        let error = S3Error::from(SseError::from(KeyringError::from(refusal)));
        let status = error.code.status().as_u16();
        (error.code.name(), status, error.message.into_owned())
    }

    #[test]
    fn kms_refuses_in_its_own_words_through_s3_too() {
        let arn = "arn:aws:kms:us-east-1:000000000000:key/k";
        let refusals = [
            (
                Refusal::NoSuchKey(arn.to_owned()),
                "KMS.NotFoundException",
                format!("Key '{arn}' does not exist"),
            ),
            (
                Refusal::Disabled(arn.to_owned()),
                "KMS.DisabledException",
                format!("{arn} is disabled."),
            ),
            (
                Refusal::PendingImport(arn.to_owned()),
                "KMS.KMSInvalidStateException",
                format!("{arn} is pending import."),
            ),
            (
                Refusal::InvalidCiphertext,
                "KMS.InvalidCiphertextException",
                String::new(),
            ),
        ];
        for (refusal, code, message) in refusals {
            assert_eq!(told(refusal), (code, 400, message));
        }
    }

    #[test]
    fn a_denial_of_kms_is_one_of_s3() {
        let (code, status, message) = told(Refusal::UnknownCiphertext);

        assert_eq!((code, status), ("AccessDenied", 403));
        assert!(message.starts_with("The ciphertext refers to"), "{message}");
    }
}
