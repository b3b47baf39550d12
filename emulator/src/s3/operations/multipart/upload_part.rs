//! Filling an upload: `UploadPart`, `UploadPartCopy`.
//!
//! A part is sealed on its own under the upload's key, and can be written again until the upload is completed.

use crate::model::checksum::{Checksum, ChecksumAlgorithm};
use crate::model::sealing::Sealing;
use crate::model::upload::{Part, Upload};
use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::copy_source::CopySource;
use crate::s3::error::{ErrorForm, S3Error};
use crate::s3::headers::checksums::Declared;
use crate::s3::headers::{checksums, encryption};
use crate::s3::intake::{self, Digests, Pipeline, Received};
use crate::s3::operation::{Entry, Incoming, Operation, Payload, Route, Scope};
use crate::s3::sealing::{self, ETagRule};
use crate::s3::target::ObjectAddress;
use crate::s3::{parts, respond, transfer};
use crate::sse::body_keys::BodyKeys;
use crate::sse::customer_key::CustomerKey;
use crate::store::uploads::{NewPart, UploadAddress};
use crate::wire::response::Response;
use crate::wire::xml::XmlWriter;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<UploadPart>(), Entry::of::<UploadPartCopy>()];

const NEEDS_KEY: &str = "The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.";
const OTHER_KEY: &str =
    "The provided encryption parameters did not match the ones used originally.";
const MISSHAPEN_RANGE: &str = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy";

/// `PUT /{bucket}/{key}?partNumber=&uploadId=`: writes a part.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>
#[derive(Debug)]
struct UploadPart {
    target: PartTarget,
    upload: intake::Upload,
}

/// The same with `x-amz-copy-source`: writes a part of what another object holds.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>
#[derive(Debug)]
struct UploadPartCopy {
    target: PartTarget,
    source: CopySource,
    range: Option<(u64, u64)>,
}

/// Where a part goes, and the key that it brings.
#[derive(Debug)]
struct PartTarget {
    object: ObjectAddress,
    address: UploadAddress,
    number: u32,
    customer_key: Option<CustomerKey>,
}

impl Operation for UploadPart {
    const NAME: &'static str = "UploadPart";
    const ROUTE: Route = Route::put(Scope::Object).with_queries(&["partNumber", "uploadId"]);
    const PAYLOAD: Payload = Payload::Stream;
    const SEALS: Option<&'static str> = Some("s3:PutObject");

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        checksums::parse_content_md5(&incoming.request)?;
        let customer_key = encryption::parse_part(incoming)?;
        let declared = Declared::parse(&incoming.request)?;
        Ok(Self {
            target: PartTarget::parse(incoming, customer_key)?,
            upload: intake::Upload::take(incoming, declared)?,
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let upload = cx.store.upload(&self.target.address)?;
        let declared = self.upload.declared.checksum.as_ref();
        let declared = declared.map(|checksum| checksum.algorithm);
        check_algorithm(&upload, declared)?;
        let keys = self.target.keys(cx, &upload).await?;
        let writer = cx.store.blob_writer();
        let sealer = keys.seal(writer.id(), &cx.entropy);
        let received = self
            .upload
            .receive(sealer, writer, digests(&upload), &cx.workers)
            .await?;
        let answered = declared.is_some() || upload.checksum.is_some();
        let checksum = Some(received.checksum.clone()).filter(|_| answered);
        let part = self.target.keep(cx, &upload, received).await?;
        let response = Response::ok().header("etag", part.etag.quoted());
        let response = encryption::write(response, &upload.sealing);
        Ok(match checksum {
            None => response,
            Some(checksum) => response.header(checksum.algorithm.header(), &checksum.value),
        })
    }
}

impl Operation for UploadPartCopy {
    const NAME: &'static str = "UploadPartCopy";
    const ROUTE: Route = Route::put(Scope::Object)
        .with_queries(&["partNumber", "uploadId"])
        .with_header("x-amz-copy-source");
    const ERRORS: ErrorForm = ErrorForm::BareAndLast;
    const SEALS: Option<&'static str> = Some("s3:PutObject");

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let source = CopySource::parse(incoming)?;
        let range = incoming.request.header("x-amz-copy-source-range");
        let range = range.map(parse_range).transpose()?;
        let customer_key = encryption::parse_part(incoming)?;
        Ok(Self {
            source,
            range,
            target: PartTarget::parse(incoming, customer_key)?,
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let upload = cx.store.upload(&self.target.address)?;
        let (source, body) = self.source.open(cx)?;
        check_within(self.range, source.version.content.size_bytes)?;
        let keys = self.target.keys(cx, &upload).await?;
        let plaintext = self.source.read(cx, (&source, body), self.range).await?;
        let writer = cx.store.blob_writer();
        let sealer = keys.seal(writer.id(), &cx.entropy);
        let pipeline = Pipeline::of_copy(digests(&upload), sealer, writer);
        let received = transfer::run(plaintext, pipeline).await?;
        let part = self.target.keep(cx, &upload, received).await?;
        let shown = part.checksum.as_ref().filter(|_| upload.checksum.is_some());
        let response = source.write(respond::xml(render_copied(&part, shown)));
        Ok(encryption::write(response, &upload.sealing))
    }
}

impl PartTarget {
    fn parse(incoming: &Incoming, customer_key: Option<CustomerKey>) -> Result<Self, S3Error> {
        let number = parts::parse_number(&incoming.request)?;
        Ok(Self {
            object: incoming.object()?,
            number: number.ok_or_else(|| Code::InternalError.error())?,
            address: parts::parse_upload(incoming)?,
            customer_key,
        })
    }

    /// The upload's keys, if the part brings the key that the upload was begun with.
    async fn keys(&self, cx: &Context, upload: &Upload) -> Result<BodyKeys, S3Error> {
        let is_customers = matches!(upload.sealing, Sealing::SseC { .. });
        if is_customers != self.customer_key.is_some() {
            return Err(Code::InvalidRequest.says(NEEDS_KEY));
        }
        let opened = sealing::open_keys(
            cx,
            &self.object,
            &upload.sealing,
            self.customer_key.as_ref(),
        );
        opened.await.map_err(|error| {
            if is_customers && error.code == Code::AccessDenied {
                Code::InvalidRequest.says(OTHER_KEY)
            } else {
                error
            }
        })
    }

    async fn keep(
        &self,
        cx: &Context,
        upload: &Upload,
        received: Received,
    ) -> Result<Part, S3Error> {
        let new = NewPart {
            number: self.number,
            size_bytes: received.size_bytes,
            etag: ETagRule::under(&upload.sealing).of(&received, cx),
            checksum: kept_checksum(upload, &received),
            body: received.blob,
        };
        Ok(cx.store.put_part(&self.address, new).await?)
    }
}

/// An upload that was begun with a checksum takes no other.
fn check_algorithm(upload: &Upload, declared: Option<ChecksumAlgorithm>) -> Result<(), S3Error> {
    let (Some(expected), Some(actual)) = (&upload.checksum, declared) else {
        return Ok(());
    };
    if expected.algorithm == actual {
        return Ok(());
    }
    Err(Code::InvalidRequest.says(format!(
        "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
        expected.algorithm.name().to_lowercase(),
        actual.name().to_lowercase()
    )))
}

fn digests(upload: &Upload) -> Digests {
    let chosen = upload.checksum.map(|checksum| checksum.algorithm);
    Digests {
        md5: ETagRule::under(&upload.sealing).wants_md5(),
        checksum: chosen.unwrap_or(ChecksumAlgorithm::Crc64Nvme),
        crc64: chosen.is_none(),
    }
}

/// What is kept of a part to compute the object's checksum from.
fn kept_checksum(upload: &Upload, received: &Received) -> Option<Checksum> {
    if upload.checksum.is_some() {
        return Some(received.checksum.clone());
    }
    let crc64 = received.crc64.clone().map(|value| Checksum {
        algorithm: ChecksumAlgorithm::Crc64Nvme,
        value,
        ..received.checksum.clone()
    });
    crc64.or_else(|| Some(received.checksum.clone()))
}

/// Reads `bytes=first-last`, both of which must be there.
// AWS: unverified. The argument's name.
fn parse_range(header: &str) -> Result<(u64, u64), S3Error> {
    let range = header.strip_prefix("bytes=").and_then(|range| {
        let (first, last) = range.split_once('-')?;
        Some((first.parse().ok()?, last.parse().ok()?))
    });
    let refused = || S3Error::argument_value("x-amz-copy-source-range", header, MISSHAPEN_RANGE);
    range
        .filter(|(first, last)| first <= last)
        .ok_or_else(refused)
}

// AWS: unverified. The code; the message is known from others.
fn check_within(range: Option<(u64, u64)>, size: u64) -> Result<(), S3Error> {
    match range.filter(|(_, last)| *last >= size) {
        None => Ok(()),
        Some((first, last)) => Err(S3Error::argument_value(
            "x-amz-copy-source-range",
            &format!("bytes={first}-{last}"),
            format!("Range specified is not valid for source object of size: {size}"),
        )),
    }
}

fn render_copied(part: &Part, checksum: Option<&Checksum>) -> XmlWriter {
    let mut xml = XmlWriter::document("CopyPartResult");
    xml.element("LastModified", part.last_modified.iso8601());
    xml.element("ETag", part.etag.quoted());
    if let Some(checksum) = checksum {
        xml.element(checksum.algorithm.element(), &checksum.value);
    }
    xml
}
