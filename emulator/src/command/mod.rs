//! What the command can do.

pub(crate) mod arguments;
pub(crate) mod env;
pub(crate) mod healthcheck;
pub(crate) mod serve;
