//! What of a request is never remembered: headers that are not in the list, and the values of parameters that carry a
//! secret.
//!
//! A presigned request may carry any header as a parameter, so names are judged and not places; what merely looks like a
//! secret's name is masked too.

/// What stands in the place of a secret.
pub(super) const MASK: &str = "***";

/// The headers that are remembered, in alphabetical order: how something is asked for, and never what with. Metadata are
/// the object's, and whoever sees it sees them.
const HEADERS: [&str; 51] = [
    "accept-encoding",
    "amz-sdk-request",
    "content-encoding",
    "content-md5",
    "content-type",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "origin",
    "range",
    "transfer-encoding",
    "user-agent",
    "x-amz-acl",
    "x-amz-bypass-governance-retention",
    "x-amz-checksum-algorithm",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-mode",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-type",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-copy-source-range",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
    "x-amz-decoded-content-length",
    "x-amz-expected-bucket-owner",
    "x-amz-metadata-directive",
    "x-amz-object-attributes",
    "x-amz-object-ownership",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-aws-kms-key-id",
    "x-amz-server-side-encryption-bucket-key-enabled",
    "x-amz-server-side-encryption-context",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-source-expected-bucket-owner",
    "x-amz-storage-class",
    "x-amz-tagging-directive",
    "x-amz-target",
    "x-amz-trailer",
];

/// What the names of parameters hold whose values nobody is to read.
const SECRETS: [&str; 9] = [
    "accesskey",
    "authorization",
    "credential",
    "customer-key",
    "password",
    "secret",
    "security-token",
    "session-token",
    "signature",
];

/// Whether a header is remembered; its name in lower case.
pub(super) fn may_keep(header: &str) -> bool {
    HEADERS.binary_search(&header).is_ok()
}

/// What is remembered of a parameter's value.
pub(super) fn masked<'v>(name: &str, value: &'v str) -> &'v str {
    let name = name.to_ascii_lowercase();
    // The digest of a customer's key tells one key from another, and gives none away.
    let is_digest = name.ends_with("customer-key-md5");
    let is_secret = SECRETS.iter().any(|secret| name.contains(secret));
    if is_secret && !is_digest { MASK } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_can_be_searched_and_none_carries_a_secret() {
        assert!(HEADERS.is_sorted());

        for header in HEADERS {
            assert_eq!(masked(header, "value"), "value", "{header}");
            assert!(may_keep(header));
        }
        for secret in [
            "authorization",
            "cookie",
            "referer",
            "x-amz-security-token",
            "x-amz-server-side-encryption-customer-key",
            "x-amz-copy-source-server-side-encryption-customer-key",
            "x-amz-meta-password",
        ] {
            assert!(!may_keep(secret), "{secret}");
        }
    }

    #[test]
    fn parameters_that_carry_a_secret_are_masked_however_they_are_spelled() {
        for name in [
            "X-Amz-Signature",
            "X-Amz-Credential",
            "X-Amz-Security-Token",
            "x-amz-security-token",
            "Signature",
            "AWSAccessKeyId",
            "X-Amz-Server-Side-Encryption-Customer-Key",
            "x-amz-copy-source-server-side-encryption-customer-key",
        ] {
            assert_eq!(masked(name, "value"), MASK, "{name}");
        }
        for name in [
            "X-Amz-SignedHeaders",
            "X-Amz-Date",
            "continuation-token",
            "prefix",
            "x-amz-server-side-encryption-customer-key-MD5",
        ] {
            assert_eq!(masked(name, "value"), "value", "{name}");
        }
    }
}
