//! System headers, user metadata, storage class and tags of an object: read from a request, written to an answer.
//!
//! System headers go out byte for byte as they came in. User metadata is text: what came in RFC 2047's encoded words is
//! decoded, and what is not ASCII goes out in them.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html>

use std::collections::BTreeSet;

use crate::model::object::VersionContent;
use crate::s3::code::Code;
use crate::s3::error::S3Error;
use crate::wire::encoded_word;
use crate::wire::encoding::percent_decode;
use crate::wire::query::Query;
use crate::wire::request::Request;
use crate::wire::response::Response;

const METADATA_PREFIX: &str = "x-amz-meta-";
/// The most that names and values of user metadata may take, in bytes.
const MAX_METADATA_BYTES: usize = 2_048;
const MAX_TAGS: usize = 10;
const TAGGING: &str = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.";
/// The content type of an object that was given none.
const DEFAULT_CONTENT_TYPE: &str = "binary/octet-stream";
/// The website redirect is a system header that CopyObject does not copy.
pub(crate) const WEBSITE_REDIRECT: &str = "x-amz-website-redirect-location";

/// What an object keeps of the headers that it was written with.
pub(crate) const SYSTEM_HEADERS: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-type",
    "expires",
    WEBSITE_REDIRECT,
];

/// What is written to these is read only once it has been restored.
const ARCHIVES: [&str; 2] = ["GLACIER", "DEEP_ARCHIVE"];
const STORAGE_CLASSES: [&str; 11] = [
    "STANDARD",
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER",
    "DEEP_ARCHIVE",
    "GLACIER_IR",
    "OUTPOSTS",
    "SNOW",
    "EXPRESS_ONEZONE",
];

/// What a request says of the object that it writes, apart from its bytes and their encryption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ObjectHeaders {
    pub(crate) system: Vec<(String, String)>,
    pub(crate) metadata: Vec<(String, String)>,
}

impl ObjectHeaders {
    /// Reads both groups.
    ///
    /// # Errors
    ///
    /// `MetadataTooLarge`.
    pub(crate) fn parse(request: &Request) -> Result<Self, S3Error> {
        let metadata = parse_metadata(request);
        let size: usize = metadata
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        if size > MAX_METADATA_BYTES {
            return Err(Code::MetadataTooLarge
                .with("Size", size)
                .with("MaxSizeAllowed", MAX_METADATA_BYTES));
        }
        Ok(Self {
            system: parse_system(request),
            metadata,
        })
    }
}

fn parse_system(request: &Request) -> Vec<(String, String)> {
    let mut system = Vec::new();
    for name in SYSTEM_HEADERS {
        let value = request
            .headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let value = match name {
            "content-type" => Some(
                value
                    .filter(|value| !value.is_empty())
                    .unwrap_or_else(|| DEFAULT_CONTENT_TYPE.to_owned()),
            ),
            "content-encoding" => value.and_then(|value| without_aws_chunked(&value)),
            _ => value,
        };
        system.extend(value.map(|value| (name.to_owned(), value)));
    }
    system
}

/// `aws-chunked` is how the body travelled, not how the object is encoded.
fn without_aws_chunked(encoding: &str) -> Option<String> {
    let kept: Vec<_> = encoding
        .split(',')
        .map(str::trim)
        .filter(|word| *word != "aws-chunked")
        .collect();
    let kept = kept.join(",");
    (!kept.is_empty()).then_some(kept)
}

fn parse_metadata(request: &Request) -> Vec<(String, String)> {
    let names = request
        .headers
        .keys()
        .filter_map(|name| name.as_str().strip_prefix(METADATA_PREFIX));
    names
        .map(|name| {
            let values = request.headers.get_all(format!("{METADATA_PREFIX}{name}"));
            let text = |value: &http::HeaderValue| {
                encoded_word::decode(&String::from_utf8_lossy(value.as_bytes()))
            };
            (
                name.to_owned(),
                values.iter().map(text).collect::<Vec<_>>().join(","),
            )
        })
        .collect()
}

/// Reads `x-amz-storage-class`; `STANDARD` where it is absent.
///
/// # Errors
///
/// `InvalidStorageClass`.
pub(crate) fn parse_storage_class(request: &Request) -> Result<String, S3Error> {
    let class = request.header("x-amz-storage-class").unwrap_or("STANDARD");
    let writable = STORAGE_CLASSES.contains(&class)
        && !matches!(class, "OUTPOSTS" | "SNOW" | "EXPRESS_ONEZONE");
    if writable {
        Ok(class.to_owned())
    } else {
        Err(Code::InvalidStorageClass.with("StorageClassRequested", class))
    }
}

/// Checks that an object's bytes can be read, as those of an archived one cannot.
///
/// Source: answers recorded from AWS in February 2026;
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
///
/// # Errors
///
/// `InvalidObjectState`.
pub(crate) fn check_readable(content: &VersionContent) -> Result<(), S3Error> {
    let class = content.storage_class.as_str();
    if ARCHIVES.contains(&class) {
        Err(Code::InvalidObjectState.with("StorageClass", class))
    } else {
        Ok(())
    }
}

/// Reads `x-amz-tagging`, a query string of tags. It is refused as a whole where it has no such form or names a tag twice,
/// unlike the tags of a document.
///
/// Source: answers recorded from AWS in February 2026.
///
/// # Errors
///
/// `InvalidTag`, `BadRequest` for more than ten, `InvalidArgument`.
// AWS: unverified. That bytes which are not UTF-8 are refused so.
pub(crate) fn parse_tagging(request: &Request) -> Result<Vec<(String, String)>, S3Error> {
    let Some(header) = request.header("x-amz-tagging") else {
        return Ok(Vec::new());
    };
    let tags: Vec<_> = Query::parse(header)
        .pairs()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let keys: BTreeSet<_> = tags.iter().map(|(key, _)| key).collect();
    if keys.len() < tags.len() || !header.split('&').all(is_pair) {
        return Err(S3Error::argument_value("x-amz-tagging", header, TAGGING));
    }
    check_tags(&tags)?;
    Ok(tags)
}

/// Whether a part of a query string has at most one `=`, and is UTF-8 once it is decoded.
fn is_pair(part: &str) -> bool {
    part.split('=').count() <= 2 && percent_decode(part).is_some()
}

/// Checks the tags of an object: at most ten, each of its own key.
///
/// # Errors
///
/// `InvalidTag`, `BadRequest` for more than ten.
pub(crate) fn check_tags(tags: &[(String, String)]) -> Result<(), S3Error> {
    if tags.len() > MAX_TAGS {
        return Err(Code::BadRequest.says(format!("Object tags cannot be greater than {MAX_TAGS}")));
    }
    let mut seen = BTreeSet::new();
    for (key, value) in tags {
        if key.starts_with("aws:") {
            return Err(Code::InvalidTag
                .says("Your TagKey cannot be prefixed with aws:")
                .with("TagKey", key));
        }
        if !seen.insert(key) {
            return Err(Code::InvalidTag
                .says("Cannot provide multiple Tags with the same key")
                .with("TagKey", key));
        }
        check_tag(key, value)?;
    }
    Ok(())
}

/// Checks the form of a tag: key of 1 to 128 and value of up to 256 UTF-16 units, of letters, digits, spaces and `+-=._:/@`.
///
/// # Errors
///
/// `InvalidTag`.
pub(crate) fn check_tag(key: &str, value: &str) -> Result<(), S3Error> {
    let letters = |text: &str| {
        text.chars()
            .all(|c| c.is_alphanumeric() || c.is_whitespace() || "+-=._:/@".contains(c))
    };
    let units = |text: &str| text.encode_utf16().count();
    if !(1..=128).contains(&units(key)) || !letters(key) {
        return Err(Code::InvalidTag
            .says("The TagKey you have provided is invalid")
            .with("TagKey", key));
    }
    if units(value) > 256 || !letters(value) {
        let error = Code::InvalidTag.says("The TagValue you have provided is invalid");
        return Err(error.with("TagKey", key).with("TagValue", value));
    }
    Ok(())
}

/// Writes what a read answers of it: system headers with the request's `response-*` overrides, user metadata, storage
/// class and the number of tags.
pub(crate) fn write(mut response: Response, content: &VersionContent, query: &Query) -> Response {
    for name in SYSTEM_HEADERS {
        let stored = content
            .headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str());
        let value = query.find(&format!("response-{name}")).or(stored);
        response = response.maybe_header(name, value);
    }
    for (name, value) in &content.metadata {
        response = response.header(
            &format!("{METADATA_PREFIX}{name}"),
            encoded_word::encode(value),
        );
    }
    if !content.tags.is_empty() {
        response = response.header("x-amz-tagging-count", content.tags.len().to_string());
    }
    let class = Some(&content.storage_class).filter(|class| *class != "STANDARD");
    response.maybe_header("x-amz-storage-class", class)
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};

    use super::*;

    fn request(headers: &[(&'static str, &[u8])]) -> Request {
        let mut request = Request::new(Method::PUT, "/photos/cat", "");
        for (name, value) in headers {
            request
                .headers
                .append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        request
    }

    #[test]
    fn the_encoding_of_the_transfer_is_not_kept() {
        let chunked =
            ObjectHeaders::parse(&request(&[("content-encoding", b"aws-chunked")])).unwrap();
        let both =
            ObjectHeaders::parse(&request(&[("content-encoding", b"gzip, aws-chunked")])).unwrap();

        assert_eq!(
            chunked.system,
            [("content-type".into(), "binary/octet-stream".into())]
        );
        assert!(
            both.system
                .contains(&("content-encoding".into(), "gzip".into()))
        );
    }

    #[test]
    fn user_metadata_is_text() {
        let headers = ObjectHeaders::parse(&request(&[
            ("x-amz-meta-plain", b"a"),
            ("x-amz-meta-plain", b"b"),
            ("x-amz-meta-word", b"=?UTF-8?Q?=C3=84?="),
        ]));

        let metadata = headers.unwrap().metadata;
        assert_eq!(
            metadata,
            [
                ("plain".into(), "a,b".into()),
                ("word".into(), "\u{c4}".into())
            ]
        );
    }

    #[test]
    fn two_kibibytes_of_metadata_are_the_most() {
        let exact = vec![b'x'; MAX_METADATA_BYTES - 1];

        assert!(ObjectHeaders::parse(&request(&[("x-amz-meta-a", &exact)])).is_ok());
        let error = ObjectHeaders::parse(&request(&[("x-amz-meta-ab", &exact)])).unwrap_err();
        assert_eq!(error.code, Code::MetadataTooLarge);
    }

    #[test]
    fn tags_are_checked_as_aws_does() {
        let tags =
            |text: &'static str| parse_tagging(&request(&[("x-amz-tagging", text.as_bytes())]));

        assert_eq!(
            tags("a=1&b=").unwrap(),
            [("a".into(), "1".into()), ("b".into(), String::new())]
        );
        assert_eq!(tags("a&&b%3D=%3d").unwrap().len(), 2);
        for bad in ["aws:a=1", "a=b!", "=x"] {
            assert_eq!(tags(bad).unwrap_err().code, Code::InvalidTag, "{bad}");
        }
        for bad in ["a=1&a=2", "a&a", "a=1,b=2", "a=%ff"] {
            let error = tags(bad).unwrap_err();
            assert_eq!(
                (error.code, error.message.as_ref()),
                (Code::InvalidArgument, TAGGING),
                "{bad}"
            );
        }
    }
}
