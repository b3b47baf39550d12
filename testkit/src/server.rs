//! A server on a thread and runtime of its own.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use strongroom::{ClockHandle, Emulator, KmsCall, Running, Stored};
use tokio::sync::oneshot;

#[cfg(feature = "aws")]
use crate::aws;
use crate::builder::Builder;

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
            Err(error) => {
                std::panic::resume_unwind(Box::new(format!("Strongroom did not start: {error}")))
            }
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

    /// How an object lies in the store: its mode, its wrapped keys, the bytes on the disk.
    ///
    /// # Panics
    ///
    /// When there is no such object, or its blob is gone.
    pub fn stored(&self, bucket: &str, key: &str) -> Stored {
        let stored = self.running().stored(bucket, key);
        stored.unwrap_or_else(|error| {
            std::panic::resume_unwind(Box::new(format!("{bucket}/{key}: {error}")))
        })
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
        drop(self.running.take());
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}
