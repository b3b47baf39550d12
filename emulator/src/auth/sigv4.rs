//! Signature version 4: the canonical request, what is signed of it, and the key that signs.
//!
//! S3's own rules: the path is encoded once and never normalised.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>

use zeroize::Zeroizing;

use crate::crypto::digest::{hmac_sha256, sha256};
use crate::wire::encoding::{percent_decode, uri_encode, uri_encode_path};
use crate::wire::request::Request;

/// The one algorithm.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What the SDK for JavaScript signs over HTTP/2 in place of `host`. S3 itself speaks no HTTP/2.
///
/// Source: RFC 9113 §8.3.1.
pub(super) const AUTHORITY: &str = ":authority";

/// `DAY/REGION/SERVICE/aws4_request`, and whose key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Credential {
    pub(super) access_key: String,
    pub(super) day: String,
    pub(super) region: String,
    pub(super) service: String,
}

/// A signature as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed {
    pub(super) credential: Credential,
    /// Names in lower case, in the order of the client.
    pub(super) headers: Vec<String>,
    pub(super) signature: String,
    /// `YYYYMMDDTHHMMSSZ`.
    pub(super) date: String,
}

impl Credential {
    /// Reads `AKID/DAY/REGION/SERVICE/aws4_request`; an access key may have slashes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.rsplitn(5, '/');
        let (end, service, region, day, key) = (
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
            parts.next()?,
        );
        let whole = end == "aws4_request" && !key.is_empty() && day.len() == 8;
        whole.then(|| Self {
            access_key: key.to_owned(),
            day: day.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
        })
    }

    /// The scope, without the key.
    pub(super) fn scope(&self) -> String {
        format!("{}/{}/{}/aws4_request", self.day, self.region, self.service)
    }

    /// The key that signs within this scope.
    pub(super) fn signing_key(&self, secret_key: &str) -> Zeroizing<[u8; 32]> {
        let secret = Zeroizing::new(format!("AWS4{secret_key}"));
        let day = Zeroizing::new(hmac_sha256(secret.as_bytes(), self.day.as_bytes()));
        let region = Zeroizing::new(hmac_sha256(&*day, self.region.as_bytes()));
        let service = Zeroizing::new(hmac_sha256(&*region, self.service.as_bytes()));
        Zeroizing::new(hmac_sha256(&*service, b"aws4_request"))
    }
}

impl Signed {
    /// What is signed of a request: the canonical request and the string to sign. `payload` is its hash, or what stands for
    /// it.
    pub(super) fn strings(&self, request: &Request, payload: &str) -> (String, String) {
        let canonical = self.canonical_request(request, payload);
        let digest = hex::encode(sha256(canonical.as_bytes()));
        let to_sign = format!(
            "{ALGORITHM}\n{}\n{}\n{digest}",
            self.date,
            self.credential.scope()
        );
        (canonical, to_sign)
    }

    fn canonical_request(&self, request: &Request, payload: &str) -> String {
        let mut headers = String::new();
        for name in &self.headers {
            headers.extend([name, ":", &canonical_value(request, name), "\n"]);
        }
        [
            request.method.as_str(),
            &canonical_path(&request.path),
            &canonical_query(request),
            &headers,
            &self.headers.join(";"),
            payload,
        ]
        .join("\n")
    }
}

/// The signature of a string.
pub(super) fn sign(key: &[u8; 32], string_to_sign: &str) -> String {
    hex::encode(hmac_sha256(key, string_to_sign.as_bytes()))
}

fn canonical_path(path: &str) -> String {
    percent_decode(path).map_or_else(|| path.to_owned(), |decoded| uri_encode_path(&decoded))
}

/// All pairs but the signature itself, encoded anew and sorted.
fn canonical_query(request: &Request) -> String {
    let pairs = request
        .query
        .pairs()
        .filter(|(name, _)| *name != "X-Amz-Signature");
    let mut pairs: Vec<_> = pairs
        .map(|(name, value)| (uri_encode(name), uri_encode(value)))
        .collect();
    pairs.sort();
    pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

/// All values of a header, joined by commas.
fn canonical_value(request: &Request, name: &str) -> String {
    if name == "host" || name == AUTHORITY {
        return request.host.clone();
    }
    let values = request.headers.get_all(name).iter();
    values.map(fold).collect::<Vec<_>>().join(",")
}

/// A value as AWS reads it: bytes that are not UTF-8 count as U+FFFD, runs of blanks and tabs as one blank.
pub(super) fn fold(value: &http::HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method};

    use super::*;

    /// The example key of AWS's documentation.
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn signature(
        method: Method,
        path: &str,
        query: &str,
        headers: &[(&'static str, &str)],
        payload: &str,
    ) -> String {
        let mut request = Request::new(method, path, query);
        "examplebucket.s3.amazonaws.com".clone_into(&mut request.host);
        let mut names = vec!["host".to_owned()];
        for (name, value) in headers {
            request
                .headers
                .append(*name, HeaderValue::from_str(value).unwrap());
            names.push((*name).to_owned());
        }
        names.sort();
        let credential =
            Credential::parse("AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request").unwrap();
        let key = credential.signing_key(SECRET);
        let date = "20130524T000000Z".to_owned();
        let signed = Signed {
            credential,
            headers: names,
            signature: String::new(),
            date,
        };
        sign(&key, &signed.strings(&request, payload).1)
    }

    /// The four examples of <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>, and the one
    /// of presigned URLs.
    #[test]
    fn awss_examples_have_awss_signatures() {
        let date = ("x-amz-date", "20130524T000000Z");
        let empty = ("x-amz-content-sha256", EMPTY);

        let get = signature(
            Method::GET,
            "/test.txt",
            "",
            &[("range", "bytes=0-9"), empty, date],
            EMPTY,
        );
        assert_eq!(
            get,
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );

        let hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
        let headers = [
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-content-sha256", hash),
            date,
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ];
        let put = signature(Method::PUT, "/test%24file.text", "", &headers, hash);
        assert_eq!(
            put,
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        );

        let lifecycle = signature(Method::GET, "/", "lifecycle", &[empty, date], EMPTY);
        assert_eq!(
            lifecycle,
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );

        let list = signature(
            Method::GET,
            "/",
            "max-keys=2&prefix=J",
            &[empty, date],
            EMPTY,
        );
        assert_eq!(
            list,
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );

        let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=x";
        let presigned = signature(Method::GET, "/test.txt", query, &[], "UNSIGNED-PAYLOAD");
        assert_eq!(
            presigned,
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        );
    }

    #[test]
    fn a_credential_has_five_parts() {
        assert!(Credential::parse("a/b/20130524/us-east-1/s3/aws4_request").is_some());
        for bad in [
            "",
            "a/20130524/us-east-1/s3",
            "a/2013/us-east-1/s3/aws4_request",
            "/20130524/us-east-1/s3/aws4_request",
        ] {
            assert_eq!(Credential::parse(bad), None, "{bad}");
        }
    }
}
