//! Settings, as plain data: what the command's flags, the environment and a caller in process can choose.
//!
//! [`Config::default`] is the default run. It reads nothing: what the environment says is asked for by name, by whoever
//! wants it, so that a test's server never depends on the shell that started it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The port of the default run, which people know from `LocalStack`.
pub const DEFAULT_PORT: u16 = 4566;

/// Every setting of a server.
///
/// ```
/// use strongroom::Config;
///
/// let config = Config { buckets: vec!["photos".to_owned()], strict_tls: true, ..Config::default() };
/// assert_eq!(config.region, "us-east-1");
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen; port 0 takes any that is free.
    pub listen: SocketAddr,
    /// The folder in which everything is kept; `None` keeps nothing beyond the end.
    pub data: Option<PathBuf>,
    /// The region of requests that name none.
    pub region: String,
    /// The account of the default credentials: twelve digits.
    pub account: String,
    /// The default access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: Secret,
    /// A JSON file with more identities.
    pub identities: Option<PathBuf>,
    /// Whether signatures are verified.
    pub authentication: Authentication,
    /// Buckets to make before the server is ready, in `region`.
    pub buckets: Vec<String>,
    /// Aliases to make before the server is ready, each with a KMS key of its own, in `region`: `alias/app`.
    pub kms_keys: Vec<String>,
    /// A folder whose `seed.json` and `buckets` are loaded as a seed before the server is ready, if there are any: what an
    /// image looks for.
    pub init: Option<PathBuf>,
    /// Seeds to load before the server is ready, in this order.
    pub seeds: Vec<Seed>,
    /// More names of this server, for virtual hosts and its certificate.
    pub hosts: Vec<String>,
    /// How HTTPS identifies itself.
    pub tls: TlsConfig,
    /// Whether SSE-C and SSE-KMS over plain HTTP are refused, as AWS does.
    pub strict_tls: bool,
    /// Whether a request to a bucket of another region is refused, as AWS does.
    pub strict_region: bool,
    /// What a new bucket is like.
    pub new_buckets: NewBuckets,
    /// The root key, in base64, of a data folder without its own `root.key`.
    pub root_key: Option<Secret>,
    /// When the clock stands still, at what time; `None` follows the system.
    pub clock: Option<SystemTime>,
    /// A seed that makes ids repeat from run to run. Keys are no secret then: for tests alone.
    pub entropy_seed: Option<u64>,
}

/// The certificate of HTTPS; without one of its own a server makes a test CA.
#[derive(Clone, Debug, Default)]
pub struct TlsConfig {
    /// A PEM file: the server's certificate, then its chain.
    pub certificate: Option<PathBuf>,
    /// A PEM file: the key of that certificate.
    pub key: Option<PathBuf>,
    /// Where to write the certificate that clients must trust, before the server is ready.
    pub ca_out: Option<PathBuf>,
}

/// Buckets, KMS keys, identities and objects that a server is to hold; `docs/seeds.md` tells their form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seed {
    /// A JSON file, or a folder with a `seed.json`, a file for each object under `buckets/NAME/`, or both.
    Path(PathBuf),
    /// What such a JSON file would hold: it may tell keys.
    Json(Secret),
}

/// Whether signatures are verified.
///
/// ```
/// use strongroom::{Authentication, Config};
///
/// assert_eq!(Config::default().authentication, Authentication::Verify);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authentication {
    /// As AWS does.
    #[default]
    Verify,
    /// Signatures are parsed, and believed.
    Off,
}

/// What a new bucket is like: the defaults of AWS at a given time.
///
/// ```
/// use strongroom::{Config, NewBuckets};
///
/// assert_eq!(Config::default().new_buckets, NewBuckets::Y2023);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NewBuckets {
    /// Since April 2026: as in 2023, and uploads under SSE-C are blocked.
    Y2026,
    /// Since April 2023: AES256, ACLs off, public access blocked.
    #[default]
    Y2023,
    /// Before: ACLs on, public access not blocked.
    Legacy,
}

/// A text that is never printed: a secret key, a root key.
///
/// ```
/// use strongroom::Secret;
///
/// let secret = Secret::new("hunter2");
/// assert_eq!(format!("{secret:?}"), "Secret");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
            data: None,
            region: "us-east-1".to_owned(),
            account: "000000000000".to_owned(),
            access_key: "test".to_owned(),
            secret_key: Secret::new("test"),
            identities: None,
            authentication: Authentication::default(),
            buckets: Vec::new(),
            kms_keys: Vec::new(),
            init: None,
            seeds: Vec::new(),
            hosts: Vec::new(),
            tls: TlsConfig::default(),
            strict_tls: false,
            strict_region: false,
            new_buckets: NewBuckets::default(),
            root_key: None,
            clock: None,
            entropy_seed: None,
        }
    }
}

impl Config {
    /// What a client's environment needs to find a server of these settings at `uri`; `ca` is the file that HTTPS
    /// clients trust.
    ///
    /// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html>; `AWS_ALLOW_HTTP` is the
    /// `object_store` crate's, `SSL_CERT_FILE` that of OpenSSL and of rustls, and `NODE_EXTRA_CA_CERTS` the only one that the
    /// SDK for JavaScript knows, since it leaves trust to Node.
    pub fn client_environment(&self, uri: &str, ca: Option<&Path>) -> Vec<(&'static str, String)> {
        let endpoints = [
            "AWS_ENDPOINT_URL",
            "AWS_ENDPOINT_URL_S3",
            "AWS_ENDPOINT_URL_KMS",
            "AWS_ENDPOINT_URL_STS",
        ];
        let trusted = ca.map(|path| path.display().to_string());
        let trusting = ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"];
        let mut pairs = endpoints.map(|name| (name, uri.to_owned())).to_vec();
        pairs.extend([
            ("AWS_ACCESS_KEY_ID", self.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_key.expose().to_owned()),
            ("AWS_REGION", self.region.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
        ]);
        pairs.extend(
            trusted
                .iter()
                .flat_map(|path| trusting.map(|name| (name, path.clone()))),
        );
        pairs
    }
}

/// Whether a text is made as AWS makes the names of its regions.
pub(crate) fn is_region(text: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(is_allowed)
}

/// Where a client on this machine finds what listens at `address`: a wildcard becomes a loopback address.
pub fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// `STRONGROOM_ROOT_KEY`, where it is set: 32 bytes in base64. It has no flag, since a command line is no secret.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one place that reads the environment"
)]
pub fn root_key_of_environment() -> Option<Secret> {
    let key = std::env::var("STRONGROOM_ROOT_KEY").ok()?;
    (!key.is_empty()).then(|| Secret::new(key))
}

impl Secret {
    /// Keeps a text from being printed.
    ///
    /// ```
    /// # use strongroom::{Config, Secret};
    /// let config = Config { secret_key: Secret::new("hunter2"), ..Config::default() };
    /// ```
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for whoever needs it to compute.
    ///
    /// ```
    /// # use strongroom::Secret;
    /// assert_eq!(Secret::new("hunter2").expose(), "hunter2");
    /// ```
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_printed() {
        let config = Config {
            secret_key: Secret::new("hunter2"),
            root_key: Some(Secret::new("hunter3")),
            ..Config::default()
        };

        assert!(!format!("{config:?}").contains("hunter"));
    }

    #[test]
    fn clients_trust_a_file_only_where_there_is_one() {
        let config = Config::default();
        let names = |ca| {
            config
                .client_environment("u", ca)
                .into_iter()
                .map(|(name, _)| name)
        };

        assert!(!names(None).any(|name| name == "AWS_CA_BUNDLE"));
        assert!(names(Some(Path::new("ca.pem"))).any(|name| name == "AWS_CA_BUNDLE"));
    }

    #[test]
    fn a_wildcard_is_reached_by_loopback() {
        let reached = |address: &str| reachable(address.parse().unwrap()).to_string();

        assert_eq!(reached("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(reached("[::]:80"), "[::1]:80");
        assert_eq!(reached("10.0.0.1:80"), "10.0.0.1:80");
    }
}
