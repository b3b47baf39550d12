//! The thread of a server, with a runtime of its own: a test may block its own runtime, or have none.

use strongroom::{Emulator, Running};
use tokio::sync::oneshot;

use crate::builder::Builder;

/// Starts a server, tells, and lives until it is told to stop.
pub(crate) fn serve(
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
