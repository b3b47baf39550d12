//! What a connection has in flight, from the request to the last byte of its answer, and since when nothing has moved.
//!
//! A body is asked for its next piece only while there is room for it. So one that is not asked any more has a peer that
//! does not read: its connection's buffers are full, or its window of HTTP/2 stays shut, whatever pings it answers. It is
//! cut, so that whoever asks for a large object and never reads it holds neither the connection nor the blob for ever.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use crate::server::bounds::Bounds;

/// All requests that are in flight on a connection: clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Flights(Arc<Mutex<Log>>);

#[derive(Debug)]
struct Log {
    next: u64,
    /// When each answer was last asked for a piece; `None` where there is no answer yet.
    open: BTreeMap<u64, Option<Instant>>,
    /// When the last one ended.
    empty_since: Instant,
}

/// What there is to do with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// Nothing.
    Fine,
    /// It has been idle for long: it may close.
    Idle,
    /// Its peer leaves an answer unread: it is cut.
    Stuck,
}

/// One request, as long as it is there.
#[derive(Debug)]
pub(crate) struct Flight {
    id: u64,
    all: Flights,
}

/// The body of an answer, which tells whenever it is asked for a piece.
#[derive(Debug)]
pub(crate) struct Answered<B> {
    body: B,
    flight: Flight,
}

impl Flights {
    /// Of a connection that was opened just now.
    pub(crate) fn new(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(Log {
            next: 0,
            open: BTreeMap::new(),
            empty_since: now,
        })))
    }

    /// A request has come.
    pub(crate) fn begin(&self) -> Flight {
        let mut log = self.log();
        let id = log.next;
        log.next += 1;
        log.open.insert(id, None);
        Flight {
            id,
            all: self.clone(),
        }
    }

    /// For how long there has been none; zero while there is one.
    pub(crate) fn idle(&self) -> Duration {
        let log = self.log();
        if log.open.is_empty() {
            log.empty_since.elapsed()
        } else {
            Duration::ZERO
        }
    }

    /// What there is to do.
    pub(crate) fn outlook(&self, now: Instant, bounds: &Bounds) -> Outlook {
        let log = self.log();
        let since = |then: Instant| now.saturating_duration_since(then);
        let asked = log.open.values().flatten();
        let longest_unread = asked.map(|then| since(*then)).max();
        if longest_unread.is_some_and(|unread| unread >= bounds.unread) {
            return Outlook::Stuck;
        }
        // Past both, something of the last answer is still to be read.
        match since(log.empty_since) {
            _ if !log.open.is_empty() => Outlook::Fine,
            idle if idle >= bounds.head + bounds.unread => Outlook::Stuck,
            idle if idle >= bounds.head => Outlook::Idle,
            _ => Outlook::Fine,
        }
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Flight {
    /// It has its answer, whose body keeps it in flight to the end.
    pub(crate) fn answered<B>(self, answer: http::Response<B>) -> http::Response<Answered<B>> {
        self.note(Instant::now());
        answer.map(|body| Answered { body, flight: self })
    }

    fn note(&self, now: Instant) {
        self.all.log().open.insert(self.id, Some(now));
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        let mut log = self.all.log();
        log.open.remove(&self.id);
        log.empty_since = Instant::now();
    }
}

impl<B: Body + Unpin> Body for Answered<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.flight.note(Instant::now());
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_stuck_once_it_was_not_asked_for_too_long() {
        let (begun, bounds) = (Instant::now(), Bounds::default());
        let flights = Flights::new(begun);
        let flight = flights.begin();
        let late = begun + bounds.unread;
        assert_eq!(flights.outlook(late, &bounds), Outlook::Fine, "no answer");

        flight.note(begun);

        let soon = late - Duration::from_secs(1);
        assert_eq!(flights.outlook(soon, &bounds), Outlook::Fine);
        assert_eq!(flights.outlook(late, &bounds), Outlook::Stuck);
        let other = flights.begin();
        other.note(soon);
        assert_eq!(flights.outlook(late, &bounds), Outlook::Stuck, "two");
        flight.note(soon);
        assert_eq!(flights.outlook(late, &bounds), Outlook::Fine, "it moved");
    }

    #[test]
    fn a_connection_is_idle_from_its_last_answer_on() {
        let bounds = Bounds::default();
        let flights = Flights::new(Instant::now());
        let flight = flights.begin();
        let late = Instant::now() + bounds.head;
        assert_eq!(flights.outlook(late, &bounds), Outlook::Fine);
        assert_eq!(flights.idle(), Duration::ZERO);

        drop(flight);

        let ended = Instant::now();
        for (idle, expected) in [
            (Duration::ZERO, Outlook::Fine),
            (bounds.head, Outlook::Idle),
            (bounds.head + bounds.unread, Outlook::Stuck),
        ] {
            assert_eq!(flights.outlook(ended + idle, &bounds), expected);
        }
    }
}
