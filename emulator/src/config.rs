//! Settings: plain data, with the defaults of a run without any.

use std::path::PathBuf;

use crate::clock::Clock;
use crate::entropy::Entropy;

/// What a server is told at its start. `Config::default()` listens on a random port of 127.0.0.1 and keeps nothing.
///
/// ```
/// let config = strongroom::Config { buckets: vec!["photos".to_owned()], ..strongroom::Config::default() };
/// assert_eq!(config.region, "us-east-1");
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen, `ADDRESS:PORT`; port 0 takes a free one.
    pub listen: String,
    /// The data folder. `None` keeps everything in a temporary folder, removed at the end.
    pub data: Option<PathBuf>,
    /// The region of requests that are not signed.
    pub region: String,
    /// The account of the default credentials: twelve digits.
    pub account: String,
    /// The access key of the default credentials.
    pub access_key: String,
    /// Their secret key.
    pub secret_key: String,
    /// A file of further identities (JSON).
    pub identities: Option<PathBuf>,
    /// Whether signatures are verified; if not, everybody is let in.
    pub verify_signatures: bool,
    /// Buckets that are there from the start.
    pub buckets: Vec<String>,
    /// Further host names of the server, each of which may stand behind a bucket's.
    pub hosts: Vec<String>,
    /// The server's certificate (PEM); without one a test CA is made.
    pub tls_cert: Option<PathBuf>,
    /// The key of that certificate (PEM).
    pub tls_key: Option<PathBuf>,
    /// Where to write the certificate of the test CA (PEM).
    pub ca_out: Option<PathBuf>,
    /// Whether customer keys and KMS modes over plain HTTP are refused, as AWS does.
    pub strict_tls: bool,
    /// Whether a bucket of another region is answered as AWS does.
    pub strict_region: bool,
    /// What new buckets are born with.
    pub new_buckets: NewBuckets,
    /// The root key of a durable folder, if not the one in its `root.key`: base64 of 32 bytes.
    pub root_key: Option<String>,
    /// What time it is.
    pub clock: Clock,
    /// Where randomness comes from.
    pub entropy: Entropy,
}

/// The age that new buckets are of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NewBuckets {
    /// As since April 2026: SSE-C is blocked.
    Y2026,
    /// As since April 2023: ACLs off, public access blocked, SSE-C allowed.
    #[default]
    Y2023,
    /// As before: ACLs on, public access not blocked.
    Legacy,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            data: None,
            region: "us-east-1".to_owned(),
            account: "000000000000".to_owned(),
            access_key: "test".to_owned(),
            secret_key: "test".to_owned(),
            identities: None,
            verify_signatures: true,
            buckets: Vec::new(),
            hosts: Vec::new(),
            tls_cert: None,
            tls_key: None,
            ca_out: None,
            strict_tls: false,
            strict_region: false,
            new_buckets: NewBuckets::default(),
            root_key: None,
            clock: Clock::system(),
            entropy: Entropy::system(),
        }
    }
}
