//! What the command can do, a file each.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};

pub(crate) mod arguments;
pub(crate) mod completions;
pub(crate) mod environment;
pub(crate) mod export;
pub(crate) mod healthcheck;
pub(crate) mod help;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod serve;
pub(crate) mod verify;

mod client;
mod counter;
mod json_log;
mod report;

/// Done, or one line that says why not.
pub(crate) type Done = Result<(), Box<dyn Error + Send + Sync>>;

/// Says in one line why something could not be done.
pub(crate) fn complain(error: &impl Display) {
    // Where nobody reads, the exit code still tells.
    let _ = writeln!(io::stderr(), "strongroom: {error}");
}
