//! The body of a request on its way in: read by whoever answers, and drained behind it.
//!
//! A client that is still sending when the answer comes sees a broken pipe instead of it. So what the service left unread
//! is read and thrown away, up to a bound, before the answer goes out, and the connection is closed.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::{Stream, StreamExt};
use tokio::time::Sleep;

use crate::wire::body::{Body, BodyError};

/// How long a body may pause.
const IDLE: Duration = Duration::from_secs(30);
/// How much is drained at the most, in bytes.
const MAX_DRAINED_BYTES: usize = 1_024 * 1_024 * 1_024;
/// For how long.
const MAX_DRAINING: Duration = Duration::from_secs(30);

/// A body that is read in one place and may be drained from another.
#[derive(Clone)]
pub(super) struct RequestBody(Arc<Mutex<State>>);

struct State {
    stream: Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send + Sync>>,
    idle: Pin<Box<Sleep>>,
    is_touched: bool,
    is_over: bool,
}

impl RequestBody {
    /// Over warp's stream.
    pub(super) fn new<B: Buf>(
        stream: impl Stream<Item = Result<B, warp::Error>> + Send + Sync + 'static,
    ) -> Self {
        let stream =
            stream.map(|piece| piece.map(|mut piece| piece.copy_to_bytes(piece.remaining())));
        Self(Arc::new(Mutex::new(State {
            stream: Box::pin(stream),
            idle: Box::pin(tokio::time::sleep(IDLE)),
            is_touched: false,
            is_over: false,
        })))
    }

    /// As the service sees it.
    pub(super) fn to_wire(&self, length_bytes: Option<u64>) -> Body {
        if length_bytes == Some(0) {
            return Body::empty();
        }
        let own = self.clone();
        let stream = futures_util::stream::poll_fn(move |cx| own.poll_piece(cx));
        Body::stream(Box::pin(stream), length_bytes)
    }

    /// Whether somebody has begun to read it: then a client that waits for `100 Continue` has been told to go on.
    pub(super) fn is_touched(&self) -> bool {
        self.state().is_touched
    }

    /// Whether all of it was read.
    pub(super) fn is_over(&self) -> bool {
        self.state().is_over
    }

    /// Reads the rest and throws it away.
    pub(super) async fn drain(&self) {
        let reading = async {
            let mut drained = 0;
            while let Some(Ok(piece)) = std::future::poll_fn(|cx| self.poll_piece(cx)).await {
                drained += piece.len();
                if drained > MAX_DRAINED_BYTES {
                    return;
                }
            }
        };
        tokio::time::timeout(MAX_DRAINING, reading).await.ok();
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn poll_piece(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        let mut state = self.state();
        if state.is_over {
            return Poll::Ready(None);
        }
        state.is_touched = true;
        match state.stream.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(piece))) => {
                let deadline = tokio::time::Instant::now() + IDLE;
                state.idle.as_mut().reset(deadline);
                Poll::Ready(Some(Ok(piece)))
            }
            Poll::Ready(Some(Err(error))) => {
                state.is_over = true;
                Poll::Ready(Some(Err(BodyError::Cut(Box::new(error)))))
            }
            Poll::Ready(None) => {
                state.is_over = true;
                Poll::Ready(None)
            }
            Poll::Pending => {
                if state.idle.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                state.is_over = true;
                Poll::Ready(Some(Err(BodyError::Idle)))
            }
        }
    }
}
