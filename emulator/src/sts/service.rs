//! The pipeline of STS: form, action, credentials, operation.
//!
//! Source: <https://docs.aws.amazon.com/STS/latest/APIReference/Welcome.html>; the shape of answers is from answers quoted
//! in public.

use std::sync::Arc;

use http::StatusCode;

use crate::auth::authenticator::Authenticator;
use crate::auth::identity::Caller;
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::sts::context::Context;
use crate::sts::document::{NAMESPACE, Node, render};
use crate::sts::error::StsError;
use crate::sts::form::Form;
use crate::sts::operation::{Call, Entry};
use crate::sts::operations;
use crate::wire::request::Request;
use crate::wire::response::{About, Response};

/// The one version that there is.
const VERSION: &str = "2011-06-15";
/// The namespace of an answer to an action that nobody knows.
const UNKNOWN_NAMESPACE: &str = "http://webservices.amazon.com/AWSFault/2005-15-09";
/// Where a request goes that asks for nothing.
const HOME: &str = "https://aws.amazon.com/iam";

/// STS, as one service.
#[derive(Debug)]
pub(crate) struct StsService {
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
}

impl StsService {
    /// Answers a request; an error is an answer too.
    pub(crate) async fn respond(&self, mut request: Request) -> Response {
        let id = self.entropy.uuid();
        let mut about = About::default();
        let response = match Form::read(&mut request).await {
            Ok(form) if form.find("Action").unwrap_or_default().is_empty() => {
                Response::new(StatusCode::FOUND).header("location", HOME)
            }
            Ok(form) => match self.try_answer(&mut request, &form, &mut about) {
                Ok((entry, nodes)) => answer(entry, nodes, &id),
                Err(error) => refuse(&error, &id, &mut about),
            },
            Err(error) => refuse(&error, &id, &mut about),
        };
        let response = response
            .header("x-amzn-requestid", &id)
            .header("date", self.clock.now().http_date());
        about.request_id = id;
        response.about(about)
    }

    fn try_answer(
        &self,
        request: &mut Request,
        form: &Form,
        about: &mut About,
    ) -> Result<(&'static Entry, Vec<Node>), StsError> {
        let entry = find(form)?;
        about.operation = Some(entry.name);
        let run = match entry.call {
            Call::Operation(run) => run,
            Call::Unbuilt => return Err(unbuilt(entry)),
        };
        let now = self.clock.now();
        let identified = self.authenticator.identify(request, "sts", None, now)?;
        let Caller::Known(caller) = identified.caller else {
            let message = "Request is missing Authentication Token";
            return Err(StsError::new(
                StatusCode::FORBIDDEN,
                "MissingAuthenticationToken",
                message,
            ));
        };
        about.access_key = Some(caller.access_key.clone());
        about.account = Some(caller.account.clone());
        let cx = Context {
            authenticator: &self.authenticator,
            entropy: &self.entropy,
            now,
            caller,
            region: identified.region,
            request,
        };
        Ok((entry, run(&cx, form)?))
    }
}

fn find(form: &Form) -> Result<&'static Entry, StsError> {
    let action = form.find("Action").unwrap_or_default();
    let version = form.find("Version").unwrap_or("NO_VERSION_SPECIFIED");
    let found = operations::find(action).filter(|_| version == VERSION);
    found.ok_or_else(|| {
        let message = format!("Could not find operation {action} for version {version}");
        StsError::new(StatusCode::BAD_REQUEST, "InvalidAction", message)
    })
}

fn unbuilt(entry: &Entry) -> StsError {
    let message = format!("{} is not built yet", entry.name);
    StsError::new(StatusCode::BAD_REQUEST, "UnsupportedOperation", message)
}

fn answer(entry: &Entry, nodes: Vec<Node>, id: &str) -> Response {
    let name = entry.name;
    let metadata = vec![Node::text("RequestId", id)];
    let nodes = [
        Node::tree(format!("{name}Result"), nodes),
        Node::tree("ResponseMetadata", metadata),
    ];
    xml(
        Response::ok(),
        &format!("{name}Response"),
        NAMESPACE,
        &nodes,
    )
}

fn refuse(error: &StsError, id: &str, about: &mut About) -> Response {
    about.error = Some(error.code);
    let namespace = match error.code {
        "InvalidAction" => UNKNOWN_NAMESPACE,
        _ => NAMESPACE,
    };
    let told = vec![
        Node::text("Type", "Sender"),
        Node::text("Code", error.code),
        Node::text("Message", &error.message),
    ];
    let nodes = [Node::tree("Error", told), Node::text("RequestId", id)];
    xml(
        Response::new(error.status),
        "ErrorResponse",
        namespace,
        &nodes,
    )
}

fn xml(response: Response, root: &str, namespace: &str, nodes: &[Node]) -> Response {
    response
        .header("content-type", "text/xml")
        .body(render(root, namespace, nodes))
}
