//! A server that runs: where it is, what it knows, and how it stops.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::clock::Clock;
use crate::control::stored::{Stored, stored};
use crate::model::bucket_name::BucketName;
use crate::model::object_key::ObjectKey;
use crate::server::tls::Tls;
use crate::store::handle::Store;

/// A running server. Dropping it stops it without waiting; an ephemeral folder is removed with it.
#[derive(Debug)]
pub struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) tls: Arc<Tls>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) serving: JoinHandle<()>,
}

impl Running {
    /// The address and port that it listens on; loopback where it listens on all.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://ADDRESS:PORT`.
    pub fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The same port over TLS. Clients have to trust [`Running::ca_pem`].
    pub fn https_uri(&self) -> String {
        format!("https://{}", self.address)
    }

    /// The certificate that clients have to trust (PEM), made at the first call or the first TLS connection.
    ///
    /// # Errors
    ///
    /// One line, where the given certificate cannot be read or the test CA cannot be kept.
    pub fn ca_pem(&self) -> Result<String, String> {
        self.tls.ca_pem().map_err(|error| error.0)
    }

    /// Its clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// How an object lies in the store.
    ///
    /// # Errors
    ///
    /// One line, where there is no such object or its blob cannot be read.
    pub fn stored(&self, bucket: &str, key: &str) -> Result<Stored, String> {
        let bucket = BucketName::parse(bucket).map_err(|error| error.to_string())?;
        let key = ObjectKey::parse(key).map_err(|error| error.to_string())?;
        stored(&self.store, &bucket, &key).map_err(|error| error.to_string())
    }

    /// The folder that holds everything.
    pub fn data_folder(&self) -> &std::path::Path {
        self.store.path()
    }

    /// Stops: no new connection is taken, requests in flight have ten seconds.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.serving.await {
            tracing::error!(%error, "the listener panicked");
        }
    }
}
