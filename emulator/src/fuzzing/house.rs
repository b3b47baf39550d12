//! A server without a port, one for each thread: its clock stands still, and its ids repeat from run to run.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::stream;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

use crate::config::{Authentication, Config};
use crate::server::filter::Front;
use crate::server::tls::Tls;
use crate::start::prepare;
use crate::wire::body::Body;
use crate::wire::encoding::{base64, parse_base64};
use crate::wire::request::Request;

/// When it is: 2026-01-01T00:00:00Z, in seconds since 1970. Signatures in the corpus are of this time.
const NOW: u64 = 1_767_225_600;
/// The bucket, and the alias of the KMS key.
pub(super) const BUCKET: &str = "fuzz";
pub(super) const KEY: &str = "alias/fuzz";
/// What [`House::blob`] is the ciphertext of.
pub(super) const SECRET: &[u8] = b"a secret";

thread_local! {
    static HOUSE: House = House::build();
}

/// Servers, and what was asked of them before.
pub(super) struct House {
    runtime: Runtime,
    /// Believes every signature.
    pub(super) open: Arc<Front>,
    /// Verifies them.
    pub(super) strict: Arc<Front>,
    pub(super) tls: Arc<Tls>,
    /// A multipart upload of `key` that is under way.
    pub(super) upload: String,
    /// A ciphertext of KMS.
    pub(super) blob: Vec<u8>,
}

/// Works in the house of this thread.
pub(super) fn within<T>(work: impl FnOnce(&House) -> T) -> T {
    HOUSE.with(work)
}

impl House {
    fn build() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be built");
        let prepared = |authentication| runtime.block_on(prepare_with(authentication));
        let (open, tls) = prepared(Authentication::Off);
        let (strict, _) = prepared(Authentication::Verify);
        let mut house = Self {
            runtime,
            open,
            strict,
            tls,
            upload: String::new(),
            blob: Vec::new(),
        };
        house.upload = house.begin_upload();
        house.blob = house.encrypt();
        house
    }

    /// Waits for something.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Asks a server, and checks that whatever is wrong is no fault of its own.
    pub(super) fn ask(&self, front: &Front, request: Request) -> (StatusCode, Bytes) {
        let service = Arc::clone(&front.service);
        let (status, body) = self.wait(async {
            let response = service.answer(request).await;
            (response.status, read(response.body).await)
        });
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{body:?}");
        (status, body)
    }

    /// Asks KMS.
    pub(super) fn call(&self, operation: &str, body: impl Into<Bytes>) -> (StatusCode, Bytes) {
        let mut request = request(Method::POST, "/", "", body);
        let target = format!("TrentService.{operation}");
        if let Ok(target) = HeaderValue::from_bytes(target.as_bytes()) {
            request.headers.insert("x-amz-target", target);
        }
        self.ask(&self.open, request)
    }

    fn begin_upload(&self) -> String {
        let path = format!("/{BUCKET}/key");
        let begin = request(Method::POST, &path, "uploads", Bytes::new());
        let (_, xml) = self.ask(&self.open, begin);
        let xml = String::from_utf8_lossy(&xml);
        let id = xml
            .split_once("<UploadId>")
            .and_then(|(_, rest)| rest.split_once('<'));
        id.expect("an upload has an id").0.to_owned()
    }

    fn encrypt(&self) -> Vec<u8> {
        let call = json!({ "KeyId": KEY, "Plaintext": base64(SECRET) });
        let (_, answer) = self.call("Encrypt", call.to_string());
        let answer: Value = serde_json::from_slice(&answer).expect("KMS answers in JSON");
        let blob = answer["CiphertextBlob"].as_str().and_then(parse_base64);
        blob.expect("KMS encrypts")
    }
}

async fn prepare_with(authentication: Authentication) -> (Arc<Front>, Arc<Tls>) {
    let config = Config {
        authentication,
        buckets: vec![BUCKET.to_owned()],
        kms_keys: vec![KEY.to_owned()],
        clock: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)),
        entropy_seed: Some(1),
        ..Config::default()
    };
    let prepared = prepare(&config).await.expect("the server starts");
    (Arc::new(prepared.front), prepared.tls)
}

async fn read(mut body: Body) -> Bytes {
    let mut whole = Vec::new();
    while let Some(piece) = body.next().await {
        whole.extend_from_slice(&piece.expect("an answer can be read"));
    }
    whole.into()
}

/// A request for path-style addresses; its body comes as a stream, as from the wire.
pub(super) fn request(
    method: Method,
    path: &str,
    raw_query: &str,
    body: impl Into<Bytes>,
) -> Request {
    let body = body.into();
    let length = u64::try_from(body.len()).ok();
    let mut request = Request {
        host: "127.0.0.1".to_owned(),
        body: Body::stream(Box::pin(stream::iter([Ok(body)])), length),
        ..Request::new(method, path, raw_query)
    };
    let host = HeaderValue::from_static("127.0.0.1");
    request.headers.insert("host", host);
    request
}

/// The same with a header.
pub(super) fn with_header(mut request: Request, name: &'static str, value: &str) -> Request {
    if let Ok(value) = HeaderValue::from_str(value) {
        request.headers.insert(HeaderName::from_static(name), value);
    }
    request
}
