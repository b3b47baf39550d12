//! Whether a bucket keeps the versions of its objects: `PutBucketVersioning`, `GetBucketVersioning`.
//!
//! Once set, a bucket is enabled or suspended and never unversioned again.
//!
//! Source: answers recorded from AWS in February and March 2026.

use crate::model::bucket::Versioning;
use crate::model::bucket_name::BucketName;
use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::operation::{Entry, Incoming, Operation, Payload, Route, Scope};
use crate::wire::response::Response;
use crate::wire::xml::{self, Element, XmlWriter};

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<PutBucketVersioning>(),
    Entry::of::<GetBucketVersioning>(),
];

/// The largest document that is taken, in bytes.
const MAX_BYTES: usize = 1_024;

/// `PUT /{bucket}?versioning`: enables versioning, or suspends it.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html>
#[derive(Debug)]
struct PutBucketVersioning {
    bucket: BucketName,
    versioning: Versioning,
}

impl Operation for PutBucketVersioning {
    const NAME: &'static str = "PutBucketVersioning";
    const ROUTE: Route = Route::put(Scope::Bucket).query("versioning");
    const PAYLOAD: Payload = Payload::Document;

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        Ok(Self {
            bucket: incoming.bucket_name()?,
            versioning: parse_configuration(&incoming.request.document)?,
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let versioning = self.versioning;
        cx.store
            .update_bucket(&self.bucket, |bucket| bucket.versioning = versioning)
            .await?;
        Ok(Response::ok())
    }
}

/// `GET /{bucket}?versioning`: what was set.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>
#[derive(Debug)]
struct GetBucketVersioning;

impl Operation for GetBucketVersioning {
    const NAME: &'static str = "GetBucketVersioning";
    const ROUTE: Route = Route::get(Scope::Bucket).query("versioning");

    fn parse(_: &mut Incoming) -> Result<Self, S3Error> {
        Ok(Self)
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        Ok(Response::ok().body(render_configuration(cx.bucket()?.versioning).finish()))
    }
}

/// AWS takes any root element, and nothing but these two in it.
fn parse_configuration(document: &[u8]) -> Result<Versioning, S3Error> {
    let malformed = || Code::MalformedXML.error();
    if document.is_empty() {
        return Err(Code::MissingRequestBodyError.error());
    }
    if document.len() > MAX_BYTES {
        return Err(Code::MaxMessageLengthExceeded.with("MaxMessageLengthBytes", MAX_BYTES));
    }
    let root = xml::parse(document).map_err(|_| malformed())?;
    let known = |child: &Element| matches!(child.name.as_str(), "Status" | "MfaDelete");
    if !root.children.iter().all(known) {
        return Err(malformed());
    }
    refuse_mfa(&root)?;
    let mut statuses = root.children_named("Status");
    match (statuses.next(), statuses.next()) {
        (None, _) => Err(Code::IllegalVersioningConfigurationException.error()),
        (Some(_), Some(_)) => Err(malformed()),
        (Some(status), None) => match status.text.as_str() {
            "Enabled" => Ok(Versioning::Enabled),
            "Suspended" => Ok(Versioning::Suspended),
            _ => Err(malformed()),
        },
    }
}

/// MFA delete takes the root account's device, which no test has.
// AWS: unverified. What it answers where the header `x-amz-mfa` is missing.
fn refuse_mfa(root: &Element) -> Result<(), S3Error> {
    match root.text_of("MfaDelete") {
        None | Some("Disabled") => Ok(()),
        Some("Enabled") => Err(Code::AccessDenied.error()),
        Some(_) => Err(Code::MalformedXML.error()),
    }
}

fn render_configuration(versioning: Versioning) -> XmlWriter {
    let mut xml = XmlWriter::document("VersioningConfiguration");
    xml.maybe(
        "Status",
        match versioning {
            Versioning::Unversioned => None,
            Versioning::Enabled => Some("Enabled"),
            Versioning::Suspended => Some("Suspended"),
        },
    );
    xml
}
