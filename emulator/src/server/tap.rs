//! A connection from which bytes were read already, and whose bytes are shown to [`Framing`] as they pass.
//!
//! hyper refuses a transfer coding that it does not know by itself, before anybody is asked: where AWS's refusal is another,
//! it is put in its place on the way out.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::server::framing::{Framing, Head};

/// What hyper's refusal begins with.
const BAD_REQUEST: &[u8] = b"HTTP/1.1 400 ";
/// AWS's to a body in the transfer coding gzip.
///
/// Source: answers recorded from AWS in March 2026.
const NOT_IMPLEMENTED: &[u8] = b"HTTP/1.1 501 Not Implemented\r\ncache-control: no-store\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// A stream with some bytes put back in front of it.
#[derive(Debug)]
pub(crate) struct Tap<S> {
    stream: S,
    put_back: Bytes,
    heads: Option<Heads>,
    /// What is written in place of something else, as far as it has not left.
    instead: Bytes,
}

/// The heads that came by, shared between a connection and what answers on it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heads(Arc<Mutex<Framing>>);

impl Heads {
    /// The head of the next request; `None` when there was none, whatever hyper thinks.
    pub(crate) fn next(&self) -> Option<Head> {
        let mut framing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        framing.next_head()
    }

    fn wants_gzip(&self) -> bool {
        let framing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        framing.wants_gzip()
    }

    fn feed(&self, bytes: &[u8]) {
        let mut framing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        framing.feed(bytes);
    }
}

impl<S> Tap<S> {
    /// Gives `put_back` first, then what the stream gives.
    pub(crate) fn new(stream: S, put_back: Bytes) -> Self {
        Self {
            stream,
            put_back,
            heads: None,
            instead: Bytes::new(),
        }
    }

    /// Shows every byte that is read to `heads`.
    pub(crate) fn watched_by(self, heads: Heads) -> Self {
        Self {
            heads: Some(heads),
            ..self
        }
    }
}

impl<S: AsyncWrite + Unpin> Tap<S> {
    /// Whether what is about to be written is replaced.
    fn replaces(&self, bytes: &[u8]) -> bool {
        let is_refusal = bytes.starts_with(BAD_REQUEST);
        let is_watched = |heads: &Heads| heads.wants_gzip();
        !self.instead.is_empty() || (is_refusal && self.heads.as_ref().is_some_and(is_watched))
    }

    /// Writes AWS's refusal in place of hyper's, which is of this length.
    fn poll_replace(&mut self, cx: &mut Context<'_>, length: usize) -> Poll<io::Result<usize>> {
        if self.instead.is_empty() {
            self.instead = Bytes::from_static(NOT_IMPLEMENTED);
        }
        while !self.instead.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(cx, &self.instead))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.instead.advance(written);
        }
        Poll::Ready(Ok(length))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = if self.put_back.is_empty() {
            Pin::new(&mut self.stream).poll_read(cx, buffer)
        } else {
            let count = self.put_back.len().min(buffer.remaining());
            buffer.put_slice(&self.put_back[..count]);
            self.put_back.advance(count);
            Poll::Ready(Ok(()))
        };
        if let (Poll::Ready(Ok(())), Some(heads)) = (&polled, &self.heads) {
            heads.feed(&buffer.filled()[before..]);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.replaces(bytes) {
            return self.poll_replace(cx, bytes.len());
        }
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = slices.iter().find(|slice| !slice.is_empty());
        if let Some(first) = first.filter(|first| self.replaces(first)) {
            return self.poll_replace(cx, first.len());
        }
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn what_was_put_back_comes_first() {
        let mut tap = Tap::new(&b"world"[..], Bytes::from_static(b"hello "));
        let mut text = String::new();

        tap.read_to_string(&mut text).await.unwrap();

        assert_eq!(text, "hello world");
    }

    #[tokio::test]
    async fn what_was_put_back_is_watched_too() {
        let heads = Heads::default();
        let rest = &b"T / HTTP/1.1\r\n\r\n"[..];
        let mut tap = Tap::new(rest, Bytes::from_static(b"GE")).watched_by(heads.clone());

        tap.read_to_end(&mut Vec::new()).await.unwrap();

        assert_eq!(heads.next(), Some(Head::Plain));
        assert_eq!(heads.next(), None);
    }
}
