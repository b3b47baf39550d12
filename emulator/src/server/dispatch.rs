//! Which service answers a request: health, STS, or S3.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::{Method, StatusCode};

use crate::auth::authenticator::is_unsigned;
use crate::model::bucket_name::BucketName;
use crate::s3::service::S3Service;
use crate::sts::service::StsService;
use crate::wire::request::Request;
use crate::wire::response::Response;

/// Whoever answers requests.
pub(crate) trait Front: Send + Sync + 'static {
    /// Answers one.
    fn answer(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>>;
}

/// All services on one port.
#[derive(Debug)]
pub(crate) struct Services {
    pub(crate) s3: Arc<S3Service>,
    pub(crate) sts: StsService,
}

impl Front for Services {
    fn answer(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(async move {
            if self.is_health(&request) {
                return healthy();
            }
            if is_sts(&request) {
                return self.sts.answer(request).await;
            }
            self.s3.answer(request).await
        })
    }
}

impl Services {
    /// The addresses that scripts poll. Those that could be a bucket's yield to a bucket of that name.
    fn is_health(&self, request: &Request) -> bool {
        let taken =
            |name: &str| BucketName::parse(name).is_ok_and(|name| self.s3.has_bucket(&name));
        let asked = match request.path.as_str() {
            "/_emulator/health" | "/_localstack/health" => true,
            "/health" => !taken("health"),
            "/minio/health/live" | "/minio/health/ready" => !taken("minio"),
            _ => false,
        };
        asked && request.method == Method::GET && is_unsigned(request)
    }
}

fn healthy() -> Response {
    let body = format!(
        "{{\"status\":\"running\",\"version\":\"{}\"}}\n",
        env!("CARGO_PKG_VERSION")
    );
    Response::new(StatusCode::OK)
        .header("content-type", "application/json")
        .body(body)
}

/// STS's query protocol: a form posted to `/`, or an `Action` in the query.
fn is_sts(request: &Request) -> bool {
    let is_form = request.header("content-type").is_some_and(|kind| {
        kind.to_ascii_lowercase()
            .starts_with("application/x-www-form-urlencoded")
    });
    let posted =
        request.method == Method::POST && is_form && !request.headers.contains_key("x-amz-target");
    request.path == "/" && (posted || request.query.has("Action"))
}
