//! `KmsError`, and how each error of the floors below becomes one.
//!
//! The name of the exception decides what an SDK makes of it; the status is 400 for all but our own failures.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use http::StatusCode;

use crate::auth::authenticator::MAX_SKEW;
use crate::auth::error::AuthError;
use crate::faults::rules::FaultAnswer;
use crate::keyring::error::KeyringError;
use crate::keyring::refusal::Refusal;
use crate::model::timestamp::Timestamp;

const INTERNAL: &str = "The request was rejected because an internal exception occurred.";
const THROTTLED: &str =
    "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.";
const TIMED_OUT: &str =
    "The system timed out while trying to fulfill the request. You can retry the request.";
const DENIED: &str = "You do not have sufficient access to perform this action.";

/// An answer that is an error.
#[derive(Debug)]
pub(crate) struct KmsError {
    pub(crate) status: StatusCode,
    /// A bare name, without a namespace.
    pub(crate) exception: &'static str,
    /// Empty where KMS says nothing.
    pub(crate) message: Cow<'static, str>,
    pub(crate) source: Option<Box<dyn Error + Send + Sync>>,
}

impl KmsError {
    /// A refusal.
    pub(crate) fn new(exception: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            exception,
            message: message.into(),
            source: None,
        }
    }

    /// `ValidationException`.
    pub(crate) fn validation(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("ValidationException", message)
    }

    /// What is not built, or what a key of this kind cannot do.
    pub(crate) fn unsupported(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new("UnsupportedOperationException", message)
    }

    /// No custom key store is here.
    // AWS: unverified. The words; the exception is documented.
    pub(crate) fn no_such_key_store() -> Self {
        Self::new(
            "CustomKeyStoreNotFoundException",
            "Cannot find a custom key store with the specified key store name or ID.",
        )
    }

    /// What a dry run ends with where all is well.
    pub(crate) fn dry_run() -> Self {
        Self::new(
            "DryRunOperationException",
            "The request would have succeeded, but the DryRun option is set.",
        )
    }

    /// What SDKs try again.
    ///
    /// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html>
    fn unavailable() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            ..Self::new(
                "ServiceUnavailable",
                "The request has failed due to a temporary failure of the server.",
            )
        }
    }

    /// One of our own failures: logged whole, told as KMS's own.
    pub(crate) fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            source: Some(source.into()),
            ..Self::new("KMSInternalException", INTERNAL)
        }
    }
}

/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html>, and the errors of each operation there.
impl From<FaultAnswer> for KmsError {
    fn from(answer: FaultAnswer) -> Self {
        let message = match answer {
            FaultAnswer::ServiceUnavailable => return Self::unavailable(),
            FaultAnswer::SlowDown => THROTTLED,
            FaultAnswer::InternalError => INTERNAL,
            FaultAnswer::RequestTimeout => TIMED_OUT,
            FaultAnswer::AccessDenied => DENIED,
        };
        let status = match answer {
            FaultAnswer::SlowDown | FaultAnswer::AccessDenied => StatusCode::BAD_REQUEST,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self {
            status,
            ..Self::new(answer.exception(), message)
        }
    }
}

impl fmt::Display for KmsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.exception, self.message)
    }
}

impl From<KeyringError> for KmsError {
    fn from(error: KeyringError) -> Self {
        match error {
            KeyringError::Refused(refusal) => refusal.into(),
            KeyringError::Fault(answer) => answer.into(),
            KeyringError::Replaced => Self::unavailable(),
            other => Self::internal(other),
        }
    }
}

impl From<Refusal> for KmsError {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.exception(), refusal.to_string())
    }
}

/// Source: <https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html>
impl From<AuthError> for KmsError {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::UnknownKey(_) | AuthError::BadToken(_) => Self::new(
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
            ),
            AuthError::ExpiredToken(_) => Self::new(
                "ExpiredTokenException",
                "The security token included in the request is expired",
            ),
            AuthError::Mismatch(_) => Self::new(
                "InvalidSignatureException",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
            ),
            AuthError::Skewed {
                request,
                sent,
                server,
            } => Self::new("InvalidSignatureException", skew(&request, sent, server)),
            AuthError::Service { expected, .. } => Self::new(
                "InvalidSignatureException",
                format!("Credential should be scoped to correct service: '{expected}'. "),
            ),
            other => Self::new("IncompleteSignatureException", other.to_string()),
        }
    }
}

/// How a signature is out of time: AWS names the edge of its tolerance, and its own time.
fn skew(request: &str, sent: Timestamp, server: Timestamp) -> String {
    let minutes = MAX_SKEW.as_secs() / 60;
    let now = server.amz_date();
    if sent < server {
        let edge = server.minus(MAX_SKEW).amz_date();
        return format!(
            "Signature expired: {request} is now earlier than {edge} ({now} - {minutes} min.)"
        );
    }
    let edge = server.plus(MAX_SKEW).amz_date();
    format!(
        "Signature not yet current: {request} is still later than {edge} ({now} + {minutes} min.)"
    )
}
