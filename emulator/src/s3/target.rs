//! What a request is about: the service, a bucket, or an object, by host and path.
//!
//! Path style names the bucket first in the path; virtual-host style has it before one of the endpoint's own names in
//! the host. Whatever follows is the key, percent-decoded once and otherwise as sent: `//`, `.` and `..` mean nothing.

use crate::model::bucket_name::BucketName;
use crate::model::object_key::{InvalidObjectKey, MAX_KEY_BYTES, ObjectKey};
use crate::s3::code::Code;
use crate::s3::error::S3Error;
use crate::wire::encoding::percent_decode;
use crate::wire::request::Request;

/// Endpoints that the public internet resolves to this machine, or that a client is led to: `s3[.REGION].DOMAIN`.
const REGIONAL_DOMAINS: [&str; 2] = ["localhost.localstack.cloud", "amazonaws.com"];

/// What a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// `/`.
    Service,
    /// A bucket.
    Bucket(BucketName),
    /// A key in a bucket.
    Object(ObjectAddress),
}

/// A bucket and a key in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectAddress {
    /// The bucket.
    pub(crate) bucket: BucketName,
    /// The key.
    pub(crate) key: ObjectKey,
}

/// The host names beside the built-in ones under which the server answers (`--host`).
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts(Vec<String>);

impl Target {
    /// Reads the target of a request.
    ///
    /// # Errors
    ///
    /// `InvalidBucketName`, `KeyTooLongError`, `InvalidURI`.
    pub(crate) fn of(request: &Request, hosts: &Hosts) -> Result<Self, S3Error> {
        let path = request.path.strip_prefix('/').unwrap_or(&request.path);
        let (bucket, key) = if let Some(bucket) = hosts.bucket_of(&request.host) {
            (bucket.to_owned(), path)
        } else {
            let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
            (decode(bucket)?, key)
        };
        if bucket.is_empty() {
            return if key.is_empty() {
                Ok(Self::Service)
            } else {
                Err(invalid_bucket(""))
            };
        }
        let bucket = BucketName::parse(&bucket).map_err(|_| invalid_bucket(&bucket))?;
        Self::in_bucket(bucket, &decode(key)?)
    }

    /// A decoded key in a bucket; the bucket itself without one.
    ///
    /// # Errors
    ///
    /// `KeyTooLongError`.
    pub(crate) fn in_bucket(bucket: BucketName, key: &str) -> Result<Self, S3Error> {
        match ObjectKey::parse(key) {
            Ok(key) => Ok(Self::Object(ObjectAddress { bucket, key })),
            Err(InvalidObjectKey::Empty) => Ok(Self::Bucket(bucket)),
            Err(InvalidObjectKey::TooLong(size)) => Err(key_too_long(size)),
        }
    }

    /// The bucket, if there is one.
    pub(crate) fn bucket(&self) -> Option<&BucketName> {
        match self {
            Self::Service => None,
            Self::Bucket(bucket) | Self::Object(ObjectAddress { bucket, .. }) => Some(bucket),
        }
    }
}

impl ObjectAddress {
    /// `arn:aws:s3:::BUCKET/KEY`.
    pub(crate) fn arn(&self) -> String {
        format!("{}/{}", self.bucket.arn(), self.key)
    }

    /// Reads `x-amz-copy-source`: `[/]BUCKET/KEY[?versionId=ID]`, percent-encoded. Gives the version beside it.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`, `InvalidBucketName`, `KeyTooLongError`.
    pub(crate) fn of_copy_source(header: &str) -> Result<(Self, Option<String>), S3Error> {
        let (path, version) = match header.split_once("?versionId=") {
            Some((path, version)) => (path, Some(version.to_owned())),
            None => (header, None),
        };
        let path = percent_decode(path).ok_or_else(copy_source_unreadable)?;
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = path.split_once('/').ok_or_else(copy_source_unreadable)?;
        if key.is_empty() {
            return Err(copy_source_unreadable());
        }
        let bucket = BucketName::parse(bucket).map_err(|_| invalid_bucket(bucket))?;
        let key = ObjectKey::parse(key).map_err(|_| key_too_long(key.len()))?;
        Ok((Self { bucket, key }, version))
    }
}

impl Hosts {
    /// With further names, each of which may stand behind a bucket's.
    pub(crate) fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(
            names
                .into_iter()
                .map(|name| name.to_ascii_lowercase())
                .collect(),
        )
    }

    /// The bucket that a host names; `None` for path style. The port plays no part.
    pub(crate) fn bucket_of<'h>(&self, host: &'h str) -> Option<&'h str> {
        let name = without_port(host);
        let own = self.0.iter().find_map(|own| strip_domain(name, own));
        let before = own
            .or_else(|| {
                REGIONAL_DOMAINS
                    .into_iter()
                    .find_map(|domain| before_s3(strip_domain(name, domain)?))
            })
            .or_else(|| {
                strip_domain(name, "localhost").map(|rest| strip_domain(rest, "s3").unwrap_or(rest))
            })?;
        (!before.is_empty()).then_some(before)
    }
}

/// What stands before a domain, without the dot between them: empty for the domain itself.
fn strip_domain<'h>(host: &'h str, domain: &str) -> Option<&'h str> {
    let split = host.len().checked_sub(domain.len())?;
    let (before, tail) = host.split_at_checked(split)?;
    if !tail.eq_ignore_ascii_case(domain) {
        return None;
    }
    if before.is_empty() {
        Some(before)
    } else {
        before.strip_suffix('.')
    }
}

/// What stands before `s3` or `s3.REGION`; `None` where neither stands there.
fn before_s3(host: &str) -> Option<&str> {
    strip_domain(host, "s3").or_else(|| {
        let (before, region) = host.rsplit_once('.')?;
        let regional = region.bytes().filter(|&byte| byte == b'-').count() >= 2;
        if regional {
            strip_domain(before, "s3")
        } else {
            None
        }
    })
}

/// The name in a host, without its port.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            name
        }
        _ => host,
    }
}

fn decode(text: &str) -> Result<String, S3Error> {
    percent_decode(text)
        .map(String::from)
        .ok_or_else(|| Code::InvalidURI.with("URI", text))
}

fn invalid_bucket(name: &str) -> S3Error {
    Code::InvalidBucketName.with("BucketName", name)
}

fn key_too_long(size: usize) -> S3Error {
    Code::KeyTooLongError
        .with("Size", size)
        .with("MaxSizeAllowed", MAX_KEY_BYTES)
}

/// AWS puts the header's name where its value should stand.
fn copy_source_unreadable() -> S3Error {
    S3Error::argument_value(
        "x-amz-copy-source",
        "x-amz-copy-source",
        "Invalid copy source object key",
    )
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn target(host: &str, path: &str) -> Result<Target, S3Error> {
        let mut request = Request::new(Method::GET, path, "");
        host.clone_into(&mut request.host);
        Target::of(&request, &Hosts::new(["s3.test".to_owned()]))
    }

    fn object(bucket: &str, key: &str) -> Target {
        let bucket = BucketName::parse(bucket).unwrap();
        Target::Object(ObjectAddress {
            bucket,
            key: ObjectKey::parse(key).unwrap(),
        })
    }

    #[test]
    fn path_style_names_the_bucket_first() {
        let host = "127.0.0.1:4566";

        assert_eq!(target(host, "/").unwrap(), Target::Service);
        assert_eq!(
            target(host, "/photos").unwrap(),
            Target::Bucket(BucketName::parse("photos").unwrap())
        );
        assert_eq!(
            target(host, "/photos/").unwrap(),
            Target::Bucket(BucketName::parse("photos").unwrap())
        );
        assert_eq!(
            target(host, "/photos/a%2Fb//c/../.").unwrap(),
            object("photos", "a/b//c/../.")
        );
        assert_eq!(
            target("s3.us-east-1.amazonaws.com", "/photos/a").unwrap(),
            object("photos", "a")
        );
        assert_eq!(
            target("localhost:80", "/photos/a").unwrap(),
            object("photos", "a")
        );
    }

    #[test]
    fn a_virtual_host_names_the_bucket_before_an_endpoint() {
        let hosts = [
            "photos.localhost:4566",
            "photos.s3.localhost",
            "photos.s3.localhost.localstack.cloud:4566",
            "photos.s3.eu-west-1.localhost.localstack.cloud",
            "photos.s3.us-gov-west-1.amazonaws.com",
            "photos.s3.amazonaws.com",
            "photos.S3.Test:99",
        ];
        for host in hosts {
            assert_eq!(
                target(host, "/photos/a%20b").unwrap(),
                object("photos", "photos/a b"),
                "{host}"
            );
        }
        assert_eq!(
            target("my.photos.localhost", "/a").unwrap(),
            object("my.photos", "a")
        );
    }

    #[test]
    fn impossible_names_are_refused() {
        assert_eq!(
            target("127.0.0.1", "/ab/key").unwrap_err().code,
            Code::InvalidBucketName
        );
        assert_eq!(
            target("127.0.0.1", &format!("/photos/{}", "x".repeat(1_025)))
                .unwrap_err()
                .code,
            Code::KeyTooLongError
        );
        assert_eq!(
            target("127.0.0.1", "/photos/%ff").unwrap_err().code,
            Code::InvalidURI
        );
    }

    #[test]
    fn a_copy_source_may_begin_with_a_slash_and_end_with_a_version() {
        let (address, version) =
            ObjectAddress::of_copy_source("/photos/a%3Fb?versionId=null").unwrap();

        assert_eq!(Target::Object(address), object("photos", "a?b"));
        assert_eq!(version.as_deref(), Some("null"));
        assert!(ObjectAddress::of_copy_source("photos").is_err());
    }
}
