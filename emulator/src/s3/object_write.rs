//! An object written from the body of its request: what `PutObject` and a browser's form share.
//!
//! The body is sealed while it streams and published at the end, when every digest and signature has held: a failed
//! upload leaves nothing behind.

use crate::model::object::{ObjectVersion, VersionContent};
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::headers::acl::AclRequest;
use crate::s3::headers::metadata::ObjectHeaders;
use crate::s3::headers::{checksums, encryption, versions};
use crate::s3::intake::{Digests, Upload};
use crate::s3::sealing::Write;
use crate::s3::target::ObjectAddress;
use crate::sse::choice::Requested;
use crate::store::versions::{NewVersion, WriteCondition};
use crate::wire::response::Response;

/// An object that a request asks to be written.
#[derive(Debug)]
pub(crate) struct ObjectWrite {
    pub(crate) object: ObjectAddress,
    pub(crate) headers: ObjectHeaders,
    pub(crate) storage_class: String,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) encryption: Requested,
    pub(crate) condition: WriteCondition,
    pub(crate) acl: AclRequest,
    pub(crate) upload: Upload,
}

/// An object that was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) version: ObjectVersion,
    /// The encryption context as the request sent it.
    pub(crate) context: Option<String>,
}

impl ObjectWrite {
    /// Writes it.
    ///
    /// # Errors
    ///
    /// As [`AclRequest::check`], [`Write::begin`], [`Upload::receive`]; `PreconditionFailed`, `NoSuchKey`.
    pub(crate) async fn run(self, cx: &Context) -> Result<Written, S3Error> {
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
        Ok(Written {
            version,
            context: sent_context,
        })
    }
}

impl Written {
    /// Tells of it in an answer: entity tag, encryption, checksum.
    pub(crate) fn describe(&self, response: Response) -> Response {
        let content = &self.version.content;
        let response = response.header("etag", content.etag.quoted());
        let response = versions::write_written(response, self.version.version_id);
        let response = encryption::write(response, &content.sealing);
        checksums::write(response, content.checksum.as_ref())
    }
}
