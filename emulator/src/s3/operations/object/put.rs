//! Putting an object: `PutObject`.
//!
//! The body is sealed while it streams and published at the end, when every digest and signature has held: a failed
//! upload leaves nothing behind.

use crate::model::object::VersionContent;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::headers::checksums::{self, Declared};
use crate::s3::headers::metadata::{self, ObjectHeaders};
use crate::s3::headers::{acl, conditions, encryption};
use crate::s3::intake::{Digests, Upload};
use crate::s3::operation::{Entry, Incoming, Operation, Payload, Route, Scope};
use crate::s3::sealing::Write;
use crate::s3::target::ObjectAddress;
use crate::sse::choice::Requested;
use crate::store::versions::{NewVersion, WriteCondition};
use crate::wire::response::Response;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<PutObject>()];

/// `PUT /{bucket}/{key}`: writes an object.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
#[derive(Debug)]
struct PutObject {
    object: ObjectAddress,
    headers: ObjectHeaders,
    storage_class: String,
    tags: Vec<(String, String)>,
    encryption: Requested,
    condition: WriteCondition,
    acl: acl::AclRequest,
    upload: Upload,
}

impl Operation for PutObject {
    const NAME: &'static str = "PutObject";
    const ROUTE: Route = Route::put(Scope::Object);
    const PAYLOAD: Payload = Payload::Stream;
    const SEALS: Option<&'static str> = Some("s3:PutObject");

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let storage_class = metadata::parse_storage_class(&incoming.request)?;
        checksums::parse_content_md5(&incoming.request)?;
        let encryption = encryption::parse_put(incoming)?;
        let declared = Declared::parse(&incoming.request)?;
        Ok(Self {
            object: incoming.object()?,
            headers: ObjectHeaders::parse(&incoming.request)?,
            storage_class,
            tags: metadata::parse_tagging(&incoming.request)?,
            encryption,
            condition: conditions::parse_write(&incoming.request)?,
            acl: acl::AclRequest::parse(&incoming.request),
            upload: Upload::take(incoming, declared)?,
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        self.acl.check(cx)?;
        let write = Write::begin(cx, &self.object, self.encryption).await?;
        let (sealing, etag, sent_context) = (write.sealing, write.etag, write.context);
        let received = self
            .upload
            .receive(
                write.sealer,
                write.writer,
                Digests::of_object(etag.wants_md5()),
                &cx.workers,
            )
            .await?;
        let content = VersionContent {
            size_bytes: received.size_bytes,
            etag: etag.of(&received, cx),
            checksum: Some(received.checksum),
            headers: self.headers.system,
            metadata: self.headers.metadata,
            tags: self.tags,
            storage_class: self.storage_class,
            owner_id: cx.caller_id()?.to_owned(),
            sealing,
        };
        let new = NewVersion {
            content,
            body: received.blob,
            condition: self.condition,
        };
        let ObjectAddress { bucket, key } = self.object;
        let version = cx.store.put_version(&bucket, key, new).await?;
        let response = Response::ok().header("etag", version.content.etag.quoted());
        let response = encryption::write(response, &version.content.sealing);
        let response = encryption::write_context(response, sent_context);
        Ok(checksums::write(
            response,
            version.content.checksum.as_ref(),
        ))
    }
}
