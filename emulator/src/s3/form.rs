//! A browser's form before it is an object: its fields are put where headers are, for all that comes after to read.
//!
//! AWS treats fields and headers alike, so the operation parses one as the other. What the request itself sent in their
//! place describes the form, not the object, and goes.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>

use std::ops::RangeInclusive;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::s3::code::Code;
use crate::s3::error::S3Error;
use crate::s3::target::Target;
use crate::wire::encoded_word;
use crate::wire::forms::{Fields, Form};
use crate::wire::request::Request;

const FILE_NAME: &str = "${filename}";
const AMAZON: &str = "x-amz-";
const METADATA: &str = "x-amz-meta-";

/// Fields that stand for a header of the same name, beside all that begin with [`AMAZON`].
const SYSTEM: [&str; 7] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-md5",
    "content-type",
    "expires",
];

/// A form that is about an object by now.
#[derive(Debug)]
pub(crate) struct PostForm {
    /// Its fields, `${filename}` replaced.
    pub(crate) fields: Fields,
    /// The bounds that its policy sets for the size of the file, in bytes.
    pub(crate) size_bytes: RangeInclusive<u64>,
}

impl PostForm {
    /// Takes the fields out of the body of a request: the file is its body then, and the field `key` its target.
    ///
    /// # Errors
    ///
    /// `MalformedPOSTRequest`, `MaxPostPreDataLengthExceeded`, `InvalidArgument` without a file or a key,
    /// `KeyTooLongError`; as a body that ends early.
    pub(crate) async fn open(request: &mut Request, target: &mut Target) -> Result<Self, S3Error> {
        let body = std::mem::take(&mut request.body);
        let content_type = request.header("content-type").unwrap_or_default();
        let mut form = Form::read(content_type, body).await?;
        if let Some(name) = &form.file_name {
            // Clients may tell a path; what follows its last separator is the name.
            let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
            form.fields.expand(FILE_NAME, name);
        }
        *target = target_of(target, &form.fields)?;
        take_place(&mut request.headers, &form.fields);
        request.body = form.file;
        Ok(Self {
            fields: form.fields,
            size_bytes: 0..=u64::MAX,
        })
    }
}

fn target_of(target: &Target, fields: &Fields) -> Result<Target, S3Error> {
    let key = fields
        .find("key")
        .ok_or_else(|| S3Error::no_form_field("key"))?;
    if key.is_empty() {
        let message = "User key must have a length greater than 0.";
        return Err(S3Error::argument_value("key", "", message));
    }
    let bucket = target
        .bucket()
        .ok_or_else(|| Code::InternalError.error())?
        .clone();
    Target::in_bucket(bucket, key)
}

fn take_place(headers: &mut HeaderMap, fields: &Fields) {
    let replaced = headers
        .keys()
        .filter(|name| stands_for_header(name.as_str()))
        .cloned()
        .collect::<Vec<_>>();
    for name in replaced {
        headers.remove(name);
    }
    for (name, value) in fields.iter() {
        let name = name.to_ascii_lowercase();
        let name = if name == "acl" { "x-amz-acl" } else { &name };
        let header = HeaderName::from_bytes(name.as_bytes());
        if let Ok(header) = header
            && stands_for_header(name)
            && let Ok(value) = HeaderValue::from_bytes(spell(name, value).as_bytes())
        {
            headers.append(header, value);
        }
    }
}

fn stands_for_header(name: &str) -> bool {
    name.starts_with(AMAZON) || SYSTEM.contains(&name)
}

/// A field may hold signs that no header can. Metadata carry them in encoded words; elsewhere they become blanks, and so
/// does in system headers what is beyond Latin-1.
///
/// Source: answers recorded from AWS to a `Cache-Control` and a `Content-Disposition` with a dash.
fn spell(name: &str, value: &str) -> String {
    let unfit = |sign: char| sign != '\t' && sign.is_ascii_control();
    if name.starts_with(METADATA) && value.contains(unfit) {
        return encoded_word::encode(value);
    }
    let is_system = SYSTEM.contains(&name);
    value.replace(|sign| unfit(sign) || (is_system && sign > '\u{ff}'), " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_take_the_place_of_headers() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("content-type", "multipart/form-data"),
            ("x-amz-meta-a", "of the request"),
            ("x-forwarded-proto", "http"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let fields = Fields::from([
            ("Content-Type", "text/plain"),
            ("acl", "private"),
            ("Cache-Control", "a\u{2014}b"),
            ("X-Amz-Meta-B", "two\nlines"),
            ("x-amz-storage-class", "a\r\nb"),
            ("x-forwarded-proto", "https"),
            ("x-amz-no header", "1"),
            ("key", "k"),
        ]);

        take_place(&mut headers, &fields);

        let mut told: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        told.sort_unstable();
        assert_eq!(
            told,
            [
                ("cache-control", "a b"),
                ("content-type", "text/plain"),
                ("x-amz-acl", "private"),
                ("x-amz-meta-b", "=?UTF-8?Q?two=0Alines?="),
                ("x-amz-storage-class", "a  b"),
                ("x-forwarded-proto", "http"),
            ]
        );
    }
}
