//! `strongroom serve`.

use std::io::{IsTerminal, Write};

use strongroom::{Emulator, Running};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::command::arguments::Settings;

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
///
/// One line, where the server cannot start.
pub(crate) fn run(settings: &Settings) -> Result<(), String> {
    let filter = EnvFilter::try_new(&settings.log).map_err(|error| format!("--log: {error}"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime
        .map_err(|error| format!("cannot start: {error}"))?
        .block_on(serve(settings))
}

async fn serve(settings: &Settings) -> Result<(), String> {
    let (mut terminated, mut interrupted) = (
        handler(SignalKind::terminate())?,
        handler(SignalKind::interrupt())?,
    );
    let running = Emulator::start(settings.config())
        .await
        .map_err(|error| error.to_string())?;
    if settings.data.is_some() && settings.root_key.is_none() {
        let key = running.data_folder().join("root.key");
        tracing::warn!(
            "all data is encrypted under `{}`: whoever loses it loses the data",
            key.display()
        );
    }
    announce(&running)?;
    tokio::select! {
        _ = terminated.recv() => {}
        _ = interrupted.recv() => {}
    }
    running.stop().await;
    Ok(())
}

fn handler(kind: SignalKind) -> Result<tokio::signal::unix::Signal, String> {
    signal(kind).map_err(|error| format!("cannot handle signals: {error}"))
}

/// The one line that scripts wait for.
fn announce(running: &Running) -> Result<(), String> {
    let mut out = std::io::stdout();
    let written = writeln!(out, "Ready. {}", running.uri()).and_then(|()| out.flush());
    written.map_err(|error| format!("cannot write to stdout: {error}"))
}
