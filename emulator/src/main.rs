//! The command: reads what it was asked, does it, and says in one line why it could not.

mod command;

#[cfg(panic = "abort")]
compile_error!("a panic costs one request, and not the server: build with `panic = \"unwind\"`");

use std::process::ExitCode;

use crate::command::arguments::{Arguments, Command};
use crate::command::{
    complain, completions, environment, export, healthcheck, help, import, inspect, serve, verify,
};

/// As clap has it.
const MISUSED: u8 = 2;

fn main() -> ExitCode {
    match help::parse(std::env::args_os()) {
        Ok(arguments) => run(arguments),
        Err(error) if error.use_stderr() => {
            complain(&help::in_one_line(&error));
            MISUSED.into()
        }
        Err(told) => {
            // Help, or the version. Where nobody reads, nothing is lost.
            let _ = told.print();
            ExitCode::SUCCESS
        }
    }
}

fn run(arguments: Arguments) -> ExitCode {
    let settings = arguments.settings;
    let done = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(settings),
        Command::Env { tls } => environment::run(settings, tls),
        Command::Healthcheck { endpoint } => healthcheck::run(settings.listen, endpoint.as_deref()),
        Command::Inspect(what) => inspect::run(settings, what),
        Command::Export(what) => export::run(settings.into(), what),
        Command::Import(what) => import::run(settings.into(), what),
        Command::Verify(what) => return verify::run(settings, &what),
        Command::Completions { shell } => completions::run(shell),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}
