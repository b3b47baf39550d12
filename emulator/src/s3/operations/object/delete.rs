//! Deleting objects: `DeleteObject`, `DeleteObjects`.
//!
//! A key that is not there is deleted like one that is. No key material is asked for, whatever the object's encryption.

use crate::model::object::ObjectVersion;
use crate::model::object_key::ObjectKey;
use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::headers::checksums::Declared;
use crate::s3::operation::{Entry, Incoming, Operation, Payload, Route, Scope};
use crate::s3::respond;
use crate::s3::target::ObjectAddress;
use crate::store::error::StoreError;
use crate::store::versions::DeleteCondition;
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
        incoming.version_id()?;
        let condition = match request.header("if-match") {
            Some(etag) => DeleteCondition::IfMatch(etag.to_owned()),
            None => DeleteCondition::None,
        };
        Ok(Self {
            object: incoming.object()?,
            condition,
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        cx.store
            .delete(&self.object.bucket, &self.object.key, &self.condition)
            .await?;
        Ok(Response::no_content())
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
type Outcome = Result<(), (&'static str, String)>;

impl Operation for DeleteObjects {
    const NAME: &'static str = "DeleteObjects";
    const ROUTE: Route = Route::post(Scope::Bucket).query("delete");
    const PAYLOAD: Payload = Payload::Document;
    const BARE_ERRORS: bool = true;

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
        let good: Vec<_> = self.wanted.iter().filter_map(deletable).collect();
        let mut deleted = cx.store.delete_many(bucket, &good).await?.into_iter();
        let outcomes = self
            .wanted
            .iter()
            .map(|wanted| outcome(wanted, || deleted.next()));
        Ok(respond::xml(render_deleted(
            &self.wanted,
            outcomes,
            self.quiet,
        )))
    }
}

/// The key of an entry that the store can be asked to delete.
fn deletable(wanted: &Wanted) -> Option<(ObjectKey, DeleteCondition)> {
    let current = matches!(wanted.version_id.as_deref(), None | Some("null"));
    ObjectKey::parse(&wanted.key)
        .ok()
        .filter(|_| current)
        .map(|key| (key, wanted.condition.clone()))
}

fn outcome(
    wanted: &Wanted,
    next: impl FnOnce() -> Option<Result<Option<ObjectVersion>, StoreError>>,
) -> Outcome {
    if deletable(wanted).is_none() {
        let code = if wanted.version_id.is_some() {
            Code::NoSuchVersion
        } else {
            Code::KeyTooLongError
        };
        return Err((code.name(), code.message().to_owned()));
    }
    match next() {
        None | Some(Ok(_)) => Ok(()),
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
            Ok(()) if quiet => {}
            Ok(()) => {
                xml.nest("Deleted", |xml| {
                    xml.element("Key", &wanted.key)
                        .maybe("VersionId", wanted.version_id.as_deref());
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
