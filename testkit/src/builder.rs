//! What a test wants of its server.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::SystemTime;

use strongroom::{Config, NewBuckets, Secret, Seed};

/// Settings of a server that is to be started. See [`Strongroom::builder`](crate::Strongroom::builder).
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct Builder {
    pub(crate) config: Config,
    pub(crate) tls: bool,
}

impl Builder {
    pub(crate) fn new() -> Self {
        let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            config: Config {
                listen,
                ..Config::default()
            },
            tls: false,
        }
    }

    /// Makes a bucket in the server's region, of the default account.
    pub fn bucket(mut self, name: &str) -> Self {
        self.config.buckets.push(name.to_owned());
        self
    }

    /// Makes a KMS key with this alias (`alias/app`), in the server's region, of the default account.
    pub fn kms_key(mut self, alias: &str) -> Self {
        self.config.kms_keys.push(alias.to_owned());
        self
    }

    /// Loads a seed before the server is there: a JSON file, or a folder with a file for each object.
    pub fn seed(mut self, path: impl AsRef<Path>) -> Self {
        self.config.seeds.push(Seed::Path(path.as_ref().to_owned()));
        self
    }

    /// The same, of what such a JSON file would hold.
    pub fn seed_json(mut self, json: impl Into<String>) -> Self {
        self.config.seeds.push(Seed::Json(Secret::new(json)));
        self
    }

    /// Holds the clock at `time` until the test moves it.
    pub fn clock(mut self, time: SystemTime) -> Self {
        self.config.clock = Some(time);
        self
    }

    /// Lets [`Strongroom::uri`](crate::Strongroom::uri) be HTTPS. The port speaks both in any case.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// What new buckets are born with.
    pub fn new_buckets(mut self, age: NewBuckets) -> Self {
        self.config.new_buckets = age;
        self
    }

    /// Keeps everything in a folder that outlives the server.
    pub fn data(mut self, folder: impl AsRef<Path>) -> Self {
        self.config.data = Some(folder.as_ref().to_owned());
        self
    }

    /// Any other setting.
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }
}
