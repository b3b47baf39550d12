//! An object as a line of `objects/NAME.jsonl` tells it: all but its bytes, which lie in a file of their own.
//!
//! An export writes such lines, and whoever loads a folder with them makes the objects anew.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::model::checksum::ChecksumAlgorithm;
use crate::model::encryption::SseAlgorithm;
use crate::model::object::VersionContent;
use crate::model::sealing::{KmsWrapping, Sealing};
use crate::s3::headers::metadata::SYSTEM_HEADERS;
use crate::wire::encoded_word;
use crate::wire::encoding::{base64, uri_encode};

/// The pair of an encryption context that S3 itself adds.
const S3_PAIR: &str = "aws:s3:arn";
/// The class of an object that was given none.
const STANDARD: &str = "STANDARD";

/// An object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectRecord {
    /// Its key.
    pub(crate) key: String,
    /// Where its bytes lie, from the folder on; parts are parted by slashes.
    pub(crate) file: String,
    /// `content-type` and the other headers that S3 gives back as they came.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    /// User metadata, without `x-amz-meta-`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
    /// Tags.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) tags: BTreeMap<String, String>,
    /// Its storage class; `None` for `STANDARD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) storage_class: Option<String>,
    /// A checksum of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checksum: Option<FileChecksum>,
    /// Its encryption; `None` for its bucket's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) encryption: Option<ObjectEncryption>,
}

/// A checksum of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileChecksum {
    /// `CRC32` …
    pub(crate) algorithm: String,
    /// In base64.
    pub(crate) value: String,
}

/// How an object is encrypted, as its writer would ask for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ObjectEncryption {
    /// `AES256`, `aws:kms`, `aws:kms:dsse`.
    pub(crate) algorithm: String,
    /// The KMS key, by ARN or alias.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) kms_key: Option<String>,
    /// Whether a bucket key wraps its data key.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) bucket_key: bool,
    /// What the customer added to the encryption context.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) context: BTreeMap<String, String>,
}

impl ObjectRecord {
    /// Of a stored object under this key, whose bytes lie in this file.
    pub(crate) fn of(key: &str, file: String, content: &VersionContent) -> Self {
        Self {
            key: key.to_owned(),
            file,
            headers: content.headers.iter().cloned().collect(),
            metadata: content.metadata.iter().cloned().collect(),
            tags: content.tags.iter().cloned().collect(),
            storage_class: Some(content.storage_class.clone()).filter(|class| class != STANDARD),
            checksum: None,
            encryption: ObjectEncryption::of(&content.sealing),
        }
    }

    /// The headers of a `PutObject` that makes it anew.
    ///
    /// # Errors
    ///
    /// One line, for what no request can say.
    pub(crate) fn request_headers(&self) -> Result<HeaderMap, String> {
        let mut headers = Headers::default();
        for (name, value) in &self.headers {
            if !SYSTEM_HEADERS.contains(&name.as_str()) {
                return Err(format!("`{name}` is no header that an object keeps"));
            }
            headers.add(name, value)?;
        }
        for (name, value) in &self.metadata {
            headers.add(&format!("x-amz-meta-{name}"), &carried(value))?;
        }
        if !self.tags.is_empty() {
            let pair = |(key, value): (&String, &String)| {
                format!("{}={}", uri_encode(key), uri_encode(value))
            };
            let pairs: Vec<_> = self.tags.iter().map(pair).collect();
            headers.add("x-amz-tagging", &pairs.join("&"))?;
        }
        if let Some(class) = &self.storage_class {
            headers.add("x-amz-storage-class", class)?;
        }
        if let Some(checksum) = &self.checksum {
            headers.add(checksum.header()?, &checksum.value)?;
        }
        if let Some(encryption) = &self.encryption {
            encryption.ask(&mut headers)?;
        }
        Ok(headers.0)
    }
}

impl FileChecksum {
    fn header(&self) -> Result<&'static str, String> {
        let known = ChecksumAlgorithm::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == self.algorithm);
        known
            .map(ChecksumAlgorithm::header)
            .ok_or_else(|| format!("there is no checksum `{}`", self.algorithm))
    }
}

impl ObjectEncryption {
    /// `None` for a customer's key, which is not here.
    fn of(sealing: &Sealing) -> Option<Self> {
        match sealing {
            Sealing::SseS3 { .. } => Some(Self {
                algorithm: SseAlgorithm::Aes256.name().to_owned(),
                kms_key: None,
                bucket_key: false,
                context: BTreeMap::new(),
            }),
            Sealing::SseKms(kms) => Some(Self::of_kms(SseAlgorithm::Kms, kms)),
            Sealing::DsseKms { kms, .. } => Some(Self::of_kms(SseAlgorithm::KmsDsse, kms)),
            Sealing::SseC { .. } => None,
        }
    }

    fn of_kms(algorithm: SseAlgorithm, kms: &KmsWrapping) -> Self {
        let mut context = kms.context.pairs().clone();
        context.remove(S3_PAIR);
        Self {
            algorithm: algorithm.name().to_owned(),
            kms_key: Some(kms.key_arn.clone()),
            bucket_key: kms.under_bucket_key.is_some(),
            context,
        }
    }

    fn ask(&self, headers: &mut Headers) -> Result<(), String> {
        headers.add("x-amz-server-side-encryption", &self.algorithm)?;
        if let Some(key) = &self.kms_key {
            headers.add("x-amz-server-side-encryption-aws-kms-key-id", key)?;
        }
        if self.algorithm == SseAlgorithm::Kms.name() {
            let name = "x-amz-server-side-encryption-bucket-key-enabled";
            headers.add(name, if self.bucket_key { "true" } else { "false" })?;
        }
        if self.context.is_empty() {
            return Ok(());
        }
        let context = serde_json::to_vec(&self.context).map_err(|error| error.to_string())?;
        headers.add("x-amz-server-side-encryption-context", &base64(&context))
    }
}

/// Headers of a request, before it is one.
#[derive(Debug, Default)]
struct Headers(HeaderMap);

impl Headers {
    fn add(&mut self, name: &str, value: &str) -> Result<(), String> {
        let wrong = || format!("no request can carry the header `{name}: {value}`");
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| wrong())?;
        self.0.insert(name, value);
        Ok(())
    }
}

/// A text of user metadata as a header brings it through S3's decoding, whatever it looks like.
fn carried(text: &str) -> String {
    let carried = encoded_word::encode(text);
    if encoded_word::decode(&carried) == text {
        return carried;
    }
    format!("=?UTF-8?B?{}?=", base64(text.as_bytes()))
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands out references"
)]
fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_of_metadata_comes_through_the_header() {
        for text in [
            "",
            "plain",
            "\u{fc}ml\u{e4}ut",
            "=?UTF-8?Q?a?=",
            "a=?UTF-8?B?YQ==?= b",
            "a\tb",
        ] {
            let header = carried(text);

            assert!(HeaderValue::from_bytes(header.as_bytes()).is_ok(), "{text}");
            assert_eq!(encoded_word::decode(&header), text);
        }
    }

    #[test]
    fn what_no_object_keeps_is_refused() {
        let line = r#"{"key": "cat", "file": "a", "headers": {"x-amz-acl": "public-read"}}"#;
        let record: ObjectRecord = serde_json::from_str(line).unwrap();

        assert!(record.request_headers().unwrap_err().contains("x-amz-acl"));
    }

    #[test]
    fn a_record_asks_for_all_that_it_tells() {
        let line = r#"{"key": "cat", "file": "a", "tags": {"a b": "c&d"}, "storage_class": "STANDARD_IA",
            "checksum": {"algorithm": "SHA1", "value": "x"}, "metadata": {"who": "ann"},
            "encryption": {"algorithm": "aws:kms", "kms_key": "k", "context": {"a": "b"}}}"#;
        let record: ObjectRecord = serde_json::from_str(line).unwrap();

        let headers = record.request_headers().unwrap();

        let of = |name: &str| headers[name].to_str().unwrap();
        assert_eq!(of("x-amz-tagging"), "a%20b=c%26d");
        assert_eq!(of("x-amz-storage-class"), "STANDARD_IA");
        assert_eq!(of("x-amz-checksum-sha1"), "x");
        assert_eq!(of("x-amz-meta-who"), "ann");
        assert_eq!(of("x-amz-server-side-encryption"), "aws:kms");
        assert_eq!(
            of("x-amz-server-side-encryption-bucket-key-enabled"),
            "false"
        );
        assert_eq!(
            of("x-amz-server-side-encryption-context"),
            base64(br#"{"a":"b"}"#)
        );
    }
}
