//! What the tests of Rust's clients share: plaintexts that must not be found, a customer's key, trust in a server's CA.

use std::sync::Once;

/// The guide of the test kit, whose code is run by `cargo test`.
#[cfg_attr(doctest, doc = include_str!("../../../docs/testkit.md"))]
#[derive(Clone, Copy, Debug)]
pub struct Guide;

/// A body that nobody may read on the disk.
pub const LETTER: &[u8] = b"Burn this when you have read it";
/// A customer's key, base64, as published with recordings of AWS.
pub const CUSTOMER_KEY: &str = "K0+/yQHJcx5CgotqScZJqhfJ8hpfw4leiB3Bzyo8HSo=";
/// The same key as bytes.
pub const CUSTOMER_KEY_BYTES: [u8; 32] = [
    43, 79, 191, 201, 1, 201, 115, 30, 66, 130, 139, 106, 73, 198, 73, 170, 23, 201, 242, 26, 95,
    195, 137, 94, 136, 29, 193, 207, 42, 60, 29, 42,
];
/// Its MD5, base64.
pub const CUSTOMER_KEY_MD5: &str = "I0aPuXuw4REDJuP1fw07QQ==";
/// Another customer's key, base64: the bytes 1 to 32.
pub const OTHER_KEY: &str = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=";
/// Its MD5, base64.
pub const OTHER_KEY_MD5: &str = "WYUzG87JcbJiEiqhylrUEQ==";
/// Above the 5 MiB that S3 wants of every part but the last.
pub const PART_BYTES: usize = 5 * 1024 * 1024 + 1;

/// Bytes without a pattern, more than one part of them.
pub fn long_body() -> Vec<u8> {
    let mut state = 0x9e37_79b9_u32;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    (0..PART_BYTES + 100_000).map(|_| next()).collect()
}

/// Lets rustls encrypt with ring: `reqwest`, built without a provider, takes the one of the process.
///
/// # Panics
///
/// When another provider is installed already.
pub fn use_ring() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let provider = rustls::crypto::ring::default_provider();
        provider
            .install_default()
            .expect("nobody has installed a provider before");
    });
}

/// An HTTP client that needs no trust.
pub fn plain_client() -> reqwest::Client {
    use_ring();
    reqwest::Client::new()
}

/// An HTTP client that trusts this CA (PEM) and speaks HTTP/2 where the server does.
///
/// # Panics
///
/// When the certificate is none.
pub fn http_client(ca: &str) -> reqwest::Client {
    use_ring();
    let ca = reqwest::Certificate::from_pem(ca.as_bytes()).expect("the CA is PEM");
    reqwest::Client::builder()
        .tls_certs_only([ca])
        .build()
        .expect("the client trusts the CA")
}
