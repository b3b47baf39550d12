//! How far something long has come: one line on a terminal, nothing for a log.

use std::io::{self, Write};

/// How many steps are one change of the line.
const EVERY: u64 = 64;
/// Back to the line's start, and nothing on it.
const CLEAR: &str = "\r\x1b[K";

/// A line that changes, on stderr.
#[derive(Debug)]
pub(crate) struct Counter {
    is_terminal: bool,
}

impl Counter {
    /// Shown on a terminal alone.
    pub(crate) fn of(is_terminal: bool) -> Self {
        Self { is_terminal }
    }

    /// So many objects have been done.
    pub(crate) fn show(&mut self, objects: u64) {
        if self.is_terminal && objects.is_multiple_of(EVERY) {
            write(&format!("{CLEAR}{objects} objects"));
        }
    }

    /// Something that stays, on a line of its own.
    pub(crate) fn line(&mut self, text: &str) {
        self.end();
        write(&format!("{text}\n"));
    }

    /// Takes the line away.
    pub(crate) fn end(&mut self) {
        if self.is_terminal {
            write(CLEAR);
        }
    }
}

/// Where nobody reads it, the work goes on.
fn write(text: &str) {
    let mut out = io::stderr();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}
