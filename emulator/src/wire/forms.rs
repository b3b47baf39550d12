//! `multipart/form-data`: a browser's form, read as it comes.
//!
//! The fields before the file are read whole, within a bound. The file is not: it is a body of its own that ends where the
//! form says so. Whatever comes behind it is read and forgotten, fields too.
//!
//! Source: RFC 7578, RFC 2046 §5.1; what S3 makes of it, <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>.

use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::wire::body::{Body, BodyError};

/// All that may stand before the content of the file, in bytes.
// AWS: unverified. The number is AWS's; that it counts delimiters and the heads of parts is a guess.
pub(crate) const MAX_FIELDS_BYTES: usize = 20_480;
/// RFC 2046 allows 70 characters.
const MAX_BOUNDARY_BYTES: usize = 70;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// A form up to its file.
#[derive(Debug)]
pub(crate) struct Form {
    /// The fields before the file.
    pub(crate) fields: Fields,
    /// What the client calls the file; `None` where it does not say.
    pub(crate) file_name: Option<String>,
    /// The content of the file.
    pub(crate) file: Body,
}

/// Names and values in the order of the wire. The case of a name does not matter; bytes that are not UTF-8 are U+FFFD.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

/// Why a body is no form with a file.
#[derive(Debug)]
pub(crate) enum FormError {
    /// It is no well-formed `multipart/form-data`.
    Malformed,
    /// What comes before the file is larger than [`MAX_FIELDS_BYTES`].
    TooLarge,
    /// It ends without a file.
    NoFile,
    /// The body ended early.
    Body(BodyError),
}

impl Form {
    /// Reads the fields of a form; what is left of `body` becomes the file.
    ///
    /// # Errors
    ///
    /// [`FormError`].
    pub(crate) async fn read(content_type: &str, body: Body) -> Result<Self, FormError> {
        let boundary = parse_boundary(content_type).ok_or(FormError::Malformed)?;
        let delimiter = [b"\r\n--", boundary.as_bytes()].concat();
        let mut reader = Reader::new(body);
        let preamble = reader.until(&delimiter[2..]).await?;
        if !preamble.is_empty() && !preamble.ends_with(b"\r\n") {
            return Err(FormError::Malformed);
        }
        let mut fields = Fields::default();
        while reader.begins_part().await? {
            let head = reader.until(HEAD_END).await?;
            let part = parse_head(&head).ok_or(FormError::Malformed)?;
            if part.is_form_data && part.name.eq_ignore_ascii_case("file") {
                return Ok(Self {
                    fields,
                    file_name: part.file_name,
                    file: file(reader, delimiter),
                });
            }
            let value = reader.until(&delimiter).await?;
            let value = String::from_utf8_lossy(&value).into_owned();
            fields.push(&part.name, &value);
        }
        Err(FormError::NoFile)
    }
}

impl Fields {
    /// Adds one.
    pub(crate) fn push(&mut self, name: &str, value: &str) {
        self.0.push((name.to_owned(), value.to_owned()));
    }

    /// The first value of a name.
    pub(crate) fn find(&self, name: &str) -> Option<&str> {
        let mut pairs = self.iter();
        pairs
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All values of a name.
    pub(crate) fn all<'f>(&'f self, name: &'f str) -> impl Iterator<Item = &'f str> {
        self.iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// All of them, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Replaces a variable in all values.
    pub(crate) fn expand(&mut self, variable: &str, text: &str) {
        for (_, value) in &mut self.0 {
            if value.contains(variable) {
                *value = value.replace(variable, text);
            }
        }
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Fields {
    fn from(pairs: [(&str, &str); N]) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self(pairs.map(owned).into())
    }
}

/// A body, and the part of it that came and was not yet taken.
struct Reader {
    body: Body,
    held: BytesMut,
    taken_bytes: usize,
}

impl Reader {
    fn new(body: Body) -> Self {
        Self {
            body,
            held: BytesMut::new(),
            taken_bytes: 0,
        }
    }

    /// What stands before `end`, which is taken too.
    async fn until(&mut self, end: &[u8]) -> Result<BytesMut, FormError> {
        let mut begin = 0;
        loop {
            match scan(&self.held[begin..], end) {
                Scan::Found(at) => {
                    let before = self.take(begin + at)?;
                    self.take(end.len())?;
                    return Ok(before);
                }
                Scan::Absent(at) => begin += at,
            }
            if self.taken_bytes + self.held.len() > MAX_FIELDS_BYTES {
                return Err(FormError::TooLarge);
            }
            self.fill().await?;
        }
    }

    /// Whether a part begins behind a delimiter; else the form ends there.
    async fn begins_part(&mut self) -> Result<bool, FormError> {
        while self.held.len() < 2 {
            self.fill().await?;
        }
        match &self.held[..2] {
            b"--" => Ok(false),
            // The head of a part without any header ends where it begins, so its first line break stays.
            b"\r\n" => Ok(true),
            _ => Err(FormError::Malformed),
        }
    }

    fn take(&mut self, length: usize) -> Result<BytesMut, FormError> {
        self.taken_bytes += length;
        if self.taken_bytes > MAX_FIELDS_BYTES {
            return Err(FormError::TooLarge);
        }
        Ok(self.held.split_to(length))
    }

    async fn fill(&mut self) -> Result<(), FormError> {
        match self.body.next().await {
            Some(piece) => {
                self.held
                    .extend_from_slice(&piece.map_err(FormError::Body)?);
                Ok(())
            }
            None => Err(FormError::Malformed),
        }
    }
}

/// The content of a file on its way through. It is read a piece at a time; what may be the beginning of the delimiter
/// waits for the next piece.
struct FilePart {
    body: Body,
    held: Bytes,
    delimiter: Vec<u8>,
}

fn file(reader: Reader, delimiter: Vec<u8>) -> Body {
    let part = FilePart {
        body: reader.body,
        held: reader.held.freeze(),
        delimiter,
    };
    let stream = futures_util::stream::unfold(Some(part), advance);
    Body::stream(Box::pin(stream), None)
}

async fn advance(part: Option<FilePart>) -> Option<(Result<Bytes, BodyError>, Option<FilePart>)> {
    let mut part = part?;
    loop {
        match scan(&part.held, &part.delimiter) {
            Scan::Found(at) => {
                let last = part.held.split_to(at);
                return match part.forget_rest().await {
                    Ok(()) => Some((Ok(last), None)),
                    Err(error) => Some((Err(error), None)),
                };
            }
            Scan::Absent(0) => {}
            Scan::Absent(at) => return Some((Ok(part.held.split_to(at)), Some(part))),
        }
        if let Err(error) = part.fill().await {
            return Some((Err(error), None));
        }
    }
}

impl FilePart {
    async fn fill(&mut self) -> Result<(), BodyError> {
        let piece = self.body.next().await.ok_or(BodyError::Malformed)??;
        self.held = if self.held.is_empty() {
            piece
        } else {
            [&self.held[..], &piece[..]].concat().into()
        };
        Ok(())
    }

    /// Reads what follows the file, so that the connection can carry another request.
    async fn forget_rest(&mut self) -> Result<(), BodyError> {
        while let Some(piece) = self.body.next().await {
            piece?;
        }
        Ok(())
    }
}

/// Where a mark stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scan {
    /// It begins here.
    Found(usize),
    /// It does not stand before here, where it may begin.
    Absent(usize),
}

fn scan(bytes: &[u8], mark: &[u8]) -> Scan {
    let mut from = 0;
    while let Some(at) = bytes[from..]
        .iter()
        .position(|byte| Some(byte) == mark.first())
    {
        let candidate = &bytes[from + at..];
        if candidate.starts_with(mark) {
            return Scan::Found(from + at);
        }
        if mark.starts_with(candidate) {
            return Scan::Absent(from + at);
        }
        from += at + 1;
    }
    Scan::Absent(bytes.len())
}

/// What the head of a part says.
struct Part {
    is_form_data: bool,
    name: String,
    file_name: Option<String>,
}

fn parse_head(head: &[u8]) -> Option<Part> {
    let head = String::from_utf8_lossy(head);
    let mut headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, disposition) =
        headers.find(|(name, _)| name.trim().eq_ignore_ascii_case("content-disposition"))?;
    let (kind, parameters) = disposition.split_once(';')?;
    Some(Part {
        is_form_data: kind.trim().eq_ignore_ascii_case("form-data"),
        name: parameter(parameters, "name")?,
        file_name: parameter(parameters, "filename"),
    })
}

fn parse_boundary(content_type: &str) -> Option<String> {
    let (_, parameters) = content_type.split_once(';')?;
    parameter(parameters, "boundary")
        .filter(|boundary| (1..=MAX_BOUNDARY_BYTES).contains(&boundary.len()))
}

/// The value of a parameter: `name=value` or `name="value"`. Of the escapes within quotes only that of the quote counts:
/// file names may have backslashes.
fn parameter(mut rest: &str, wanted: &str) -> Option<String> {
    loop {
        let (name, tail) = rest.split_once('=')?;
        let (value, tail) = if let Some(quoted) = tail.strip_prefix('"') {
            let end = closing_quote(quoted)?;
            (quoted[..end].replace("\\\"", "\""), &quoted[end + 1..])
        } else {
            let end = tail.find(';').unwrap_or(tail.len());
            (tail[..end].trim().to_owned(), &tail[end..])
        };
        let name = name.trim_matches(|sign: char| sign == ';' || sign.is_whitespace());
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = tail;
    }
}

fn closing_quote(quoted: &str) -> Option<usize> {
    let mut ends = quoted.match_indices('"').map(|(at, _)| at);
    ends.find(|&at| !quoted[..at].ends_with('\\'))
}

impl From<BodyError> for FormError {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("no well-formed multipart/form-data"),
            Self::TooLarge => write!(f, "more than {MAX_FIELDS_BYTES} bytes before the file"),
            Self::NoFile => f.write_str("a form without a file"),
            Self::Body(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for FormError {}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, stream};
    use proptest::prelude::*;

    use super::*;

    const TYPE: &str = "multipart/form-data; boundary=\"edge\"";

    /// A form and its file, read from pieces that end at `cuts`.
    fn read(body: &[u8], cuts: &[usize]) -> Result<(Form, Vec<u8>), FormError> {
        let (mut pieces, mut rest) = (Vec::new(), body);
        for &cut in cuts.iter().chain([&body.len()]) {
            let (piece, tail) = rest.split_at(cut.min(rest.len()));
            rest = tail;
            pieces.push(Ok(Bytes::copy_from_slice(piece)));
        }
        let body = Body::stream(Box::pin(stream::iter(pieces)), None);
        let mut form = Form::read(TYPE, body).now_or_never().unwrap()?;
        let mut content = Vec::new();
        while let Some(piece) = form.file.next().now_or_never().unwrap() {
            content.extend_from_slice(&piece?);
        }
        Ok((form, content))
    }

    fn field(name: &str, value: &str) -> String {
        format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    }

    fn part(head: &str, content: &[u8], end: &str) -> Vec<u8> {
        let head = format!("--edge\r\n{head}\r\n\r\n");
        [head.as_bytes(), content, b"\r\n--edge", end.as_bytes()].concat()
    }

    fn with_file(fields: &str, content: &[u8]) -> Vec<u8> {
        let head = "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"";
        [fields.as_bytes(), &part(head, content, "--\r\n")].concat()
    }

    fn name_of(parameters: &str) -> Option<String> {
        let head = format!("content-disposition:form-data;{parameters}");
        read(&part(&head, b"x", "--"), &[]).unwrap().0.file_name
    }

    #[test]
    fn fields_are_found_whatever_their_case() {
        let fields = field("Key", "a") + &field("key", "b") + &field("\u{e4}", "\u{f6}\r\n");

        let (form, content) = read(&with_file(&fields, b"content"), &[]).unwrap();

        assert_eq!(form.fields.all("KEY").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(form.fields.find("\u{e4}"), Some("\u{f6}\r\n"));
        assert_eq!(form.file_name.as_deref(), Some("a.txt"));
        assert_eq!(content, b"content");
    }

    #[test]
    fn what_follows_the_file_is_forgotten() {
        let mut body = with_file("", b"content");
        body.truncate(body.len() - 4);
        body.extend_from_slice(format!("\r\n{}--edge--", field("key", "late")).as_bytes());

        let (form, content) = read(&body, &[]).unwrap();

        assert_eq!(form.fields, Fields::default());
        assert_eq!(content, b"content");
    }

    #[test]
    fn names_of_files_are_read_as_browsers_write_them() {
        let named = |text: &str| Some(text.to_owned());

        assert_eq!(name_of("name=file"), None);
        assert_eq!(name_of("name=file; filename=\"\""), named(""));
        assert_eq!(name_of("name=file; FileName=a.txt"), named("a.txt"));
        assert_eq!(
            name_of("filename=\"a;name=b\";name=file"),
            named("a;name=b")
        );
        assert_eq!(
            name_of("name=file; filename=\"c:\\x\\say \\\"hi\\\".txt\""),
            named("c:\\x\\say \"hi\".txt")
        );
    }

    #[test]
    fn a_part_that_is_no_form_data_is_a_field() {
        let attached = part("Content-Disposition: attachment; name=\"file\"", b"x", "--");

        assert!(matches!(read(&attached, &[]), Err(FormError::NoFile)));
    }

    #[test]
    fn bodies_that_are_no_forms_are_refused() {
        let cases: [&[u8]; 9] = [
            b"",
            b"key=a&file=b",
            b"x--edge\r\n",
            b"--edge",
            b"--edge x\r\n",
            b"--edge\r\n\r\nno head\r\n--edge--",
            b"--edge\r\nContent-Type: text/plain\r\n\r\nno name\r\n--edge--",
            b"--edge\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nno end",
            b"--edge\r\nContent-Disposition: form-data; name=\"a\r\n\r\nno quote\r\n--edge--",
        ];
        for body in cases {
            let text = String::from_utf8_lossy(body);
            assert!(
                matches!(read(body, &[]), Err(FormError::Malformed)),
                "{text}"
            );
        }
        let cut = part("Content-Disposition: form-data; name=file", b"x", "");
        let cut = read(&cut[..cut.len() - 2], &[]);
        assert!(matches!(cut, Err(FormError::Body(BodyError::Malformed))));
        let typed = |kind: &str| Form::read(kind, Body::empty()).now_or_never().unwrap();
        assert!(matches!(
            typed("multipart/form-data"),
            Err(FormError::Malformed)
        ));
    }

    #[test]
    fn fields_are_bounded_and_files_are_not() {
        let long = |length: usize| field("a", &"x".repeat(length));
        let fits = read(&with_file(&long(20_000), &vec![b'x'; 100_000]), &[]).unwrap();

        assert_eq!(fits.1.len(), 100_000);
        for body in [with_file(&long(20_480), b""), b"x".repeat(20_481)] {
            assert!(matches!(read(&body, &[]), Err(FormError::TooLarge)));
        }
        let many = field("a", "").repeat(1_000);
        assert!(matches!(
            read(&with_file(&many, b""), &[]),
            Err(FormError::TooLarge)
        ));
    }

    proptest! {
        #[test]
        fn any_pieces_read_as_the_whole(
            values in prop::collection::vec("[\r\n -]{0,9}\\PC{0,9}", 0..5),
            content in prop::collection::vec(prop::sample::select(b"\r\n-edgx".to_vec()), 0..400),
            cuts in prop::collection::vec(0_usize..90, 0..9),
        ) {
            prop_assume!(!content.windows(8).any(|eight| eight == b"\r\n--edge"));
            let fields: String = values.iter().map(|value| field("a", value)).collect();

            let (form, read) = read(&with_file(&fields, &content), &cuts).unwrap();

            prop_assert_eq!(form.fields.all("a").collect::<Vec<_>>(), values);
            prop_assert_eq!(read, content);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>, text in "(--edge|\r\n|\r\n\r\n|[a-z]|Content-Disposition:|form-data|name=|\"|;){0,40}") {
            let _ = read(&bytes, &[1, 2]);
            let _ = read(text.as_bytes(), &[3]);
        }
    }
}
