//! "Are you there?", under the names that scripts ask for already.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use http::Method;
use http::header::AUTHORIZATION;

use crate::server::panics::Panics;
use crate::wire::request::Request;
use crate::wire::response::Response;

/// Whether a bucket of this name exists.
pub(crate) type BucketExists = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Paths that no bucket can have.
const OWN: [&str; 2] = ["/_emulator/health", "/_localstack/health"];
/// Paths that a bucket can have, and its name: they yield to it.
const ALIASES: [(&str, &str); 3] = [
    ("/health", "health"),
    ("/minio/health/live", "minio"),
    ("/minio/health/ready", "minio"),
];
/// Names under which a path begins with a bucket, and not within one.
const PATH_STYLE_HOSTS: [&str; 3] = [
    "s3.localhost",
    "localhost.localstack.cloud",
    "s3.localhost.localstack.cloud",
];

/// What health depends on.
pub(crate) struct Health {
    hosts: Vec<String>,
    bucket_exists: BucketExists,
    panics: Panics,
}

impl Health {
    /// `hosts` are the names that `--host` added.
    pub(crate) fn new(hosts: Vec<String>, bucket_exists: BucketExists, panics: Panics) -> Self {
        Self {
            hosts,
            bucket_exists,
            panics,
        }
    }

    /// Whether a request asks for health, and not for an object that happens to be called so.
    pub(crate) fn is_asked(&self, request: &Request) -> bool {
        let path = request.path.as_str();
        if !matches!(request.method, Method::GET | Method::HEAD) || is_signed(request) {
            return false;
        }
        let alias = ALIASES.iter().find(|(alias, _)| *alias == path);
        match alias {
            Some((_, bucket)) => self.is_path_style(&request.host) && !(self.bucket_exists)(bucket),
            None => OWN.contains(&path),
        }
    }

    /// Ready, always: nothing is answered before the server is. Names each service in `LocalStack`'s words, and tells how
    /// often the server has panicked.
    pub(crate) fn respond<'a>(&self, services: impl Iterator<Item = &'a str>) -> Response {
        let services = services.map(|name| (name, "running"));
        let body = serde_json::json!({
            "status": "ok",
            "services": services.collect::<BTreeMap<_, _>>(),
            "version": env!("CARGO_PKG_VERSION"),
            "panics": self.panics.count(),
        });
        Response::ok()
            .header("content-type", "application/json")
            .body(body.to_string())
    }

    fn is_path_style(&self, host: &str) -> bool {
        let name = without_port(host);
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok()
            || !name.contains('.')
            || PATH_STYLE_HOSTS
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
            || self
                .hosts
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether a request carries a signature of any kind.
fn is_signed(request: &Request) -> bool {
    request.headers.contains_key(AUTHORIZATION)
        || request.query.has("X-Amz-Signature")
        || request.query.has("Signature")
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health")
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn every_name_is_answered_while_no_bucket_has_it() {
        let health = health(&[], Arc::new(|_| false));

        for path in OWN.into_iter().chain(ALIASES.map(|(path, _)| path)) {
            assert!(health.is_asked(&get("127.0.0.1:4566", path)), "{path}");
        }
    }

    #[test]
    fn an_alias_yields_to_its_bucket_and_own_paths_do_not() {
        let health = health(&[], Arc::new(|bucket| bucket == "minio"));

        assert!(!health.is_asked(&get("localhost", "/minio/health/live")));
        assert!(health.is_asked(&get("localhost", "/health")));
        assert!(health.is_asked(&get("localhost", "/_emulator/health")));
    }

    #[test]
    fn an_object_of_a_virtual_host_is_no_health() {
        let health = health(&["s3.test"], Arc::new(|_| false));

        assert!(!health.is_asked(&get("photos.localhost:4566", "/health")));
        assert!(!health.is_asked(&get("photos.s3.test", "/health")));
        assert!(health.is_asked(&get("s3.test", "/health")));
        assert!(health.is_asked(&get("[::1]:4566", "/health")));
    }

    #[test]
    fn signed_requests_and_other_methods_go_to_the_services() {
        let health = health(&[], Arc::new(|_| false));
        let mut signed = get("localhost", "/health");
        signed.headers.insert(
            AUTHORIZATION,
            HeaderValue::from_static("AWS4-HMAC-SHA256 x"),
        );
        let presigned = Request::new(Method::GET, "/health", "X-Amz-Signature=1");

        assert!(!health.is_asked(&signed));
        assert!(!health.is_asked(&presigned));
        assert!(!health.is_asked(&Request::new(Method::PUT, "/health", "")));
    }

    #[test]
    fn panics_are_told() {
        let health = health(&[], Arc::new(|_| false));
        health.panics.note(&"once");

        let told = health.respond(["s3"].into_iter()).body.into_parts();

        let Ok(bytes) = told else {
            panic!("health is told at once");
        };
        let told = serde_json::from_slice::<serde_json::Value>(&bytes).unwrap();
        assert_eq!(told["panics"], 1);
        assert_eq!(told["services"]["s3"], "running");
    }

    fn health(hosts: &[&str], bucket_exists: BucketExists) -> Health {
        let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
        Health::new(hosts, bucket_exists, Panics::default())
    }

    fn get(host: &str, path: &str) -> Request {
        Request {
            host: host.to_owned(),
            ..Request::new(Method::GET, path, "")
        }
    }
}
