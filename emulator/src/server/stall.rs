//! A connection whose peer has to read: one that takes nothing for too long is cut, so that whoever asks for a large object
//! and never reads it holds neither the connection nor the blob for ever.

use std::future::Future;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// A stream that bounds the wait for its peer to read.
#[derive(Debug)]
pub(crate) struct Stall<S> {
    stream: S,
    longest: Duration,
    /// Made at the first wait, since most answers never wait.
    timer: Option<Pin<Box<Sleep>>>,
    waiting: bool,
}

impl<S> Stall<S> {
    /// Each write waits for `longest` at most.
    pub(crate) fn new(stream: S, longest: Duration) -> Self {
        Self {
            stream,
            longest,
            timer: None,
            waiting: false,
        }
    }

    fn bound<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.waiting = false;
            return written;
        }
        let longest = self.longest;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(longest)));
        if !self.waiting {
            timer.as_mut().reset(Instant::now() + longest);
            self.waiting = true;
        }
        let late = io::Error::new(io::ErrorKind::TimedOut, "the peer does not read");
        timer.as_mut().poll(cx).map(|()| Err(late))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stall<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Stall<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.bound(written, cx)
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
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.bound(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    const LONGEST: Duration = Duration::from_millis(50);

    #[tokio::test]
    async fn a_peer_that_reads_nothing_is_given_up() {
        let (near, _far) = duplex(4);
        let mut near = Stall::new(near, LONGEST);

        let written = near.write_all(b"more than it takes").await;

        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_peer_that_reads_slowly_is_waited_for_each_time() {
        let mut stall = Stall::new((), LONGEST);
        let mut bound = async |written: Poll<()>| {
            poll_fn(|cx| Poll::Ready(stall.bound(written.map(Ok), cx).is_pending())).await
        };
        assert!(bound(Poll::Pending).await);

        sleep(LONGEST).await;
        bound(Poll::Ready(())).await;

        assert!(bound(Poll::Pending).await);
    }
}
