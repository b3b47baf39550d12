//! Deleting objects: `DeleteObject`, `DeleteObjects`.
//!
//! A key that is not there is deleted like one that is; in a versioned bucket it gets a delete marker. No key material is asked for, whatever the object's encryption.

use crate::model::object::VersionId;
use crate::model::object_key::ObjectKey;
use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::{ErrorForm, S3Error};
use crate::s3::headers::checksums::Declared;
use crate::s3::headers::versions;
use crate::s3::operation::{Entry, Incoming, Operation, Payload, Route, Scope};
use crate::s3::respond;
use crate::s3::target::ObjectAddress;
use crate::store::error::StoreError;
use crate::store::versions::{DeleteCondition, Deleted, Deletion};
use crate::wire::response::Response;
use crate::wire::xml::{self, Element, XmlWriter};

pub(crate) const OPERATIONS: &[Entry] =
    &[Entry::of::<DeleteObject>(), Entry::of::<DeleteObjects>()];

/// The most keys of one request.
const MAX_KEYS: usize = 1_000;
/// Conditions that only directory buckets know.
const DIRECTORY_CONDITIONS: [&str; 2] =
    ["x-amz-if-match-last-modified-time", "x-amz-if-match-size"];

/// `DELETE /{bucket}/{key}`: deletes an object.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>
#[derive(Debug)]
struct DeleteObject {
    object: ObjectAddress,
    version_id: Option<VersionId>,
    condition: DeleteCondition,
}

impl Operation for DeleteObject {
    const NAME: &'static str = "DeleteObject";
    const ROUTE: Route = Route::delete(Scope::Object);

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let request = &incoming.request;
        if let Some(header) = DIRECTORY_CONDITIONS
            .into_iter()
            .find(|name| request.headers.contains_key(*name))
        {
            return Err(Code::NotImplemented.with("Header", header));
        }
        let version_id = incoming.version_id()?;
        let condition = match request.header("if-match") {
            Some(etag) => DeleteCondition::IfMatch(etag.to_owned()),
            None => DeleteCondition::None,
        };
        Ok(Self {
            object: incoming.object()?,
            version_id,
            condition,
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let deletion = Deletion {
            key: self.object.key,
            version_id: self.version_id,
            condition: self.condition,
            owner_id: cx.caller_id()?.to_owned(),
        };
        let deleted = cx.store.delete(&self.object.bucket, &deletion).await?;
        let response = Response::no_content();
        Ok(match deleted {
            Deleted::Key => response,
            Deleted::Marked(id) | Deleted::Marker(id) => versions::write_marker(response, id),
            Deleted::Version(id) | Deleted::Nothing(id) => {
                versions::write_read(response, cx.bucket()?, id, true)
            }
        })
    }
}

/// `POST /{bucket}?delete`: deletes up to 1,000 objects, each with an outcome of its own.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html>
#[derive(Debug)]
struct DeleteObjects {
    wanted: Vec<Wanted>,
    quiet: bool,
}

/// One `Object` of the request.
#[derive(Clone, Debug)]
struct Wanted {
    key: String,
    version_id: Option<String>,
    condition: DeleteCondition,
}

/// What became of it; an error has its code and message.
type Outcome = Result<Deleted, (&'static str, String)>;

impl Operation for DeleteObjects {
    const NAME: &'static str = "DeleteObjects";
    const ROUTE: Route = Route::post(Scope::Bucket).query("delete");
    const PAYLOAD: Payload = Payload::Document;
    const ERRORS: ErrorForm = ErrorForm::Bare;

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        if Declared::parse(&incoming.request)?.is_empty() {
            let message =
                "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";
            return Err(Code::InvalidRequest.says(message));
        }
        let document = &incoming.request.document;
        if document.is_empty() {
            return Err(Code::MissingRequestBodyError.error());
        }
        parse_delete(document).ok_or_else(|| Code::MalformedXML.error())
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let bucket = &cx.bucket()?.name;
        let owner_id = cx.caller_id()?;
        let deletions: Vec<_> = self
            .wanted
            .iter()
            .map(|wanted| wanted.deletion(owner_id))
            .collect();
        let good: Vec<_> = deletions
            .iter()
            .filter_map(|deletion| deletion.as_ref().ok())
            .cloned()
            .collect();
        let mut deleted = cx.store.delete_many(bucket, &good).await?.into_iter();
        let outcomes = deletions.into_iter().map(|deletion| {
            deletion?;
            outcome(deleted.next())
        });
        let document = render_deleted(&self.wanted, outcomes, self.quiet);
        Ok(respond::xml(document))
    }
}

impl Wanted {
    /// What the store is asked to delete.
    fn deletion(&self, owner_id: &str) -> Result<Deletion, (&'static str, String)> {
        let refuse = |code: Code| (code.name(), code.message().to_owned());
        let version_id = match &self.version_id {
            None => None,
            Some(id) => Some(VersionId::parse(id).ok_or_else(|| refuse(Code::NoSuchVersion))?),
        };
        Ok(Deletion {
            key: ObjectKey::parse(&self.key).map_err(|_| refuse(Code::KeyTooLongError))?,
            version_id,
            condition: self.condition.clone(),
            owner_id: owner_id.to_owned(),
        })
    }
}

/// Here a version that is not there is an error, unlike for `DeleteObject`; but for `null`.
///
/// Source: answers recorded from AWS in February 2026.
fn outcome(deleted: Option<Result<Deleted, StoreError>>) -> Outcome {
    match deleted {
        None => Ok(Deleted::Key),
        Some(Ok(Deleted::Nothing(id))) if id != VersionId::Null => {
            let code = Code::NoSuchVersion;
            Err((code.name(), code.message().to_owned()))
        }
        Some(Ok(deleted)) => Ok(deleted),
        Some(Err(error)) => {
            let error = S3Error::from(error);
            Err((error.code.name(), error.message.into_owned()))
        }
    }
}

fn parse_delete(document: &[u8]) -> Option<DeleteObjects> {
    let root = xml::parse(document)
        .ok()
        .filter(|root| root.name == "Delete")?;
    let wanted = root
        .children_named("Object")
        .map(parse_wanted)
        .collect::<Option<Vec<_>>>()?;
    let quiet = root
        .text_of("Quiet")
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    (1..=MAX_KEYS)
        .contains(&wanted.len())
        .then_some(DeleteObjects { wanted, quiet })
}

fn parse_wanted(object: &Element) -> Option<Wanted> {
    let condition = match object.text_of("ETag") {
        Some(etag) => DeleteCondition::IfMatch(etag.to_owned()),
        None => DeleteCondition::None,
    };
    let key = object.text_of("Key").filter(|key| !key.is_empty())?;
    Some(Wanted {
        key: key.to_owned(),
        version_id: object.text_of("VersionId").map(str::to_owned),
        condition,
    })
}

fn render_deleted(
    wanted: &[Wanted],
    outcomes: impl Iterator<Item = Outcome>,
    quiet: bool,
) -> XmlWriter {
    let mut xml = XmlWriter::document("DeleteResult");
    for (wanted, outcome) in wanted.iter().zip(outcomes) {
        match outcome {
            Ok(_) if quiet => {}
            Ok(deleted) => {
                xml.nest("Deleted", |xml| {
                    xml.element("Key", &wanted.key)
                        .maybe("VersionId", wanted.version_id.as_deref());
                    if let Deleted::Marked(id) | Deleted::Marker(id) = deleted {
                        xml.element("DeleteMarker", true)
                            .element("DeleteMarkerVersionId", id);
                    }
                });
            }
            Err((code, message)) => {
                xml.nest("Error", |xml| {
                    xml.element("Key", &wanted.key)
                        .maybe("VersionId", wanted.version_id.as_deref());
                    xml.element("Code", code).element("Message", message);
                });
            }
        }
    }
    xml
}
