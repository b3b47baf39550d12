//! What a test wants of its server.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::SystemTime;

use strongroom::{Authentication, Config, NewBuckets, Secret, Seed};

/// Settings of a server that is to be started. See [`Strongroom::builder`](crate::Strongroom::builder).
///
/// ```
/// use strongroom_testkit::blocking::Strongroom;
///
/// let aws = Strongroom::builder().bucket("photos").kms_key("alias/app").tls().start_blocking();
/// ```
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

    /// Makes a bucket in the server's region, of the default account; once more for each further one.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::builder().bucket("photos").bucket("films").start_blocking();
    /// ```
    pub fn bucket(mut self, name: &str) -> Self {
        self.config.buckets.push(name.to_owned());
        self
    }

    /// Makes a KMS key with this alias, in the server's region, of the default account; once more for each further one.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let aws = Strongroom::builder().kms_key("alias/app").start_blocking();
    /// ```
    pub fn kms_key(mut self, alias: &str) -> Self {
        self.config.kms_keys.push(alias.to_owned());
        self
    }

    /// Loads a seed before the server is there: a JSON file, or a folder with a file for each object.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// # let folder = std::env::temp_dir().join(format!("strongroom-seed-{}", std::process::id()));
    /// # std::fs::create_dir_all(folder.join("buckets/photos")).unwrap();
    /// std::fs::write(folder.join("buckets/photos/cat.txt"), "meow").unwrap();
    /// let s3 = Strongroom::builder().seed(&folder).start_blocking();
    /// s3.assert_encrypted_with("photos", "cat.txt", strongroom_testkit::Mode::SseS3);
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// ```
    pub fn seed(mut self, path: impl AsRef<Path>) -> Self {
        self.config.seeds.push(Seed::Path(path.as_ref().to_owned()));
        self
    }

    /// The same, of what such a JSON file would hold.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::builder()
    ///     .seed_json(r#"{ "buckets": [{ "name": "photos", "versioning": "Enabled" }] }"#)
    ///     .start_blocking();
    /// ```
    pub fn seed_json(mut self, json: impl Into<String>) -> Self {
        self.config.seeds.push(Seed::Json(Secret::new(json)));
        self
    }

    /// Holds the clock at `time` until the test moves it with [`Strongroom::clock`](crate::Strongroom::clock). Clients of
    /// `sdk_config()` go by it; others are refused as skewed when it is more than 15 minutes from theirs.
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let millennium = SystemTime::UNIX_EPOCH + Duration::from_secs(946_684_800);
    /// let s3 = Strongroom::builder().clock(millennium).start_blocking();
    /// assert_eq!(s3.clock().now(), millennium);
    /// ```
    pub fn clock(mut self, time: SystemTime) -> Self {
        self.config.clock = Some(time);
        self
    }

    /// Lets [`Strongroom::uri`](crate::Strongroom::uri) be HTTPS, and every client that the kit makes speak it. The port
    /// speaks both in any case.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::builder().tls().start_blocking();
    /// assert!(s3.uri().starts_with("https:"));
    /// ```
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Refuses SSE-C and SSE-KMS over plain HTTP, as AWS does. A test goes with [`Builder::tls`] then.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::builder().tls().strict_tls().start_blocking();
    /// ```
    pub fn strict_tls(mut self) -> Self {
        self.config.strict_tls = true;
        self
    }

    /// The server's region: of its buckets and keys, and of its clients. Without it, `us-east-1`.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::builder().region("eu-central-1").start_blocking();
    /// assert!(s3.env_vars().contains(&("AWS_REGION", "eu-central-1".to_owned())));
    /// ```
    pub fn region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.config.region);
        self
    }

    /// The account that owns buckets and keys: twelve digits. Without it, `000000000000`.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let aws = Strongroom::builder().account("123456789012").kms_key("alias/app").start_blocking();
    /// ```
    pub fn account(mut self, account: &str) -> Self {
        account.clone_into(&mut self.config.account);
        self
    }

    /// The credentials of the account's root. Without them, `test` and `test`.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::builder().credentials("anne", "a secret").start_blocking();
    /// assert!(s3.env_vars().contains(&("AWS_ACCESS_KEY_ID", "anne".to_owned())));
    /// ```
    pub fn credentials(mut self, access_key: &str, secret_key: &str) -> Self {
        access_key.clone_into(&mut self.config.access_key);
        self.config.secret_key = Secret::new(secret_key);
        self
    }

    /// Whether signatures are verified; they are, unless a test says otherwise.
    ///
    /// ```
    /// # use strongroom_testkit::{Authentication, blocking::Strongroom};
    /// let s3 = Strongroom::builder().authentication(Authentication::Off).start_blocking();
    /// ```
    pub fn authentication(mut self, authentication: Authentication) -> Self {
        self.config.authentication = authentication;
        self
    }

    /// One more name of the server, for virtual hosts and its certificate: `bucket.NAME` is a bucket's then. `localhost` and
    /// `s3.localhost` are its names in any case.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::builder().host("storage.test").start_blocking();
    /// ```
    pub fn host(mut self, name: &str) -> Self {
        self.config.hosts.push(name.to_owned());
        self
    }

    /// What new buckets are born with.
    ///
    /// ```
    /// # use strongroom_testkit::{NewBuckets, blocking::Strongroom};
    /// // They block uploads under SSE-C, as AWS's have done since April 2026.
    /// let s3 = Strongroom::builder().new_buckets(NewBuckets::Y2026).bucket("photos").start_blocking();
    /// ```
    pub fn new_buckets(mut self, age: NewBuckets) -> Self {
        self.config.new_buckets = age;
        self
    }

    /// Keeps everything in a folder that outlives the server.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// # let folder = std::env::temp_dir().join(format!("strongroom-kit-{}", std::process::id()));
    /// let s3 = Strongroom::builder().data(&folder).start_blocking();
    /// drop(s3);
    /// assert!(folder.join("strongroom.redb").exists());
    /// # std::fs::remove_dir_all(folder).unwrap();
    /// ```
    pub fn data(mut self, folder: impl AsRef<Path>) -> Self {
        self.config.data = Some(folder.as_ref().to_owned());
        self
    }

    /// Any other setting.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// // A request to a bucket of another region is refused, as AWS does.
    /// let s3 = Strongroom::builder().config(|config| config.strict_region = true).start_blocking();
    /// ```
    pub fn config(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }
}
