//! `healthcheck`: for images that have no curl.

use std::net::SocketAddr;

use strongroom::reachable;

use crate::command::Done;
use crate::command::client::{authority, get};

const MOST_BYTES: u64 = 64 * 1_024;

/// Asks the server at `endpoint`, or the one that `listen` describes, whether it is ready.
pub(crate) fn run(listen: SocketAddr, endpoint: Option<&str>) -> Done {
    let authority = endpoint.map_or_else(|| reachable(listen).to_string(), authority);
    let answer = get(&authority, "/_emulator/health", MOST_BYTES)?;
    if answer.is_ok() {
        Ok(())
    } else {
        Err(format!("{authority} is not ready: `{}`", answer.status).into())
    }
}
