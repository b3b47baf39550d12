//! STS's errors.

use http::StatusCode;

use crate::auth::error::AuthError;

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
}

/// Source: <https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html>
impl From<AuthError> for StsError {
    fn from(error: AuthError) -> Self {
        let refuse = |code, message: &str| Self::new(StatusCode::FORBIDDEN, code, message);
        match error {
            AuthError::UnknownKey(_) | AuthError::UnknownToken(_) => refuse(
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
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
