//! What is under way: `ListParts`, `ListMultipartUploads`.

use std::collections::BTreeSet;

use crate::auth::identity::Caller;
use crate::model::upload::{Part, Upload};
use crate::model::upload_id::UploadId;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::headers::encryption;
use crate::s3::operation::{Entry, Incoming, Operation, Route, Scope};
use crate::s3::{parts, respond, shapes};
use crate::store::uploads::{UploadAddress, UploadQuery};
use crate::wire::response::Response;
use crate::wire::xml::XmlWriter;

pub(crate) const OPERATIONS: &[Entry] = &[
    Entry::of::<ListParts>(),
    Entry::of::<ListMultipartUploads>(),
];

/// `GET /{bucket}/{key}?uploadId=`: lists the parts of an upload.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
#[derive(Debug)]
struct ListParts {
    address: UploadAddress,
    after: u32,
    most: u32,
}

impl Operation for ListParts {
    const NAME: &'static str = "ListParts";
    const ROUTE: Route = Route::get(Scope::Object).with_queries(&["uploadId"]);

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        encryption::refuse_method(&incoming.request)?;
        let query = &incoming.request.query;
        let after = query
            .find("part-number-marker")
            .filter(|text| !text.is_empty());
        let message = "Argument part-number-marker must be an integer between 0 and 2147483647";
        let parse = |text: &str| {
            let number = text
                .parse::<i32>()
                .ok()
                .and_then(|number| u32::try_from(number).ok());
            number.ok_or_else(|| S3Error::argument_value("part-number-marker", text, message))
        };
        Ok(Self {
            after: after.map(parse).transpose()?.unwrap_or_default(),
            most: shapes::parse_most(query, "max-parts", "max-parts")?.min(shapes::MAX_PAGE),
            address: parts::parse_upload(incoming)?,
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        let upload = cx.store.upload(&self.address)?;
        let most = usize::try_from(self.most).map_err(S3Error::internal)?;
        let (found, is_truncated) = cx.store.list_parts(upload.id, self.after, most)?;
        let mut xml = XmlWriter::document("ListPartsResult");
        xml.element("Bucket", &self.address.bucket)
            .element("Key", &upload.key)
            .element("UploadId", upload.id);
        write_people(&mut xml, cx, &upload);
        xml.element("StorageClass", &upload.storage_class)
            .element("PartNumberMarker", self.after)
            .element(
                "NextPartNumberMarker",
                found.last().map_or(0, |part| part.number),
            )
            .element("MaxParts", self.most)
            .element("IsTruncated", is_truncated);
        write_checksum(&mut xml, &upload);
        for part in &found {
            xml.nest("Part", |xml| write_part(xml, &upload, part));
        }
        Ok(respond::xml(xml))
    }
}

/// `GET /{bucket}?uploads`: lists the uploads that are under way.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
#[derive(Debug)]
struct ListMultipartUploads {
    prefix: String,
    delimiter: Option<String>,
    key_marker: String,
    id_marker: Option<UploadId>,
    most: u32,
    encoding: Option<String>,
}

/// A page of it.
#[derive(Debug, Default)]
struct Found {
    uploads: Vec<Upload>,
    common_prefixes: BTreeSet<String>,
    is_truncated: bool,
}

impl Operation for ListMultipartUploads {
    const NAME: &'static str = "ListMultipartUploads";
    const ROUTE: Route = Route::get(Scope::Bucket).query("uploads");

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        encryption::refuse_method(&incoming.request)?;
        let query = &incoming.request.query;
        let text = |name: &str| query.find(name).unwrap_or_default().to_owned();
        let key_marker = text("key-marker");
        // An upload's id means nothing without its key.
        let id_marker =
            Some(text("upload-id-marker")).filter(|id| !id.is_empty() && !key_marker.is_empty());
        let parse = |id: String| UploadId::parse(&id).ok_or_else(|| no_such_marker(&id));
        Ok(Self {
            prefix: text("prefix"),
            delimiter: Some(text("delimiter")).filter(|text| !text.is_empty()),
            id_marker: id_marker.map(parse).transpose()?,
            key_marker,
            most: shapes::parse_most(query, "max-uploads", "max-uploads")?.min(shapes::MAX_PAGE),
            encoding: shapes::parse_encoding(query)?,
        })
    }

    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        self.check_marker(cx)?;
        let found = self.find(cx)?;
        let encode = |text: &str| shapes::encode(text, self.encoding.is_some());
        let mut xml = XmlWriter::document("ListMultipartUploadsResult");
        xml.element("Bucket", &cx.bucket()?.name)
            .element("KeyMarker", encode(&self.key_marker))
            .element(
                "UploadIdMarker",
                self.id_marker.map(|id| id.to_string()).unwrap_or_default(),
            );
        let last = found.uploads.last();
        let next_key = last.map_or_else(String::new, |upload| encode(upload.key.as_str()));
        xml.element("NextKeyMarker", next_key);
        let next_id = last.map_or_else(String::new, |upload| upload.id.to_string());
        xml.element("NextUploadIdMarker", next_id);
        xml.maybe("Delimiter", self.delimiter.as_deref().map(encode));
        xml.maybe(
            "Prefix",
            Some(&self.prefix)
                .filter(|text| !text.is_empty())
                .map(|text| encode(text)),
        );
        xml.maybe("EncodingType", self.encoding.as_deref());
        xml.element("MaxUploads", self.most)
            .element("IsTruncated", found.is_truncated);
        for upload in &found.uploads {
            xml.nest("Upload", |xml| {
                xml.element("Key", encode(upload.key.as_str()))
                    .element("UploadId", upload.id);
                write_people(xml, cx, upload);
                xml.element("StorageClass", &upload.storage_class)
                    .element("Initiated", upload.initiated.iso8601());
                write_checksum(xml, upload);
            });
        }
        for prefix in &found.common_prefixes {
            xml.nest("CommonPrefixes", |xml| {
                xml.element("Prefix", encode(prefix));
            });
        }
        Ok(respond::xml(xml))
    }
}

impl ListMultipartUploads {
    /// An upload that has ended still serves as a marker, one of another key does not.
    fn check_marker(&self, cx: &Context) -> Result<(), S3Error> {
        let Some(id) = self.id_marker else {
            return Ok(());
        };
        let bucket = &cx.bucket()?.name;
        if cx.store.is_of_another_key(bucket, &self.key_marker, id)? {
            return Err(no_such_marker(&id.to_string()));
        }
        Ok(())
    }

    fn find(&self, cx: &Context) -> Result<Found, S3Error> {
        let most = usize::try_from(self.most).map_err(S3Error::internal)?;
        let key = Some(self.key_marker.clone()).filter(|key| !key.is_empty());
        let query = UploadQuery {
            prefix: self.prefix.clone(),
            after: key.map(|key| (key, self.id_marker)),
        };
        let mut found = Found::default();
        cx.store
            .walk_uploads(&cx.bucket()?.name, &query, |upload| {
                let common = self.common_prefix(upload.key.as_str());
                if common.is_some_and(|common| found.common_prefixes.contains(common)) {
                    return true;
                }
                if found.uploads.len() + found.common_prefixes.len() == most {
                    found.is_truncated = most > 0;
                    return false;
                }
                match common {
                    Some(common) => drop(found.common_prefixes.insert(common.to_owned())),
                    None => found.uploads.push(upload),
                }
                true
            })?;
        Ok(found)
    }

    fn common_prefix<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref()?;
        let rest = key.get(self.prefix.len()..)?;
        let end = rest.find(delimiter)? + self.prefix.len() + delimiter.len();
        key.get(..end)
    }
}

/// Source: answers recorded from AWS in February 2026, to the id of another key's upload.
// AWS: unverified. That what was never an id gets the same.
fn no_such_marker(id: &str) -> S3Error {
    S3Error::argument_value("upload-id-marker", id, "Invalid uploadId marker")
}

/// Who began it, and who will own its object.
fn write_people(xml: &mut XmlWriter, cx: &Context, upload: &Upload) {
    let name = match &cx.caller {
        Caller::Known(identity) => identity.name.as_str(),
        Caller::Anonymous => "",
    };
    xml.nest("Initiator", |xml| {
        xml.element("ID", &upload.owner_id)
            .element("DisplayName", name);
    });
    xml.nest("Owner", |xml| {
        xml.element("ID", &upload.owner_id);
    });
}

fn write_checksum(xml: &mut XmlWriter, upload: &Upload) {
    if let Some(checksum) = &upload.checksum {
        xml.element("ChecksumAlgorithm", checksum.algorithm.name())
            .element("ChecksumType", checksum.kind.name());
    }
}

fn write_part(xml: &mut XmlWriter, upload: &Upload, part: &Part) {
    xml.element("PartNumber", part.number)
        .element("LastModified", part.last_modified.iso8601())
        .element("ETag", part.etag.quoted())
        .element("Size", part.size_bytes);
    if let Some(checksum) = part.checksum.as_ref().filter(|_| upload.checksum.is_some()) {
        xml.element(checksum.algorithm.element(), &checksum.value);
    }
}
