//! The body of a message: nothing, bytes in hand, or a stream.

use std::error::Error;
use std::fmt;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

/// Pieces of a body, in order. `Sync`, since warp demands it of what it sends.
pub(crate) type BodyStream = Pin<Box<dyn Stream<Item = Result<Bytes, BodyError>> + Send + Sync>>;

/// A body, read once, piece by piece.
#[derive(Default)]
pub(crate) struct Body(Kind);

#[derive(Default)]
enum Kind {
    #[default]
    Empty,
    Bytes(Bytes),
    Stream {
        stream: BodyStream,
        length_bytes: Option<u64>,
    },
}

/// Why a body ended before its end.
#[derive(Debug)]
pub(crate) enum BodyError {
    /// Nothing came for too long.
    Idle,
    /// The connection ended, or what it carried was no body.
    Cut(Box<dyn Error + Send + Sync>),
    /// All of it came, and it is not of the form that it should have.
    Malformed,
    /// The producer of an answer failed.
    Failed(Box<dyn Error + Send + Sync>),
}

impl Body {
    /// No byte.
    pub(crate) fn empty() -> Self {
        Self(Kind::Empty)
    }

    /// A stream, with its length in bytes where it is known.
    pub(crate) fn stream(stream: BodyStream, length_bytes: Option<u64>) -> Self {
        Self(Kind::Stream {
            stream,
            length_bytes,
        })
    }

    /// Its length in bytes, where it is known before it is read.
    pub(crate) fn length_bytes(&self) -> Option<u64> {
        match &self.0 {
            Kind::Empty => Some(0),
            Kind::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
            Kind::Stream { length_bytes, .. } => *length_bytes,
        }
    }

    /// Whether it is known that nothing more will come.
    pub(crate) fn is_at_end(&self) -> bool {
        matches!(self.0, Kind::Empty)
    }

    /// The next piece; `None` at the end, and from then on.
    ///
    /// # Errors
    ///
    /// [`BodyError`] when the body ends early.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        match &mut self.0 {
            Kind::Empty => None,
            Kind::Bytes(bytes) => {
                let bytes = std::mem::take(bytes);
                self.0 = Kind::Empty;
                (!bytes.is_empty()).then_some(Ok(bytes))
            }
            Kind::Stream { stream, .. } => {
                let piece = stream.next().await;
                if !matches!(piece, Some(Ok(_))) {
                    self.0 = Kind::Empty;
                }
                piece
            }
        }
    }

    /// The bytes in hand, or the stream: for the server, which sends them.
    pub(crate) fn into_parts(self) -> Result<Bytes, BodyStream> {
        match self.0 {
            Kind::Empty => Ok(Bytes::new()),
            Kind::Bytes(bytes) => Ok(bytes),
            Kind::Stream { stream, .. } => Err(stream),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Bytes(bytes))
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self(Kind::Bytes(text.into()))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.length_bytes() {
            Some(length) => write!(f, "Body({length} bytes)"),
            None => f.write_str("Body(a stream)"),
        }
    }
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Idle => f.write_str("no byte of the body came for too long"),
            Self::Cut(source) => write!(f, "the body ended early: {source}"),
            Self::Malformed => f.write_str("the body is malformed"),
            Self::Failed(source) => write!(f, "the body could not be made: {source}"),
        }
    }
}

impl Error for BodyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Idle | Self::Malformed => None,
            Self::Cut(source) | Self::Failed(source) => Some(source.as_ref()),
        }
    }
}
