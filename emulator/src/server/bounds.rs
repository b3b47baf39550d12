//! How long the server waits, how much it takes, and what it refuses before any service sees it.

use std::time::Duration;

use http::HeaderMap;

use crate::server::framing::Head;
use crate::server::refusal::{MAX_HEADER_BYTES, Refusal};

/// How many headers a request may have; AWS allows about as many as fit.
pub(crate) const MAX_HEADERS: usize = 256;
/// What hyper may hold of a connection, either way: more than a line of 64 KiB and its headers, so that our own check
/// is the one that answers.
pub(crate) const MAX_BUFFER_BYTES: usize = 128 * 1_024;

/// Deadlines and bounds of a connection; tests shorten them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// From the connection to bytes that tell what it speaks.
    pub(crate) first_bytes: Duration,
    /// From the first byte of TLS to the end of the handshake.
    pub(crate) handshake: Duration,
    /// From the end of an answer to the whole head of the next request: an idle connection lives this long.
    pub(crate) head: Duration,
    /// From one piece of a body to the next.
    pub(crate) body_idle: Duration,
    /// How long a refused body is read to its end.
    pub(crate) drain: Duration,
    /// And how much of it, in bytes.
    pub(crate) drain_bytes: u64,
    /// How long requests in flight may take once the server stops.
    pub(crate) grace: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            first_bytes: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            head: Duration::from_mins(1),
            body_idle: Duration::from_secs(30),
            drain: Duration::from_secs(10),
            drain_bytes: 256 * 1_024 * 1_024,
            grace: Duration::from_secs(10),
        }
    }
}

/// What is wrong with a request, before anybody asks what it wants.
pub(crate) fn find_refusal(framing: Option<Head>, headers: &HeaderMap) -> Option<Refusal> {
    if !matches!(framing, Some(Head::Plain | Head::Both)) {
        return Some(Refusal::AmbiguousLength);
    }
    let bytes = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum::<usize>();
    (bytes > MAX_HEADER_BYTES).then_some(Refusal::HeadersTooLarge)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn headers_count_with_what_parts_them() {
        let mut headers = HeaderMap::new();
        headers.insert("x", HeaderValue::from_str(&"v".repeat(8_187)).unwrap());
        assert_eq!(find_refusal(Some(Head::Plain), &headers), None);

        headers.insert("x", HeaderValue::from_str(&"v".repeat(8_188)).unwrap());

        assert_eq!(
            find_refusal(Some(Head::Plain), &headers),
            Some(Refusal::HeadersTooLarge)
        );
    }

    #[test]
    fn a_request_that_framing_does_not_know_is_refused() {
        for framing in [None, Some(Head::Ambiguous)] {
            assert_eq!(
                find_refusal(framing, &HeaderMap::new()),
                Some(Refusal::AmbiguousLength)
            );
        }
    }
}
