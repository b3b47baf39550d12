//! STS's errors.

use http::StatusCode;

use crate::auth::error::AuthError;
use crate::policy::flaw::BadPolicy;

/// An answer that is an error.
#[derive(Debug)]
pub(crate) struct StsError {
    pub(crate) status: StatusCode,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl StsError {
    /// An error of the sender.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// `ValidationError`.
    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ValidationError", message)
    }

    /// `InvalidParameterValue`.
    pub(crate) fn parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameterValue", message)
    }

    /// `AccessDenied`.
    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", message)
    }
}

/// A policy for a session that is none.
impl From<BadPolicy> for StsError {
    fn from(bad: BadPolicy) -> Self {
        let message = bad.flaw.to_string();
        Self::new(StatusCode::BAD_REQUEST, "MalformedPolicyDocument", message)
    }
}

/// Source: <https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html>
impl From<AuthError> for StsError {
    fn from(error: AuthError) -> Self {
        let refuse = |code, message: &str| Self::new(StatusCode::FORBIDDEN, code, message);
        match error {
            AuthError::UnknownKey(_) | AuthError::BadToken(_) => refuse(
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            ),
            AuthError::ExpiredToken(_) => refuse(
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
            AuthError::Mismatch(_) => refuse(
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
            ),
            AuthError::Skewed {
                request, server, ..
            } => Self::new(
                StatusCode::FORBIDDEN,
                "SignatureDoesNotMatch",
                format!(
                    "Signature expired: {request} is now earlier than {} (15 min.)",
                    server.amz_date()
                ),
            ),
            other => Self::new(
                StatusCode::BAD_REQUEST,
                "IncompleteSignature",
                other.to_string(),
            ),
        }
    }
}
