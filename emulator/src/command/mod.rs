//! What the command can do, a file each.

use std::error::Error;

pub(crate) mod arguments;
pub(crate) mod environment;
pub(crate) mod export;
pub(crate) mod healthcheck;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod serve;

mod client;
mod counter;
mod report;

/// Done, or one line that says why not.
pub(crate) type Done = Result<(), Box<dyn Error + Send + Sync>>;
