//! Completing an upload: `CompleteMultipartUpload`.
//!
//! The parts become an object as they lie: not a byte of them is read or written.

use bytes::{Bytes, BytesMut};

use crate::model::checksum::ChecksumAlgorithm;
use crate::model::object::ObjectVersion;
use crate::model::sealing::Sealing;
use crate::model::upload::Upload;
use crate::s3::code::Code;
use crate::s3::completion::{Claims, NamedPart};
use crate::s3::context::Context;
use crate::s3::error::{ErrorForm, S3Error};
use crate::s3::headers::{checksums, conditions, encryption, versions};
use crate::s3::operation::{Entry, Incoming, Operation, Payload, Route, Scope};
use crate::s3::target::ObjectAddress;
use crate::s3::{parts, sealing};
use crate::sse::customer_key::CustomerKey;
use crate::store::uploads::UploadAddress;
use crate::store::versions::WriteCondition;
use crate::wire::encoding::uri_encode_path;
use crate::wire::request::Request;
use crate::wire::response::Response;
use crate::wire::xml::{self, Element, XmlWriter};

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<CompleteMultipartUpload>()];

const NEEDS_KEY: &str = "The object was stored using a form of Server Side Encryption. Correct SSE-C request parameters are required for this request when specifying checksums for each part.";

/// `POST /{bucket}/{key}?uploadId=`: joins parts to an object.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
#[derive(Debug)]
struct CompleteMultipartUpload {
    object: ObjectAddress,
    address: UploadAddress,
    claims: Claims,
    customer_key: Option<CustomerKey>,
    condition: WriteCondition,
    location: String,
}

impl Operation for CompleteMultipartUpload {
    const NAME: &'static str = "CompleteMultipartUpload";
    const ROUTE: Route = Route::post(Scope::Object).with_queries(&["uploadId"]);
    const PAYLOAD: Payload = Payload::Manifest;
    const ERRORS: ErrorForm = ErrorForm::BareAndLast;

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let request = &incoming.request;
        let object = incoming.object()?;
        let address = parts::parse_upload(incoming)?;
        let parts = parse_parts(&request.document)?;
        let declared = checksums::parse_completed(request)?;
        let checksum = declared.and_then(|declared| Some((declared.algorithm, declared.value?)));
        let customer_key = encryption::parse_completion(incoming)?;
        Ok(Self {
            claims: Claims {
                brings_key: customer_key.is_some(),
                parts,
                checksum,
                kind: checksums::parse_type(request)?,
                size_bytes: parse_size(request)?,
            },
            customer_key,
            condition: conditions::parse_write(request)?,
            address,
            location: location(request, &object),
            object,
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let upload = cx.store.upload(&self.address)?;
        self.check_key(&upload)?;
        if upload.sealing.kms().is_some() {
            sealing::open_keys(cx, &self.object, &upload.sealing, None).await?;
        }
        let decide = |upload: &Upload, parts: &[_]| self.claims.decide(upload, parts);
        let done = cx
            .store
            .complete_upload(&self.address, &self.condition, decide)
            .await?;
        let version = done?;
        let brought = self.customer_key.is_some();
        let sealing = &version.content.sealing;
        let response = Response::ok().header("content-type", "application/xml");
        let response = versions::write_written(response, version.version_id);
        let response = encryption::write_completion(response, sealing, brought);
        Ok(response.body(self.render(&version)))
    }
}

impl CompleteMultipartUpload {
    /// A key that is brought has to be the upload's; it must be brought where the parts have checksums that were asked for.
    fn check_key(&self, upload: &Upload) -> Result<(), S3Error> {
        let fits = match (&upload.sealing, &self.customer_key) {
            (Sealing::SseC { key_md5 }, Some(key)) => {
                key.matches(key_md5) && key.data_key().is_some()
            }
            (Sealing::SseC { .. }, None) => upload.checksum.is_none(),
            (_, key) => key.is_none(),
        };
        if fits {
            Ok(())
        } else {
            Err(Code::InvalidRequest.says(NEEDS_KEY))
        }
    }

    /// AWS begins this answer before it is done, which leaves an empty line behind the declaration.
    fn render(&self, version: &ObjectVersion) -> Bytes {
        let content = &version.content;
        let mut xml = XmlWriter::document("CompleteMultipartUploadResult");
        xml.element("Location", &self.location)
            .element("Bucket", &self.object.bucket)
            .element("Key", &self.object.key)
            .element("ETag", content.etag.quoted());
        // AWS computes it under KMS too, and tells it on reads alone.
        let shown = content
            .checksum
            .as_ref()
            .filter(|_| content.sealing.kms().is_none());
        if let Some(checksum) = shown {
            xml.element(checksum.algorithm.element(), &checksum.value);
            xml.element("ChecksumType", checksum.kind.name());
        }
        let document = xml.finish();
        let line = document.iter().position(|&byte| byte == b'\n');
        let (declaration, rest) = document.split_at(line.map_or(0, |end| end + 1));
        let mut spaced = BytesMut::from(declaration);
        spaced.extend_from_slice(b"\n");
        spaced.extend_from_slice(rest);
        spaced.freeze()
    }
}

fn parse_parts(document: &[u8]) -> Result<Vec<NamedPart>, S3Error> {
    let malformed = || Code::MalformedXML.error();
    if document.is_empty() {
        return Ok(Vec::new());
    }
    let root = xml::parse(document).map_err(|_| malformed())?;
    if root.name != "CompleteMultipartUpload" {
        return Err(malformed());
    }
    root.children_named("Part").map(parse_part).collect()
}

fn parse_part(part: &Element) -> Result<NamedPart, S3Error> {
    let malformed = || Code::MalformedXML.error();
    let number = part.text_of("PartNumber").ok_or_else(malformed)?;
    let number: i64 = number.trim().parse().map_err(|_| malformed())?;
    let Some(number) = u32::try_from(number).ok().filter(|&number| number >= 1) else {
        return Err(S3Error::argument_value(
            "PartNumber",
            &number.to_string(),
            "PartNumber must be >= 1",
        ));
    };
    let etag = part.text_of("ETag").ok_or_else(malformed)?;
    let checksums = ChecksumAlgorithm::ALL.into_iter().filter_map(|algorithm| {
        let value = part.text_of(algorithm.element())?;
        Some((algorithm, value.to_owned()))
    });
    Ok(NamedPart {
        number,
        etag: etag.trim().trim_matches('"').to_owned(),
        checksums: checksums.collect(),
    })
}

fn parse_size(request: &Request) -> Result<Option<u64>, S3Error> {
    let Some(text) = request.header("x-amz-mp-object-size") else {
        return Ok(None);
    };
    // AWS: unverified. The words.
    let refused = || Code::InvalidRequest.says("Value for x-amz-mp-object-size header is invalid.");
    text.parse().map(Some).map_err(|_| refused())
}

/// Where the object is, by the host that the client asked.
fn location(request: &Request, object: &ObjectAddress) -> String {
    let scheme = if request.is_secure() { "https" } else { "http" };
    let path = uri_encode_path(&format!("/{}/{}", object.bucket, object.key));
    format!("{scheme}://{}{path}", request.host)
}
