//! Putting an object by a browser's form: `PostObject`.
//!
//! Its fields are headers by now, its policy is checked and its target is the key. What is left: tags come as XML, and the
//! form says what the browser is to be shown.

use http::StatusCode;

use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::headers::acl::AclRequest;
use crate::s3::headers::checksums::{self, Declared};
use crate::s3::headers::metadata::{self, ObjectHeaders};
use crate::s3::headers::{encryption, lock};
use crate::s3::intake::Upload;
use crate::s3::object_write::{ObjectWrite, Written};
use crate::s3::operation::{Entry, Incoming, Operation, Payload, Route, Scope};
use crate::s3::target::ObjectAddress;
use crate::store::versions::WriteCondition;
use crate::wire::encoding::uri_encode;
use crate::wire::forms::Fields;
use crate::wire::request::Request;
use crate::wire::response::Response;
use crate::wire::xml::{self, XmlWriter};

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<PostObject>()];

/// `POST /{bucket}` with `multipart/form-data`: writes an object.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>, and answers recorded from AWS.
#[derive(Debug)]
struct PostObject {
    write: ObjectWrite,
    ending: Ending,
    /// Where the object can be read then.
    location: String,
}

/// What the browser is shown at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ending {
    /// This page, which is told what was written.
    Redirect(String),
    /// 201 and a document.
    Document,
    /// Nothing.
    Empty(StatusCode),
}

impl Operation for PostObject {
    const NAME: &'static str = "PostObject";
    const ROUTE: Route = Route::post(Scope::Bucket).of_form();
    const PAYLOAD: Payload = Payload::Form;
    const SEALS: Option<&'static str> = Some("s3:PutObject");

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let form = incoming
            .form
            .take()
            .ok_or_else(|| Code::InternalError.error())?;
        let request = &incoming.request;
        lock::refuse(request)?;
        let storage_class = metadata::parse_storage_class(request)?;
        checksums::parse_content_md5(request)?;
        let encryption = encryption::parse_form(incoming)?;
        let declared = Declared::parse(request)?;
        let object = incoming.object()?;
        Ok(Self {
            location: locate(request, &object),
            ending: Ending::parse(&form.fields),
            write: ObjectWrite {
                object,
                headers: ObjectHeaders::parse(request)?,
                storage_class,
                tags: parse_tagging(&form.fields)?,
                encryption,
                condition: WriteCondition::None,
                acl: AclRequest::parse(request),
                upload: Upload::take_file(incoming, declared, form.size_bytes),
            },
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let object = self.write.object.clone();
        let written = self.write.run(cx).await?;
        Ok(self.ending.answer(&object, self.location, &written))
    }
}

impl Ending {
    /// A redirect that is no whole URL counts for nothing, and so does a status that is none of the three.
    fn parse(fields: &Fields) -> Self {
        // `redirect` is what the first forms called it, and S3 still takes that.
        let redirect = fields
            .find("success_action_redirect")
            .or_else(|| fields.find("redirect"));
        if let Some(url) = redirect.filter(|url| is_absolute(url)) {
            return Self::Redirect(url.to_owned());
        }
        match fields.find("success_action_status") {
            Some("200") => Self::Empty(StatusCode::OK),
            Some("201") => Self::Document,
            _ => Self::Empty(StatusCode::NO_CONTENT),
        }
    }

    fn answer(self, object: &ObjectAddress, location: String, written: &Written) -> Response {
        let etag = written.version.content.etag.quoted();
        let (status, location, body) = match self {
            Self::Empty(status) => (status, location, None),
            Self::Redirect(url) => {
                let url = render_redirect(&url, object, &etag);
                (StatusCode::SEE_OTHER, url, None)
            }
            Self::Document => {
                let document = render(object, &location, &etag);
                (StatusCode::CREATED, location, Some(document))
            }
        };
        let response = written.describe(Response::new(status).header("location", location));
        match body {
            None => response,
            Some(document) => response
                .header("content-type", "application/xml")
                .body(document.finish()),
        }
    }
}

fn is_absolute(url: &str) -> bool {
    url.split_once("://").is_some_and(|(scheme, rest)| {
        matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https")
            && !rest.is_empty()
            && !rest.starts_with(['/', '?', '#'])
    })
}

/// The URL of an object at the endpoint that the form was sent to, the key's slashes encoded.
fn locate(request: &Request, object: &ObjectAddress) -> String {
    let scheme = if request.is_secure() { "https" } else { "http" };
    let key = uri_encode(object.key.as_str());
    match request.path.trim_matches('/') {
        "" => format!("{scheme}://{}/{key}", request.host),
        _ => format!("{scheme}://{}/{}/{key}", request.host, object.bucket),
    }
}

fn render_redirect(url: &str, object: &ObjectAddress, etag: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    let encode = |text: &str| uri_encode(text).replace("%20", "+");
    format!(
        "{url}{separator}bucket={}&key={}&etag={}",
        object.bucket,
        encode(object.key.as_str()),
        encode(etag)
    )
}

fn render(object: &ObjectAddress, location: &str, etag: &str) -> XmlWriter {
    let mut xml = XmlWriter::declared("PostResponse");
    xml.element("Location", location)
        .element("Bucket", &object.bucket)
        .element("Key", &object.key)
        .element("ETag", etag);
    xml
}

/// The tags of the field `tagging`; whatever else its document holds means nothing.
fn parse_tagging(fields: &Fields) -> Result<Vec<(String, String)>, S3Error> {
    let Some(text) = fields.find("tagging") else {
        return Ok(Vec::new());
    };
    let root = xml::parse(text.as_bytes()).map_err(|_| Code::MalformedXML.error())?;
    let Some(set) = root.child("TagSet") else {
        return Ok(Vec::new());
    };
    let word = |tag: &xml::Element, name| tag.text_of(name).unwrap_or_default().to_owned();
    let tags: Vec<_> = set
        .children_named("Tag")
        .map(|tag| (word(tag, "Key"), word(tag, "Value")))
        .collect();
    metadata::check_tags(&tags)?;
    Ok(tags)
}
