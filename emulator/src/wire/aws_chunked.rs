//! `aws-chunked`: a body in chunks with a signature each, or none, and a trailer behind them.
//!
//! A push parser: bytes go in as they come, and it tells of chunk borders, data and trailer. No chunk is ever held whole:
//! a client may send 5 GiB as one.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html>

use std::fmt;

/// The longest line: a chunk's head, or a header of the trailer, in bytes.
const MAX_LINE_BYTES: usize = 4_096;
/// How many headers a trailer may have.
const MAX_TRAILERS: usize = 16;
/// All chunks but the last have at least this many bytes.
const MIN_CHUNK_BYTES: u64 = 8_192;

/// What the parser comes across.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece<'b> {
    /// A chunk begins; `signature` is the client's, where there is one.
    Head {
        /// Its length in bytes; 0 for the last one, which has no data.
        length_bytes: u64,
        /// `chunk-signature`.
        signature: Option<String>,
    },
    /// Data of the chunk that began last.
    Data(&'b [u8]),
    /// The chunk that began last ends.
    End,
    /// A header of the trailer, its name in lower case.
    Trailer {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
}

/// What is wrong with a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChunkError {
    /// A chunk's head or end that is none.
    Malformed,
    /// A chunk before the last one is too short; holds the number of the one behind it, from 1 on, and its length.
    ///
    /// Source: answers of S3 quoted in versity/versitygw#1665 and #1683.
    TooShort(u64, u64),
    /// A line of the trailer that is no header.
    MalformedTrailer,
    /// The body ended before its end.
    Incomplete,
}

/// Where the parser stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Head,
    Data(u64),
    /// The line break behind a chunk's data.
    Border,
    Trailer,
    Done,
}

/// Reads a body of chunks.
#[derive(Clone, Debug)]
pub(crate) struct ChunkParser {
    state: State,
    line: Vec<u8>,
    has_trailer: bool,
    trailers: usize,
    chunks: u64,
    /// The length of a chunk that is too short unless it was the last.
    short: Option<u64>,
}

impl ChunkParser {
    /// At the beginning of a body, which has a trailer or not.
    pub(crate) fn new(has_trailer: bool) -> Self {
        Self {
            state: State::Head,
            line: Vec::new(),
            has_trailer,
            trailers: 0,
            chunks: 0,
            short: None,
        }
    }

    /// Takes the next bytes and tells `visit` what they are.
    ///
    /// # Errors
    ///
    /// [`ChunkError`], or what `visit` fails with.
    pub(crate) fn push<E: From<ChunkError>>(
        &mut self,
        mut bytes: &[u8],
        mut visit: impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        while !bytes.is_empty() {
            if let State::Data(left) = self.state {
                let available = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let taken = usize::try_from(left.min(available)).unwrap_or(bytes.len());
                let (data, rest) = bytes.split_at(taken);
                visit(Piece::Data(data))?;
                bytes = rest;
                self.state = match left.saturating_sub(available) {
                    0 => State::Border,
                    left => State::Data(left),
                };
                continue;
            }
            if self.state == State::Done {
                return Err(ChunkError::Malformed.into());
            }
            let (line, rest) = self.take_line(bytes)?;
            bytes = rest;
            if let Some(line) = line {
                self.read_line(&line, &mut visit)?;
            }
        }
        Ok(())
    }

    /// Checks that the body was whole.
    ///
    /// # Errors
    ///
    /// [`ChunkError::Incomplete`].
    pub(crate) fn finish(&self) -> Result<(), ChunkError> {
        // A trailer may end with the body instead of with an empty line.
        let trailer_told =
            self.state == State::Trailer && self.trailers > 0 && self.line.is_empty();
        if self.state == State::Done || trailer_told {
            Ok(())
        } else {
            Err(ChunkError::Incomplete)
        }
    }

    /// A line without its end, once it is whole, and the bytes behind it.
    fn take_line<'b>(
        &mut self,
        bytes: &'b [u8],
    ) -> Result<(Option<Vec<u8>>, &'b [u8]), ChunkError> {
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let (piece, rest) = bytes.split_at(end.map_or(bytes.len(), |end| end + 1));
        self.line.extend_from_slice(piece);
        if self.line.len() > MAX_LINE_BYTES {
            return Err(self.malformed());
        }
        if end.is_none() {
            return Ok((None, rest));
        }
        let mut line = std::mem::take(&mut self.line);
        if !line.ends_with(b"\r\n") {
            return Err(self.malformed());
        }
        line.truncate(line.len() - 2);
        Ok((Some(line), rest))
    }

    fn malformed(&self) -> ChunkError {
        if self.state == State::Trailer {
            ChunkError::MalformedTrailer
        } else {
            ChunkError::Malformed
        }
    }

    fn read_line<E: From<ChunkError>>(
        &mut self,
        line: &[u8],
        visit: &mut impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        match self.state {
            State::Head => self.read_head(line, visit),
            State::Border if line.is_empty() => {
                self.state = State::Head;
                visit(Piece::End)
            }
            State::Trailer if line.is_empty() => {
                self.state = State::Done;
                Ok(())
            }
            State::Trailer => self.read_trailer(line, visit),
            State::Border | State::Data(_) | State::Done => Err(ChunkError::Malformed.into()),
        }
    }

    fn read_head<E: From<ChunkError>>(
        &mut self,
        line: &[u8],
        visit: &mut impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let (length_bytes, signature) = parse_head(line).ok_or(ChunkError::Malformed)?;
        let is_last = length_bytes == 0;
        if let Some(short) = self.short.filter(|_| !is_last) {
            return Err(ChunkError::TooShort(self.chunks + 1, short).into());
        }
        self.chunks += 1;
        self.short = (length_bytes < MIN_CHUNK_BYTES).then_some(length_bytes);
        visit(Piece::Head {
            length_bytes,
            signature,
        })?;
        if !is_last {
            self.state = State::Data(length_bytes);
            return Ok(());
        }
        visit(Piece::End)?;
        // Without a trailer an empty line ends the body; with one, its headers come first.
        self.state = State::Trailer;
        Ok(())
    }

    fn read_trailer<E: From<ChunkError>>(
        &mut self,
        line: &[u8],
        visit: &mut impl FnMut(Piece<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.trailers += 1;
        let header = std::str::from_utf8(line)
            .ok()
            .and_then(|line| line.split_once(':'));
        match header {
            Some((name, value)) if self.has_trailer && self.trailers <= MAX_TRAILERS => {
                visit(Piece::Trailer {
                    name: name.trim().to_ascii_lowercase(),
                    value: value.trim().to_owned(),
                })
            }
            _ => Err(ChunkError::MalformedTrailer.into()),
        }
    }
}

/// `SIZE` in hex, and `;chunk-signature=…` or nothing.
fn parse_head(line: &[u8]) -> Option<(u64, Option<String>)> {
    let line = std::str::from_utf8(line).ok()?;
    let (size, extension) = line
        .split_once(';')
        .map_or((line, None), |(size, rest)| (size, Some(rest)));
    let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
    let size = digits.then(|| u64::from_str_radix(size, 16).ok())??;
    let signature = match extension {
        None => None,
        Some(extension) => Some(extension.strip_prefix("chunk-signature=")?.to_owned()),
    };
    Some((size, signature))
}

impl fmt::Display for ChunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("a malformed chunk"),
            Self::TooShort(index, length) => {
                write!(f, "chunk {index} follows one of {length} bytes")
            }
            Self::MalformedTrailer => f.write_str("a malformed trailer"),
            Self::Incomplete => f.write_str("the last chunk is missing"),
        }
    }
}

impl std::error::Error for ChunkError {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Told = (Vec<u8>, Vec<(String, String)>);

    fn read(body: &[u8], has_trailer: bool, cuts: &[usize]) -> Result<Told, ChunkError> {
        let mut parser = ChunkParser::new(has_trailer);
        let (mut data, mut trailers) = (Vec::new(), Vec::new());
        let mut rest = body;
        for &cut in cuts.iter().chain([&body.len()]) {
            let (piece, tail) = rest.split_at(cut.min(rest.len()));
            rest = tail;
            parser.push(piece, |piece| {
                match piece {
                    Piece::Data(bytes) => data.extend_from_slice(bytes),
                    Piece::Trailer { name, value } => trailers.push((name, value)),
                    Piece::Head { .. } | Piece::End => {}
                }
                Ok::<(), ChunkError>(())
            })?;
        }
        parser.finish().map(|()| (data, trailers))
    }

    fn write(data: &[u8], chunk: usize, trailer: &str) -> Vec<u8> {
        let mut body = Vec::new();
        for piece in data.chunks(chunk) {
            body.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
            body.extend_from_slice(piece);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("0\r\n{trailer}\r\n").as_bytes());
        body
    }

    #[test]
    fn a_trailer_is_told() {
        let told = read(
            b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
            true,
            &[],
        )
        .unwrap();

        assert_eq!(told.0, b"abc");
        assert_eq!(
            told.1,
            [("x-amz-checksum-crc32".to_owned(), "AAAAAA==".to_owned())]
        );
    }

    #[test]
    fn what_is_no_body_of_chunks_is_refused() {
        let cases: [(&[u8], ChunkError); 9] = [
            (b"", ChunkError::Incomplete),
            (b"3\r\nabc\r\n", ChunkError::Incomplete),
            (b"3\r\nab", ChunkError::Incomplete),
            (b"x\r\nabc\r\n0\r\n\r\n", ChunkError::Malformed),
            (b"3\nabc\r\n0\r\n\r\n", ChunkError::Malformed),
            (b"3\r\nabcd\r\n0\r\n\r\n", ChunkError::Malformed),
            (b"+3\r\nabc\r\n0\r\n\r\n", ChunkError::Malformed),
            (b"0\r\n\r\nx", ChunkError::Malformed),
            (b"0\r\nno header\r\n\r\n", ChunkError::MalformedTrailer),
        ];
        for (body, error) in cases {
            assert_eq!(
                read(body, true, &[]),
                Err(error),
                "{}",
                String::from_utf8_lossy(body)
            );
        }
        assert_eq!(
            read(b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n", false, &[]),
            Err(ChunkError::TooShort(2, 1))
        );
        assert_eq!(
            read(&[b'0'; MAX_LINE_BYTES + 1], false, &[]),
            Err(ChunkError::Malformed)
        );
    }

    proptest! {
        #[test]
        fn any_pieces_read_as_the_whole(data: Vec<u8>, more in 0_usize..20_000, cuts in prop::collection::vec(0_usize..9_000, 0..8)) {
            let data = [data, vec![b'\r'; more]].concat();
            let body = write(&data, 8_192, "x-amz-checksum-crc32:AAAAAA==\r\n");

            let told = read(&body, true, &cuts).unwrap();

            prop_assert_eq!(told.0, data);
            prop_assert_eq!(told.1.len(), 1);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "[0-9a-f;:\r\n]*") {
            let _ = read(&bytes, true, &[]);
            let _ = read(text.as_bytes(), false, &[1, 2, 3]);
        }
    }
}
