//! Takes connections until it is told to stop; then lets requests in flight finish.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::server::connection::{self, Shared};
use crate::server::dispatch::Front;
use crate::server::tls::Tls;

/// How long requests in flight may take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);
/// How long to wait after a connection could not be taken (no file handles left).
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stop` turns true or is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    front: Arc<dyn Front>,
    tls: Arc<Tls>,
    mut stop: watch::Receiver<bool>,
) {
    let shared = Shared { front, tls };
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stopped| *stopped) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                tokio::spawn(connection::serve(
                    stream,
                    peer,
                    shared.clone(),
                    graceful.watcher(),
                ));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(GRACE, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests in flight took too long and were cut");
    }
}

/// Binds an address.
///
/// # Errors
///
/// When it is taken or is none.
pub(crate) async fn bind(listen: &str) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
