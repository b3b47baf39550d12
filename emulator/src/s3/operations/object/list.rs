//! Listing objects: `ListObjects` (V1) and `ListObjectsV2`.
//!
//! Both walk the same index and differ in how they name the place to go on: V1's marker is a key or a common prefix in the
//! clear, V2's token is opaque.

use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::operation::{Entry, Incoming, Operation, Route, Scope};
use crate::s3::respond;
use crate::s3::shapes::{Listing, Token};
use crate::store::listing::{ListPage, ListQuery};
use crate::wire::response::Response;
use crate::wire::xml::XmlWriter;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<ListObjects>(), Entry::of::<ListObjectsV2>()];

/// `GET /{bucket}`: lists objects, the old way.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>
#[derive(Debug)]
struct ListObjects {
    listing: Listing,
    marker: String,
}

/// `GET /{bucket}?list-type=2`: lists objects.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
#[derive(Debug)]
struct ListObjectsV2 {
    listing: Listing,
    start_after: Option<String>,
    token: Option<(String, String)>,
    fetch_owner: bool,
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
            listing: Listing::parse(&incoming.request)?,
            marker: query.find("marker").unwrap_or_default().to_owned(),
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let page = page(cx, &self.listing, &self.marker)?;
        let bucket = cx.bucket()?;
        let listing = &self.listing;
        let mut xml = XmlWriter::document("ListBucketResult");
        xml.element("Name", &bucket.name)
            .element("Prefix", listing.encode(&listing.prefix));
        xml.element("Marker", listing.encode(&self.marker));
        let next = page.next.as_ref().filter(|_| listing.delimiter.is_some());
        xml.maybe("NextMarker", next.map(|next| listing.encode(next)));
        write_page(&mut xml, listing, &page, Some(&bucket.owner_id));
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
            listing: Listing::parse(&incoming.request)?,
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
        let page = page(cx, &self.listing, after)?;
        let bucket = cx.bucket()?;
        let listing = &self.listing;
        let mut xml = XmlWriter::document("ListBucketResult");
        xml.element("Name", &bucket.name)
            .element("Prefix", listing.encode(&listing.prefix));
        xml.maybe(
            "ContinuationToken",
            self.token.as_ref().map(|(token, _)| token),
        );
        let start_after = self.start_after.as_ref().filter(|_| self.token.is_none());
        xml.maybe("StartAfter", start_after.map(|key| listing.encode(key)));
        xml.maybe(
            "NextContinuationToken",
            page.next.as_deref().map(Token::render),
        );
        xml.element("KeyCount", page.versions.len() + page.common_prefixes.len());
        let owner = self.fetch_owner.then_some(bucket.owner_id.as_str());
        write_page(&mut xml, listing, &page, owner);
        Ok(respond::xml(xml).header("x-amz-bucket-region", bucket.region()))
    }
}

/// A page of the index behind an entry.
fn page(cx: &Context, listing: &Listing, after: &str) -> Result<ListPage, S3Error> {
    let query = ListQuery {
        prefix: listing.prefix.clone(),
        delimiter: listing.delimiter.clone(),
        start_after: (!after.is_empty()).then(|| after.to_owned()),
        limit: listing.limit()?,
    };
    Ok(cx.store.list(&cx.bucket()?.name, &query)?)
}

/// The part that both versions write alike: limits, then all objects, then all common prefixes.
fn write_page(xml: &mut XmlWriter, listing: &Listing, page: &ListPage, owner: Option<&str>) {
    listing.write_limits(xml, page.next.is_some());
    for version in &page.versions {
        xml.nest("Contents", |xml| {
            xml.element("Key", listing.encode(version.key.as_str()));
            Listing::write_content(xml, version, owner);
        });
    }
    listing.write_common_prefixes(xml, &page.common_prefixes);
}

fn unsupported(name: &str, message: &'static str) -> S3Error {
    Code::InvalidArgument
        .says(message)
        .with("ArgumentName", name)
}
