//! A request as any service sees it, whichever way it came: HTTP/1.1, HTTP/2, TLS, or in process.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method};

use crate::wire::body::Body;
use crate::wire::query::Query;

/// A request.
#[derive(Debug)]
pub(crate) struct Request {
    /// Its method; an unknown one too.
    pub(crate) method: Method,
    /// The path as it was sent: percent-encoded, not normalised.
    pub(crate) path: String,
    /// The query, decoded.
    pub(crate) query: Query,
    /// All headers, with duplicates.
    pub(crate) headers: HeaderMap,
    /// The host that the client meant, with its port: the `Host` header, or HTTP/2's authority.
    pub(crate) host: String,
    /// How it came.
    pub(crate) connection: Connection,
    /// Its body, to be read once.
    pub(crate) body: Body,
    /// A small body, read whole by the service before the operation's turn; empty until then.
    pub(crate) document: Bytes,
}

/// The connection that a request came by.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Connection {
    /// Whether it was TLS.
    pub(crate) tls: bool,
    /// Who is at the other end; nobody for a request made in process.
    pub(crate) peer: Option<SocketAddr>,
}

impl Request {
    /// A request without headers and body, as callers in process make it.
    pub(crate) fn new(method: Method, path: &str, raw_query: &str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            query: Query::parse(raw_query),
            headers: HeaderMap::new(),
            host: String::new(),
            connection: Connection::default(),
            body: Body::empty(),
            document: Bytes::new(),
        }
    }

    /// The first value of a header as text; `None` where it is absent or not UTF-8.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let value = self.headers.get(name)?;
        std::str::from_utf8(value.as_bytes()).ok()
    }

    /// Whether the client's own connection was safe from ears: TLS here, or at a proxy that says so.
    pub(crate) fn is_secure(&self) -> bool {
        self.connection.tls
            || self
                .header("x-forwarded-proto")
                .is_some_and(|proto| proto.eq_ignore_ascii_case("https"))
    }
}
