//! What the operations on parts share: which upload and which part a request means.

use crate::model::upload_id::UploadId;
use crate::s3::code::Code;
use crate::s3::error::S3Error;
use crate::s3::operation::Incoming;
use crate::store::uploads::UploadAddress;
use crate::wire::request::Request;

/// The upload that a request names.
///
/// # Errors
///
/// `NoSuchUpload` for an id that was never given out.
pub(crate) fn parse_upload(incoming: &Incoming) -> Result<UploadAddress, S3Error> {
    let object = incoming.object()?;
    let text = incoming.request.query.find("uploadId").unwrap_or_default();
    let id = UploadId::parse(text).ok_or_else(|| Code::NoSuchUpload.with("UploadId", text))?;
    Ok(UploadAddress {
        bucket: object.bucket,
        key: object.key,
        id,
    })
}

/// The part that a request names; `None` where it names none.
///
/// # Errors
///
/// `InvalidArgument`.
pub(crate) fn parse_number(request: &Request) -> Result<Option<u32>, S3Error> {
    let Some(text) = request.query.find("partNumber") else {
        return Ok(None);
    };
    let number = text.parse::<u32>().ok();
    let number = number.filter(|number| (1..=10_000).contains(number));
    let message = "Part number must be an integer between 1 and 10000, inclusive";
    let refused = || S3Error::argument_value("partNumber", text, message);
    number.map(Some).ok_or_else(refused)
}
