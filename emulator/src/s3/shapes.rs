//! What families share: continuation tokens, and what every listing is asked in the same words.

use crate::model::object::ObjectVersion;
use crate::s3::error::S3Error;
use crate::s3::headers::encryption;
use crate::wire::encoding::{base64, list_encode, parse_base64};
use crate::wire::query::Query;
use crate::wire::request::Request;
use crate::wire::xml::XmlWriter;

/// A continuation token: opaque to clients, the name of the last entry to us.
#[derive(Debug)]
pub(crate) struct Token;

/// Tells our tokens from keys that somebody pastes; a second form would get another.
const TOKEN_FORM: &str = "1/";

impl Token {
    /// A token that goes on behind `last`.
    pub(crate) fn render(last: &str) -> String {
        base64(format!("{TOKEN_FORM}{last}").as_bytes())
    }

    /// Where a token goes on.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for one that we never gave.
    pub(crate) fn parse(token: &str) -> Result<String, S3Error> {
        let text = parse_base64(token).and_then(|bytes| String::from_utf8(bytes).ok());
        let last = text
            .as_deref()
            .and_then(|text| text.strip_prefix(TOKEN_FORM))
            .map(str::to_owned);
        last.ok_or_else(|| {
            S3Error::argument(
                "continuation-token",
                "The continuation token provided is incorrect",
            )
        })
    }
}

/// What every listing of objects is asked.
#[derive(Debug)]
pub(crate) struct Listing {
    /// What the keys begin with.
    pub(crate) prefix: String,
    /// Where keys are rolled up.
    pub(crate) delimiter: Option<String>,
    max_keys: u32,
    encoding: Option<String>,
}

impl Listing {
    /// Reads `prefix`, `delimiter`, `max-keys` and `encoding-type`.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`.
    pub(crate) fn parse(request: &Request) -> Result<Self, S3Error> {
        encryption::refuse_method(request)?;
        let query = &request.query;
        Ok(Self {
            encoding: parse_encoding(query)?,
            prefix: query.find("prefix").unwrap_or_default().to_owned(),
            delimiter: query
                .find("delimiter")
                .filter(|text| !text.is_empty())
                .map(str::to_owned),
            max_keys: parse_most(query, "max-keys", "maxKeys")?,
        })
    }

    /// How many entries a page has at most: what was asked for, bounded.
    ///
    /// # Errors
    ///
    /// `InternalError`, where the machine cannot count so far.
    pub(crate) fn limit(&self) -> Result<usize, S3Error> {
        usize::try_from(self.max_keys.min(MAX_PAGE)).map_err(S3Error::internal)
    }

    /// A text as the listing writes it.
    pub(crate) fn encode(&self, text: &str) -> String {
        encode(text, self.encoding.is_some())
    }

    /// Writes what was asked, and whether there is more.
    pub(crate) fn write_limits(&self, xml: &mut XmlWriter, is_truncated: bool) {
        xml.element("MaxKeys", self.max_keys);
        xml.maybe(
            "Delimiter",
            self.delimiter.as_deref().map(|text| self.encode(text)),
        );
        xml.maybe("EncodingType", self.encoding.as_deref());
        xml.element("IsTruncated", is_truncated);
    }

    /// Writes what a listing tells of an object beside its key: nothing about encryption.
    pub(crate) fn write_content(xml: &mut XmlWriter, version: &ObjectVersion, owner: Option<&str>) {
        let content = &version.content;
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

    /// Writes the common prefixes, which come behind everything else.
    pub(crate) fn write_common_prefixes(&self, xml: &mut XmlWriter, common_prefixes: &[String]) {
        for prefix in common_prefixes {
            xml.nest("CommonPrefixes", |xml| {
                xml.element("Prefix", self.encode(prefix));
            });
        }
    }
}

/// The most entries of one page, however many were asked for.
pub(crate) const MAX_PAGE: u32 = 1_000;

/// Reads `encoding-type`.
///
/// # Errors
///
/// `InvalidArgument`.
pub(crate) fn parse_encoding(query: &Query) -> Result<Option<String>, S3Error> {
    match query.find("encoding-type") {
        None => Ok(None),
        Some(value) if value.eq_ignore_ascii_case("url") => Ok(Some(value.to_owned())),
        Some(value) => Err(S3Error::argument_value(
            "encoding-type",
            value,
            "Invalid Encoding Method specified in Request",
        )),
    }
}

/// A text as a listing writes it: percent-encoded where that was asked for.
pub(crate) fn encode(text: &str, is_encoded: bool) -> String {
    if is_encoded {
        list_encode(text)
    } else {
        text.to_owned()
    }
}

/// Reads how many entries are wanted at most: `max-keys` and its kin. `argument` is what AWS calls it in a refusal.
///
/// # Errors
///
/// `InvalidArgument`.
pub(crate) fn parse_most(
    query: &Query,
    name: &str,
    argument: &'static str,
) -> Result<u32, S3Error> {
    let Some(text) = query.find(name).filter(|text| !text.is_empty()) else {
        return Ok(MAX_PAGE);
    };
    let Ok(number) = text.parse::<i32>() else {
        let message = format!("Provided {name} not an integer or within integer range");
        return Err(S3Error::argument_value(name, text, message));
    };
    u32::try_from(number).map_err(|_| {
        let message = format!("Argument {argument} must be an integer between 0 and 2147483647");
        S3Error::argument_value(argument, text, message)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn foreign_tokens_are_refused() {
        for token in ["", "a", "photos/cat.png", "Zm9v"] {
            assert!(Token::parse(token).is_err(), "{token}");
        }
    }

    proptest! {
        #[test]
        fn a_token_reads_back(last in "\\PC*") {
            prop_assert_eq!(Token::parse(&Token::render(&last)).unwrap(), last);
        }
    }
}
