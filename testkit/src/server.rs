//! A server on a thread and runtime of its own.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use strongroom::{ClockHandle, Emulator, KmsCall, Running, Stored, Surroundings};
use tokio::sync::oneshot;

#[cfg(feature = "aws")]
use crate::aws;
use crate::builder::Builder;
use crate::complaints;
use crate::encryption::Encryption;
use crate::failure::fail;

/// A running server, for one test. Dropping it stops it and removes what it kept.
#[derive(Debug)]
pub struct Strongroom {
    address: SocketAddr,
    clock: ClockHandle,
    access: (String, String, String),
    is_tls: bool,
    running: Option<Running>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Strongroom {
    /// Starts a server with the default settings: no bucket, credentials `test`/`test`, region us-east-1.
    ///
    /// # Panics
    ///
    /// When it cannot start.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    /// Settings first.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) async fn launch(builder: Builder) -> Self {
        let (is_tls, access) = (builder.tls, access(&builder));
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
        Self {
            address: running.address(),
            clock: running.clock(),
            access,
            is_tls,
            running: Some(running),
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`, or `https://…` where the builder asked for TLS.
    pub fn uri(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The certificate that HTTPS clients must trust (PEM).
    ///
    /// # Panics
    ///
    /// When the test CA cannot be made.
    pub fn ca_pem(&self) -> String {
        self.running().ca_pem().expect("a test CA can be made")
    }

    /// The environment of a client of this server: endpoint, credentials, region.
    pub fn env_vars(&self) -> Vec<(&'static str, String)> {
        let (access_key, secret_key, region) = self.access.clone();
        let config = strongroom::Config {
            access_key,
            secret_key: strongroom::Secret::new(secret_key),
            region,
            ..strongroom::Config::default()
        };
        config.client_environment(&self.uri(), None)
    }

    /// Its clock: presigned URLs expire by it, and so do deletion windows, rotation periods and bucket keys.
    pub fn clock(&self) -> &ClockHandle {
        &self.clock
    }

    /// What was asked of KMS since the start, by clients and by S3 for its callers, the oldest first.
    pub fn kms_calls(&self) -> Vec<KmsCall> {
        self.running().kms_calls()
    }

    /// How often the server has panicked, which is always a fault of its own: the request that met the panic got 500, or its
    /// answer was cut short. Told on stderr when the server is dropped, too.
    pub fn panics(&self) -> u64 {
        self.running().panics()
    }

    /// How an object lies in the store: its mode, its wrapped keys, how its blobs are cut, the bytes on the disk.
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
    pub fn data_folder(&self) -> &std::path::Path {
        self.running().data_folder()
    }

    /// A configuration from which any client of the AWS SDK can be made: endpoint, credentials, region, trust in the test
    /// CA, and the server's clock.
    ///
    /// # Panics
    ///
    /// When the test CA cannot be made or used.
    #[cfg(feature = "aws")]
    pub fn sdk_config(&self) -> aws_types::SdkConfig {
        aws::sdk_config(
            self.uri(),
            self.access.clone(),
            self.is_tls.then(|| self.ca_pem()),
            self.clock.clone(),
        )
    }

    /// A client for S3. The address is an IP, so the SDK uses path style by itself.
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
    /// # Panics
    ///
    /// As [`Strongroom::sdk_config`].
    #[cfg(feature = "aws")]
    pub fn kms_client(&self) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::new(&self.sdk_config())
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs until it is dropped")
    }
}

fn access(builder: &Builder) -> (String, String, String) {
    let config = &builder.config;
    (
        config.access_key.clone(),
        config.secret_key.expose().to_owned(),
        config.region.clone(),
    )
}

/// The server's thread: starts, tells, and lives until it is told to stop.
fn serve(
    builder: Builder,
    ready: oneshot::Sender<Result<Running, String>>,
    stopped: oneshot::Receiver<()>,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            ready.send(Err(error.to_string())).ok();
            return;
        }
    };
    runtime.block_on(async move {
        let started = Emulator::start(builder.config)
            .await
            .map_err(|error| error.to_string());
        let has_started = started.is_ok();
        if ready.send(started).is_ok() && has_started {
            stopped.await.ok();
        }
    });
}

impl Builder {
    /// Starts the server.
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
        drop(self.running.take());
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
