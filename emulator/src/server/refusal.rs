//! The few answers that the server gives itself, spelled as S3 spells its errors.

use http::StatusCode;

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::wire::encoding::base64;
use crate::wire::response::{About, Response};

/// The headers of a request, in bytes: names, values, and the four bytes that part them from each other.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html> ("limited to 8 KB in size").
pub(crate) const MAX_HEADER_BYTES: usize = 8_192;
/// The characters of a request id: digits and letters without I, L, O and U.
const ID_CHARACTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Why a request reaches no service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It says in two ways where its body ends, or in none that we can tell.
    AmbiguousLength,
    /// It names two hosts.
    AmbiguousHost,
    /// It names none, where its version of HTTP wants one.
    NoHost,
    /// Its headers are larger than [`MAX_HEADER_BYTES`].
    HeadersTooLarge,
    /// Nothing here speaks this protocol.
    NotImplemented,
}

/// Code, status, message, and what stands between message and request id.
struct Row(StatusCode, &'static str, &'static str, String);

impl Refusal {
    /// The answer.
    pub(crate) fn respond(self, clock: &Clock, entropy: &Entropy) -> Response {
        let Row(status, code, message, fields) = self.row();
        let answer = Response::new(status)
            .header("date", clock.now().http_date())
            .header("server", "AmazonS3");
        if self == Self::NoHost {
            return answer.about(About {
                error: Some(code),
                ..About::default()
            });
        }
        let id = entropy
            .bytes::<16>()
            .map(|byte| char::from(ID_CHARACTERS[usize::from(byte % 32)]));
        let id = String::from_iter(id);
        let host_id = base64(&entropy.bytes::<72>());
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>{fields}\
             <RequestId>{id}</RequestId><HostId>{host_id}</HostId></Error>"
        );
        answer
            .header("content-type", "application/xml")
            .header("x-amz-request-id", &id)
            .header("x-amz-id-2", &host_id)
            .body(body)
            .about(About {
                error: Some(code),
                request_id: id,
                ..About::default()
            })
    }

    fn row(self) -> Row {
        match self {
            // AWS: unverified. A load balancer in front of S3 answers this, and its words are in no model.
            Self::AmbiguousLength | Self::AmbiguousHost => Row(
                StatusCode::BAD_REQUEST,
                "BadRequest",
                "An error occurred when parsing the HTTP request.",
                String::new(),
            ),
            // Of this row AWS tells the status alone: neither a body nor an id comes with it (versity/versitygw#1530).
            Self::NoHost => Row(StatusCode::BAD_REQUEST, "BadRequest", "", String::new()),
            // AWS: unverified, but for the code and message, which stand in the list of error codes.
            Self::HeadersTooLarge => Row(
                StatusCode::BAD_REQUEST,
                "RequestHeaderSectionTooLarge",
                "Your request header section exceeds the maximum allowed size.",
                format!("<MaxSizeAllowed>{MAX_HEADER_BYTES}</MaxSizeAllowed>"),
            ),
            Self::NotImplemented => Row(
                StatusCode::NOT_IMPLEMENTED,
                "NotImplemented",
                "A header you provided implies functionality that is not implemented",
                String::new(),
            ),
        }
    }
}
