//! The port: accepts connections, a task for each, and stops without cutting an answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::config::reachable;
use crate::server::connection::{Shared, Stopping, serve};
use crate::server::filter::Front;
use crate::server::panics::Panics;
use crate::server::tls::Tls;

/// How long to wait when the system has no file or memory for another connection.
const RETRY: Duration = Duration::from_millis(50);

/// A port that was taken, and on which nothing is answered yet.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

/// A port on which everything is answered, until this is dropped.
#[derive(Debug)]
pub(crate) struct Serving {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Listener {
    /// Takes a port; 0 takes any that is free.
    ///
    /// # Errors
    ///
    /// When the port is taken, or the address is not ours.
    pub(crate) async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// Where a client on this machine finds it.
    pub(crate) fn address(&self) -> SocketAddr {
        reachable(self.address)
    }

    /// Answers, on tasks of the runtime that this is called on.
    pub(crate) fn serve(self, front: Arc<Front>, tls: Arc<Tls>) -> Serving {
        let (stop, stopping) = watch::channel(false);
        let shared = Shared {
            front,
            tls,
            stopping: Stopping(stopping),
        };
        Serving {
            stop,
            task: tokio::spawn(accept(self.socket, shared)),
        }
    }
}

impl Serving {
    /// Takes no more connections, finishes the requests in flight within their grace, and returns.
    pub(crate) async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Err(error) = (&mut self.task).await {
            tracing::error!("the listener failed: {error}");
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Connections end with this task, since their set is its own.
async fn accept(socket: TcpListener, shared: Shared) {
    let mut stopping = shared.stopping.clone();
    let mut connections = JoinSet::new();
    let most = shared.front.bounds.connections;
    let tell_crowd = |open: usize| {
        let is_crowded = open >= most;
        shared.front.is_crowded.store(is_crowded, Ordering::Relaxed);
    };
    loop {
        let has_room = connections.len() < most;
        tell_crowd(connections.len());
        tokio::select! {
            () = stopping.wait() => break,
            // Beyond the bound a client waits in the system's queue: what is open has deadlines, and blobs need files too.
            accepted = socket.accept(), if has_room => match accepted {
                Ok((stream, peer)) => {
                    tell_crowd(connections.len() + 1);
                    connections.spawn(serve(stream, peer, shared.clone()));
                }
                Err(error) => {
                    tracing::warn!("cannot accept a connection: {error}");
                    sleep(RETRY).await;
                }
            },
            Some(ended) = connections.join_next() => note(ended, &shared.front.panics),
        }
    }
    drop(socket);
    let finished = async {
        while let Some(ended) = connections.join_next().await {
            note(ended, &shared.front.panics);
        }
    };
    if timeout(shared.front.bounds.grace, finished).await.is_err() {
        tracing::warn!("requests still in flight were cut");
    }
}

/// A connection whose task panicked is gone; the others know nothing of it.
fn note(ended: Result<(), JoinError>, panics: &Panics) {
    if let Err(Ok(panic)) = ended.map_err(JoinError::try_into_panic) {
        tracing::error!("a connection was lost: {}", panics.note(panic.as_ref()));
    }
}
