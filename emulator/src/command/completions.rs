//! `completions`: what a shell evaluates to complete the command.

use std::io::{self, Write};

use clap_complete::{Shell, generate};

use crate::command::Done;
use crate::command::help::arranged;

/// Prints the script of a shell.
pub(crate) fn run(shell: Shell) -> Done {
    // Into memory first: the generator panics where nobody reads.
    let mut script = Vec::new();
    generate(shell, &mut arranged(), "strongroom", &mut script);
    Ok(io::stdout().write_all(&script)?)
}
