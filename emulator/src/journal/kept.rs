//! A request as the journal keeps it: its texts in one run of bytes, since 10,000 requests of many small strings would take
//! three times the memory.

use crate::journal::received::ReceivedRequest;
use crate::journal::secrets;
use crate::model::timestamp::Timestamp;

/// The longest text that is kept whole, in bytes: the path of the longest key there can be, each of its bytes escaped.
const MOST_TEXT_BYTES: usize = 4_096;
/// What most requests need.
const USUAL_BYTES: usize = 512;

const METHOD: u8 = b'm';
const PATH: u8 = b'p';
const PARAMETER: u8 = b'q';
const HEADER: u8 = b'h';
const VALUE: u8 = b'=';
const BUCKET: u8 = b'b';
const KEY: u8 = b'k';
const ACCESS_KEY: u8 = b'a';
const ACCOUNT: u8 = b'c';
const ERROR: u8 = b'e';
const REQUEST_ID: u8 = b'i';

/// What is written down of a request when it comes; its outcome completes it.
#[derive(Debug)]
pub(crate) struct Draft {
    time: Timestamp,
    tls: bool,
    texts: Vec<u8>,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome<'a> {
    /// The operation that answered.
    pub(crate) operation: Option<&'static str>,
    /// The bucket.
    pub(crate) bucket: Option<&'a str>,
    /// The object's key.
    pub(crate) key: Option<&'a str>,
    /// The caller's access key.
    pub(crate) access_key: Option<&'a str>,
    /// The caller's account.
    pub(crate) account: Option<&'a str>,
    /// The status of the answer.
    pub(crate) status: u16,
    /// Its error code.
    pub(crate) error: Option<&'static str>,
    /// The bytes of the request's body that were read.
    pub(crate) received_bytes: u64,
    /// The bytes of the answer's body.
    pub(crate) sent_bytes: u64,
    /// The answer's id.
    pub(crate) request_id: &'a str,
}

/// A request in the journal.
#[derive(Debug)]
pub(super) struct Kept {
    time: Timestamp,
    pub(super) operation: Option<&'static str>,
    received_bytes: u64,
    sent_bytes: u64,
    status: u16,
    tls: bool,
    /// One after the other: a letter that says what it is, its length in two bytes, its bytes.
    texts: Box<[u8]>,
}

impl Draft {
    /// A request that came just now.
    pub(crate) fn new(time: Timestamp, tls: bool, (method, path): (&str, &str)) -> Self {
        let mut texts = Vec::with_capacity(USUAL_BYTES);
        append(&mut texts, METHOD, method.as_bytes());
        append(&mut texts, PATH, path.as_bytes());
        Self { time, tls, texts }
    }

    /// Writes down a parameter of its query, decoded; a secret is masked.
    pub(crate) fn parameter(&mut self, name: &str, value: &str) {
        let value = secrets::masked(name, value);
        append(&mut self.texts, PARAMETER, name.as_bytes());
        append(&mut self.texts, VALUE, value.as_bytes());
    }

    /// Writes down a header, if it is one that may be; its name in lower case.
    pub(crate) fn header(&mut self, name: &str, value: &[u8]) {
        if secrets::may_keep(name) {
            append(&mut self.texts, HEADER, name.as_bytes());
            append(&mut self.texts, VALUE, value);
        }
    }

    pub(super) fn end(self, outcome: &Outcome<'_>) -> Kept {
        let mut texts = self.texts;
        let told = [
            (BUCKET, outcome.bucket),
            (KEY, outcome.key),
            (ACCESS_KEY, outcome.access_key),
            (ACCOUNT, outcome.account),
            (ERROR, outcome.error),
            (REQUEST_ID, Some(outcome.request_id)),
        ];
        for (kind, text) in told {
            if let Some(text) = text {
                append(&mut texts, kind, text.as_bytes());
            }
        }
        Kept {
            time: self.time,
            operation: outcome.operation,
            received_bytes: outcome.received_bytes,
            sent_bytes: outcome.sent_bytes,
            status: outcome.status,
            tls: self.tls,
            texts: texts.into_boxed_slice(),
        }
    }
}

impl Kept {
    /// What it takes of the memory, in bytes.
    pub(super) fn size_bytes(&self) -> usize {
        size_of::<Self>() + self.texts.len()
    }

    pub(super) fn tell(&self) -> ReceivedRequest {
        let mut told = ReceivedRequest {
            time: self.time.to_system(),
            method: String::new(),
            path: String::new(),
            query: Vec::new(),
            headers: Vec::new(),
            tls: self.tls,
            operation: self.operation,
            bucket: None,
            key: None,
            access_key: None,
            account: None,
            status: self.status,
            error: None,
            received_bytes: self.received_bytes,
            sent_bytes: self.sent_bytes,
            request_id: String::new(),
        };
        let mut rest = &*self.texts;
        while let Some((kind, text)) = next(&mut rest) {
            match kind {
                METHOD => told.method = text,
                PATH => told.path = text,
                PARAMETER => told.query.push((text, value(&mut rest))),
                HEADER => told.headers.push((text, value(&mut rest))),
                BUCKET => told.bucket = Some(text),
                KEY => told.key = Some(text),
                ACCESS_KEY => told.access_key = Some(text),
                ACCOUNT => told.account = Some(text),
                ERROR => told.error = Some(text),
                _ => told.request_id = text,
            }
        }
        told
    }
}

fn append(texts: &mut Vec<u8>, kind: u8, text: &[u8]) {
    let text = &text[..text.len().min(MOST_TEXT_BYTES)];
    let length = u16::try_from(text.len()).expect("MOST_TEXT_BYTES fit into two bytes");
    texts.push(kind);
    texts.extend_from_slice(&length.to_be_bytes());
    texts.extend_from_slice(text);
}

/// The next text; a sign that was cut in two shows as such.
fn next(rest: &mut &[u8]) -> Option<(u8, String)> {
    let (kind, behind) = rest.split_first()?;
    let (length, behind) = behind.split_first_chunk()?;
    let (text, behind) = behind.split_at_checked(u16::from_be_bytes(*length).into())?;
    *rest = behind;
    Some((*kind, String::from_utf8_lossy(text).into_owned()))
}

fn value(rest: &mut &[u8]) -> String {
    next(rest).map(|(_, text)| text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn draft(path: &str) -> Draft {
        Draft::new(Timestamp::from_unix_millis(5), true, ("PUT", path))
    }

    #[test]
    fn what_was_written_down_is_told() {
        let mut draft = draft("/photos/a%20b");
        draft.parameter("prefix", "a\nb");
        draft.parameter("X-Amz-Signature", "secret");
        draft.header("range", b"bytes=0-1");
        draft.header("authorization", b"secret");

        let kept = draft.end(&Outcome {
            operation: Some("PutObject"),
            bucket: Some("photos"),
            key: Some("a b"),
            access_key: Some("test"),
            account: Some("000000000000"),
            status: 404,
            error: Some("NoSuchBucket"),
            received_bytes: 3,
            sent_bytes: 200,
            request_id: "ID",
        });

        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = ReceivedRequest {
            time: SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(5),
            method: "PUT".to_owned(),
            path: "/photos/a%20b".to_owned(),
            query: vec![pair("prefix", "a\nb"), pair("X-Amz-Signature", "***")],
            headers: vec![pair("range", "bytes=0-1")],
            tls: true,
            operation: Some("PutObject"),
            bucket: Some("photos".to_owned()),
            key: Some("a b".to_owned()),
            access_key: Some("test".to_owned()),
            account: Some("000000000000".to_owned()),
            status: 404,
            error: Some("NoSuchBucket".to_owned()),
            received_bytes: 3,
            sent_bytes: 200,
            request_id: "ID".to_owned(),
        };
        assert_eq!(kept.tell(), expected);
        assert_eq!(
            expected.to_string(),
            "1970-01-01T00:00:00.005Z PutObject: PUT /photos/a%20b?prefix=a b&X-Amz-Signature=*** -> 404 NoSuchBucket (test, 3 bytes in, 200 out)"
        );
    }

    #[test]
    fn a_text_beyond_the_bound_is_cut() {
        let path = "é".repeat(MOST_TEXT_BYTES);

        let told = draft(&path).end(&Outcome::default()).tell();

        assert_eq!(told.path, path[..MOST_TEXT_BYTES]);
        assert_eq!(told.bucket, None);
    }
}
