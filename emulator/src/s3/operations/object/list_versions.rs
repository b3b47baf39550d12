//! Listing all versions: `ListObjectVersions`.
//!
//! Versions and delete markers come mixed: by key, and those of a key from the newest on. An unversioned bucket has the
//! version `null` of each key.

use crate::model::object::{AnyVersion, DeleteMarker, VersionId};
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::headers::versions;
use crate::s3::operation::{Entry, Incoming, Operation, Route, Scope};
use crate::s3::respond;
use crate::s3::shapes::Listing;
use crate::store::version_listing::{VersionPage, VersionQuery};
use crate::wire::response::Response;
use crate::wire::xml::XmlWriter;

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<ListObjectVersions>()];

/// `GET /{bucket}?versions`: lists versions and delete markers.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
#[derive(Debug)]
struct ListObjectVersions {
    listing: Listing,
    key_marker: String,
    id_marker: Option<VersionId>,
}

impl Operation for ListObjectVersions {
    const NAME: &'static str = "ListObjectVersions";
    const ROUTE: Route = Route::get(Scope::Bucket).query("versions");

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let listing = Listing::parse(&incoming.request)?;
        let query = &incoming.request.query;
        let key_marker = query.find("key-marker").unwrap_or_default().to_owned();
        let id_marker = query.find("version-id-marker");
        if let Some(id) = id_marker.filter(|_| key_marker.is_empty()) {
            return Err(S3Error::argument_value(
                "version-id-marker",
                id,
                "A version-id marker cannot be specified without a key marker.",
            ));
        }
        let id_marker = id_marker.filter(|id| !id.is_empty());
        Ok(Self {
            id_marker: id_marker
                .map(|id| versions::parse("version-id-marker", id))
                .transpose()?,
            listing,
            key_marker,
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let page = cx.store.list_versions(&cx.bucket()?.name, &self.query()?)?;
        let bucket = cx.bucket()?;
        Ok(
            respond::xml(self.render(&page, (bucket.name.as_str(), &bucket.owner_id)))
                .header("x-amz-bucket-region", bucket.region()),
        )
    }
}

impl ListObjectVersions {
    fn query(&self) -> Result<VersionQuery, S3Error> {
        let after = Some(&self.key_marker).filter(|key| !key.is_empty());
        Ok(VersionQuery {
            prefix: self.listing.prefix.clone(),
            delimiter: self.listing.delimiter.clone(),
            start_after: after.map(|key| (key.clone(), self.id_marker)),
            limit: self.listing.limit()?,
        })
    }

    fn render(&self, page: &VersionPage, (bucket, owner): (&str, &str)) -> XmlWriter {
        let listing = &self.listing;
        let mut xml = XmlWriter::document("ListVersionsResult");
        xml.element("Name", bucket)
            .element("Prefix", listing.encode(&listing.prefix))
            .element("KeyMarker", listing.encode(&self.key_marker));
        let id_marker = self.id_marker.map(|id| id.to_string());
        xml.element("VersionIdMarker", id_marker.unwrap_or_default());
        if let Some((key, id)) = &page.next {
            xml.element("NextKeyMarker", listing.encode(key));
            xml.maybe("NextVersionIdMarker", *id);
        }
        listing.write_limits(&mut xml, page.next.is_some());
        for (version, is_latest) in &page.versions {
            match version {
                AnyVersion::Object(version) => xml.nest("Version", |xml| {
                    xml.element("Key", listing.encode(version.key.as_str()))
                        .element("VersionId", version.version_id)
                        .element("IsLatest", is_latest);
                    Listing::write_content(xml, version, Some(owner));
                }),
                AnyVersion::Marker(marker) => xml.nest("DeleteMarker", |xml| {
                    self.write_marker(xml, (marker, *is_latest), owner);
                }),
            };
        }
        listing.write_common_prefixes(&mut xml, &page.common_prefixes);
        xml
    }

    fn write_marker(
        &self,
        xml: &mut XmlWriter,
        (marker, is_latest): (&DeleteMarker, bool),
        owner: &str,
    ) {
        xml.element("Key", self.listing.encode(marker.key.as_str()))
            .element("VersionId", marker.version_id)
            .element("IsLatest", is_latest)
            .element("LastModified", marker.last_modified.iso8601());
        xml.nest("Owner", |xml| {
            xml.element("ID", owner);
        });
    }
}
