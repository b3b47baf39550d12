//! What an operation is: a trait, the row of the table that it becomes, and the wire form that selects it.

use std::future::Future;
use std::pin::Pin;

use crate::auth::payload::PayloadSigning;
use crate::model::bucket_name::BucketName;
use crate::model::object::VersionId;
use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::{ErrorForm, S3Error};
use crate::s3::form::PostForm;
use crate::s3::fresh::FreshAnswer;
use crate::s3::headers::versions;
use crate::s3::target::{ObjectAddress, Target};
use crate::wire::request::Request;
use crate::wire::response::Response;

/// One operation of S3.
pub(crate) trait Operation: Sized + Send + 'static {
    /// AWS's full name.
    const NAME: &'static str;
    /// Which requests it answers.
    const ROUTE: Route;
    /// What it does with the body.
    const PAYLOAD: Payload = Payload::None;
    /// What form its errors have.
    const ERRORS: ErrorForm = ErrorForm::Declared;
    /// Whether the bucket has to exist: all but `CreateBucket`.
    const NEEDS_BUCKET: bool = true;

    /// Under which action a write is refused where the bucket blocks customer keys; `None` for what seals nothing.
    const SEALS: Option<&'static str> = None;
    /// What a request is told that no version 4 of signatures proves; `None` where any version will do.
    const NEEDS_VERSION_4: Option<&'static str> = None;

    /// Reads the message: pure, without store and clock.
    ///
    /// # Errors
    ///
    /// AWS's refusal of a message that cannot be meant.
    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error>;

    /// Does it.
    ///
    /// # Errors
    ///
    /// AWS's answer where it cannot be done.
    fn run(self, cx: &Context) -> impl Future<Output = Result<Response, S3Error>> + Send;
}

/// A request that the pipeline has understood so far: what `parse` reads.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// The message.
    pub(crate) request: Request,
    /// What it is about.
    pub(crate) target: Target,
    /// How its body is signed.
    pub(crate) signing: PayloadSigning,
    /// Whether secrets must not come this way: plain HTTP under `--strict-tls`.
    pub(crate) insecure: bool,
    /// The region that it was sent to.
    pub(crate) region: String,
    /// The form that it came as.
    pub(crate) form: Option<PostForm>,
    /// What is refused of its digests once the document is understood.
    pub(crate) late_refusal: Option<S3Error>,
}

impl Incoming {
    /// The bucket that it is about.
    ///
    /// # Errors
    ///
    /// `InternalError` at another scope, which the table rules out.
    pub(crate) fn bucket_name(&self) -> Result<BucketName, S3Error> {
        self.target
            .bucket()
            .cloned()
            .ok_or_else(|| Code::InternalError.error())
    }

    /// The object that it is about.
    ///
    /// # Errors
    ///
    /// `InternalError` at another scope, which the table rules out.
    pub(crate) fn object(&self) -> Result<ObjectAddress, S3Error> {
        match &self.target {
            Target::Object(object) => Ok(object.clone()),
            Target::Service | Target::Bucket(_) => Err(Code::InternalError.error()),
        }
    }

    /// The version that it names: `None` for the current one.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for an id that no version has.
    pub(crate) fn version_id(&self) -> Result<Option<VersionId>, S3Error> {
        let named = self.request.query.find("versionId");
        named.map(|id| versions::parse("versionId", id)).transpose()
    }
}

/// What an operation does with the body of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    /// It takes none.
    None,
    /// A small document, read whole before its turn.
    Document,
    /// The same, whose digests AWS checks when it has understood the document.
    LateDocument,
    /// A small document whose checksum headers speak of something else: of the object that it completes.
    Manifest,
    /// A body of any size, which the operation reads itself.
    Stream,
    /// The same, behind the fields of a browser's form, which are read before its turn.
    Form,
}

/// Where a request is aimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// `/`.
    Service,
    /// A bucket's path.
    Bucket,
    /// A key's path.
    Object,
}

/// The wire form of an operation: method, scope, and what tells it from its neighbours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route {
    method: &'static str,
    /// Where it is aimed.
    pub(crate) scope: Scope,
    /// The sub-resource that it is about.
    pub(crate) selector: Option<&'static str>,
    /// Further query names that must be there.
    queries: &'static [&'static str],
    /// A query pair that must be there.
    pair: Option<(&'static str, &'static str)>,
    /// A header that must be there.
    header: Option<&'static str>,
    /// Whether it must be a browser's form.
    is_form: bool,
}

type Answer<'a> = Pin<Box<dyn Future<Output = Result<Response, S3Error>> + Send + 'a>>;

/// How a row of the table is answered.
#[derive(Clone, Copy)]
pub(crate) enum Call {
    /// By an operation.
    Operation(for<'a> fn(&'a Context, Incoming) -> Answer<'a>),
    /// With what AWS answers while a configuration was never set.
    Fresh(&'static FreshAnswer),
    /// 501: not built yet.
    Unbuilt,
}

/// A row of the operation table.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    /// AWS's full name.
    pub(crate) name: &'static str,
    /// Which requests it answers.
    pub(crate) route: Route,
    /// What it does with the body.
    pub(crate) payload: Payload,
    /// What form its errors have.
    pub(crate) errors: ErrorForm,
    /// Whether the bucket has to exist.
    pub(crate) needs_bucket: bool,
    /// The action that a blocked customer key is refused under.
    pub(crate) seals: Option<&'static str>,
    /// The refusal of other signatures than those of version 4.
    pub(crate) needs_version_4: Option<&'static str>,
    /// What answers.
    pub(crate) call: Call,
}

impl Entry {
    /// The row of an operation.
    pub(crate) const fn of<O: Operation>() -> Self {
        Self {
            name: O::NAME,
            route: O::ROUTE,
            payload: O::PAYLOAD,
            errors: O::ERRORS,
            needs_bucket: O::NEEDS_BUCKET,
            seals: O::SEALS,
            needs_version_4: O::NEEDS_VERSION_4,
            call: Call::Operation(call::<O>),
        }
    }

    /// The row of a configuration that can be read but not yet set.
    pub(crate) const fn fresh(
        name: &'static str,
        route: Route,
        answer: &'static FreshAnswer,
    ) -> Self {
        Self {
            name,
            route,
            payload: Payload::None,
            errors: answer.error_form(),
            needs_bucket: true,
            seals: None,
            needs_version_4: None,
            call: Call::Fresh(answer),
        }
    }

    /// The row of an operation that is not built yet.
    pub(crate) const fn unbuilt(name: &'static str, route: Route) -> Self {
        Self {
            name,
            route,
            payload: Payload::None,
            errors: ErrorForm::Declared,
            needs_bucket: true,
            seals: None,
            needs_version_4: None,
            call: Call::Unbuilt,
        }
    }
}

fn call<O: Operation>(cx: &Context, mut incoming: Incoming) -> Answer<'_> {
    Box::pin(async move {
        let operation = O::parse(&mut incoming)?;
        match incoming.late_refusal {
            None => operation.run(cx).await,
            Some(refusal) => Err(refusal),
        }
    })
}

impl Route {
    /// `GET`.
    pub(crate) const fn get(scope: Scope) -> Self {
        Self::new("GET", scope)
    }

    /// `HEAD`.
    pub(crate) const fn head(scope: Scope) -> Self {
        Self::new("HEAD", scope)
    }

    /// `PUT`.
    pub(crate) const fn put(scope: Scope) -> Self {
        Self::new("PUT", scope)
    }

    /// `POST`.
    pub(crate) const fn post(scope: Scope) -> Self {
        Self::new("POST", scope)
    }

    /// `DELETE`.
    pub(crate) const fn delete(scope: Scope) -> Self {
        Self::new("DELETE", scope)
    }

    const fn new(method: &'static str, scope: Scope) -> Self {
        Self {
            method,
            scope,
            selector: None,
            queries: &[],
            pair: None,
            header: None,
            is_form: false,
        }
    }

    /// About a sub-resource.
    pub(crate) const fn query(mut self, selector: &'static str) -> Self {
        self.selector = Some(selector);
        self
    }

    /// Only with these query names.
    pub(crate) const fn with_queries(mut self, names: &'static [&'static str]) -> Self {
        self.queries = names;
        self
    }

    /// Only with this query pair.
    pub(crate) const fn with_pair(mut self, name: &'static str, value: &'static str) -> Self {
        self.pair = Some((name, value));
        self
    }

    /// Only with this header.
    pub(crate) const fn with_header(mut self, name: &'static str) -> Self {
        self.header = Some(name);
        self
    }

    /// Only as a browser's form.
    pub(crate) const fn of_form(mut self) -> Self {
        self.is_form = true;
        self
    }

    /// Its method.
    pub(crate) fn method(&self) -> &'static str {
        self.method
    }

    /// Whether it has this scope and sub-resource, whatever the method.
    pub(crate) fn is_at(&self, scope: Scope, selector: Option<&str>) -> bool {
        self.scope == scope && self.selector == selector
    }

    /// Whether a request at its scope and sub-resource has its method and all else that it demands.
    pub(crate) fn takes(&self, request: &Request) -> bool {
        let method = request.method.as_str() == self.method;
        method
            && self.queries.iter().all(|name| request.query.has(name))
            && self
                .pair
                .is_none_or(|(name, value)| request.query.find(name) == Some(value))
            && self
                .header
                .is_none_or(|name| request.headers.contains_key(name))
            && (!self.is_form || is_form(request))
    }

    /// How much it demands: of two that take a request, the more demanding one answers.
    pub(crate) fn demands(&self) -> usize {
        self.queries.len() + usize::from(self.pair.is_some()) + usize::from(self.header.is_some())
    }
}

fn is_form(request: &Request) -> bool {
    let media_type = request.header("content-type").unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default();
    media_type
        .trim()
        .eq_ignore_ascii_case("multipart/form-data")
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.name)
            .field("route", &self.route)
            .finish_non_exhaustive()
    }
}
