//! Flags and their environment twins.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use strongroom::{Config, NewBuckets};

/// A local S3 for tests that answers as AWS does and really encrypts.
#[derive(Debug, Parser)]
#[command(name = "strongroom", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) serve: Settings,
}

/// What to do; without a word it serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Subcommand)]
pub(crate) enum Command {
    /// Start the server (the default)
    Serve,
    /// Print the environment of its clients: eval "$(strongroom env)"
    Env,
    /// Ask a running server how it is; exit code 0 if it is well
    Healthcheck,
}

/// Settings of the server.
#[derive(Clone, Debug, Args)]
pub(crate) struct Settings {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(
        long,
        env = "STRONGROOM_LISTEN",
        default_value = "127.0.0.1:4566",
        global = true
    )]
    pub(crate) listen: String,
    /// Keep everything in this folder; without it, nothing is kept
    #[arg(long, env = "STRONGROOM_DATA", global = true)]
    pub(crate) data: Option<PathBuf>,
    /// Region of requests that are not signed
    #[arg(
        long,
        env = "STRONGROOM_REGION",
        default_value = "us-east-1",
        global = true
    )]
    pub(crate) region: String,
    /// Account of the default credentials, twelve digits
    #[arg(
        long,
        env = "STRONGROOM_ACCOUNT",
        default_value = "000000000000",
        global = true
    )]
    pub(crate) account: String,
    /// Access key of the default credentials
    #[arg(
        long,
        env = "STRONGROOM_ACCESS_KEY",
        default_value = "test",
        global = true
    )]
    pub(crate) access_key: String,
    /// Secret key of the default credentials
    #[arg(
        long,
        env = "STRONGROOM_SECRET_KEY",
        default_value = "test",
        hide_env_values = true,
        global = true
    )]
    pub(crate) secret_key: String,
    /// File of further identities (JSON)
    #[arg(long, env = "STRONGROOM_IDENTITIES", global = true)]
    pub(crate) identities: Option<PathBuf>,
    /// Verify signatures, or let everybody in
    #[arg(long, env = "STRONGROOM_AUTH", value_enum, default_value_t = Auth::Verify, global = true)]
    pub(crate) auth: Auth,
    /// Buckets that are there from the start, separated by commas
    #[arg(long, env = "STRONGROOM_BUCKET", value_delimiter = ',', global = true)]
    pub(crate) bucket: Vec<String>,
    /// Further host names of the server, for buckets in front of them
    #[arg(long, env = "STRONGROOM_HOST", value_delimiter = ',', global = true)]
    pub(crate) host: Vec<String>,
    /// The server's certificate (PEM); without one a test CA is made
    #[arg(long, env = "STRONGROOM_TLS_CERT", requires = "tls_key", global = true)]
    pub(crate) tls_cert: Option<PathBuf>,
    /// The key of the certificate (PEM)
    #[arg(long, env = "STRONGROOM_TLS_KEY", requires = "tls_cert", global = true)]
    pub(crate) tls_key: Option<PathBuf>,
    /// Write the certificate of the test CA to this file
    #[arg(long, env = "STRONGROOM_CA_OUT", global = true)]
    pub(crate) ca_out: Option<PathBuf>,
    /// Refuse SSE-C and SSE-KMS over plain HTTP, as AWS does
    #[arg(long, env = "STRONGROOM_STRICT_TLS", global = true)]
    pub(crate) strict_tls: bool,
    /// Answer for buckets of other regions as AWS does
    #[arg(long, env = "STRONGROOM_STRICT_REGION", global = true)]
    pub(crate) strict_region: bool,
    /// What new buckets are born with
    #[arg(long, env = "STRONGROOM_NEW_BUCKETS", value_enum, default_value_t = Age::Y2023, global = true)]
    pub(crate) new_buckets: Age,
    /// What to log, to stderr: a level, or targets with levels
    #[arg(long, env = "STRONGROOM_LOG", default_value = "warn", global = true)]
    pub(crate) log: String,
    /// The root key of the data folder (base64 of 32 bytes), if it has no root.key
    #[arg(
        long,
        env = "STRONGROOM_ROOT_KEY",
        hide_env_values = true,
        hide = true,
        global = true
    )]
    pub(crate) root_key: Option<String>,
}

/// `--auth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// Signatures are checked
    Verify,
    /// They are read, not checked
    Off,
}

/// `--new-buckets`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Age {
    /// SSE-C blocked, as since April 2026
    #[value(name = "2026")]
    Y2026,
    /// ACLs off, SSE-C allowed, as since April 2023
    #[value(name = "2023")]
    Y2023,
    /// ACLs on, as before
    #[value(name = "legacy")]
    Legacy,
}

impl Settings {
    /// As the library takes them.
    pub(crate) fn config(&self) -> Config {
        let settings = self.clone();
        Config {
            listen: settings.listen,
            data: settings.data,
            region: settings.region,
            account: settings.account,
            access_key: settings.access_key,
            secret_key: settings.secret_key,
            identities: settings.identities,
            verify_signatures: settings.auth == Auth::Verify,
            buckets: settings
                .bucket
                .into_iter()
                .filter(|name| !name.is_empty())
                .collect(),
            hosts: settings
                .host
                .into_iter()
                .filter(|name| !name.is_empty())
                .collect(),
            tls_cert: settings.tls_cert,
            tls_key: settings.tls_key,
            ca_out: settings.ca_out,
            strict_tls: settings.strict_tls,
            strict_region: settings.strict_region,
            new_buckets: match settings.new_buckets {
                Age::Y2026 => NewBuckets::Y2026,
                Age::Y2023 => NewBuckets::Y2023,
                Age::Legacy => NewBuckets::Legacy,
            },
            root_key: settings.root_key,
            ..Config::default()
        }
    }

    /// The address that clients use: loopback where the server listens on all.
    pub(crate) fn client_address(&self) -> String {
        self.listen
            .replacen("0.0.0.0", "127.0.0.1", 1)
            .replacen("[::]", "[::1]", 1)
    }
}
