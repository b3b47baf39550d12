//! Which protocol a request speaks: health, the control, KMS, STS, or S3, which takes all the rest.

use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method};

use crate::clock::Clock;
use crate::control::service::ControlService;
use crate::entropy::Entropy;
use crate::kms::service::{KmsService, TARGET};
use crate::s3::service::S3Service;
use crate::server::health::Health;
use crate::server::refusal::Refusal;
use crate::server::service::{Answer, Service};
use crate::sts::service::StsService;
use crate::wire::request::Request;

/// A protocol that a service can speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// KMS's JSON protocol.
    Kms,
    /// STS's query protocol.
    Sts,
    /// S3.
    S3,
}

impl Protocol {
    fn name(self) -> &'static str {
        match self {
            Self::Kms => "kms",
            Self::Sts => "sts",
            Self::S3 => "s3",
        }
    }
}

/// Picks the service that a request means.
pub(crate) struct Dispatch {
    health: Health,
    clock: Clock,
    entropy: Entropy,
    control: Option<Arc<ControlService>>,
    services: Vec<(Protocol, Arc<dyn Service>)>,
}

impl Dispatch {
    /// Answers health, and 501 to all else until [`Dispatch::with`] says who speaks it.
    pub(crate) fn new(health: Health, clock: Clock, entropy: Entropy) -> Self {
        Self {
            health,
            clock,
            entropy,
            control: None,
            services: Vec::new(),
        }
    }

    /// Adds the control.
    #[must_use]
    pub(crate) fn with_control(mut self, control: Arc<ControlService>) -> Self {
        self.control = Some(control);
        self
    }

    /// Adds a service.
    #[must_use]
    pub(crate) fn with(mut self, protocol: Protocol, service: Arc<dyn Service>) -> Self {
        self.services.push((protocol, service));
        self
    }

    fn control_for(&self, request: &Request) -> Option<Arc<ControlService>> {
        let control = self.control.as_ref();
        let asked = control.filter(|control| control.is_asked(request));
        asked.map(Arc::clone)
    }

    fn find(&self, protocol: Protocol) -> Option<&Arc<dyn Service>> {
        let found = self.services.iter().find(|(known, _)| *known == protocol);
        found.map(|(_, service)| service)
    }
}

impl Service for S3Service {
    fn answer(self: Arc<Self>, request: Request) -> Answer {
        Box::pin(async move { self.respond(request).await })
    }
}

impl Service for KmsService {
    fn answer(self: Arc<Self>, request: Request) -> Answer {
        Box::pin(async move { self.respond(request).await })
    }
}

impl Service for StsService {
    fn answer(self: Arc<Self>, request: Request) -> Answer {
        Box::pin(async move { self.respond(request).await })
    }
}

impl Service for Dispatch {
    fn answer(self: Arc<Self>, request: Request) -> Answer {
        if self.health.is_asked(&request) {
            let names = self.services.iter().map(|(protocol, _)| protocol.name());
            let response = self.health.respond(names);
            return Box::pin(async { response });
        }
        if let Some(control) = self.control_for(&request) {
            return Box::pin(async move { control.respond(request).await });
        }
        match self.find(protocol(&request)) {
            Some(service) => Arc::clone(service).answer(request),
            None => {
                Box::pin(async move { Refusal::NotImplemented.respond(&self.clock, &self.entropy) })
            }
        }
    }
}

/// KMS's target names its protocol. A signature says which service it is meant for; without one, STS is a form at the
/// root, or an action asked for there.
fn protocol(request: &Request) -> Protocol {
    if is_kms_target(request) {
        return Protocol::Kms;
    }
    match scope_service(request) {
        Some("kms") => Protocol::Kms,
        Some("sts") => Protocol::Sts,
        None if request.path == "/" && asks_for_sts(request) => Protocol::Sts,
        _ => Protocol::S3,
    }
}

fn is_kms_target(request: &Request) -> bool {
    let target = request.header("x-amz-target").unwrap_or_default();
    request.method == Method::POST && target.starts_with(TARGET)
}

/// The service in the scope of a `SigV4` credential: `KEY/DATE/REGION/SERVICE/aws4_request`.
fn scope_service(request: &Request) -> Option<&str> {
    let in_header = || {
        let value = request.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (_, rest) = value.split_once("Credential=")?;
        rest.split([',', ' ']).next()
    };
    let credential = in_header().or_else(|| request.query.find("X-Amz-Credential"))?;
    // From the end, since an access key may hold slashes.
    credential.rsplit('/').nth(1)
}

fn asks_for_sts(request: &Request) -> bool {
    is_form(request) || is_action_asked(request)
}

fn is_form(request: &Request) -> bool {
    let kind = request.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    request.method == Method::POST
        && kind.is_some_and(|kind| kind.starts_with(b"application/x-www-form-urlencoded"))
}

/// No operation of S3 has a parameter of that name.
fn is_action_asked(request: &Request) -> bool {
    request.method == Method::GET && request.query.has("Action")
}

impl std::fmt::Debug for Dispatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let protocols = self.services.iter().map(|(protocol, _)| protocol);
        f.debug_list().entries(protocols).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_of_a_signature_tells_the_service() {
        let mut signed = Request::new(Method::POST, "/", "");
        signed.headers.insert(
            AUTHORIZATION,
            HeaderValue::from_static(
                "AWS4-HMAC-SHA256 Credential=A/K/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0",
            ),
        );
        let presigned = Request::new(
            Method::GET,
            "/",
            "Action=GetCallerIdentity&X-Amz-Credential=AK%2F20260101%2Fus-east-1%2Fs3%2Faws4_request",
        );

        assert_eq!(protocol(&signed), Protocol::Sts);
        assert_eq!(protocol(&presigned), Protocol::S3);
    }

    #[test]
    fn a_target_of_kms_is_kms_whoever_signed_it() {
        let mut request = Request::new(Method::POST, "/", "");
        let target = HeaderValue::from_static("TrentService.CreateKey");
        request.headers.insert("x-amz-target", target);

        assert_eq!(protocol(&request), Protocol::Kms);
    }

    #[test]
    fn a_form_at_the_root_is_sts() {
        let form = |path| {
            let mut request = Request::new(Method::POST, path, "");
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
            request.headers.insert(CONTENT_TYPE, kind);
            request
        };

        assert_eq!(protocol(&form("/")), Protocol::Sts);
        assert_eq!(protocol(&form("/bucket")), Protocol::S3);
    }

    #[test]
    fn an_action_asked_for_at_the_root_is_sts() {
        let asked = |path, query| protocol(&Request::new(Method::GET, path, query));

        assert_eq!(
            asked("/", "Action=GetCallerIdentity&Version=2011-06-15"),
            Protocol::Sts
        );
        assert_eq!(asked("/b", "Action=GetCallerIdentity"), Protocol::S3);
        assert_eq!(asked("/", "max-buckets=1"), Protocol::S3);
    }
}
