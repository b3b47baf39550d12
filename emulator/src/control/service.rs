//! The control over HTTP, under `/_emulator`: JSON, for tests in any language. It shows keys wrapped, never in the clear.
//! The one answer in another form is the certificate that HTTPS clients trust.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task;

use crate::control::json::render;
use crate::control::look::{LookError, Wanted, find};
use crate::control::state::{MOST_NAMED, State};
use crate::control::{guard, journals, rules};
use crate::model::bucket_name::BucketName;
use crate::s3::target::Hosts;
use crate::s3::workers::joined;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::wire::request::Request;
use crate::wire::response::Response;

/// What every path of it begins with.
const PREFIX: &str = "/_emulator/";
const JSON: &str = "application/json";
/// Source: RFC 8555 §9.1.
const PEM: &str = "application/pem-certificate-chain";
/// The most sealed bytes that are told in one answer.
const MAX_RAW_BYTES: u64 = 64 * 1_024 * 1_024;

/// Under which other emulators reset, for scripts that ask there.
const RESETS: [&str; 2] = ["/_localstack/state/reset", "/moto-api/reset"];
/// The bucket that the last of them could be in.
const MOTO: &str = "moto-api";
/// What it can be asked for, and how.
const ASKED: [(&str, Method, Asked); 13] = [
    ("stored", Method::GET, Asked::Stored),
    ("requests", Method::GET, Asked::Requests),
    ("kms-calls", Method::GET, Asked::KmsCalls),
    ("ca.pem", Method::GET, Asked::Certificate),
    ("faults", Method::GET, Asked::Faults),
    ("faults", Method::POST, Asked::SetFault),
    ("faults", Method::DELETE, Asked::ClearFaults),
    ("clock", Method::GET, Asked::Clock),
    ("clock", Method::POST, Asked::Advance),
    ("reset", Method::POST, Asked::Reset),
    ("snapshot", Method::POST, Asked::Snapshot),
    ("snapshot", Method::DELETE, Asked::Forget),
    ("restore", Method::POST, Asked::Restore),
];

/// The certificate that HTTPS clients must trust, in PEM, or why there is none.
pub(crate) type CaPem = Arc<dyn Fn() -> Result<String, String> + Send + Sync>;

/// Answers for the control.
pub(crate) struct ControlService {
    state: Arc<State>,
    /// What HTTPS clients must trust.
    ca_pem: CaPem,
    /// The names that `--host` added.
    names: Vec<String>,
    hosts: Hosts,
}

/// What was asked for.
enum Told {
    Json(Value),
    /// In PEM.
    Certificate(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Stored,
    Requests,
    KmsCalls,
    Certificate,
    Faults,
    SetFault,
    ClearFaults,
    Clock,
    Advance,
    Reset,
    Snapshot,
    Forget,
    Restore,
}

/// An answer that is not what was asked for.
struct Refusal(StatusCode, String);

impl ControlService {
    /// `names` are those of `--host`.
    pub(crate) fn new(state: Arc<State>, ca_pem: CaPem, names: &[String]) -> Self {
        Self {
            state,
            ca_pem,
            names: names.to_vec(),
            hosts: Hosts::new(names.iter().cloned()),
        }
    }

    /// Whether a request means the control, and not an object of that name in a bucket that its host names.
    pub(crate) fn is_asked(&self, request: &Request) -> bool {
        let path = request.path.as_str();
        let is_reset = request.method == Method::POST && RESETS.contains(&path);
        let is_bucket = is_reset && path.starts_with("/moto") && self.has_bucket(MOTO);
        (path.starts_with(PREFIX) || (is_reset && !is_bucket)) && !self.is_in_bucket(&request.host)
    }

    fn is_in_bucket(&self, host: &str) -> bool {
        let bucket = self.hosts.bucket_of(host);
        bucket.is_some_and(|bucket| self.has_bucket(bucket))
    }

    fn has_bucket(&self, name: &str) -> bool {
        BucketName::parse(name).is_ok_and(|name| self.state.store.bucket(&name).is_ok())
    }

    /// Answers.
    pub(crate) async fn respond(&self, request: Request) -> Response {
        let (status, kind, body) = match self.answer(&request).await {
            Ok(Told::Json(body)) => (StatusCode::OK, JSON, body.to_string()),
            Ok(Told::Certificate(pem)) => (StatusCode::OK, PEM, pem),
            Err(Refusal(status, message)) => {
                (status, JSON, json!({ "error": message }).to_string())
            }
        };
        Response::new(status)
            .header("content-type", kind)
            .header("cache-control", "no-store")
            .body(body)
    }

    async fn answer(&self, request: &Request) -> Result<Told, Refusal> {
        if let Some(refused) = guard::refusal(request, &self.names) {
            return Err(Refusal(StatusCode::FORBIDDEN, refused));
        }
        match asked(request)? {
            Asked::Stored => self.stored(request).await.map(Told::Json),
            Asked::Requests => journals::of_requests(&self.state.requests, &request.query)
                .map(Told::Json)
                .map_err(bad),
            Asked::KmsCalls => Ok(Told::Json(journals::of_kms_calls(
                &self.state.kms_calls.all(),
            ))),
            Asked::Certificate => self.certificate(),
            Asked::Faults => Ok(Told::Json(rules::render(&self.state.faults.all()))),
            Asked::SetFault => {
                let fault = rules::parse(&request.query);
                let set = fault.and_then(|fault| self.state.set_fault(fault));
                set.map(|()| ok()).map_err(bad)
            }
            Asked::ClearFaults => {
                self.state.faults.clear();
                Ok(ok())
            }
            Asked::Clock => Ok(self.time()),
            Asked::Advance => {
                self.state.clock.advance(seconds_of(request)?);
                Ok(self.time())
            }
            Asked::Reset => self.state.reset().await.map(|()| ok()).map_err(failed),
            Asked::Snapshot => {
                let id = self.state.name_snapshot().await.map_err(failed)?;
                let id = id.ok_or_else(too_many)?;
                Ok(Told::Json(json!({ "id": id })))
            }
            Asked::Forget => {
                let id = id_of(request)?;
                let existed = self.state.forget_snapshot(id).await;
                existed.then(ok).ok_or_else(|| no_snapshot(id))
            }
            Asked::Restore => self.restore(id_of(request)?).await,
        }
    }

    /// What time it is by the server's clock.
    fn time(&self) -> Told {
        Told::Json(json!({ "now": self.state.clock.now().iso8601() }))
    }

    async fn restore(&self, id: &str) -> Result<Told, Refusal> {
        let snapshot = self.state.find_snapshot(id);
        let snapshot = snapshot.ok_or_else(|| no_snapshot(id))?;
        self.state.restore(&snapshot).await.map_err(failed)?;
        Ok(ok())
    }

    /// `GET /_emulator/ca.pem`: for clients that share no file with the server. It is no secret.
    fn certificate(&self) -> Result<Told, Refusal> {
        let pem = (self.ca_pem)();
        pem.map(Told::Certificate)
            .map_err(|error| Refusal(StatusCode::INTERNAL_SERVER_ERROR, error))
    }

    /// `GET /_emulator/stored?bucket=…&key=…[&version=…][&raw=true]`: how an object lies in the store.
    async fn stored(&self, request: &Request) -> Result<Value, Refusal> {
        let query = request.query.clone();
        let store = self.state.store.clone();
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
        let told = joined(telling.await);
        told.map_err(|error| Refusal(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?
    }
}

fn asked(request: &Request) -> Result<Asked, Refusal> {
    let path = request.path.strip_prefix(PREFIX).unwrap_or("reset");
    let here: Vec<_> = ASKED.iter().filter(|(known, ..)| *known == path).collect();
    let asked = here.iter().find(|(_, method, _)| request.method == *method);
    if let Some((.., asked)) = asked {
        return Ok(*asked);
    }
    let methods: Vec<_> = here.iter().map(|(_, method, _)| method.as_str()).collect();
    if methods.is_empty() {
        let refused = format!("nothing answers at `{}`", request.path);
        return Err(Refusal(StatusCode::NOT_FOUND, refused));
    }
    let methods = methods.join(" and ");
    let refused = format!("`{}` is answered to {methods} alone", request.path);
    Err(Refusal(StatusCode::METHOD_NOT_ALLOWED, refused))
}

/// As moto's reset answers.
fn ok() -> Told {
    Told::Json(json!({ "status": "ok" }))
}

fn id_of(request: &Request) -> Result<&str, Refusal> {
    let id = request.query.find("id").filter(|id| !id.is_empty());
    let missing = || {
        Refusal(
            StatusCode::BAD_REQUEST,
            "the query needs `id`: ?id=SNAPSHOT".to_owned(),
        )
    };
    id.ok_or_else(missing)
}

fn no_snapshot(id: &str) -> Refusal {
    Refusal(
        StatusCode::NOT_FOUND,
        format!("no snapshot is called `{id}`"),
    )
}

/// By how much to move the clock.
fn seconds_of(request: &Request) -> Result<Duration, Refusal> {
    let seconds = request
        .query
        .find("advance")
        .ok_or_else(|| missing("advance"))?;
    let wanted = seconds.parse().map(Duration::from_secs);
    wanted.map_err(|_| bad(format!("`{seconds}` is no number of seconds")))
}

fn bad(error: String) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, error)
}

fn too_many() -> Refusal {
    let held =
        format!("{MOST_NAMED} snapshots are held: `DELETE {PREFIX}snapshot?id=…` lets go of one");
    Refusal(StatusCode::CONFLICT, held)
}

fn failed(error: String) -> Refusal {
    Refusal(StatusCode::INTERNAL_SERVER_ERROR, error)
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

impl fmt::Debug for ControlService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlService")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}
