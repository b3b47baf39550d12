//! Tags of a bucket: `GetBucketTagging`.
//!
//! So far they are those that were given at its creation.

use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::operation::{Entry, Incoming, Operation, Route, Scope};
use crate::s3::respond;
use crate::wire::response::Response;
use crate::wire::xml::XmlWriter;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<GetBucketTagging>()];

/// `GET /{bucket}?tagging`: the tags of a bucket.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketTagging.html>
#[derive(Debug)]
struct GetBucketTagging;

impl Operation for GetBucketTagging {
    const NAME: &'static str = "GetBucketTagging";
    const ROUTE: Route = Route::get(Scope::Bucket).query("tagging");

    fn parse(_: &mut Incoming) -> Result<Self, S3Error> {
        Ok(Self)
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let bucket = cx.bucket()?;
        if bucket.tags.is_empty() {
            return Err(Code::NoSuchTagSet.with("BucketName", &bucket.name));
        }
        Ok(respond::xml(render_tags(&bucket.tags)))
    }
}

fn render_tags(tags: &[(String, String)]) -> XmlWriter {
    let mut xml = XmlWriter::document("Tagging");
    xml.nest("TagSet", |xml| {
        for (key, value) in tags {
            xml.nest("Tag", |xml| {
                xml.element("Key", key).element("Value", value);
            });
        }
    });
    xml
}
