//! `serve`: starts, says `Ready.`, and stops when it is told to.

use std::io::{self, Write};
use std::num::NonZero;
use std::thread::available_parallelism;

use strongroom::{Emulator, Running};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::command::Done;
use crate::command::arguments::{LogFormat, Settings};
use crate::command::json_log::JsonLines;

/// Two at least, so that a large upload never has the only one.
const FEWEST_THREADS: usize = 2;

/// Serves until SIGTERM or SIGINT.
pub(crate) fn run(settings: Settings) -> Done {
    log(&settings.log, settings.log_format)?;
    let threads = available_parallelism().map_or(FEWEST_THREADS, NonZero::get);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.max(FEWEST_THREADS))
        .enable_all()
        .build()?
        .block_on(serve(settings))
}

fn log(filter: &str, format: LogFormat) -> Done {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| format!("--log: {error}; a filter is like warn,strongroom=debug"))?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.event_format(JsonLines).try_init(),
    }
}

async fn serve(settings: Settings) -> Done {
    let mut stop = Stop::listen()?;
    let running = Emulator::start(settings.into()).await?;
    announce(&running);
    stop.wait().await;
    tokio::select! {
        () = running.stop() => {}
        // Told twice: now.
        () = stop.wait() => {}
    }
    Ok(())
}

/// The only line on stdout. Where nobody reads it, the server serves all the same.
fn announce(running: &Running) {
    let mut out = io::stdout();
    let _ = writeln!(out, "Ready. {}", running.uri());
    let _ = out.flush();
}

/// What tells a server to stop.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
