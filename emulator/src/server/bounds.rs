//! How long the server waits, how much it takes, and what it refuses before any service sees it.

use std::time::Duration;

use http::header::HOST;
use http::{HeaderMap, Version};

use crate::server::framing::Head;
use crate::server::open_files;
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
    /// How often HTTP/2 asks a silent peer whether it is still there, and how long it waits for the answer.
    pub(crate) ping: Duration,
    /// From the end of an answer to the whole head of the next request: an idle connection lives this long.
    pub(crate) head: Duration,
    /// How fast a body has to come.
    pub(crate) body: Pace,
    /// How long a client may leave an answer unread. Somebody may sit at its breakpoint.
    pub(crate) unread: Duration,
    /// How long a refused body is read to its end.
    pub(crate) drain: Duration,
    /// And how much of it, in bytes.
    pub(crate) drain_bytes: u64,
    /// How long requests in flight may take once the server stops.
    pub(crate) grace: Duration,
    /// How many connections may be open; the next ones wait until one of them closes.
    pub(crate) connections: usize,
}

/// The least that keeps a body from being idle: a byte now and then would hold its connection for years.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// So many bytes …
    pub(crate) least_bytes: u64,
    /// … within this time, or the body's end.
    pub(crate) within: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            first_bytes: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            ping: Duration::from_secs(30),
            head: Duration::from_mins(1),
            body: Pace {
                least_bytes: 1_024,
                within: Duration::from_secs(30),
            },
            unread: Duration::from_mins(5),
            drain: Duration::from_secs(10),
            drain_bytes: 256 * 1_024 * 1_024,
            grace: Duration::from_secs(10),
            connections: open_files::connections(),
        }
    }
}

/// What is wrong with a request, before anybody asks what it wants.
pub(crate) fn find_refusal(
    version: Version,
    framing: Option<Head>,
    headers: &HeaderMap,
) -> Option<Refusal> {
    match framing {
        Some(Head::Plain | Head::Both) => {}
        Some(Head::Coded) => return Some(Refusal::NotImplemented),
        Some(Head::Ambiguous) | None => return Some(Refusal::AmbiguousLength),
    }
    // RFC 9112 §3.2: whose bucket is meant must not depend on who reads. A client of HTTP/1.0 may name no host: its path
    // names the bucket. One of HTTP/2 names an authority instead.
    match headers.get_all(HOST).iter().count() {
        0 if version == Version::HTTP_11 => return Some(Refusal::NoHost),
        0 | 1 => {}
        _ => return Some(Refusal::AmbiguousHost),
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

    /// Of HTTP/1.0, where no host is needed.
    fn refusal(framing: Option<Head>, headers: &HeaderMap) -> Option<Refusal> {
        find_refusal(Version::HTTP_10, framing, headers)
    }

    #[test]
    fn headers_count_with_what_parts_them() {
        let mut headers = HeaderMap::new();
        headers.insert("x", HeaderValue::from_str(&"v".repeat(8_187)).unwrap());
        assert_eq!(refusal(Some(Head::Plain), &headers), None);

        headers.insert("x", HeaderValue::from_str(&"v".repeat(8_188)).unwrap());

        assert_eq!(
            refusal(Some(Head::Plain), &headers),
            Some(Refusal::HeadersTooLarge)
        );
    }

    #[test]
    fn a_transfer_coding_beside_chunks_is_not_implemented() {
        let found = refusal(Some(Head::Coded), &HeaderMap::new());

        assert_eq!(found, Some(Refusal::NotImplemented));
    }

    #[test]
    fn two_hosts_are_one_too_many() {
        let mut headers = HeaderMap::new();
        headers.append(HOST, HeaderValue::from_static("a"));
        assert_eq!(refusal(Some(Head::Plain), &headers), None);

        headers.append(HOST, HeaderValue::from_static("a"));

        let found = refusal(Some(Head::Plain), &headers);
        assert_eq!(found, Some(Refusal::AmbiguousHost));
    }

    #[test]
    fn no_host_is_too_few_for_http_1_1_alone() {
        let find = |version| find_refusal(version, Some(Head::Plain), &HeaderMap::new());

        assert_eq!(find(Version::HTTP_10), None);
        assert_eq!(find(Version::HTTP_11), Some(Refusal::NoHost));
        assert_eq!(find(Version::HTTP_2), None);
    }

    #[test]
    fn a_request_that_framing_does_not_know_is_refused() {
        for framing in [None, Some(Head::Ambiguous)] {
            assert_eq!(
                refusal(framing, &HeaderMap::new()),
                Some(Refusal::AmbiguousLength)
            );
        }
    }
}
