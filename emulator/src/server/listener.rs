//! The port: accepts connections, a task for each, and stops without cutting an answer.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::config::reachable;
use crate::server::connection::{Shared, Signal, serve};
use crate::server::filter::Front;
use crate::server::panics::Panics;
use crate::server::tls::Tls;

/// How long to wait when the system has no file or memory for another connection.
const RETRY: Duration = Duration::from_millis(50);
/// How many connections the system holds for us until they are accepted.
const BACKLOG: u32 = 1_024;

/// A port that was taken, and on which nothing is answered yet.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: TcpSocket,
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
    pub(crate) fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4()?,
            SocketAddr::V6(_) => TcpSocket::new_v6()?,
        };
        // A port on which the last run's connections are still dying is free.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// Where a client on this machine finds it.
    pub(crate) fn address(&self) -> SocketAddr {
        reachable(self.address)
    }

    /// Answers, on tasks of the runtime that this is called on. Until then a client is refused, as by nobody.
    ///
    /// # Errors
    ///
    /// When another has taken the port meanwhile.
    pub(crate) fn serve(self, front: Arc<Front>, tls: Arc<Tls>) -> io::Result<Serving> {
        let socket = self.socket.listen(BACKLOG)?;
        let (stop, stopping) = watch::channel(false);
        let (crowd, crowded) = watch::channel(false);
        let shared = Shared {
            front,
            tls,
            stopping: Signal(stopping),
            crowded: Signal(crowded),
        };
        let task = tokio::spawn(accept(socket, shared, crowd));
        Ok(Serving { stop, task })
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
async fn accept(socket: TcpListener, shared: Shared, crowd: watch::Sender<bool>) {
    let mut stopping = shared.stopping.clone();
    let mut connections = JoinSet::new();
    let most = shared.front.bounds.connections;
    let tell_crowd = |open: usize| {
        let is_crowded = open >= most;
        shared.front.is_crowded.store(is_crowded, Ordering::Relaxed);
        // Whoever only stands there makes room.
        crowd.send_if_modified(|told| std::mem::replace(told, is_crowded) != is_crowded);
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
