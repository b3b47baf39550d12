//! Cross-origin preflight: `OPTIONS`, answered before credentials.
//!
//! A bucket without CORS rules refuses every origin, and no bucket has rules yet.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html>

use crate::s3::code::Code;
use crate::s3::error::S3Error;
use crate::s3::target::Target;
use crate::wire::request::Request;

/// AWS's answer to a preflight of a bucket without rules.
pub(crate) fn refuse(request: &Request, target: &Target) -> S3Error {
    if request.header("origin").is_none() {
        return Code::BadRequest.says("Insufficient information. Origin request header needed.");
    }
    let Some(method) = request.header("access-control-request-method") else {
        return Code::BadRequest.says("Invalid Access-Control-Request-Method: null");
    };
    let resource = if matches!(target, Target::Object(_)) {
        "OBJECT"
    } else {
        "BUCKET"
    };
    Code::AccessForbidden
        .with("Method", method)
        .with("ResourceType", resource)
}
