//! Digests that a client declares of its body: `Content-MD5` and the `x-amz-checksum-*` family.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>; the order of refusals
//! was measured on AWS.

use crate::model::checksum::{Checksum, ChecksumAlgorithm, ChecksumType};
use crate::model::upload::UploadChecksum;
use crate::s3::code::Code;
use crate::s3::error::S3Error;
use crate::wire::encoding::parse_base64;
use crate::wire::request::Request;
use crate::wire::response::Response;

const PREFIX: &str = "x-amz-checksum-";
const ALGORITHM: &str = "x-amz-sdk-checksum-algorithm";
/// Names with the prefix that carry no digest.
const NOT_DIGESTS: [&str; 3] = [
    "x-amz-checksum-mode",
    "x-amz-checksum-algorithm",
    "x-amz-checksum-type",
];

/// What a client declares of the body that it sends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Declared {
    /// `Content-MD5`, decoded.
    pub(crate) content_md5: Option<[u8; 16]>,
    /// The checksum, if it names one.
    pub(crate) checksum: Option<DeclaredChecksum>,
}

/// A checksum that a client declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DeclaredChecksum {
    /// Which one.
    pub(crate) algorithm: ChecksumAlgorithm,
    /// Its value in base64; `None` where it comes in the trailer.
    pub(crate) value: Option<String>,
}

impl Declared {
    /// Reads both.
    ///
    /// # Errors
    ///
    /// `InvalidDigest`, `InvalidRequest`.
    pub(crate) fn parse(request: &Request) -> Result<Self, S3Error> {
        Ok(Self {
            content_md5: parse_content_md5(request)?,
            checksum: parse_checksum(request, check_value)?,
        })
    }

    /// Whether there is any.
    pub(crate) fn is_empty(&self) -> bool {
        self.content_md5.is_none() && self.checksum.is_none()
    }
}

/// Reads `Content-MD5`.
///
/// # Errors
///
/// `InvalidDigest`.
pub(crate) fn parse_content_md5(request: &Request) -> Result<Option<[u8; 16]>, S3Error> {
    let Some(header) = request.header("content-md5") else {
        return Ok(None);
    };
    let digest = parse_base64(header).and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    digest
        .map(Some)
        .ok_or_else(|| Code::InvalidDigest.with("Content-MD5", header))
}

/// Reads the checksum that a completion declares of its object: that of an object in parts may end in `-N`.
///
/// # Errors
///
/// `InvalidRequest`.
pub(crate) fn parse_completed(request: &Request) -> Result<Option<DeclaredChecksum>, S3Error> {
    parse_checksum(request, |algorithm, value| {
        let digest = value.split_once('-').map_or(value, |(digest, _)| digest);
        check_value(algorithm, digest)
    })
}

fn parse_checksum(
    request: &Request,
    check: impl Fn(ChecksumAlgorithm, &str) -> Result<(), S3Error>,
) -> Result<Option<DeclaredChecksum>, S3Error> {
    let sent = request.headers.keys().map(http::HeaderName::as_str);
    let headers: Vec<_> = sent
        .filter(|name| name.starts_with(PREFIX) && !NOT_DIGESTS.contains(name))
        .collect();
    let trailer = request.header("x-amz-trailer").map(str::to_ascii_lowercase);
    let trailer = trailer.as_deref().filter(|name| name.starts_with(PREFIX));
    let named = headers.iter().copied().chain(trailer).collect::<Vec<_>>();
    let algorithms = named
        .iter()
        .map(|name| parse_header_name(name))
        .collect::<Result<Vec<_>, _>>()?;
    match (&algorithms[..], headers.first()) {
        ([], _) => check_sdk_algorithm(request).map(|()| None),
        ([_, _, ..], _) => Err(Code::InvalidRequest.says(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        )),
        (&[algorithm], None) => Ok(Some(DeclaredChecksum {
            algorithm,
            value: None,
        })),
        (&[algorithm], Some(name)) => {
            let value = request.header(name).unwrap_or_default();
            check(algorithm, value)?;
            Ok(Some(DeclaredChecksum {
                algorithm,
                value: Some(value.to_owned()),
            }))
        }
    }
}

fn parse_header_name(name: &str) -> Result<ChecksumAlgorithm, S3Error> {
    let known = ChecksumAlgorithm::ALL
        .into_iter()
        .find(|algorithm| algorithm.header() == name);
    known.ok_or_else(|| {
        Code::InvalidRequest
            .says("The algorithm type you specified in x-amz-checksum- header is invalid.")
    })
}

/// Checks that a value has the form of a digest.
///
/// # Errors
///
/// `InvalidRequest`.
pub(crate) fn check_value(algorithm: ChecksumAlgorithm, value: &str) -> Result<(), S3Error> {
    let good = parse_base64(value).is_some_and(|bytes| bytes.len() == algorithm.width_bytes());
    if good {
        Ok(())
    } else {
        Err(Code::InvalidRequest.says(format!(
            "Value for {} header is invalid.",
            algorithm.header()
        )))
    }
}

fn check_sdk_algorithm(request: &Request) -> Result<(), S3Error> {
    match request.header(ALGORITHM) {
        None => Ok(()),
        Some(_) => Err(Code::InvalidRequest.says(
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.",
        )),
    }
}

/// The refusal of a body that does not have the declared checksum.
pub(crate) fn mismatch(algorithm: ChecksumAlgorithm) -> S3Error {
    Code::BadDigest.says(format!(
        "The {} you specified did not match the calculated checksum.",
        algorithm.name()
    ))
}

/// Reads `x-amz-checksum-algorithm`: what a copy or an upload is to compute.
///
/// # Errors
///
/// `InvalidRequest`.
pub(crate) fn parse_algorithm(request: &Request) -> Result<Option<ChecksumAlgorithm>, S3Error> {
    let Some(name) = request.header("x-amz-checksum-algorithm") else {
        return Ok(None);
    };
    let known = ChecksumAlgorithm::parse(name);
    known.map(Some).ok_or_else(|| Code::InvalidRequest.says("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"))
}

/// Whether a read asks for checksums.
///
/// # Errors
///
/// `InvalidRequest` for a mode other than `ENABLED`.
pub(crate) fn parse_mode(request: &Request) -> Result<bool, S3Error> {
    match request.header("x-amz-checksum-mode") {
        None => Ok(false),
        Some(mode) if mode.eq_ignore_ascii_case("ENABLED") => Ok(true),
        Some(_) => {
            Err(Code::InvalidRequest.says("Value for x-amz-checksum-mode header is invalid."))
        }
    }
}

/// The checksum of a multipart upload, by `x-amz-checksum-algorithm` and `x-amz-checksum-type`.
///
/// # Errors
///
/// `InvalidRequest`.
pub(crate) fn parse_upload(request: &Request) -> Result<Option<UploadChecksum>, S3Error> {
    let kind = parse_type(request)?;
    let Some(algorithm) = parse_algorithm(request)? else {
        if kind.is_some() {
            return Err(Code::InvalidRequest.says("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."));
        }
        return Ok(None);
    };
    let kind = kind.unwrap_or(algorithm.usual_type());
    let is_sha = matches!(
        algorithm,
        ChecksumAlgorithm::Sha1 | ChecksumAlgorithm::Sha256
    );
    let fits = match kind {
        ChecksumType::FullObject => !is_sha,
        ChecksumType::Composite => algorithm != ChecksumAlgorithm::Crc64Nvme,
    };
    if fits {
        return Ok(Some(UploadChecksum { algorithm, kind }));
    }
    Err(Code::InvalidRequest.says(format!(
        "The {} checksum type cannot be used with the {} checksum algorithm.",
        kind.name(),
        algorithm.name().to_lowercase()
    )))
}

/// Reads `x-amz-checksum-type`.
///
/// # Errors
///
/// `InvalidRequest`.
pub(crate) fn parse_type(request: &Request) -> Result<Option<ChecksumType>, S3Error> {
    let Some(name) = request.header("x-amz-checksum-type") else {
        return Ok(None);
    };
    let known = [ChecksumType::FullObject, ChecksumType::Composite];
    let found = known.into_iter().find(|kind| kind.name() == name);
    let refused = || Code::InvalidRequest.says("Value for x-amz-checksum-type header is invalid.");
    found.map(Some).ok_or_else(refused)
}

/// Writes a checksum and its type.
pub(crate) fn write(response: Response, checksum: Option<&Checksum>) -> Response {
    match checksum {
        None => response,
        Some(checksum) => response
            .header(checksum.algorithm.header(), &checksum.value)
            .header("x-amz-checksum-type", checksum.kind.name()),
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};

    use super::*;

    fn parse(headers: &[(&'static str, &'static str)]) -> Result<Declared, S3Error> {
        let mut request = Request::new(Method::PUT, "/photos/cat", "");
        for (name, value) in headers {
            request
                .headers
                .append(*name, HeaderValue::from_static(value));
        }
        Declared::parse(&request)
    }

    fn refusal(headers: &[(&'static str, &'static str)]) -> String {
        parse(headers).unwrap_err().message.into_owned()
    }

    #[test]
    fn a_checksum_comes_as_header_or_as_trailer() {
        let header = parse(&[
            ("x-amz-checksum-crc32", "AAAAAA=="),
            ("x-amz-sdk-checksum-algorithm", "CRC32"),
        ])
        .unwrap();
        let trailer = parse(&[("x-amz-trailer", "x-amz-checksum-sha256")]).unwrap();

        assert_eq!(header.checksum.unwrap().value.as_deref(), Some("AAAAAA=="));
        assert_eq!(
            trailer.checksum,
            Some(DeclaredChecksum {
                algorithm: ChecksumAlgorithm::Sha256,
                value: None
            })
        );
    }

    #[test]
    fn refusals_come_in_the_order_of_aws() {
        let bad_md5 = ("content-md5", "x");
        let unknown = ("x-amz-checksum-crc16", "AAAAAA==");
        let crc32 = ("x-amz-checksum-crc32", "AAAA");
        let sha1 = ("x-amz-checksum-sha1", "AAAA");

        assert_eq!(
            refusal(&[bad_md5, unknown]),
            "The Content-MD5 you specified was invalid."
        );
        assert!(refusal(&[unknown, crc32]).starts_with("The algorithm type you specified"));
        assert!(refusal(&[crc32, sha1]).starts_with("Expecting a single"));
        assert_eq!(
            refusal(&[crc32]),
            "Value for x-amz-checksum-crc32 header is invalid."
        );
        assert!(refusal(&[("x-amz-sdk-checksum-algorithm", "CRC32")]).contains("no corresponding"));
    }
}
