//! Giving an upload up: `AbortMultipartUpload`.

use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::operation::{Entry, Incoming, Operation, Route, Scope};
use crate::s3::parts;
use crate::store::uploads::UploadAddress;
use crate::wire::response::Response;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<AbortMultipartUpload>()];

/// `DELETE /{bucket}/{key}?uploadId=`: gives an upload up, with all its parts.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>
#[derive(Debug)]
struct AbortMultipartUpload(UploadAddress);

impl Operation for AbortMultipartUpload {
    const NAME: &'static str = "AbortMultipartUpload";
    const ROUTE: Route = Route::delete(Scope::Object).with_queries(&["uploadId"]);

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        parts::parse_upload(incoming).map(Self)
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        cx.store.abort_upload(&self.0).await?;
        Ok(Response::no_content())
    }
}
