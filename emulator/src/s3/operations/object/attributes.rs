//! What is known of an object, by the names of what is wanted: `GetObjectAttributes`.
//!
//! It differs from HEAD in small ways: the entity tag has no quotes, a composite checksum no `-N` behind it, and the parts
//! of an object are listed only where it has such a checksum.
//!
//! Source: answers recorded from AWS in February 2026, and such as were quoted from it.

use http::Method;

use crate::model::checksum::{Checksum, ChecksumType};
use crate::model::object::{ObjectVersion, StoredBody, VersionId};
use crate::model::upload::Part;
use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::{ErrorForm, S3Error};
use crate::s3::headers::{encryption, versions};
use crate::s3::operation::{Entry, Incoming, Operation, Route, Scope};
use crate::s3::target::ObjectAddress;
use crate::s3::{respond, sealing, shapes};
use crate::sse::customer_key::CustomerKey;
use crate::store::open_body::OpenParts;
use crate::wire::request::Request;
use crate::wire::response::Response;
use crate::wire::xml::XmlWriter;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<GetObjectAttributes>()];

const ATTRIBUTES: &str = "x-amz-object-attributes";
const NONE_WANTED: &str = "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or empty";

/// `GET /{bucket}/{key}?attributes`: what is known of an object.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html>
#[derive(Debug)]
struct GetObjectAttributes {
    object: ObjectAddress,
    version_id: Option<VersionId>,
    customer_key: Option<CustomerKey>,
    wanted: Vec<Attribute>,
    /// Behind which part the page begins.
    after: u32,
    /// How many parts it has at most.
    most: u32,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    ETag,
    Checksum,
    ObjectParts,
    StorageClass,
    ObjectSize,
}

/// What is told of the parts of an object.
#[derive(Debug)]
struct Parts {
    count: u32,
    /// `None` where no more than their number is told.
    page: Option<Page>,
}

/// Some of the parts.
#[derive(Debug)]
struct Page {
    parts: Vec<Part>,
    is_truncated: bool,
}

impl Operation for GetObjectAttributes {
    const NAME: &'static str = "GetObjectAttributes";
    const ROUTE: Route = Route::get(Scope::Object).query("attributes");
    const ERRORS: ErrorForm = ErrorForm::Bare;

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let request = &incoming.request;
        Ok(Self {
            object: incoming.object()?,
            version_id: incoming.version_id()?,
            wanted: parse_wanted(request)?,
            customer_key: encryption::parse_read(incoming)?,
            after: parse_number(request, "x-amz-part-number-marker").unwrap_or_default(),
            most: parse_number(request, "x-amz-max-parts")
                .unwrap_or(shapes::MAX_PAGE)
                .min(shapes::MAX_PAGE),
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let ObjectAddress { bucket, key } = &self.object;
        let found = cx.store.version_in_parts(bucket, key, self.version_id);
        let (version, stored) = found.map_err(|error| S3Error::of_read(error, &Method::GET))?;
        let customer_key = self.customer_key.as_ref();
        sealing::check_customer(&version, customer_key)?;
        let parts = self.find_parts(&version, stored.as_ref())?;
        if self.tells_checksum(&version, parts.as_ref()) {
            let sealing = &version.content.sealing;
            sealing::open_keys(cx, &self.object, sealing, customer_key).await?;
        }
        let response = respond::xml(self.render(&version, parts.as_ref()))
            .header("last-modified", version.last_modified.http_date());
        let is_named = self.version_id.is_some();
        let id = version.version_id;
        Ok(versions::write_read(response, cx.bucket()?, id, is_named))
    }
}

impl GetObjectAttributes {
    fn wants(&self, attribute: Attribute) -> bool {
        self.wanted.contains(&attribute)
    }

    /// The parts, if they are wanted and the object was ever in parts.
    fn find_parts(
        &self,
        version: &ObjectVersion,
        stored: Option<&OpenParts>,
    ) -> Result<Option<Parts>, S3Error> {
        let StoredBody::Parts { count, .. } = version.body else {
            return Ok(None);
        };
        if !self.wants(Attribute::ObjectParts) {
            return Ok(None);
        }
        let checksum = version.content.checksum.as_ref();
        let is_composite =
            checksum.is_some_and(|checksum| checksum.kind == ChecksumType::Composite);
        let listed = stored.filter(|_| is_composite);
        let page = match listed {
            None => None,
            Some(parts) => {
                let behind = parts.all()?.into_iter().map(|placed| placed.part);
                let behind = behind.filter(|part| part.number > self.after);
                Some(Page::cut(behind.collect(), self.most)?)
            }
        };
        Ok(Some(Parts { count, page }))
    }

    /// Whether the answer has a checksum, which KMS guards as it does for HEAD.
    // AWS: unverified. That this asks KMS; it is documented of HEAD alone.
    fn tells_checksum(&self, version: &ObjectVersion, parts: Option<&Parts>) -> bool {
        let of_object = self.wants(Attribute::Checksum) && version.content.checksum.is_some();
        of_object || parts.is_some_and(|parts| parts.page.is_some())
    }

    fn render(&self, version: &ObjectVersion, parts: Option<&Parts>) -> XmlWriter {
        let content = &version.content;
        let mut xml = XmlWriter::document("GetObjectAttributesResponse");
        if self.wants(Attribute::ETag) {
            xml.element("ETag", &content.etag);
        }
        let checksum = content.checksum.as_ref();
        if let Some(checksum) = checksum.filter(|_| self.wants(Attribute::Checksum)) {
            xml.nest("Checksum", |xml| {
                write_checksum(xml, checksum);
                xml.element("ChecksumType", checksum.kind.name());
            });
        }
        if let Some(parts) = parts {
            xml.nest("ObjectParts", |xml| self.write_parts(xml, parts));
        }
        if self.wants(Attribute::StorageClass) {
            xml.element("StorageClass", &content.storage_class);
        }
        if self.wants(Attribute::ObjectSize) {
            xml.element("ObjectSize", content.size_bytes);
        }
        xml
    }

    // AWS: unverified. The order of the elements.
    fn write_parts(&self, xml: &mut XmlWriter, parts: &Parts) {
        xml.element("PartsCount", parts.count);
        let Some(page) = &parts.page else {
            return;
        };
        let last = page.parts.last().map_or(0, |part| part.number);
        xml.element("PartNumberMarker", self.after)
            .element("NextPartNumberMarker", last)
            .element("MaxParts", self.most)
            .element("IsTruncated", page.is_truncated);
        for part in &page.parts {
            xml.nest("Part", |xml| {
                xml.element("PartNumber", part.number)
                    .element("Size", part.size_bytes);
                if let Some(checksum) = &part.checksum {
                    write_checksum(xml, checksum);
                }
            });
        }
    }
}

impl Page {
    fn cut(mut parts: Vec<Part>, most: u32) -> Result<Self, S3Error> {
        let most = usize::try_from(most).map_err(S3Error::internal)?;
        let is_truncated = parts.len() > most;
        parts.truncate(most);
        Ok(Self {
            parts,
            is_truncated,
        })
    }
}

impl Attribute {
    const ALL: [(&'static str, Self); 5] = [
        ("ETag", Self::ETag),
        ("Checksum", Self::Checksum),
        ("ObjectParts", Self::ObjectParts),
        ("StorageClass", Self::StorageClass),
        ("ObjectSize", Self::ObjectSize),
    ];

    fn parse(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, attribute)| *attribute)
    }
}

/// Without the `-N` of a composite one.
fn write_checksum(xml: &mut XmlWriter, checksum: &Checksum) {
    let value = checksum.value.split('-').next().unwrap_or_default();
    xml.element(checksum.algorithm.element(), value);
}

/// Reads the names of what is wanted: a list, in one header or several.
fn parse_wanted(request: &Request) -> Result<Vec<Attribute>, S3Error> {
    let values = request.headers.get_all(ATTRIBUTES).iter();
    let values: Vec<_> = values
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    let names = values.iter().flat_map(|value| value.split(','));
    let names = names.map(str::trim).filter(|name| !name.is_empty());
    let parse = |name: &str| {
        let unknown =
            || S3Error::argument_value(ATTRIBUTES, name, "Invalid attribute name specified.");
        Attribute::parse(name).ok_or_else(unknown)
    };
    let wanted: Vec<_> = names.map(parse).collect::<Result<_, _>>()?;
    if wanted.is_empty() {
        return Err(Code::InvalidRequest.says(NONE_WANTED));
    }
    Ok(wanted)
}

/// Reads a number of the paging headers; AWS ignores `x-amz-max-parts` where it is none.
// AWS: unverified. That a marker which is no number is ignored too, and that a page is said to have 1,000 parts at most.
fn parse_number(request: &Request, header: &str) -> Option<u32> {
    request.header(header)?.trim().parse().ok()
}
