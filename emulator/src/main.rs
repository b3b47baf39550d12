//! The command `strongroom`: reads its arguments, and starts, asks or prints.

mod command;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::command::arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let serve = arguments.serve;
    let done = match arguments.command {
        None | Some(Command::Serve) => command::serve::run(&serve),
        Some(Command::Env) => print(&command::env::lines(&serve)),
        Some(Command::Healthcheck) => command::healthcheck::run(&serve),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            let _ = writeln!(std::io::stderr(), "strongroom: {line}");
            ExitCode::FAILURE
        }
    }
}

/// Writes to stdout, which belongs to scripts.
fn print(text: &str) -> Result<(), String> {
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| format!("cannot write: {error}"))
}
