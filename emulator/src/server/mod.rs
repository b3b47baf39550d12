//! Bytes to messages and back: the port, TLS, HTTP/1.1 and HTTP/2, and one warp filter that hands every request to a
//! [`service::Service`]. Nothing here knows what a bucket is.

pub(crate) mod bounds;
pub(crate) mod certificates;
pub(crate) mod connection;
pub(crate) mod dispatch;
pub(crate) mod drain;
pub(crate) mod failure;
pub(crate) mod filter;
pub(crate) mod flights;
pub(crate) mod framing;
pub(crate) mod health;
pub(crate) mod inbound;
pub(crate) mod kept_ca;
pub(crate) mod listener;
pub(crate) mod open_files;
pub(crate) mod panics;
pub(crate) mod peek;
pub(crate) mod refusal;
pub(crate) mod resolver;
pub(crate) mod service;
pub(crate) mod tap;
pub(crate) mod tls;
pub(crate) mod tls_error;

mod journaling;

#[cfg(test)]
mod tests;
