//! Who may: until permissions are built, each known identity of a bucket's account may do everything in it, and nobody
//! else anything.

use crate::auth::identity::Caller;
use crate::model::bucket::Bucket;
use crate::model::encryption::BlockedEncryption;
use crate::s3::code::Code;
use crate::s3::context::{Access, Context};
use crate::s3::error::S3Error;
use crate::s3::headers::encryption;
use crate::s3::operation::{Entry, Incoming};
use crate::s3::target::Target;
use crate::wire::request::Request;

const EXPECTED_OWNER: &str = "x-amz-expected-bucket-owner";
/// The same, for the bucket of a copy's source.
pub(crate) const SOURCE_OWNER: &str = "x-amz-source-expected-bucket-owner";

/// Lets a caller in.
///
/// # Errors
///
/// `AccessDenied` for anonymous and foreign callers, and where the owner is not the expected one;
/// `InvalidBucketOwnerAWSAccountID` for an owner that is no account.
pub(crate) fn check(
    caller: &Caller,
    bucket: Option<&Bucket>,
    entry: &Entry,
    request: &Request,
) -> Result<(), S3Error> {
    let Caller::Known(identity) = caller else {
        // AWS leads an anonymous `GET /` to its product page (307); a test's client would leave for the internet, so we
        // deny it like every other anonymous request.
        return Err(if entry.name == "CreateBucket" {
            anonymous_cannot()
        } else {
            Code::AccessDenied.error()
        });
    };
    let Some(bucket) = bucket else { return Ok(()) };
    if bucket.account != identity.account {
        return Err(Code::AccessDenied.error());
    }
    check_expected_owner(request.header(EXPECTED_OWNER), bucket)
}

/// Lets a caller read the source of a copy.
///
/// # Errors
///
/// `AccessDenied` for a bucket of another account.
pub(crate) fn check_owned(cx: &Context, bucket: &Bucket) -> Result<(), S3Error> {
    if cx.caller_account()? == bucket.account {
        Ok(())
    } else {
        Err(Code::AccessDenied.error())
    }
}

/// Checks the value of `x-amz-expected-bucket-owner`, or of [`SOURCE_OWNER`].
///
/// # Errors
///
/// `InvalidBucketOwnerAWSAccountID`, `AccessDenied`.
pub(crate) fn check_expected_owner(expected: Option<&str>, bucket: &Bucket) -> Result<(), S3Error> {
    let Some(expected) = expected else {
        return Ok(());
    };
    if expected.len() != 12 || !expected.bytes().all(|byte| byte.is_ascii_digit()) {
        let message = format!(
            "The value of the expected bucket owner parameter must be an AWS Account ID... [{expected}]"
        );
        return Err(Code::InvalidBucketOwnerAWSAccountID.says(message));
    }
    if expected == bucket.account {
        Ok(())
    } else {
        Err(Code::AccessDenied.error())
    }
}

/// Refuses a request that version 4 of signatures does not prove, where the operation takes no other.
///
/// # Errors
///
/// `InvalidRequest`.
pub(crate) fn check_version(access: Access, entry: &Entry) -> Result<(), S3Error> {
    match entry.needs_version_4.filter(|_| !access.is_version_4) {
        None => Ok(()),
        Some(message) => Err(Code::InvalidRequest.says(message)),
    }
}

/// Refuses customer keys where the bucket blocks them: writes alone, and before the key itself is looked at.
///
/// Source: answers quoted from AWS since April 2026.
///
/// # Errors
///
/// `AccessDenied`.
pub(crate) fn check_blocked(
    caller: &Caller,
    bucket: &Bucket,
    action: &str,
    incoming: &Incoming,
) -> Result<(), S3Error> {
    let blocked = bucket.encryption.blocked == BlockedEncryption::SseC
        && encryption::brings_customer_key(&incoming.request);
    let (true, Target::Object(object)) = (blocked, &incoming.target) else {
        return Ok(());
    };
    Err(Code::AccessDenied.says(format!(
        "User: {} is not authorized to perform: {action} on resource: \"{}\" because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type.",
        caller.arn(),
        object.arn(),
    )))
}

/// Under `--strict-region`: a bucket is served in its own region alone.
///
/// # Errors
///
/// `PermanentRedirect`, or `AuthorizationHeaderMalformed` at us-east-1, which knows every bucket's region.
pub(crate) fn check_region(bucket: &Bucket, region: &str) -> Result<(), S3Error> {
    let home = bucket.region();
    if region == home {
        return Ok(());
    }
    let error = if region == "us-east-1" {
        let message = format!(
            "The authorization header is malformed; the region '{region}' is wrong; expecting '{home}'"
        );
        Code::AuthorizationHeaderMalformed
            .says(message)
            .with("Region", home)
    } else {
        let endpoint = format!("{}.s3.{home}.amazonaws.com", bucket.name);
        Code::PermanentRedirect
            .with("Endpoint", endpoint)
            .with("Bucket", &bucket.name)
    };
    Err(error.with_header("x-amz-bucket-region", home))
}

fn anonymous_cannot() -> S3Error {
    Code::AccessDenied.says("Anonymous users cannot invoke this API. Please authenticate.")
}
