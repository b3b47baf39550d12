//! The one way out: request ids, date, and the error body.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTErrorResponses.html>, and answers recorded from AWS
//! (no `Resource` element; some operations leave the XML declaration out).

use http::{Method, StatusCode};

use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::s3::error::{ErrorForm, S3Error};
use crate::wire::body::Body;
use crate::wire::encoding::base64;
use crate::wire::response::Response;
use crate::wire::xml::XmlWriter;

/// The digits of a request id: no I, L, O, U, as Crockford's base 32.
const REQUEST_ID_DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// What a message carries to be told from all others.
#[derive(Debug)]
pub(crate) struct MessageIds {
    /// `x-amz-request-id`: 16 digits.
    pub(crate) request: String,
    /// `x-amz-id-2`: base64, 96 characters.
    pub(crate) host: String,
}

impl MessageIds {
    /// Fresh ones.
    pub(crate) fn draw(entropy: &Entropy) -> Self {
        let bytes: [u8; 88] = entropy.bytes();
        let (request, host) = bytes.split_at(16);
        let digit = |byte: &u8| char::from(REQUEST_ID_DIGITS[usize::from(byte % 32)]);
        Self {
            request: request.iter().map(digit).collect(),
            host: base64(host),
        }
    }
}

/// Puts on what every answer carries.
pub(crate) fn finish(response: Response, ids: &MessageIds, clock: &Clock) -> Response {
    response
        .header("x-amz-request-id", &ids.request)
        .header("x-amz-id-2", &ids.host)
        .header("date", clock.now().http_date())
        .header("server", "AmazonS3")
}

/// Renders an error. There is no body to HEAD and none with 304.
pub(crate) fn error(
    error: &S3Error,
    ids: &MessageIds,
    method: &Method,
    form: ErrorForm,
) -> Response {
    log(error, ids);
    let mut response = Response::new(error.code.status());
    for (name, value) in &error.headers {
        response = response.header(name, value);
    }
    if response.status == StatusCode::NOT_MODIFIED {
        return response;
    }
    response = response.header("content-type", "application/xml");
    if *method == Method::HEAD {
        return response;
    }
    if form == ErrorForm::BareAndLast {
        response = response.header("connection", "close");
    }
    let is_bare = form != ErrorForm::Declared;
    response.body(Body::from(render(error, ids, is_bare)))
}

fn log(error: &S3Error, ids: &MessageIds) {
    let code = error.code.name();
    if let Some(source) = &error.source {
        tracing::error!(request = %ids.request, code, cause = %chain(source.as_ref()), "answered an error");
    } else {
        let message = (!error.is_private).then_some(&*error.message);
        tracing::debug!(request = %ids.request, code, message, "refused");
    }
}

/// An error and all that caused it, in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn render(error: &S3Error, ids: &MessageIds, bare: bool) -> bytes::Bytes {
    let mut xml = if bare {
        XmlWriter::bare("Error")
    } else {
        XmlWriter::declared("Error")
    };
    xml.element("Code", error.code.name());
    xml.element("Message", &error.message);
    for (name, value) in &error.details {
        xml.element(name, value);
    }
    xml.element("RequestId", &ids.request);
    xml.element("HostId", &ids.host);
    xml.finish()
}

/// An XML answer of 200, with its content type.
pub(crate) fn xml(document: XmlWriter) -> Response {
    Response::ok()
        .header("content-type", "application/xml")
        .body(document.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::s3::code::Code;

    /// Source: answers recorded from AWS in March 2026.
    #[test]
    fn errors_have_the_form_of_their_operation() {
        let ids = MessageIds::draw(&Entropy::seeded(1));
        let answer = |form| error(&Code::AccessDenied.error(), &ids, &Method::PUT, form);
        let closes = |response: &Response| {
            let value = response.headers.get("connection");
            value.is_some_and(|value| value == "close")
        };
        let forms = [
            (ErrorForm::Declared, false),
            (ErrorForm::Bare, false),
            (ErrorForm::BareAndLast, true),
        ];

        for (form, is_last) in forms {
            assert_eq!(closes(&answer(form)), is_last, "{form:?}");
        }
        let document = render(&Code::AccessDenied.error(), &ids, true);
        assert!(document.starts_with(b"<Error>"));
    }
}
