//! Copying an object: `CopyObject`.
//!
//! The bytes are opened and sealed again under a new key; the encryption of the source never carries over. Metadata and
//! tags come from the source unless the request replaces them.

use crate::model::bucket::Bucket;
use crate::model::checksum::ChecksumAlgorithm;
use crate::model::object::{ObjectVersion, VersionContent};
use crate::model::sealing::Sealing;
use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::copy_source::CopySource;
use crate::s3::error::{ErrorForm, S3Error};
use crate::s3::headers::acl::AclRequest;
use crate::s3::headers::metadata::{self, ObjectHeaders, WEBSITE_REDIRECT};
use crate::s3::headers::{checksums, conditions, encryption, lock, versions};
use crate::s3::intake::{Digests, Pipeline};
use crate::s3::operation::{Entry, Incoming, Operation, Route, Scope};
use crate::s3::respond;
use crate::s3::sealing::Write;
use crate::s3::target::ObjectAddress;
use crate::s3::transfer;
use crate::sse::choice::Requested;
use crate::store::versions::{NewVersion, WriteCondition};
use crate::wire::request::Request;
use crate::wire::response::Response;
use crate::wire::xml::XmlWriter;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<CopyObject>()];

const ONTO_ITSELF: &str = "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.";

/// `PUT /{bucket}/{key}` with `x-amz-copy-source`: copies an object.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
#[derive(Debug)]
struct CopyObject {
    source: CopySource,
    object: ObjectAddress,
    replace_metadata: bool,
    replace_tags: bool,
    headers: ObjectHeaders,
    tags: Vec<(String, String)>,
    storage_class: String,
    names_class: bool,
    checksum: Option<ChecksumAlgorithm>,
    encryption: Requested,
    condition: WriteCondition,
    acl: AclRequest,
}

impl Operation for CopyObject {
    const NAME: &'static str = "CopyObject";
    const ROUTE: Route = Route::put(Scope::Object).with_header("x-amz-copy-source");
    const ERRORS: ErrorForm = ErrorForm::BareAndLast;
    const SEALS: Option<&'static str> = Some("s3:CopyObject");

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let request = &incoming.request;
        lock::refuse(request)?;
        let storage_class = metadata::parse_storage_class(request)?;
        Ok(Self {
            source: CopySource::parse(incoming)?,
            object: incoming.object()?,
            replace_metadata: parse_directive(
                request,
                "x-amz-metadata-directive",
                "Unknown metadata directive.",
            )?,
            replace_tags: parse_directive(
                request,
                "x-amz-tagging-directive",
                "Unknown tagging directive.",
            )?,
            headers: ObjectHeaders::parse(request)?,
            tags: metadata::parse_tagging(request)?,
            storage_class,
            names_class: request.headers.contains_key("x-amz-storage-class"),
            checksum: checksums::parse_algorithm(request)?,
            encryption: encryption::parse_copy(incoming)?,
            condition: conditions::parse_write(request)?,
            acl: AclRequest::parse(request),
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        self.acl.check(cx)?;
        let (source, body) = self.source.open(cx)?;
        self.check_change(cx.bucket()?, &source.version)?;
        let plaintext = self.source.read(cx, (&source, body), None).await?;

        let stored = source
            .version
            .content
            .checksum
            .as_ref()
            .map(|checksum| checksum.algorithm);
        let algorithm = self
            .checksum
            .or(stored)
            .unwrap_or(ChecksumAlgorithm::Crc64Nvme);
        let Write {
            sealing,
            sealer,
            writer,
            etag,
            context,
        } = Write::begin(cx, &self.object, self.encryption.clone()).await?;
        let digests = Digests {
            checksum: algorithm,
            ..Digests::of_object(etag.wants_md5())
        };
        let received = transfer::run(plaintext, Pipeline::of_copy(digests, sealer, writer)).await?;

        let content = VersionContent {
            size_bytes: received.size_bytes,
            etag: etag.of(&received, cx),
            checksum: Some(received.checksum),
            owner_id: cx.caller_id()?.to_owned(),
            sealing,
            ..self.described(source.version.content.clone())
        };
        let ObjectAddress { bucket, key } = self.object;
        let new = NewVersion {
            content,
            body: received.blob,
            condition: self.condition,
        };
        let version = cx.store.put_version(&bucket, key, new).await?;
        let response = source.write(respond::xml(render_copied(&version)));
        let response = versions::write_read(response, cx.bucket()?, version.version_id, false);
        let response = encryption::write(response, &version.content.sealing);
        Ok(encryption::write_context(response, context))
    }
}

impl CopyObject {
    /// A copy onto itself has to change something.
    fn check_change(&self, bucket: &Bucket, source: &ObjectVersion) -> Result<(), S3Error> {
        let is_sse_s3 = matches!(source.content.sealing, Sealing::SseS3 { .. });
        let changes = self.source.object != self.object
            || self.source.version_id.is_some()
            || self.replace_metadata
            || self.names_class
            || self
                .headers
                .system
                .iter()
                .any(|(name, _)| name == WEBSITE_REDIRECT)
            || !matches!(self.encryption, Requested::Nothing { .. })
            || bucket.encryption.explicit
            || !is_sse_s3;
        if changes {
            Ok(())
        } else {
            Err(Code::InvalidRequest.says(ONTO_ITSELF))
        }
    }

    /// Headers, metadata, class and tags of the copy. The website redirect is never copied.
    fn described(&self, source: VersionContent) -> VersionContent {
        let redirect = |headers: &[(String, String)]| {
            headers
                .iter()
                .find(|(name, _)| name == WEBSITE_REDIRECT)
                .cloned()
        };
        let mut copy = VersionContent {
            storage_class: self.storage_class.clone(),
            ..source
        };
        copy.headers.retain(|(name, _)| name != WEBSITE_REDIRECT);
        if self.replace_metadata {
            copy.headers.clone_from(&self.headers.system);
            copy.metadata.clone_from(&self.headers.metadata);
        } else {
            copy.headers.extend(redirect(&self.headers.system));
        }
        if self.replace_tags {
            copy.tags.clone_from(&self.tags);
        }
        copy
    }
}

/// Whether a directive says `REPLACE`.
fn parse_directive(
    request: &Request,
    header: &'static str,
    unknown: &'static str,
) -> Result<bool, S3Error> {
    match request.header(header) {
        None | Some("COPY") => Ok(false),
        Some("REPLACE") => Ok(true),
        Some(value) => Err(S3Error::argument_value(header, value, unknown)),
    }
}

fn render_copied(version: &ObjectVersion) -> XmlWriter {
    let mut xml = XmlWriter::document("CopyObjectResult");
    xml.element("LastModified", version.last_modified.iso8601());
    xml.element("ETag", version.content.etag.quoted());
    if let Some(checksum) = &version.content.checksum {
        xml.element(checksum.algorithm.element(), &checksum.value);
        xml.element("ChecksumType", checksum.kind.name());
    }
    xml
}
