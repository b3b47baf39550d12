//! Listing objects: `ListObjects` (V1) and `ListObjectsV2`.
//!
//! Both walk the same index and differ in how they name the place to go on: V1's marker is a key or a common prefix in the
//! clear, V2's token is opaque.

use crate::model::object::ObjectVersion;
use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::headers::encryption;
use crate::s3::operation::{Entry, Incoming, Operation, Route, Scope};
use crate::s3::respond;
use crate::s3::shapes::{self, Token};
use crate::store::listing::{ListPage, ListQuery};
use crate::wire::request::Request;
use crate::wire::response::Response;
use crate::wire::xml::XmlWriter;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<ListObjects>(), Entry::of::<ListObjectsV2>()];

/// `GET /{bucket}`: lists objects, the old way.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>
#[derive(Debug)]
struct ListObjects {
    common: Common,
    marker: String,
}

/// `GET /{bucket}?list-type=2`: lists objects.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
#[derive(Debug)]
struct ListObjectsV2 {
    common: Common,
    start_after: Option<String>,
    token: Option<(String, String)>,
    fetch_owner: bool,
}

/// What both ask.
#[derive(Debug)]
struct Common {
    prefix: String,
    delimiter: Option<String>,
    max_keys: u32,
    encoding: Option<String>,
}

impl Operation for ListObjects {
    const NAME: &'static str = "ListObjects";
    const ROUTE: Route = Route::get(Scope::Bucket);

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let query = &incoming.request.query;
        if query.has("continuation-token") {
            return Err(unsupported(
                "continuation-token",
                "continuation-token only supported in REST.GET.BUCKET with list-type=2",
            ));
        }
        if query.has("start-after") {
            return Err(unsupported(
                "start-after",
                "start-after only supported in REST.GET.BUCKET with list-type=2",
            ));
        }
        Ok(Self {
            common: Common::parse(&incoming.request)?,
            marker: query.find("marker").unwrap_or_default().to_owned(),
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let page = self.common.page(cx, &self.marker)?;
        let bucket = cx.bucket()?;
        let common = &self.common;
        let mut xml = XmlWriter::document("ListBucketResult");
        xml.element("Name", &bucket.name)
            .element("Prefix", common.encode(&common.prefix));
        xml.element("Marker", common.encode(&self.marker));
        let next = page.next.as_ref().filter(|_| common.delimiter.is_some());
        xml.maybe("NextMarker", next.map(|next| common.encode(next)));
        common.write_page(&mut xml, &page, Some(&bucket.owner_id));
        Ok(respond::xml(xml).header("x-amz-bucket-region", bucket.region()))
    }
}

impl Operation for ListObjectsV2 {
    const NAME: &'static str = "ListObjectsV2";
    const ROUTE: Route = Route::get(Scope::Bucket).with_pair("list-type", "2");

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let query = &incoming.request.query;
        if query.has("marker") {
            return Err(unsupported(
                "marker",
                "Marker unsupported with REST.GET.BUCKET in list-type=2",
            ));
        }
        let token = query.find("continuation-token");
        let token = token
            .map(|token| Token::parse(token).map(|key| (token.to_owned(), key)))
            .transpose()?;
        Ok(Self {
            common: Common::parse(&incoming.request)?,
            start_after: query
                .find("start-after")
                .filter(|key| !key.is_empty())
                .map(str::to_owned),
            token,
            fetch_owner: query
                .find("fetch-owner")
                .is_some_and(|value| value.eq_ignore_ascii_case("true")),
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let resumed = self.token.as_ref().map(|(_, key)| key);
        let after = resumed
            .or(self.start_after.as_ref())
            .map_or("", String::as_str);
        let page = self.common.page(cx, after)?;
        let bucket = cx.bucket()?;
        let common = &self.common;
        let mut xml = XmlWriter::document("ListBucketResult");
        xml.element("Name", &bucket.name)
            .element("Prefix", common.encode(&common.prefix));
        xml.maybe(
            "ContinuationToken",
            self.token.as_ref().map(|(token, _)| token),
        );
        let start_after = self.start_after.as_ref().filter(|_| self.token.is_none());
        xml.maybe("StartAfter", start_after.map(|key| common.encode(key)));
        xml.maybe(
            "NextContinuationToken",
            page.next.as_deref().map(Token::render),
        );
        xml.element("KeyCount", page.versions.len() + page.common_prefixes.len());
        common.write_page(
            &mut xml,
            &page,
            self.fetch_owner.then_some(&bucket.owner_id),
        );
        Ok(respond::xml(xml).header("x-amz-bucket-region", bucket.region()))
    }
}

impl Common {
    fn parse(request: &Request) -> Result<Self, S3Error> {
        encryption::refuse_method(request)?;
        let query = &request.query;
        Ok(Self {
            encoding: shapes::parse_encoding(query)?,
            prefix: query.find("prefix").unwrap_or_default().to_owned(),
            delimiter: query
                .find("delimiter")
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            max_keys: shapes::parse_most(query, "max-keys", "maxKeys")?,
        })
    }

    fn page(&self, cx: &Context, after: &str) -> Result<ListPage, S3Error> {
        let query = ListQuery {
            prefix: self.prefix.clone(),
            delimiter: self.delimiter.clone(),
            start_after: (!after.is_empty()).then(|| after.to_owned()),
            limit: usize::try_from(self.max_keys.min(shapes::MAX_PAGE))
                .map_err(S3Error::internal)?,
        };
        Ok(cx.store.list(&cx.bucket()?.name, &query)?)
    }

    fn encode(&self, text: &str) -> String {
        shapes::encode(text, self.encoding.is_some())
    }

    /// The part that both versions write alike: limits, then all objects, then all common prefixes.
    fn write_page(&self, xml: &mut XmlWriter, page: &ListPage, owner: Option<&String>) {
        xml.element("MaxKeys", self.max_keys);
        xml.maybe(
            "Delimiter",
            self.delimiter.as_deref().map(|text| self.encode(text)),
        );
        xml.maybe("EncodingType", self.encoding.as_deref());
        xml.element("IsTruncated", page.next.is_some());
        for version in &page.versions {
            xml.nest("Contents", |xml| self.write_object(xml, version, owner));
        }
        for prefix in &page.common_prefixes {
            xml.nest("CommonPrefixes", |xml| {
                xml.element("Prefix", self.encode(prefix));
            });
        }
    }

    fn write_object(&self, xml: &mut XmlWriter, version: &ObjectVersion, owner: Option<&String>) {
        let content = &version.content;
        xml.element("Key", self.encode(version.key.as_str()));
        xml.element("LastModified", version.last_modified.iso8601());
        xml.element("ETag", content.etag.quoted());
        if let Some(checksum) = &content.checksum {
            xml.element("ChecksumAlgorithm", checksum.algorithm.name());
            xml.element("ChecksumType", checksum.kind.name());
        }
        xml.element("Size", content.size_bytes);
        if let Some(owner) = owner {
            xml.nest("Owner", |xml| {
                xml.element("ID", owner);
            });
        }
        xml.element("StorageClass", &content.storage_class);
    }
}

fn unsupported(name: &str, message: &'static str) -> S3Error {
    Code::InvalidArgument
        .says(message)
        .with("ArgumentName", name)
}
