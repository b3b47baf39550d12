//! Putting an object: `PutObject`.

use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::headers::acl::AclRequest;
use crate::s3::headers::checksums::{self, Declared};
use crate::s3::headers::metadata::{self, ObjectHeaders};
use crate::s3::headers::{conditions, encryption, lock};
use crate::s3::intake::Upload;
use crate::s3::object_write::ObjectWrite;
use crate::s3::operation::{Entry, Incoming, Operation, Payload, Route, Scope};
use crate::wire::request::Request;
use crate::wire::response::Response;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<PutObject>()];

/// `PUT /{bucket}/{key}`: writes an object.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
#[derive(Debug)]
struct PutObject {
    write: ObjectWrite,
}

impl Operation for PutObject {
    const NAME: &'static str = "PutObject";
    const ROUTE: Route = Route::put(Scope::Object);
    const PAYLOAD: Payload = Payload::Stream;
    const SEALS: Option<&'static str> = Some("s3:PutObject");

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        refuse_append(&incoming.request)?;
        lock::refuse(&incoming.request)?;
        let storage_class = metadata::parse_storage_class(&incoming.request)?;
        checksums::parse_content_md5(&incoming.request)?;
        let encryption = encryption::parse_put(incoming)?;
        let declared = Declared::parse(&incoming.request)?;
        let write = ObjectWrite {
            object: incoming.object()?,
            headers: ObjectHeaders::parse(&incoming.request)?,
            storage_class,
            tags: metadata::parse_tagging(&incoming.request)?,
            encryption,
            condition: conditions::parse_write(&incoming.request)?,
            acl: AclRequest::parse(&incoming.request),
            upload: Upload::take(incoming, declared)?,
        };
        Ok(Self { write })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let written = self.write.run(cx).await?;
        let response = written.describe(Response::ok());
        Ok(encryption::write_context(response, written.context))
    }
}

/// Appending is for directory buckets, of which there are none.
fn refuse_append(request: &Request) -> Result<(), S3Error> {
    let name = "x-amz-write-offset-bytes";
    match request.header(name) {
        None => Ok(()),
        Some(_) => Err(Code::NotImplemented.with("Header", name)),
    }
}
