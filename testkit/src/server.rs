//! A server on a thread and runtime of its own.

#[cfg(feature = "opendal")]
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::OnceLock;
use std::thread::JoinHandle;

use strongroom::{ClockHandle, KmsCall, Running, Stored, Surroundings};
use tokio::sync::oneshot;

use crate::access::Access;
#[cfg(feature = "aws")]
use crate::aws;
use crate::builder::Builder;
use crate::complaints;
use crate::encryption::Encryption;
use crate::failure::fail;
use crate::thread::serve;
use crate::trust::CaFile;

/// A running server, for one test. Dropping it stops it and removes what it kept.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use strongroom_testkit::Strongroom;
///
/// let (one, other) = (Strongroom::start().await, Strongroom::start().await);
/// assert_ne!(one.uri(), other.uri());
/// # });
/// ```
#[derive(Debug)]
pub struct Strongroom {
    address: SocketAddr,
    clock: ClockHandle,
    access: Access,
    is_tls: bool,
    ca_file: OnceLock<CaFile>,
    running: Option<Running>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Strongroom {
    /// Starts a server with the default settings: no bucket, credentials `test`/`test`, region us-east-1.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use strongroom_testkit::Strongroom;
    /// let s3 = Strongroom::start().await;
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// When it cannot start.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Settings first.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use strongroom_testkit::Strongroom;
    /// let aws = Strongroom::builder().bucket("photos").kms_key("alias/app").start().await;
    /// # });
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) async fn launch(builder: Builder) -> Self {
        let (is_tls, config) = (builder.tls, builder.config.clone());
        let (ready, started) = oneshot::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("strongroom".to_owned());
        let thread = thread
            .spawn(move || serve(builder, ready, stopped))
            .expect("a thread can be started");
        let started = started
            .await
            .expect("the server's thread says how it started");
        let running = match started {
            Ok(running) => running,
            Err(error) => fail(format!("Strongroom did not start: {error}")),
        };
        let uri = if is_tls {
            running.https_uri()
        } else {
            running.uri()
        };
        Self {
            address: running.address(),
            clock: running.clock(),
            access: Access::of(&config, uri),
            is_tls,
            ca_file: OnceLock::new(),
            running: Some(running),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Where it listens.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::start();
    /// assert!(std::net::TcpStream::connect(s3.address()).is_ok());
    /// ```
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, or `https://…` where the builder asked for TLS.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::builder().tls().start_blocking();
    /// assert!(s3.uri().starts_with("https://127.0.0.1:"));
    /// ```
    pub fn uri(&self) -> String {
        self.access.uri.clone()
    }

    /// The certificate that HTTPS clients must trust (PEM).
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::builder().tls().start_blocking();
    /// assert!(s3.ca_pem().starts_with("-----BEGIN CERTIFICATE-----"));
    /// ```
    ///
    /// # Panics
    ///
    /// When the test CA cannot be made.
    pub fn ca_pem(&self) -> String {
        self.running().ca_pem().expect("a test CA can be made")
    }

    /// [`Strongroom::ca_pem`] as a file, for clients that take a path. It goes with the server.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::builder().tls().start_blocking();
    /// assert_eq!(std::fs::read_to_string(s3.ca_file()).unwrap(), s3.ca_pem());
    /// ```
    ///
    /// # Panics
    ///
    /// When the test CA cannot be made or the file not written.
    pub fn ca_file(&self) -> &Path {
        let write = || match CaFile::write(&self.ca_pem()) {
            Ok(file) => file,
            Err(error) => fail(format!("cannot write the test CA to a file: {error}")),
        };
        self.ca_file.get_or_init(write).path()
    }

    /// The environment of a client of this server, for a process that the test starts: endpoints, credentials, region, and
    /// with TLS the file of [`Strongroom::ca_file`].
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::start();
    /// let mut command = std::process::Command::new("aws");
    /// command.args(["s3", "ls"]).envs(s3.env_vars());
    /// ```
    ///
    /// # Panics
    ///
    /// With TLS, as [`Strongroom::ca_file`].
    pub fn env_vars(&self) -> Vec<(&'static str, String)> {
        self.access.environment(self.is_tls.then(|| self.ca_file()))
    }

    /// Options with which the `object_store` crate finds a bucket of this server, for `AmazonS3Builder::with_config` or
    /// `parse_url_opts`. They are plain strings, so that any version of that crate takes them.
    ///
    /// With TLS the store has to trust [`Strongroom::ca_pem`] too: `ClientOptions::with_root_certificate`.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::builder().bucket("photos").start_blocking();
    /// let options = s3.object_store_options("photos");
    /// assert!(options.contains(&("aws_endpoint", s3.uri())));
    /// assert!(options.contains(&("aws_bucket_name", "photos".to_owned())));
    /// ```
    #[cfg(feature = "object-store")]
    pub fn object_store_options(&self, bucket: &str) -> Vec<(&'static str, String)> {
        self.access.object_store(bucket)
    }

    /// Options with which `OpenDAL` finds a bucket of this server: `Operator::via_iter("s3", …)`. They are plain strings, so
    /// that any version of it takes them.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::builder().bucket("photos").start_blocking();
    /// let config = s3.opendal_config("photos");
    /// assert_eq!(config["endpoint"], s3.uri());
    /// assert_eq!(config["bucket"], "photos");
    /// ```
    #[cfg(feature = "opendal")]
    pub fn opendal_config(&self, bucket: &str) -> HashMap<String, String> {
        self.access.opendal(bucket)
    }

    /// Its clock: presigned URLs expire by it, and so do deletion windows, rotation periods and bucket keys.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::start();
    /// let before = s3.clock().now();
    /// s3.clock().advance(Duration::from_secs(7 * 86_400));
    /// assert!(s3.clock().now() >= before + Duration::from_secs(7 * 86_400));
    /// ```
    pub fn clock(&self) -> &ClockHandle {
        &self.clock
    }

    /// What was asked of KMS since the start, by clients and by S3 for its callers, the oldest first.
    ///
    /// ```
    /// # use strongroom_testkit::Strongroom;
    /// # fn check(aws: &Strongroom) {
    /// let calls = aws.kms_calls();
    /// let spared = calls.iter().filter(|call| call.bucket_key_hit).count();
    /// assert_eq!(spared, 9, "a bucket key is asked for once");
    /// # }
    /// ```
    pub fn kms_calls(&self) -> Vec<KmsCall> {
        self.running().kms_calls()
    }

    /// How often the server has panicked, which is always a fault of its own: the request that met the panic got 500, or its
    /// answer was cut short. Told on stderr when the server is dropped, too.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::start();
    /// // … the code under test …
    /// assert_eq!(s3.panics(), 0);
    /// ```
    pub fn panics(&self) -> u64 {
        self.running().panics()
    }

    /// How an object lies in the store: its mode, its wrapped keys, how its blobs are cut, the bytes on the disk.
    ///
    /// ```
    /// # use strongroom_testkit::{Mode, Strongroom};
    /// # fn check(s3: &Strongroom) {
    /// let stored = s3.stored("photos", "cat");
    /// assert_eq!(stored.mode, Mode::SseKms);
    /// assert!(!stored.raw.windows(4).any(|bytes| bytes == b"meow"));
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When there is no such object, or its blob is gone.
    #[track_caller]
    pub fn stored(&self, bucket: &str, key: &str) -> Stored {
        match self.running().stored(bucket, key) {
            Ok(stored) => stored,
            Err(error) => fail(format!("{bucket}/{key}: {error}")),
        }
    }

    /// How a version of an object lies in the store; that of a bucket without versions is `null`.
    ///
    /// ```
    /// # use strongroom_testkit::{Mode, Strongroom};
    /// # fn check(s3: &Strongroom) {
    /// assert_eq!(s3.stored_version("photos", "cat", "null").mode, Mode::SseS3);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Strongroom::stored`].
    #[track_caller]
    pub fn stored_version(&self, bucket: &str, key: &str, version: &str) -> Stored {
        match self.running().stored_version(bucket, key, version) {
            Ok(stored) => stored,
            Err(error) => fail(format!("{bucket}/{key}: {error}")),
        }
    }

    /// Asserts how an object is encrypted at rest: in which mode, and where the test cares, under which KMS key, with a
    /// bucket key or without, bound to which context.
    ///
    /// ```
    /// # use strongroom_testkit::{Encryption, Mode, Strongroom};
    /// # fn check(s3: &Strongroom) {
    /// s3.assert_encrypted_with("photos", "cat", Mode::SseS3);
    /// s3.assert_encrypted_with("photos", "dog", Encryption::sse_kms("alias/app").bucket_key(true));
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When it is encrypted in another way, or when there is no such object.
    #[track_caller]
    pub fn assert_encrypted_with(&self, bucket: &str, key: &str, wanted: impl Into<Encryption>) {
        let facts = self.facts(bucket, key);
        let complaint = wanted.into().complaint(&format!("{bucket}/{key}"), &facts);
        if let Some(complaint) = complaint {
            fail(complaint);
        }
    }

    /// Asserts that a plaintext lies nowhere in the store in the clear: in no file of its folder (bodies, uploads under way,
    /// the catalogue), and in no row of the catalogue, whether its file has it yet or not; neither as it is nor as JSON, hex
    /// or base64. A long plaintext is looked for in pieces, so that a body of which only a part is in the clear is found.
    ///
    /// Keys, metadata and tags of objects are not encrypted, here as on AWS: a plaintext that lies there is found.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::start();
    /// s3.assert_not_stored("burn this when you have read it");
    /// ```
    ///
    /// # Panics
    ///
    /// When it is found; when it is shorter than 8 bytes or repeats very few, and so occurs by chance; when the store cannot
    /// be read.
    #[track_caller]
    pub fn assert_not_stored(&self, plaintext: impl AsRef<[u8]>) {
        let plaintext = plaintext.as_ref();
        match self.running().search(plaintext) {
            Err(error) => fail(error),
            Ok(found) if found.is_empty() => {}
            Ok(found) => fail(complaints::in_the_clear(plaintext.len(), &found)),
        }
    }

    /// Asserts that an object was encrypted by its client before S3 saw it: that its metadata are those of an S3 encryption
    /// client, or that an instruction file lies beside it.
    ///
    /// ```
    /// # use strongroom_testkit::Strongroom;
    /// # fn check(s3: &Strongroom) {
    /// s3.assert_client_side_encrypted("photos", "cat");
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// When they are not, or not all of them are there; when there is no such object.
    #[track_caller]
    pub fn assert_client_side_encrypted(&self, bucket: &str, key: &str) {
        let (stored, _) = self.facts(bucket, key);
        if let Some(complaint) = complaints::of_client_side(&format!("{bucket}/{key}"), &stored) {
            fail(complaint);
        }
    }

    /// All but the bytes.
    #[track_caller]
    fn facts(&self, bucket: &str, key: &str) -> (Stored, Surroundings) {
        match self.running().look(bucket, key) {
            Ok(facts) => facts,
            Err(error) => fail(format!("{bucket}/{key}: {error}")),
        }
    }

    /// The folder that holds everything, to search it.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let s3 = Strongroom::start();
    /// let folder = s3.data_folder().to_owned();
    /// assert!(folder.exists());
    /// drop(s3);
    /// assert!(!folder.exists());
    /// ```
    pub fn data_folder(&self) -> &Path {
        self.running().data_folder()
    }

    /// A configuration from which any client of the AWS SDK can be made: endpoint, credentials, region, trust in the test
    /// CA, and the server's clock.
    ///
    /// ```
    /// # use strongroom_testkit::blocking::Strongroom;
    /// let aws = Strongroom::start();
    /// // Or of any other service's client.
    /// let config = aws_sdk_s3::config::Builder::from(&aws.sdk_config()).force_path_style(true);
    /// let s3 = aws_sdk_s3::Client::from_conf(config.build());
    /// ```
    ///
    /// # Panics
    ///
    /// When the test CA cannot be made or used.
    #[cfg(feature = "aws")]
    pub fn sdk_config(&self) -> aws_types::SdkConfig {
        aws::sdk_config(
            &self.access,
            self.is_tls.then(|| self.ca_pem()),
            self.clock.clone(),
        )
    }

    /// A client for S3. The address is an IP, so the SDK uses path style by itself.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use strongroom_testkit::Strongroom;
    /// let aws = Strongroom::builder().bucket("photos").start().await;
    /// let put = aws.s3_client().put_object().bucket("photos").key("cat");
    /// put.body(b"meow".to_vec().into()).send().await?;
    /// # Ok::<(), aws_sdk_s3::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Strongroom::sdk_config`].
    #[cfg(feature = "aws")]
    pub fn s3_client(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::new(&self.sdk_config())
    }

    /// A client for KMS, on the same port.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use strongroom_testkit::Strongroom;
    /// let aws = Strongroom::builder().kms_key("alias/app").start().await;
    /// aws.kms_client().describe_key().key_id("alias/app").send().await?;
    /// # Ok::<(), aws_sdk_kms::Error>(()) }).unwrap();
    /// ```
    ///
    /// # Panics
    ///
    /// As [`Strongroom::sdk_config`].
    #[cfg(feature = "aws")]
    pub fn kms_client(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.sdk_config())
    }

    pub(crate) fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs until it is dropped")
    }
}

impl Builder {
    /// Starts the server.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// # use strongroom_testkit::Strongroom;
    /// let s3 = Strongroom::builder().bucket("photos").start().await;
    /// # });
    /// ```
    ///
    /// # Panics
    ///
    /// When it cannot start: a test without its server must fail.
    pub async fn start(self) -> Strongroom {
        Strongroom::launch(self).await
    }
}

impl Drop for Strongroom {
    fn drop(&mut self) {
        if let Some(panics @ 1..) = self.running.as_ref().map(Running::panics) {
            eprintln!("Strongroom panicked {panics} times, and that is a fault of its own.");
        }
        if std::thread::panicking() {
            self.print_last_requests();
        }
        drop(self.running.take());
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
