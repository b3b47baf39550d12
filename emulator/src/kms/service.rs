//! The pipeline of KMS: target, body, credentials, operation, journal.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html>; the shape of errors is from answers
//! quoted in public.

use std::sync::Arc;

use bytes::BytesMut;
use http::{HeaderValue, Method};
use serde_json::{Value, json};

use crate::auth::authenticator::{Authenticator, Identified};
use crate::auth::identity::Caller;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::journal::kms_calls::{KmsCall, KmsCalls, Through};
use crate::keyring::asker::Asker;
use crate::keyring::handle::Keyring;
use crate::kms::context::{Context, Noted};
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::operation::{Call, Entry};
use crate::kms::operations;
use crate::wire::request::Request;
use crate::wire::response::Response;

/// What `X-Amz-Target` begins with.
pub(crate) const TARGET: &str = "TrentService.";
const JSON: &str = "application/x-amz-json-1.1";
/// The largest request: a key policy of 128 KiB and what else there can be, in bytes.
const MAX_BODY_BYTES: usize = 262_144;

/// KMS, as one service.
#[derive(Debug)]
pub(crate) struct KmsService {
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) calls: KmsCalls,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
}

impl KmsService {
    /// Answers a call that is made in process, by somebody who need not sign.
    ///
    /// # Errors
    ///
    /// One line: exception and message.
    pub(crate) async fn call(
        &self,
        caller: Identified,
        operation: &str,
        body: Value,
    ) -> Result<Value, String> {
        let mut request = Request::new(Method::POST, "/", "");
        let target = HeaderValue::from_str(&format!("{TARGET}{operation}"));
        let target = target.map_err(|error| error.to_string())?;
        request.headers.insert("x-amz-target", target);
        request.body = body.to_string().into();
        let answer = self.try_answer(Some(caller), request).await;
        answer.map_err(|error| error.to_string())
    }

    /// Answers a request; an error is an answer too.
    pub(crate) async fn respond(&self, request: Request) -> Response {
        let id = self.entropy.uuid();
        let answer = self.try_answer(None, request).await;
        let response = match answer {
            Ok(Value::Null) => Response::ok(),
            Ok(value) => Response::ok().body(value.to_string()),
            Err(error) => render(&error, &id),
        };
        response
            .header("content-type", JSON)
            .header("x-amzn-requestid", &id)
            .header("date", self.clock.now().http_date())
    }

    async fn try_answer(
        &self,
        caller: Option<Identified>,
        mut request: Request,
    ) -> Result<Value, KmsError> {
        let entry = find(&request)?;
        read_body(&mut request).await?;
        let identified = match caller {
            Some(caller) => caller,
            None => self
                .authenticator
                .identify(&mut request, "kms", None, self.clock.now())?,
        };
        let Caller::Known(identity) = identified.caller else {
            return Err(KmsError::new(
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            ));
        };
        let mut cx = Context {
            keyring: Arc::clone(&self.keyring),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            asker: Asker {
                caller: identity.arn(),
                account: identity.account.clone(),
                region: identified.region,
                through: Through::Direct,
                operation: entry.name,
            },
            noted: Noted::default(),
        };
        let answer = match entry.call {
            Call::Operation(run) => match Members::parse(&request.document) {
                Ok(members) => run(members, &mut cx).await,
                Err(error) => Err(error),
            },
            Call::Unbuilt => Err(KmsError::unsupported(format!(
                "{} is not built yet",
                entry.name
            ))),
        };
        self.record(cx, answer.as_ref().err());
        answer
    }

    fn record(&self, cx: Context, error: Option<&KmsError>) {
        self.calls.record(KmsCall {
            time: self.clock.now().to_system(),
            operation: cx.asker.operation.to_owned(),
            caller: cx.asker.caller,
            key_arn: cx.noted.key_arn,
            context: cx.noted.context.pairs().clone(),
            through: cx.asker.through,
            bucket_key_hit: false,
            error: error.map(|error| error.exception.to_owned()),
        });
    }
}

// AWS: unverified. The exception for an operation that KMS does not know.
fn find(request: &Request) -> Result<&'static Entry, KmsError> {
    let target = request.header("x-amz-target").unwrap_or_default();
    let found = target
        .strip_prefix(TARGET)
        .and_then(|name| operations::all().find(|entry| entry.name == name));
    found.ok_or_else(|| KmsError::new("UnknownOperationException", ""))
}

/// Reads the body whole, and leaves it where the signature's check looks for the payload.
async fn read_body(request: &mut Request) -> Result<(), KmsError> {
    let mut bytes = BytesMut::new();
    let mut body = std::mem::take(&mut request.body);
    while let Some(piece) = body.next().await {
        let piece =
            piece.map_err(|error| KmsError::new("SerializationException", error.to_string()))?;
        bytes.extend_from_slice(&piece);
        if bytes.len() > MAX_BODY_BYTES {
            return Err(KmsError::new(
                "RequestEntityTooLargeException",
                "The request is too large.",
            ));
        }
    }
    request.document = bytes.freeze();
    Ok(())
}

fn render(error: &KmsError, id: &str) -> Response {
    if let Some(cause) = &error.source {
        tracing::error!(request = id, %cause, "cannot answer a call of KMS");
    }
    let body = if error.message.is_empty() {
        json!({ "__type": error.exception })
    } else {
        json!({ "__type": error.exception, "message": error.message })
    };
    Response::new(error.status).body(body.to_string())
}
