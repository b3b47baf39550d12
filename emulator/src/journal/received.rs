//! What is told of a request.

use std::fmt;
use std::time::SystemTime;

use crate::model::timestamp::Timestamp;

/// A request that was answered, and how. No body and no field of a form is in it; of the headers only those that tell how
/// something was asked for and cannot carry a secret. In the query, `***` stands for signatures, credentials, tokens and
/// customers' keys. A text of more than 4,096 bytes is cut.
///
/// It prints as one line.
///
/// ```
/// # fn check(server: &strongroom::Running) {
/// for request in server.received_requests() {
///     assert_eq!((request.operation, request.status), (Some("PutObject"), 200), "{request}");
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedRequest {
    /// When it came, by the server's clock.
    pub time: SystemTime,
    /// Its method.
    pub method: String,
    /// Its path as it was sent: percent-encoded, not normalised.
    pub path: String,
    /// Its query, decoded, in the order of the wire.
    pub query: Vec<(String, String)>,
    /// Some of its headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Whether it came by TLS.
    pub tls: bool,
    /// AWS's name of the operation that answered, of S3, KMS or STS: `PutObject`; `None` where none fitted.
    pub operation: Option<&'static str>,
    /// The bucket that it was about.
    pub bucket: Option<String>,
    /// The key of the object that it was about.
    pub key: Option<String>,
    /// The access key of who sent it; `None` for anonymous callers, and for those who were not believed.
    pub access_key: Option<String>,
    /// The account of who sent it.
    pub account: Option<String>,
    /// The status of the answer.
    pub status: u16,
    /// The error code of the answer, also where it has no body: `NoSuchKey`.
    pub error: Option<String>,
    /// So much of its body was read before the answer, in bytes as they were sent: chunks with their signatures.
    pub received_bytes: u64,
    /// So long is the body of the answer, in bytes, whether or not the client waited for all of it.
    pub sent_bytes: u64,
    /// The request id of the answer.
    pub request_id: String,
}

impl ReceivedRequest {
    /// The first value of a header; the name in lower case. `None` too for a header that is never remembered.
    ///
    /// ```
    /// # fn check(request: &strongroom::ReceivedRequest) {
    /// assert_eq!(request.header("x-amz-server-side-encryption"), Some("aws:kms"));
    /// # }
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        first(&self.headers, name)
    }

    /// The first value of a parameter of the query; empty where its name came alone.
    ///
    /// ```
    /// # fn check(request: &strongroom::ReceivedRequest) {
    /// assert_eq!(request.parameter("list-type"), Some("2"));
    /// # }
    /// ```
    pub fn parameter(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }
}

fn first<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    let found = pairs.iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

impl fmt::Display for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = Timestamp::from_system(self.time).iso8601();
        let operation = self.operation.unwrap_or("no operation");
        write!(f, "{time} {operation}: {} {}", self.method, self.path)?;
        for (index, (name, value)) in self.query.iter().enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            write!(f, "{mark}{}={}", on_a_line(name), on_a_line(value))?;
        }
        write!(f, " -> {}", self.status)?;
        if let Some(error) = &self.error {
            write!(f, " {error}")?;
        }
        let caller = self.access_key.as_deref().unwrap_or("anonymous");
        let (received, sent) = (self.received_bytes, self.sent_bytes);
        write!(f, " ({caller}, {received} bytes in, {sent} out)")
    }
}

/// A decoded value may hold what ends a line.
fn on_a_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}
