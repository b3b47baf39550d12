//! The body of a request on its way to a service: bounded waits, and its rest given back when the service drops it.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::{Stream, ready};
use tokio::time::{Instant, Sleep, sleep};

use crate::server::bounds::Pace;
use crate::wire::body::{BodyError, BodyStream};

/// Pieces as the connection gives them.
pub(crate) type Pieces =
    Pin<Box<dyn Stream<Item = Result<Bytes, Box<dyn Error + Send + Sync>>> + Send + Sync>>;

/// What a service left unread.
pub(crate) struct Unread {
    /// The rest of the body.
    pub(crate) pieces: Pieces,
    /// Whether the service asked for any of it; a client that waits for `100 Continue` was told to go on then.
    pub(crate) begun: bool,
}

/// How a body was left.
#[derive(Default)]
pub(crate) enum Rest {
    /// It was read to its end, or is still being read.
    #[default]
    Nothing,
    /// It was dropped before.
    Unread(Unread),
    /// It ended early: nothing behind it can be told apart.
    Broken,
}

/// Where the rest of a body comes back to.
#[derive(Clone, Default)]
pub(crate) struct Return(Arc<Returned>);

#[derive(Default)]
struct Returned {
    rest: Mutex<Rest>,
    read_bytes: AtomicU64,
}

struct Inbound {
    /// `None` once the body ended, well or not.
    pieces: Option<Pieces>,
    /// What is still to come, where a length was told.
    left_bytes: Option<u64>,
    begun: bool,
    wait: Wait,
    rest: Return,
}

/// The wait for a piece. Its timer is made at the first wait, since most small bodies never wait.
struct Wait {
    pace: Pace,
    /// What came since the timer was set.
    come_bytes: u64,
    timer: Option<Pin<Box<Sleep>>>,
    running: bool,
}

/// The body as a service reads it, and where its rest comes back to. It ends where it does not keep pace.
pub(crate) fn inbound(
    pieces: Pieces,
    length_bytes: Option<u64>,
    pace: Pace,
) -> (BodyStream, Return) {
    let rest = Return::default();
    let stream = Inbound {
        pieces: Some(pieces),
        left_bytes: length_bytes,
        begun: false,
        wait: Wait {
            pace,
            come_bytes: 0,
            timer: None,
            running: false,
        },
        rest: rest.clone(),
    };
    (Box::pin(stream), rest)
}

impl Return {
    /// What has come back.
    pub(crate) fn take(&self) -> Rest {
        std::mem::take(&mut self.0.rest.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// So much was read of it.
    pub(crate) fn read_bytes(&self) -> u64 {
        self.0.read_bytes.load(Ordering::Relaxed)
    }

    fn give(&self, rest: Rest) {
        *self.0.rest.lock().unwrap_or_else(PoisonError::into_inner) = rest;
    }
}

impl Stream for Inbound {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.begun = true;
        let Some(pieces) = self.pieces.as_mut() else {
            return Poll::Ready(None);
        };
        let ended = match pieces.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(piece))) => {
                self.count(&piece);
                return Poll::Ready(Some(Ok(piece)));
            }
            Poll::Ready(Some(Err(error))) => Some(Err(BodyError::Cut(error))),
            Poll::Ready(None) => None,
            Poll::Pending => {
                ready!(self.wait.poll(cx));
                Some(Err(BodyError::Idle))
            }
        };
        self.pieces = None;
        if ended.is_some() {
            self.rest.give(Rest::Broken);
        }
        Poll::Ready(ended)
    }
}

impl Inbound {
    /// A service that knows the length need not ask for the end behind it.
    fn count(&mut self, piece: &Bytes) {
        let size = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        self.rest.0.read_bytes.fetch_add(size, Ordering::Relaxed);
        self.wait.count(size);
        self.left_bytes = self.left_bytes.map(|left| left.saturating_sub(size));
        if self.left_bytes == Some(0) {
            self.pieces = None;
        }
    }
}

impl Wait {
    fn count(&mut self, size_bytes: u64) {
        self.come_bytes = self.come_bytes.saturating_add(size_bytes);
        if self.come_bytes >= self.pace.least_bytes {
            self.running = false;
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let within = self.pace.within;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(within)));
        if !self.running {
            timer.as_mut().reset(Instant::now() + within);
            self.running = true;
            self.come_bytes = 0;
        }
        timer.as_mut().poll(cx)
    }
}

impl Drop for Inbound {
    fn drop(&mut self) {
        if let Some(pieces) = self.pieces.take() {
            let begun = self.begun;
            self.rest.give(Rest::Unread(Unread { pieces, begun }));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use futures_util::{StreamExt, stream};

    use super::*;

    const IDLE: Duration = Duration::from_millis(60);
    const PACE: Pace = Pace {
        least_bytes: 2,
        within: IDLE,
    };

    #[tokio::test]
    async fn a_body_that_never_comes_ends_after_the_wait() {
        let (mut body, rest) = inbound(Box::pin(stream::pending()), Some(5), PACE);
        let begun = Instant::now();

        let ended = body.next().await;

        assert!(matches!(ended, Some(Err(BodyError::Idle))));
        assert!(begun.elapsed() >= IDLE);
        drop(body);
        assert!(matches!(rest.take(), Rest::Broken));
    }

    #[tokio::test]
    async fn a_body_that_drips_is_idle() {
        let drips = stream::unfold((), |()| async {
            sleep(IDLE / 4).await;
            Some((Ok(Bytes::from_static(b"x")), ()))
        });
        let pace = Pace {
            least_bytes: 1_000,
            within: IDLE,
        };
        let (body, rest) = inbound(Box::pin(drips), Some(1_000_000), pace);

        let pieces = body.collect::<Vec<_>>().await;

        assert!(matches!(pieces.last(), Some(Err(BodyError::Idle))));
        assert!(matches!(rest.take(), Rest::Broken));
    }

    #[tokio::test]
    async fn whoever_keeps_pace_gets_the_whole_wait_again() {
        let mut wait = Wait {
            pace: PACE,
            come_bytes: 0,
            timer: None,
            running: false,
        };
        let mut is_waiting = async |come_bytes| {
            wait.count(come_bytes);
            poll_fn(|cx| Poll::Ready(wait.poll(cx).is_pending())).await
        };
        assert!(is_waiting(0).await);

        sleep(IDLE).await;

        assert!(is_waiting(2).await);
        sleep(IDLE).await;
        assert!(!is_waiting(1).await);
    }

    #[tokio::test]
    async fn what_was_left_comes_back() {
        let (mut body, rest) = inbound(of(&[b"one", b"two"]), Some(6), PACE);
        body.next().await.unwrap().unwrap();
        assert!(matches!(rest.take(), Rest::Nothing));

        drop(body);

        let Rest::Unread(mut unread) = rest.take() else {
            panic!("the second piece was left");
        };
        assert!(unread.begun);
        assert_eq!(&unread.pieces.next().await.unwrap().unwrap()[..], b"two");
    }

    #[tokio::test]
    async fn a_body_read_to_its_length_leaves_nothing() {
        let (mut body, rest) = inbound(of(&[b"one"]), Some(3), PACE);
        body.next().await.unwrap().unwrap();

        drop(body);

        assert!(matches!(rest.take(), Rest::Nothing));
    }

    fn of(pieces: &[&'static [u8]]) -> Pieces {
        let pieces = pieces.iter().map(|piece| Ok(Bytes::from_static(piece)));
        Box::pin(stream::iter(pieces.collect::<Vec<_>>()))
    }
}
