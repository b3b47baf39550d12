//! The control over HTTP, under `/_emulator`: JSON, for tests in any language. It shows keys wrapped, never in the clear.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task;

use crate::control::json::render;
use crate::control::look::{LookError, Wanted, find};
use crate::control::{guard, journals};
use crate::journal::kms_calls::KmsCalls;
use crate::journal::requests::Requests;
use crate::model::bucket_name::BucketName;
use crate::s3::target::Hosts;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::wire::request::Request;
use crate::wire::response::Response;

/// What every path of it begins with.
const PREFIX: &str = "/_emulator/";
/// The most sealed bytes that are told in one answer.
const MAX_RAW_BYTES: u64 = 64 * 1_024 * 1_024;

/// What it can be asked for, and how.
const ASKED: [(&str, Method, Asked); 3] = [
    ("stored", Method::GET, Asked::Stored),
    ("requests", Method::GET, Asked::Requests),
    ("kms-calls", Method::GET, Asked::KmsCalls),
];

/// Answers for the control.
#[derive(Debug)]
pub(crate) struct ControlService {
    parts: ControlParts,
    /// The names that `--host` added.
    names: Vec<String>,
    hosts: Hosts,
}

/// What the control tells of.
#[derive(Debug)]
pub(crate) struct ControlParts {
    /// How objects lie.
    pub(crate) store: Store,
    /// The requests that were answered.
    pub(crate) requests: Requests,
    /// The calls of KMS.
    pub(crate) kms_calls: KmsCalls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Stored,
    Requests,
    KmsCalls,
}

/// An answer that is not what was asked for.
struct Refusal(StatusCode, String);

impl ControlService {
    /// `names` are those of `--host`.
    pub(crate) fn new(parts: ControlParts, names: &[String]) -> Self {
        Self {
            parts,
            names: names.to_vec(),
            hosts: Hosts::new(names.iter().cloned()),
        }
    }

    /// Whether a request means the control, and not an object of that name in a bucket that its host names.
    pub(crate) fn is_asked(&self, request: &Request) -> bool {
        request.path.starts_with(PREFIX) && !self.is_in_bucket(&request.host)
    }

    fn is_in_bucket(&self, host: &str) -> bool {
        let bucket = self.hosts.bucket_of(host).map(BucketName::parse);
        bucket.is_some_and(|bucket| bucket.is_ok_and(|name| self.parts.store.bucket(&name).is_ok()))
    }

    /// Answers.
    pub(crate) async fn respond(&self, request: Request) -> Response {
        let (status, body) = match self.answer(&request).await {
            Ok(body) => (StatusCode::OK, body),
            Err(Refusal(status, message)) => (status, json!({ "error": message })),
        };
        Response::new(status)
            .header("content-type", "application/json")
            .header("cache-control", "no-store")
            .body(body.to_string())
    }

    async fn answer(&self, request: &Request) -> Result<Value, Refusal> {
        if let Some(refused) = guard::refusal(request, &self.names) {
            return Err(Refusal(StatusCode::FORBIDDEN, refused));
        }
        match asked(request)? {
            Asked::Stored => self.stored(request).await,
            Asked::Requests => journals::of_requests(&self.parts.requests, &request.query)
                .map_err(|error| Refusal(StatusCode::BAD_REQUEST, error)),
            Asked::KmsCalls => Ok(journals::of_kms_calls(&self.parts.kms_calls.all())),
        }
    }

    /// `GET /_emulator/stored?bucket=…&key=…[&version=…][&raw=true]`: how an object lies in the store.
    async fn stored(&self, request: &Request) -> Result<Value, Refusal> {
        let query = request.query.clone();
        let store = self.parts.store.clone();
        let telling = task::spawn_blocking(move || {
            let named = |name: &str| query.find(name).filter(|value| !value.is_empty());
            let needed = |name: &str| named(name).ok_or_else(|| missing(name));
            let wanted = Wanted {
                bucket: needed("bucket")?,
                key: needed("key")?,
                version: named("version"),
            };
            tell(&store, &wanted, named("raw") == Some("true"))
        });
        let told = telling.await;
        told.map_err(|error| Refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?
    }
}

fn asked(request: &Request) -> Result<Asked, Refusal> {
    let path = request.path.strip_prefix(PREFIX).unwrap_or_default();
    let Some((_, method, asked)) = ASKED.iter().find(|(known, ..)| *known == path) else {
        let refused = format!("nothing answers at `{}`", request.path);
        return Err(Refusal(StatusCode::NOT_FOUND, refused));
    };
    if request.method != *method {
        let refused = format!("`{}` is answered to {method} alone", request.path);
        return Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, refused));
    }
    Ok(*asked)
}

fn tell(store: &Store, wanted: &Wanted<'_>, with_raw: bool) -> Result<Value, Refusal> {
    let found = find(store, wanted)?;
    let sealed_bytes = found.sealed_bytes()?;
    if with_raw && sealed_bytes > MAX_RAW_BYTES {
        let refused = format!(
            "raw bytes are told up to {MAX_RAW_BYTES}, and these are {sealed_bytes}: read the files of the data folder"
        );
        return Err(Refusal(StatusCode::PAYLOAD_TOO_LARGE, refused));
    }
    let stored = found.describe(store, with_raw)?;
    let around = found.surroundings(store)?;
    Ok(render(wanted, (&stored, &around), &[]))
}

fn missing(name: &str) -> Refusal {
    let message = format!("the query needs `{name}`: ?bucket=NAME&key=KEY[&version=ID][&raw=true]");
    Refusal(StatusCode::BAD_REQUEST, message)
}

impl From<LookError> for Refusal {
    fn from(error: LookError) -> Self {
        let status = match &error {
            LookError::BadBucket(_) | LookError::BadKey(_) => StatusCode::BAD_REQUEST,
            LookError::BadVersion { .. }
            | LookError::Store(
                StoreError::NoSuchBucket(_)
                | StoreError::NoSuchKey(_)
                | StoreError::NoSuchVersion(..)
                | StoreError::Deleted(_)
                | StoreError::IsMarker(_),
            ) => StatusCode::NOT_FOUND,
            LookError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, error.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        LookError::Store(error).into()
    }
}
