//! Flags, each with its twin in the environment, and what they make of [`Config`].

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use strongroom::{Authentication, Config, NewBuckets, Secret, Seed, TlsConfig};

use crate::command::export::ExportArguments;
use crate::command::import::ImportArguments;

/// A local S3 for tests that is faithful to AWS and really encrypts.
#[derive(Debug, Parser)]
#[command(name = "strongroom", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve until told to stop (the default)
    Serve,
    /// Print what a client's shell needs: eval "$(strongroom env)"
    Env {
        /// For HTTPS; the CA's certificate is the file of --ca-out, or the one in the folder of --data
        #[arg(long)]
        tls: bool,
    },
    /// Ask a running server whether it is ready
    Healthcheck {
        /// Which one; else the one that --listen describes
        #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL")]
        endpoint: Option<String>,
    },
    /// Tell how an object is stored: of a running server, or in the folder of --data that none holds
    Inspect(Inspect),
    /// Write what the folder of --data holds, and no server does, as plain files: buckets and current objects
    Export(ExportArguments),
    /// Load what export wrote, or any seed, into the folder of --data
    Import(ImportArguments),
    /// Tell whether all that lies in the folder of --data is sound; no server may hold it
    Verify(Verify),
    /// Print a script that completes this command: source <(strongroom completions bash)
    Completions {
        /// For which shell
        shell: Shell,
    },
}

impl Arguments {
    /// Looks where --listen says.
    pub(crate) fn forget_endpoint(&mut self) {
        if let Some(
            Command::Healthcheck { endpoint } | Command::Inspect(Inspect { endpoint, .. }),
        ) = &mut self.command
        {
            *endpoint = None;
        }
    }
}

/// What to look at, and how to tell it.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The object
    #[arg(value_name = "BUCKET/KEY", value_parser = parse_object)]
    pub(crate) object: Object,
    /// Which version of it; else the current one
    #[arg(long, value_name = "ID")]
    pub(crate) version: Option<String>,
    /// Tell it in JSON
    #[arg(long)]
    pub(crate) json: bool,
    /// With the stored bytes, in base64
    #[arg(long, requires = "json")]
    pub(crate) raw: bool,
    /// With the data keys in the clear; needs --data and its root key
    #[arg(long)]
    pub(crate) reveal: bool,
    /// Which server; else the one that --listen describes
    #[arg(long, value_name = "URL", env = "AWS_ENDPOINT_URL")]
    pub(crate) endpoint: Option<String>,
}

/// How to tell what was found.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code: 0 where all is sound, 1 where something is damaged, 2 where the folder cannot be verified."
)]
pub(crate) struct Verify {
    /// Tell it in JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A bucket and a key in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) bucket: String,
    pub(crate) key: String,
}

/// The settings of a server.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    /// Where to listen; port 0 takes any that is free
    #[arg(long, value_name = "ADDR:PORT", env = "STRONGROOM_LISTEN", default_value_t = Config::default().listen, value_parser = parse_listen, global = true)]
    pub(crate) listen: SocketAddr,
    /// Keep everything in this folder; without it nothing is kept
    #[arg(long, value_name = "DIR", env = "STRONGROOM_DATA", global = true)]
    pub(crate) data: Option<PathBuf>,
    /// The region of requests that name none
    #[arg(
        long,
        env = "STRONGROOM_REGION",
        default_value = "us-east-1",
        global = true
    )]
    region: String,
    /// The account of the default credentials
    #[arg(long, value_name = "DIGITS", env = "STRONGROOM_ACCOUNT", default_value = "000000000000", value_parser = parse_account, global = true)]
    account: String,
    /// The default access key
    #[arg(
        long,
        value_name = "KEY",
        env = "STRONGROOM_ACCESS_KEY",
        default_value = "test",
        global = true
    )]
    access_key: String,
    /// Its secret
    #[arg(long, value_name = "SECRET", env = "STRONGROOM_SECRET_KEY", default_value = "test", hide_env_values = true, value_parser = parse_secret, global = true)]
    secret_key: Secret,
    /// A JSON file with more identities
    #[arg(
        long,
        value_name = "FILE",
        env = "STRONGROOM_IDENTITIES",
        global = true
    )]
    identities: Option<PathBuf>,
    /// Whether signatures are verified
    #[arg(long, value_enum, env = "STRONGROOM_AUTH", default_value_t = Auth::Verify, global = true)]
    auth: Auth,
    /// Make these buckets before the server is ready
    #[arg(
        long,
        value_name = "NAME",
        env = "STRONGROOM_BUCKET",
        value_delimiter = ',',
        global = true
    )]
    bucket: Vec<String>,
    /// Make these aliases before the server is ready, each for a KMS key of its own
    #[arg(
        long,
        value_name = "ALIAS",
        env = "STRONGROOM_KMS_KEY",
        value_delimiter = ',',
        global = true
    )]
    kms_key: Vec<String>,
    /// Load these seeds before the server is ready: JSON files, or folders with a file for each object
    #[arg(
        long,
        value_name = "PATH",
        env = "STRONGROOM_SEED",
        value_delimiter = ',',
        global = true
    )]
    seed: Vec<PathBuf>,
    /// Load seed.json and buckets/NAME/… of this folder before the server is ready, if they are there
    #[arg(long, value_name = "DIR", env = "STRONGROOM_INIT", global = true)]
    init: Option<PathBuf>,
    /// Also answer to this name and to its subdomains
    #[arg(
        long,
        value_name = "NAME",
        env = "STRONGROOM_HOST",
        value_delimiter = ',',
        global = true
    )]
    host: Vec<String>,
    #[command(flatten)]
    tls: TlsSettings,
    /// Refuse a request to a bucket of another region, as AWS does
    #[arg(long, env = "STRONGROOM_STRICT_REGION", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), global = true)]
    strict_region: bool,
    /// What new buckets are like
    #[arg(long, value_enum, value_name = "AGE", env = "STRONGROOM_NEW_BUCKETS", default_value_t = Age::Y2023, global = true)]
    new_buckets: Age,
    /// What to log to stderr
    #[arg(
        long,
        value_name = "FILTER",
        env = "STRONGROOM_LOG",
        default_value = "warn,strongroom=info",
        global = true
    )]
    pub(crate) log: String,
    /// How it is written: lines for people, or a JSON object a line
    #[arg(long, value_enum, value_name = "FORMAT", env = "STRONGROOM_LOG_FORMAT", default_value_t = LogFormat::Text, global = true)]
    pub(crate) log_format: LogFormat,
}

/// How HTTPS identifies itself, and who must use it.
#[derive(Debug, Args)]
struct TlsSettings {
    /// The certificate of HTTPS, in PEM; else a test CA makes one
    #[arg(long, value_name = "FILE", env = "STRONGROOM_TLS_CERT", global = true)]
    tls_cert: Option<PathBuf>,
    /// Its key, in PEM
    #[arg(long, value_name = "FILE", env = "STRONGROOM_TLS_KEY", global = true)]
    tls_key: Option<PathBuf>,
    /// Write the certificate that clients must trust to this file
    #[arg(long, value_name = "FILE", env = "STRONGROOM_CA_OUT", global = true)]
    ca_out: Option<PathBuf>,
    /// Refuse SSE-C and SSE-KMS over plain HTTP, as AWS does
    #[arg(long, env = "STRONGROOM_STRICT_TLS", action = ArgAction::SetTrue, value_parser = FalseyValueParser::new(), global = true)]
    strict_tls: bool,
}

/// `--log-format`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// `--auth`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Auth {
    Verify,
    Off,
}

/// `--new-buckets`.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Age {
    #[value(name = "2026")]
    Y2026,
    #[value(name = "2023")]
    Y2023,
    Legacy,
}

impl From<Settings> for Config {
    fn from(settings: Settings) -> Self {
        Self {
            listen: settings.listen,
            data: settings.data,
            region: settings.region,
            account: settings.account,
            access_key: settings.access_key,
            secret_key: settings.secret_key,
            identities: settings.identities,
            authentication: match settings.auth {
                Auth::Verify => Authentication::Verify,
                Auth::Off => Authentication::Off,
            },
            buckets: settings.bucket,
            kms_keys: settings.kms_key,
            init: settings.init,
            seeds: settings.seed.into_iter().map(Seed::Path).collect(),
            hosts: settings.host,
            strict_tls: settings.tls.strict_tls,
            tls: TlsConfig {
                certificate: settings.tls.tls_cert,
                key: settings.tls.tls_key,
                ca_out: settings.tls.ca_out,
            },
            strict_region: settings.strict_region,
            new_buckets: match settings.new_buckets {
                Age::Y2026 => NewBuckets::Y2026,
                Age::Y2023 => NewBuckets::Y2023,
                Age::Legacy => NewBuckets::Legacy,
            },
            root_key: strongroom::root_key_of_environment(),
            ..Self::default()
        }
    }
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let hint = "an address is IP:PORT, like 127.0.0.1:4566; port 0 takes any that is free";
    text.parse().map_err(|_| hint.to_owned())
}

fn parse_account(text: &str) -> Result<String, String> {
    let good = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| text.to_owned())
        .ok_or_else(|| "an account has twelve digits".to_owned())
}

/// `s3://` in front is fine: people copy it from other tools.
fn parse_object(text: &str) -> Result<Object, String> {
    let path = text.strip_prefix("s3://").unwrap_or(text);
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if bucket.is_empty() || key.is_empty() {
        return Err("an object is BUCKET/KEY".to_owned());
    }
    Ok(Object {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "clap wants a parser that may fail"
)]
fn parse_secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_flag_is_the_default_run() {
        let arguments = Arguments::parse_from(["strongroom"]);

        let config = Config::from(arguments.settings);

        assert!(arguments.command.is_none());
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn flags_stand_before_and_behind_the_subcommand() {
        for words in [
            ["strongroom", "serve", "--bucket", "one,two"],
            ["strongroom", "--bucket", "one,two", "serve"],
        ] {
            let config = Config::from(Arguments::parse_from(words).settings);

            assert_eq!(config.buckets, ["one", "two"]);
        }
    }

    #[test]
    fn an_account_is_twelve_digits() {
        let parsed = Arguments::try_parse_from(["strongroom", "--account", "12345678901x"]);

        assert!(parsed.is_err());
    }

    #[test]
    fn an_object_is_a_bucket_and_a_key_that_may_hold_slashes() {
        let object = parse_object("s3://photos/2026//cat").unwrap();

        assert_eq!(
            (object.bucket.as_str(), object.key.as_str()),
            ("photos", "2026//cat")
        );
        assert!(parse_object("photos").is_err());
        assert!(parse_object("photos/").is_err());
        assert!(parse_object("/key").is_err());
    }

    #[test]
    fn secrets_are_not_printed() {
        let words = ["strongroom", "--secret-key", "hunter2"];

        let arguments = Arguments::parse_from(words);

        assert!(!format!("{arguments:?}").contains("hunter2"));
    }
}
