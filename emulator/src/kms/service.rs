//! The pipeline of KMS: target, body, credentials, operation, journal.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html>; the shape of errors is from answers
//! quoted in public.

use std::error::Error;
use std::sync::Arc;

use bytes::BytesMut;
use http::Method;
use serde_json::{Value, json};

use crate::auth::authenticator::{Authenticator, Identified};
use crate::auth::identity::Caller;
use crate::auth::request_keys::request_keys;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::faults::rules::{Asked, Faults};
use crate::journal::kms_calls::{KmsCall, KmsCalls, Through};
use crate::keyring::asker::Asker;
use crate::keyring::handle::Keyring;
use crate::keyring::planted::Planted;
use crate::kms::context::{Context, Noted};
use crate::kms::error::KmsError;
use crate::kms::members::Members;
use crate::kms::operation::Entry;
use crate::kms::operations;
use crate::model::context::EncryptionContext;
use crate::model::kms_name::KeyId;
use crate::wire::request::Request;
use crate::wire::response::{About, Response};

/// What `X-Amz-Target` begins with.
pub(crate) const TARGET: &str = "TrentService.";
const JSON: &str = "application/x-amz-json-1.1";
/// The largest request in bytes: a key policy of 32,768 characters, each escaped, and what else there can be.
const MAX_BODY_BYTES: usize = 262_144;

/// KMS, as one service.
#[derive(Debug)]
pub(crate) struct KmsService {
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) calls: KmsCalls,
    pub(crate) faults: Faults,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
}

impl KmsService {
    /// Answers a call that is made in process, by somebody who need not sign. It is no client's: the journal leaves it out.
    ///
    /// # Errors
    ///
    /// One line: exception and message.
    pub(crate) async fn call(
        &self,
        caller: Identified,
        operation: &str,
        body: &Value,
    ) -> Result<Value, String> {
        let answer = self.call_with(caller, operation, body, Planted::default());
        answer.await.map_err(|error| told(&error))
    }

    /// Makes a key as `CreateKey` does, with what is fixed of it.
    ///
    /// # Errors
    ///
    /// As [`KmsService::call`].
    pub(crate) async fn plant_key(
        &self,
        caller: Identified,
        body: &Value,
        planted: Planted,
    ) -> Result<Value, String> {
        let made = self.call_with(caller, "CreateKey", body, planted).await;
        made.map_err(|error| told(&error))
    }

    /// Whether a key began with these materials, the oldest first.
    ///
    /// # Errors
    ///
    /// As [`KmsService::call`].
    pub(crate) async fn has_materials(
        &self,
        caller: Identified,
        id: &KeyId,
        materials: &[&[u8]],
    ) -> Result<bool, String> {
        let known = async {
            let cx = self.context(named("DescribeKey")?, caller)?;
            Ok(self.keyring.has_materials(&cx.asker, id, materials).await?)
        };
        known.await.map_err(|error| told(&error))
    }

    async fn call_with(
        &self,
        caller: Identified,
        operation: &str,
        body: &Value,
        planted: Planted,
    ) -> Result<Value, KmsError> {
        let entry = named(operation)?;
        let mut cx = self.context(entry, caller)?;
        cx.keyring = Arc::new(cx.keyring.unguarded());
        cx.planted = planted;
        perform(entry, body.to_string().as_bytes(), &mut cx).await
    }

    /// Answers a request; an error is an answer too.
    pub(crate) async fn respond(&self, request: Request) -> Response {
        let id = self.entropy.uuid();
        let peer = request.connection.peer;
        let target = request
            .header("x-amz-target")
            .unwrap_or_default()
            .to_owned();
        let mut about = About {
            request_id: id.clone(),
            ..About::default()
        };
        let response = match self.try_answer(request, &mut about).await {
            Ok(Value::Null) => Response::ok(),
            Ok(value) => Response::ok().body(value.to_string()),
            Err(error) => {
                about.error = Some(error.exception);
                render(&error, &id)
            }
        };
        tracing::debug!(request = %id, ?peer, target, status = response.status.as_u16(), "answered");
        finish(response, &id, &self.clock).about(about)
    }

    async fn try_answer(&self, mut request: Request, about: &mut About) -> Result<Value, KmsError> {
        let target = request.header("x-amz-target").unwrap_or_default();
        let is_call = request.method == Method::POST && request.path == "/";
        let target = target.strip_prefix(TARGET).filter(|_| is_call);
        let entry = named(target.unwrap_or_default())?;
        about.operation = Some(entry.name);
        read_body(&mut request).await?;
        let identified =
            self.authenticator
                .identify(&mut request, "kms", None, self.clock.now())?;
        if let Caller::Known(identity) = &identified.caller {
            about.access_key = Some(identity.access_key.clone());
            about.account = Some(identity.account.clone());
        }
        let mut cx = self.context(entry, identified)?;
        cx.asker.facts = std::mem::take(&mut cx.asker.facts).and(request_keys(&request));
        let asked = Asked {
            operation: entry.name,
            ..Asked::default()
        };
        let answer = match self.faults.plan(&asked) {
            Some(fault) => Err(fault.into()),
            None => perform(entry, &request.document, &mut cx).await,
        };
        if answer.is_ok() {
            let (operation, touched) = (cx.asker.operation, &cx.noted.touched);
            self.keyring
                .note_use(operation, touched, Some(&about.request_id));
        }
        self.record(cx, answer.as_ref().err());
        answer
    }

    fn context(&self, entry: &Entry, identified: Identified) -> Result<Context, KmsError> {
        let Caller::Known(identity) = identified.caller else {
            return Err(KmsError::new(
                "MissingAuthenticationTokenException",
                "Missing Authentication Token",
            ));
        };
        Ok(Context {
            keyring: Arc::new(self.keyring.as_of_now()),
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            asker: Asker {
                who: identity.policy_caller(),
                caller: identity.arn(),
                account: identity.account.clone(),
                permissions: Arc::clone(&identity.permissions),
                region: identified.region,
                through: Through::Direct,
                operation: entry.name,
                action: entry.name,
                context: EncryptionContext::default(),
                facts: identity.caller_keys(),
            },
            noted: Noted::default(),
            planted: Planted::default(),
        })
    }

    fn record(&self, cx: Context, error: Option<&KmsError>) {
        self.calls.record(KmsCall {
            time: self.clock.now().to_system(),
            operation: cx.asker.operation.to_owned(),
            caller: cx.asker.caller,
            key_arn: cx.noted.key_arn,
            context: cx.noted.context.pairs().clone(),
            source_key_arn: cx.noted.source_key_arn,
            source_context: cx.noted.source_context.pairs().clone(),
            through: cx.asker.through,
            bucket_key_hit: false,
            error: error.map(|error| error.exception.to_owned()),
        });
    }
}

/// In one line, its cause behind it: nobody in process is a stranger.
fn told(error: &KmsError) -> String {
    match &error.source {
        Some(cause) => format!("{error} ({cause})"),
        None => error.to_string(),
    }
}

/// The answer to a call that could not be made an end of, for a fault of ours.
pub(crate) fn failed(
    cause: impl Into<Box<dyn Error + Send + Sync>>,
    id: &str,
    clock: &Clock,
) -> Response {
    finish(render(&KmsError::internal(cause), id), id, clock)
}

/// Puts on what every answer carries.
fn finish(response: Response, id: &str, clock: &Clock) -> Response {
    response
        .header("content-type", JSON)
        .header("x-amzn-requestid", id)
        .header("date", clock.now().http_date())
}

async fn perform(entry: &Entry, body: &[u8], cx: &mut Context) -> Result<Value, KmsError> {
    (entry.run)(Members::parse(body)?, cx).await
}

// AWS: unverified. The exception for an operation that KMS does not know.
fn named(operation: &str) -> Result<&'static Entry, KmsError> {
    let found = operations::all().find(|entry| entry.name == operation);
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
