//! Beginning an upload: `CreateMultipartUpload`.
//!
//! Everything that is said of the object is said here: its headers, its encryption, its checksum. The parts bring bytes.

use crate::model::upload::{Upload, UploadChecksum};
use crate::model::upload_id::UploadId;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::headers::metadata::{self, ObjectHeaders};
use crate::s3::headers::{acl, checksums, encryption, lock};
use crate::s3::operation::{Entry, Incoming, Operation, Route, Scope};
use crate::s3::sealing::NewKeys;
use crate::s3::target::ObjectAddress;
use crate::sse::choice::Requested;
use crate::wire::response::Response;
use crate::wire::xml::XmlWriter;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<CreateMultipartUpload>()];

/// `POST /{bucket}/{key}?uploads`: begins an upload.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>
#[derive(Debug)]
struct CreateMultipartUpload {
    object: ObjectAddress,
    headers: ObjectHeaders,
    storage_class: String,
    tags: Vec<(String, String)>,
    checksum: Option<UploadChecksum>,
    encryption: Requested,
    acl: acl::AclRequest,
}

impl Operation for CreateMultipartUpload {
    const NAME: &'static str = "CreateMultipartUpload";
    const ROUTE: Route = Route::post(Scope::Object).query("uploads");
    const SEALS: Option<&'static str> = Some("s3:PutObject");

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let request = &incoming.request;
        lock::refuse(request)?;
        Ok(Self {
            storage_class: metadata::parse_storage_class(request)?,
            encryption: encryption::parse_put(incoming)?,
            object: incoming.object()?,
            headers: ObjectHeaders::parse(request)?,
            tags: metadata::parse_tagging(request)?,
            checksum: checksums::parse_upload(request)?,
            acl: acl::AclRequest::parse(request),
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        self.acl.check(cx)?;
        let new = NewKeys::make(cx, &self.object, self.encryption).await?;
        let now = cx.clock.now();
        let upload = Upload {
            key: self.object.key,
            id: UploadId::new(now, cx.entropy.bytes()),
            initiated: now,
            owner_id: cx.caller_id()?.to_owned(),
            headers: self.headers.system,
            metadata: self.headers.metadata,
            tags: self.tags,
            storage_class: self.storage_class,
            sealing: new.sealing,
            checksum: self.checksum,
            base: None,
        };
        let bucket = &self.object.bucket;
        cx.store.create_upload(bucket, &upload).await?;
        let mut xml = XmlWriter::document("InitiateMultipartUploadResult");
        xml.element("Bucket", bucket)
            .element("Key", &upload.key)
            .element("UploadId", upload.id);
        // AWS leaves the content type out here.
        let response = Response::ok().body(xml.finish());
        let response = encryption::write(response, &upload.sealing);
        let response = encryption::write_context(response, new.context);
        Ok(match upload.checksum {
            None => response,
            Some(checksum) => response
                .header("x-amz-checksum-algorithm", checksum.algorithm.name())
                .header("x-amz-checksum-type", checksum.kind.name()),
        })
    }
}
