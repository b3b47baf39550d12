//! A response, before a server sends it.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::wire::body::Body;

/// A response.
#[derive(Debug)]
pub(crate) struct Response {
    /// Its status.
    pub(crate) status: StatusCode,
    /// Its headers.
    pub(crate) headers: HeaderMap,
    /// Its body.
    pub(crate) body: Body,
    /// What the journal is told; `None` keeps the request out of it.
    pub(crate) about: Option<Box<About>>,
}

/// What a service found out about the request that it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// AWS's name of the operation.
    pub(crate) operation: Option<&'static str>,
    /// The bucket.
    pub(crate) bucket: Option<String>,
    /// The object's key.
    pub(crate) key: Option<String>,
    /// The access key of the caller, once he is believed.
    pub(crate) access_key: Option<String>,
    /// His account.
    pub(crate) account: Option<String>,
    /// The code of the error that it is answered with.
    pub(crate) error: Option<&'static str>,
    /// The id of the answer.
    pub(crate) request_id: String,
}

impl Response {
    /// No header, no body.
    pub(crate) fn new(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body: Body::empty(),
            about: None,
        }
    }

    /// 200.
    pub(crate) fn ok() -> Self {
        Self::new(StatusCode::OK)
    }

    /// 204.
    pub(crate) fn no_content() -> Self {
        Self::new(StatusCode::NO_CONTENT)
    }

    /// Adds a header. A value that no header can carry (a control character) is left out: it came from a client that
    /// could not have sent it as one.
    #[must_use]
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_ref())) {
            self.headers.append(name, value);
        }
        self
    }

    /// Adds a header where there is a value for it.
    #[must_use]
    pub(crate) fn maybe_header(self, name: &str, value: Option<impl AsRef<[u8]>>) -> Self {
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// Tells the journal.
    #[must_use]
    pub(crate) fn about(mut self, about: About) -> Self {
        self.about = Some(Box::new(about));
        self
    }

    /// Sets the body.
    #[must_use]
    pub(crate) fn body(mut self, body: impl Into<Body>) -> Self {
        self.body = body.into();
        self
    }
}
