//! Refusals that clients really see.
//!
//! A client that is still sending when its connection closes sees a broken pipe and never the answer. So what a service
//! left unread is read to its end first, within bounds, and then the connection closes with the answer. A client that
//! waits for `100 Continue` gets the answer at once: it has sent nothing yet.

use futures_util::StreamExt;
use tokio::time::timeout;

use crate::server::bounds::Bounds;
use crate::server::inbound::Unread;

/// Whether a connection can carry another request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// Nothing was left to read.
    Keep,
    /// Something was, so the client may believe that it is still sending.
    Close,
}

/// Reads what a service left of a body, unless the client waits for leave to send it.
pub(crate) async fn drain(unread: Unread, client_waits: bool, bounds: &Bounds) -> Afterwards {
    if client_waits && !unread.begun {
        return Afterwards::Close;
    }
    // Past a bound the client has to live with a broken pipe.
    let read = timeout(bounds.drain, read_to_end(unread, bounds.drain_bytes)).await;
    match read {
        Ok(Some(0)) => Afterwards::Keep,
        _ => Afterwards::Close,
    }
}

/// How many bytes came before the end; `None` where it did not come.
async fn read_to_end(mut unread: Unread, most_bytes: u64) -> Option<u64> {
    let mut read_bytes: u64 = 0;
    while let Some(piece) = unread.pieces.next().await {
        let size = u64::try_from(piece.ok()?.len()).unwrap_or(u64::MAX);
        read_bytes = read_bytes.saturating_add(size);
        if read_bytes > most_bytes {
            return None;
        }
    }
    Some(read_bytes)
}
