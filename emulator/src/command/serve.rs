//! `serve`: starts, says `Ready.`, and stops when it is told to.

use std::io::{self, Write};
use std::num::NonZero;
use std::thread::available_parallelism;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use strongroom::{Emulator, Running};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::command::Done;
use crate::command::arguments::Settings;

/// Two at least, so that a large upload never has the only one.
const FEWEST_THREADS: usize = 2;
/// As many files as macOS lets anybody open.
const OPEN_FILES: u64 = 10_240;

/// Serves until SIGTERM or SIGINT.
pub(crate) fn run(settings: Settings) -> Done {
    log(&settings.log)?;
    raise_open_files();
    let threads = available_parallelism().map_or(FEWEST_THREADS, NonZero::get);
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.max(FEWEST_THREADS))
        .enable_all()
        .build()?
        .block_on(serve(settings))
}

fn log(filter: &str) -> Done {
    let filter = EnvFilter::try_new(filter).map_err(|error| format!("--log: {error}"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .try_init()
}

/// Every connection is an open file, and so is each blob that it reads: the 1,024 of most shells are soon too few.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit
        .maximum
        .map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    if limit.current.is_none_or(|files| files >= wanted) {
        return;
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!("cannot have {wanted} files open at a time: {error}");
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
