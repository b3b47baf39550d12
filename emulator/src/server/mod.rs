//! The listener, TLS, and the one warp filter: bytes to messages and back.

mod body;
mod connection;
pub(crate) mod dispatch;
mod filter;
pub(crate) mod listener;
mod peek;
pub(crate) mod tls;
