//! `GetCallerIdentity`: the one operation of STS that asks for no permission.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use std::sync::Arc;

use bytes::BytesMut;
use http::StatusCode;

use crate::auth::authenticator::Authenticator;
use crate::auth::identity::{Caller, Identity};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::sts::error::StsError;
use crate::wire::query::Query;
use crate::wire::request::Request;
use crate::wire::response::{About, Response};
use crate::wire::xml::XmlWriter;

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const GET_CALLER_IDENTITY: &str = "GetCallerIdentity";
/// A form is small.
const MAX_FORM_BYTES: usize = 65_536;

/// STS, as one service.
#[derive(Debug)]
pub(crate) struct StsService {
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
}

impl StsService {
    /// Answers a request; an error is an answer too.
    pub(crate) async fn respond(&self, request: Request) -> Response {
        let id = self.entropy.uuid();
        let mut about = About::default();
        let response = match self.try_answer(request, &mut about).await {
            Ok(answer) => Response::ok().body(render(&answer, &id).finish()),
            Err(error) => {
                about.error = Some(error.code);
                Response::new(error.status).body(render_error(&error, &id).finish())
            }
        };
        let response = response
            .header("content-type", "text/xml")
            .header("x-amzn-requestid", &id)
            .header("date", self.clock.now().http_date());
        about.request_id = id;
        response.about(about)
    }

    async fn try_answer(
        &self,
        mut request: Request,
        about: &mut About,
    ) -> Result<Arc<Identity>, StsError> {
        let form = read_form(&mut request).await?;
        let find = |name: &str| {
            form.find(name)
                .or_else(|| request.query.find(name))
                .map(str::to_owned)
        };
        let action = find("Action").unwrap_or_default();
        if action != GET_CALLER_IDENTITY {
            let message = format!(
                "Could not find operation {action} for version {}",
                find("Version").unwrap_or_default()
            );
            return Err(StsError::new(
                StatusCode::BAD_REQUEST,
                "InvalidAction",
                message,
            ));
        }
        about.operation = Some(GET_CALLER_IDENTITY);
        let identified =
            self.authenticator
                .identify(&mut request, "sts", None, self.clock.now())?;
        let Caller::Known(identity) = identified.caller else {
            let message = "Request is missing Authentication Token";
            return Err(StsError::new(
                StatusCode::FORBIDDEN,
                "MissingAuthenticationToken",
                message,
            ));
        };
        about.access_key = Some(identity.access_key.clone());
        about.account = Some(identity.account.clone());
        Ok(identity)
    }
}

/// Reads the form and leaves its hash where the signature's check looks for the payload's.
async fn read_form(request: &mut Request) -> Result<Query, StsError> {
    let refuse = |message: &str| StsError::new(StatusCode::BAD_REQUEST, "ValidationError", message);
    let mut form = BytesMut::new();
    let mut body = std::mem::take(&mut request.body);
    while let Some(piece) = body.next().await {
        form.extend_from_slice(&piece.map_err(|error| refuse(&error.to_string()))?);
        if form.len() > MAX_FORM_BYTES {
            return Err(refuse("The request is too long."));
        }
    }
    request.document = form.freeze();
    let text =
        std::str::from_utf8(&request.document).map_err(|_| refuse("The request is not UTF-8."))?;
    Ok(Query::parse(text))
}

fn render(identity: &Identity, id: &str) -> XmlWriter {
    let mut xml = XmlWriter::in_namespace("GetCallerIdentityResponse", NAMESPACE);
    xml.nest("GetCallerIdentityResult", |xml| {
        xml.element("Arn", identity.arn());
        xml.element("UserId", identity.user_id());
        xml.element("Account", &identity.account);
    });
    xml.nest("ResponseMetadata", |xml| {
        xml.element("RequestId", id);
    });
    xml
}

fn render_error(error: &StsError, id: &str) -> XmlWriter {
    let mut xml = XmlWriter::in_namespace("ErrorResponse", NAMESPACE);
    xml.nest("Error", |xml| {
        xml.element("Type", "Sender")
            .element("Code", error.code)
            .element("Message", &error.message);
    });
    xml.element("RequestId", id);
    xml
}
