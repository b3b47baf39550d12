//! Version ids: as a request names them, and as answers tell them.

use crate::model::bucket::{Bucket, Versioning};
use crate::model::object::VersionId;
use crate::s3::error::S3Error;
use crate::wire::response::Response;

/// The header that tells which version an answer is about.
const VERSION_ID: &str = "x-amz-version-id";

/// Reads the id of a version.
///
/// # Errors
///
/// `InvalidArgument`, under this argument's name, for an id that no version can have.
pub(crate) fn parse(argument: &str, text: &str) -> Result<VersionId, S3Error> {
    let message = if text.is_empty() {
        "Version id cannot be the empty string"
    } else {
        "Invalid version id specified"
    };
    VersionId::parse(text).ok_or_else(|| S3Error::argument_value(argument, text, message))
}

/// Tells which version was read: where the bucket has ever been versioned, or the request has named it.
pub(crate) fn write_read(
    response: Response,
    bucket: &Bucket,
    id: VersionId,
    is_named: bool,
) -> Response {
    let is_told = is_named || bucket.versioning != Versioning::Unversioned;
    response.maybe_header(VERSION_ID, is_told.then(|| id.to_string()))
}

/// Tells which version was written; AWS says nothing of `null`.
pub(crate) fn write_written(response: Response, id: VersionId) -> Response {
    let is_told = id != VersionId::Null;
    response.maybe_header(VERSION_ID, is_told.then(|| id.to_string()))
}

/// Tells of a delete marker.
pub(crate) fn write_marker(response: Response, id: VersionId) -> Response {
    response
        .header("x-amz-delete-marker", "true")
        .header(VERSION_ID, id.to_string())
}
