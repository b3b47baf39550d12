//! Signature version 2, in header and query: old, and still taken by AWS.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>

use crate::auth::sigv4;
use crate::crypto::digest::hmac_sha1;
use crate::wire::encoding::base64;
use crate::wire::request::Request;

/// Query names that are part of the resource, sorted: those that clients of version 2 sign.
const SUB_RESOURCES: [&str; 35] = [
    "accelerate",
    "acl",
    "analytics",
    "cors",
    "defaultObjectAcl",
    "delete",
    "inventory",
    "lifecycle",
    "location",
    "logging",
    "metrics",
    "notification",
    "object-lock",
    "partNumber",
    "policy",
    "replication",
    "requestPayment",
    "response-cache-control",
    "response-content-disposition",
    "response-content-encoding",
    "response-content-language",
    "response-content-type",
    "response-expires",
    "restore",
    "select",
    "select-type",
    "storageClass",
    "tagging",
    "torrent",
    "uploadId",
    "uploads",
    "versionId",
    "versioning",
    "versions",
    "website",
];

/// What is signed. `date` is the `Date` header, empty where `x-amz-date` stands for it, or the expiry of a presigned
/// request; `bucket` is the one that the host names, if it does.
pub(super) fn string_to_sign(request: &Request, date: &str, bucket: Option<&str>) -> String {
    let header = |name: &str| {
        request
            .headers
            .get(name)
            .map(sigv4::fold)
            .unwrap_or_default()
    };
    format!(
        "{}\n{}\n{}\n{date}\n{}{}",
        request.method,
        header("content-md5"),
        header("content-type"),
        amz_headers(request),
        resource(request, bucket),
    )
}

/// The signature of a string.
pub(super) fn sign(secret_key: &str, string_to_sign: &str) -> String {
    base64(&hmac_sha1(secret_key.as_bytes(), string_to_sign.as_bytes()))
}

fn amz_headers(request: &Request) -> String {
    let mut names: Vec<_> = request
        .headers
        .keys()
        .map(http::HeaderName::as_str)
        .filter(|name| name.starts_with("x-amz-"))
        .collect();
    names.sort_unstable();
    let line = |name: &str| {
        let values = request.headers.get_all(name).iter();
        let values = values.map(sigv4::fold);
        format!("{name}:{}\n", values.collect::<Vec<_>>().join(","))
    };
    names.into_iter().map(line).collect()
}

fn resource(request: &Request, bucket: Option<&str>) -> String {
    let mut resource = bucket
        .map(|bucket| format!("/{bucket}"))
        .unwrap_or_default();
    resource.push_str(&request.path);
    let mut separator = '?';
    for name in SUB_RESOURCES {
        let Some(value) = request.query.find(name) else {
            continue;
        };
        resource.push(separator);
        resource.push_str(name);
        if !value.is_empty() {
            resource.push('=');
            resource.push_str(value);
        }
        separator = '&';
    }
    resource
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};

    use super::*;

    /// Examples of <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>.
    #[test]
    fn awss_examples_have_awss_signatures() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        let date = "Tue, 27 Mar 2007 19:36:42 +0000";
        let get = Request::new(Method::GET, "/photos/puppy.jpg", "");

        let string = string_to_sign(&get, date, Some("awsexamplebucket1.us-west-1.s3"));
        assert_eq!(
            string,
            format!("GET\n\n\n{date}\n/awsexamplebucket1.us-west-1.s3/photos/puppy.jpg")
        );

        let mut put = Request::new(
            Method::PUT,
            "/awsexamplebucket1/photos/puppy.jpg",
            "acl&prefix=x",
        );
        put.headers
            .insert("x-amz-meta-b", HeaderValue::from_static("2"));
        put.headers
            .insert("x-amz-acl", HeaderValue::from_static("private"));
        put.headers
            .insert("content-type", HeaderValue::from_static("image/jpeg"));
        assert_eq!(
            string_to_sign(&put, "", None),
            "PUT\n\nimage/jpeg\n\nx-amz-acl:private\nx-amz-meta-b:2\n/awsexamplebucket1/photos/puppy.jpg?acl"
        );
        assert_eq!(
            sign(
                secret,
                "GET\n\n\n1175139620\n/awsexamplebucket1/photos/puppy.jpg"
            )
            .len(),
            28
        );
    }
}
