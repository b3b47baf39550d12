//! The command: reads what it was asked, does it, and says in one line why it could not.

mod command;

#[cfg(panic = "abort")]
compile_error!("a panic costs one request, and not the server: build with `panic = \"unwind\"`");

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::command::arguments::{Arguments, Command};
use crate::command::{environment, export, healthcheck, import, inspect, serve};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let settings = arguments.settings;
    let done = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(settings),
        Command::Env { tls } => environment::run(settings, tls),
        Command::Healthcheck { endpoint } => healthcheck::run(settings.listen, endpoint.as_deref()),
        Command::Inspect(what) => inspect::run(settings, what),
        Command::Export(what) => export::run(settings.into(), what),
        Command::Import(what) => import::run(settings.into(), what),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where nobody reads, the exit code still tells.
            let _ = writeln!(io::stderr(), "strongroom: {error}");
            ExitCode::FAILURE
        }
    }
}
