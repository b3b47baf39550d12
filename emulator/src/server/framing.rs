//! Where requests begin and end on an HTTP/1.1 connection, and how each says how long its body is.
//!
//! hyper takes a request with both `Transfer-Encoding` and `Content-Length` and hides the second from us; so it does
//! with a length that is sent twice. Whoever disagrees with us about the end of such a body can smuggle a request past
//! a proxy. So the bytes pass by here first. When this reading and hyper's ever disagree, [`Framing`] knows of no head
//! for a request that hyper found, and the request is refused.

use std::collections::VecDeque;

/// What is kept of a line: enough for the name of a header and a length of twenty digits.
const KEPT_BYTES: usize = 64;

/// Whether a head says plainly where its body ends.
///
/// Source: RFC 9112 §6.3, rules 3 and 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// One length, or chunks, or nothing.
    Plain,
    /// Chunks and a length. Chunks win, as on AWS, which drops the length: a signature that names it does not match
    /// then. Nothing behind the body is read as a request.
    Both,
    /// Several lengths, or one that is no number.
    Ambiguous,
    /// A coding beside the chunks, which hyper would leave in the body, or one that is told twice.
    ///
    /// Source: RFC 9112 §6.1 (501 to a coding that is not understood).
    Coded,
}

/// A reader of framing, fed with every byte that comes in.
#[derive(Debug, Default)]
pub(crate) struct Framing {
    state: State,
    line: Vec<u8>,
    /// Whether the line was longer than what is kept of it.
    line_cut: bool,
    fields: Fields,
    heads: VecDeque<Head>,
    wants_gzip: bool,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    /// In the lines of a head, or before it.
    #[default]
    Head,
    /// This many bytes of a body are still to come.
    Sized(u64),
    /// In the line that tells the size of a chunk.
    ChunkSize,
    /// This many bytes of a chunk are still to come.
    Chunk(u64),
    /// In the line break that ends a chunk.
    ChunkEnd,
    /// In the lines behind the last chunk.
    Trailers,
    /// Nothing that follows can be told apart.
    Lost,
}

/// A transfer coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Chunked,
    Gzip,
    /// Anything else. hyper takes it where it ends with chunks, and refuses it where it does not.
    Other,
}

/// What the head being read has said so far.
#[derive(Clone, Copy, Debug, Default)]
struct Fields {
    /// Whether its request line was there.
    begun: bool,
    coding: Option<Coding>,
    length_bytes: Option<u64>,
    ambiguous: bool,
}

impl Framing {
    /// Reads the next bytes of the connection, however they are cut.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Lost => return,
                State::Sized(left) => {
                    let (left, rest) = skip(bytes, left);
                    self.state = if left == 0 {
                        State::Head
                    } else {
                        State::Sized(left)
                    };
                    rest
                }
                State::Chunk(left) => {
                    let (left, rest) = skip(bytes, left);
                    self.state = if left == 0 {
                        State::ChunkEnd
                    } else {
                        State::Chunk(left)
                    };
                    rest
                }
                State::Head | State::ChunkSize | State::ChunkEnd | State::Trailers => {
                    self.read_line(bytes)
                }
            };
        }
    }

    /// The next head that was read and not asked for yet, in the order of the wire.
    pub(crate) fn next_head(&mut self) -> Option<Head> {
        self.heads.pop_front()
    }

    /// Whether the last head has a body that is compressed by its transfer coding. hyper refuses every coding but chunks
    /// with 400, as AWS does, but for this one.
    pub(crate) fn wants_gzip(&self) -> bool {
        self.wants_gzip
    }

    /// Reads to the end of the line, and answers what follows it.
    fn read_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (part, rest) = match end {
            Some(end) => (&bytes[..end], &bytes[end + 1..]),
            None => (bytes, &[][..]),
        };
        let room = KEPT_BYTES - self.line.len();
        self.line_cut |= part.len() > room;
        self.line.extend_from_slice(&part[..part.len().min(room)]);
        if end.is_some() {
            let mut line = std::mem::take(&mut self.line);
            self.end_line(line.strip_suffix(b"\r").unwrap_or(&line));
            line.clear();
            self.line = line;
            self.line_cut = false;
        }
        rest
    }

    fn end_line(&mut self, line: &[u8]) {
        self.state = match self.state {
            State::Head if line.is_empty() && self.fields.begun => self.end_head(),
            State::Head => {
                if self.fields.begun {
                    self.fields.read(line, self.line_cut);
                } else {
                    // Empty lines before a request line are skipped: RFC 9112 §2.2.
                    self.fields.begun = !line.is_empty();
                }
                State::Head
            }
            State::ChunkSize => match parse_chunk_size(line) {
                Some(0) => State::Trailers,
                Some(size) => State::Chunk(size),
                None => State::Lost,
            },
            State::ChunkEnd if line.is_empty() => State::ChunkSize,
            State::Trailers if line.is_empty() => State::Head,
            State::Trailers => State::Trailers,
            State::ChunkEnd | State::Sized(_) | State::Chunk(_) | State::Lost => State::Lost,
        };
    }

    fn end_head(&mut self) -> State {
        let fields = std::mem::take(&mut self.fields);
        let both = fields.coding.is_some() && fields.length_bytes.is_some();
        self.wants_gzip = fields.coding == Some(Coding::Gzip);
        let head = match fields.coding {
            _ if fields.ambiguous => Head::Ambiguous,
            Some(Coding::Gzip | Coding::Other) => Head::Coded,
            _ if both => Head::Both,
            _ => Head::Plain,
        };
        self.heads.push_back(head);
        match fields.length_bytes {
            // The connection ends with the answer to this one.
            _ if head != Head::Plain => State::Lost,
            _ if fields.coding.is_some() => State::ChunkSize,
            Some(length) if length > 0 => State::Sized(length),
            _ => State::Head,
        }
    }
}

impl Fields {
    fn read(&mut self, line: &[u8], cut: bool) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return;
        };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.coding = Some(match value {
                _ if cut || self.coding.is_some() => Coding::Other,
                value if value.eq_ignore_ascii_case(b"chunked") => Coding::Chunked,
                value if value.eq_ignore_ascii_case(b"gzip") => Coding::Gzip,
                _ => Coding::Other,
            });
        } else if name.eq_ignore_ascii_case(b"content-length") {
            let length = if cut { None } else { parse_length(value) };
            self.ambiguous |= length.is_none() || self.length_bytes.is_some();
            self.length_bytes = length.or(self.length_bytes);
        }
    }
}

/// Leaves out up to `count` bytes: how many are still to be left out, and what follows.
fn skip(bytes: &[u8], count: u64) -> (u64, &[u8]) {
    let here = usize::try_from(count).map_or(bytes.len(), |count| count.min(bytes.len()));
    let left = count - u64::try_from(here).unwrap_or(count);
    (left, &bytes[here..])
}

/// Digits and nothing else: no sign, as `u64::from_str` would take.
fn parse_length(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Hex digits, then what an extension may bring. A size of more than sixteen digits is none.
fn parse_chunk_size(line: &[u8]) -> Option<u64> {
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit());
    let digits = std::str::from_utf8(&line[..end.unwrap_or(line.len())]).ok()?;
    u64::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZED: &[u8] = b"PUT /b/k HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    const CHUNKED: &[u8] = b"PUT /b/k HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n5;ext=1\r\nhe\r\no\r\n0\r\nTrailer: a\r\n\r\n";
    const BARE: &[u8] = b"\r\nGET /b/k HTTP/1.1\r\nHost: x\r\n\r\n";

    #[test]
    fn requests_in_a_row_are_told_apart() {
        let bytes = [SIZED, CHUNKED, BARE, CHUNKED, SIZED].concat();

        assert_eq!(heads(&[&bytes]), [Head::Plain; 5]);
    }

    #[test]
    fn two_ways_to_end_a_body_are_ambiguous() {
        for fields in [
            "Content-Length: 5\r\ncontent-length: 5",
            "Content-Length: 5\r\nContent-Length: 6",
            "Content-Length: 5, 5",
            "Content-Length: +5",
            "Content-Length:",
        ] {
            let head = format!("PUT / HTTP/1.1\r\n{fields}\r\n\r\n");

            assert_eq!(heads(&[head.as_bytes()]), [Head::Ambiguous], "{fields}");
        }
    }

    #[test]
    fn chunks_and_a_length_are_told_from_the_rest() {
        for fields in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
        ] {
            let head = format!("PUT / HTTP/1.1\r\n{fields}\r\n\r\n");

            assert_eq!(heads(&[head.as_bytes()]), [Head::Both], "{fields}");
        }
    }

    #[test]
    fn only_chunks_are_plain() {
        for fields in [
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: identity, chunked",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: identity",
            "Transfer-Encoding: x, chunked\r\nContent-Length: 5",
            "Transfer-Encoding: gzip",
            "Transfer-Encoding: \u{b}chunked",
            "Transfer-Encoding: chunked                                                , gzip",
        ] {
            let head = format!("PUT / HTTP/1.1\r\n{fields}\r\n\r\n");

            assert_eq!(heads(&[head.as_bytes()]), [Head::Coded], "{fields}");
        }
    }

    #[test]
    fn nothing_is_read_behind_an_ambiguous_head() {
        let bytes = b"PUT / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";

        assert_eq!(heads(&[bytes]), [Head::Both]);
    }

    #[test]
    fn a_broken_chunk_ends_all_reading() {
        let broken = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n";

        assert_eq!(heads(&[broken, BARE]), [Head::Plain]);
    }

    proptest! {
        #[test]
        fn how_the_bytes_are_cut_makes_no_difference(order in prop::collection::vec(0..3_usize, 0..6), size in 1..40_usize) {
            let bytes = order.iter().map(|index| [SIZED, CHUNKED, BARE][*index]).collect::<Vec<_>>().concat();
            let pieces = bytes.chunks(size).collect::<Vec<_>>();

            prop_assert_eq!(heads(&pieces), vec![Head::Plain; order.len()]);
        }

        #[test]
        fn any_bytes_are_survived(pieces: Vec<Vec<u8>>) {
            let mut framing = Framing::default();

            for piece in &pieces {
                framing.feed(piece);
            }

            prop_assert!(framing.line.len() <= KEPT_BYTES);
        }
    }

    fn heads(pieces: &[&[u8]]) -> Vec<Head> {
        let mut framing = Framing::default();
        for piece in pieces {
            framing.feed(piece);
        }
        std::iter::from_fn(|| framing.next_head()).collect()
    }
}
