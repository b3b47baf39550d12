//! The pipeline: what happens to every request, from top to bottom.
//!
//! Wire, target and table first; then credentials, bucket, permission; then the operation's own turn.

use std::sync::Arc;

use http::Method;

use crate::auth::authenticator::{Authenticator, Identified};
use crate::auth::identity::{Caller, Identity};
use crate::clock::Clock;
use crate::entropy::Entropy;
use crate::faults::rules::{Asked as FaultAsked, Faults};
use crate::keyring::handle::Keyring;
use crate::model::bucket::Bucket;
use crate::model::bucket_name::BucketName;
use crate::model::object::ObjectVersion;
use crate::model::object_key::ObjectKey;
use crate::s3::code::Code;
use crate::s3::context::{Access, Context, Settings};
use crate::s3::delivery::Plaintext;
use crate::s3::error::{ErrorForm, S3Error};
use crate::s3::form::PostForm;
use crate::s3::headers::encryption;
use crate::s3::operation::{Call, Entry, Incoming, Payload};
use crate::s3::respond::{self, MessageIds};
use crate::s3::target::{Hosts, ObjectAddress, Target};
use crate::s3::workers::Workers;
use crate::s3::{intake, permit, preflight, router, sealing};
use crate::store::handle::Store;
use crate::wire::request::Request;
use crate::wire::response::{About, Response};

/// S3, as one service.
#[derive(Debug)]
pub(crate) struct S3Service {
    pub(crate) store: Store,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) authenticator: Arc<Authenticator>,
    pub(crate) clock: Clock,
    pub(crate) entropy: Entropy,
    pub(crate) hosts: Hosts,
    pub(crate) workers: Workers,
    pub(crate) settings: Arc<Settings>,
    pub(crate) faults: Faults,
}

/// A request that is about to be performed.
struct Asked {
    entry: &'static Entry,
    target: Target,
    caller: Option<Identified>,
    request: Request,
}

impl S3Service {
    /// Answers a request; an error is an answer too.
    pub(crate) async fn respond(&self, request: Request) -> Response {
        self.respond_to(None, request).await
    }

    /// Answers a request that was made in process, by somebody who need not sign.
    pub(crate) async fn respond_to(
        &self,
        caller: Option<Identified>,
        request: Request,
    ) -> Response {
        let ids = MessageIds::draw(&self.entropy);
        let (method, path, peer) = (
            request.method.clone(),
            request.path.clone(),
            request.connection.peer,
        );
        let mut about = About::default();
        let (response, form) = match self.find(&request) {
            Ok((target, entry)) => {
                let asked = Asked {
                    entry,
                    target,
                    caller,
                    request,
                };
                (self.perform(asked, &mut about).await, entry.errors)
            }
            Err(error) => (Err(error), ErrorForm::Declared),
        };
        about.error = response.as_ref().err().map(|error| error.code.name());
        let response = response.unwrap_or_else(|error| respond::error(&error, &ids, &method, form));
        tracing::debug!(request = %ids.request, ?peer, %method, path, status = response.status.as_u16(), "answered");
        let response = respond::finish(response, &ids, &self.clock);
        about.request_id = ids.request;
        response.about(about)
    }

    /// Whether there is a bucket of a name.
    pub(crate) fn has_bucket(&self, name: &BucketName) -> bool {
        self.bucket(name).is_some()
    }

    /// The bucket of a name, whoever owns it.
    pub(crate) fn bucket(&self, name: &BucketName) -> Option<Bucket> {
        self.store.bucket(name).ok()
    }

    /// Whether a bucket holds an object under a key.
    pub(crate) fn has_object(&self, bucket: &BucketName, key: &str) -> bool {
        ObjectKey::parse(key).is_ok_and(|key| self.store.version(bucket, &key, None).is_ok())
    }

    /// The plaintext of a version, for whoever holds the whole store: archived objects open too. KMS is asked all the
    /// same, for the bucket's owner.
    ///
    /// # Errors
    ///
    /// KMS's refusals; `InvalidRequest` under a customer's key; `InternalError` for a damaged blob.
    pub(crate) async fn open_stored(
        &self,
        bucket: &Bucket,
        version: &ObjectVersion,
    ) -> Result<Plaintext, S3Error> {
        let (name, key) = (&bucket.name, &version.key);
        let stored = self.store.open_version(name, key, Some(version.version_id));
        let (version, body) = stored?;
        let account = &bucket.account;
        let owner = Arc::new(Identity::root(account, account, account));
        let access = Access {
            insecure: false,
            is_version_4: true,
            source: None,
        };
        let store = self.store.clone();
        let cx = self.context(store, Caller::Known(owner), access, Some(bucket.clone()));
        let object = ObjectAddress {
            bucket: bucket.name.clone(),
            key: version.key.clone(),
        };
        sealing::open_range(&cx, &object, (&version, body), None, None).await
    }

    fn find(&self, request: &Request) -> Result<(Target, &'static Entry), S3Error> {
        let target = Target::of(request, &self.hosts)?;
        if request.method == Method::OPTIONS {
            return Err(preflight::refuse(request, &target));
        }
        let entry = router::find(request, &target)?;
        Ok((target, entry))
    }

    async fn perform(&self, asked: Asked, about: &mut About) -> Result<Response, S3Error> {
        let Asked {
            entry,
            mut target,
            caller,
            mut request,
        } = asked;
        // First of all: what is read from here on belongs to this state of the store.
        let store = self.store.as_of_now();
        about.operation = Some(entry.name);
        tell_target(about, &target);
        let mut form = None;
        if entry.payload == Payload::Form {
            form = Some(PostForm::open(&mut request, &mut target).await?);
            tell_target(about, &target);
        }
        let is_in_process = caller.is_some();
        let identified = match (caller, &mut form) {
            (Some(caller), _) => caller,
            (None, Some(form)) => self.identify_form(form, &target)?,
            (None, None) => self.identify(&mut request)?,
        };
        tell_caller(about, &identified.caller);
        self.find_fault(entry, &target, &request)?;
        let access = Access {
            insecure: self.settings.strict_tls && !request.is_secure(),
            is_version_4: identified.is_version_4,
            source: request.connection.peer.map(|peer| peer.ip().to_canonical()),
        };
        let mut incoming = Incoming {
            insecure: access.insecure,
            target,
            signing: identified.payload,
            region: identified.region,
            form,
            late_refusal: None,
            request,
        };
        intake::check_signing(&incoming, entry.payload)?;
        let bucket = self.let_in(entry, &incoming, &identified.caller)?;
        permit::check_version(access, entry)?;
        let mut cx = self.context(store, identified.caller, access, bucket);
        if is_in_process {
            // What the server is told to hold is put under keys that let in others alone.
            cx.keyring = Arc::new(cx.keyring.unguarded());
        }
        match entry.call {
            Call::Operation(run) => {
                intake::read_document(&mut incoming, entry.payload).await?;
                run(&cx, incoming).await
            }
            Call::Fresh(answer) => answer.of(cx.bucket()?, &incoming.request),
            Call::Unbuilt => Err(Code::NotImplemented.error()),
        }
    }

    /// What a test wants to go wrong for a client; what is asked in process is none's.
    fn find_fault(&self, entry: &Entry, target: &Target, request: &Request) -> Result<(), S3Error> {
        let key = match target {
            Target::Object(object) => Some(object.key.as_str()),
            _ => None,
        };
        let asked = FaultAsked {
            operation: entry.name,
            bucket: target.bucket().map(BucketName::as_str),
            key,
        };
        let is_of_client = request.connection.peer.is_some();
        let fault = is_of_client.then(|| self.faults.plan(&asked)).flatten();
        fault.map_or(Ok(()), |answer| Err(answer.into()))
    }

    fn identify(&self, request: &mut Request) -> Result<Identified, S3Error> {
        let host_bucket = self.hosts.bucket_of(&request.host).map(str::to_owned);
        let now = self.clock.now();
        Ok(self
            .authenticator
            .identify(request, "s3", host_bucket.as_deref(), now)?)
    }

    /// Who filled in a form; its policy sets the bounds of its file's size.
    fn identify_form(&self, form: &mut PostForm, target: &Target) -> Result<Identified, S3Error> {
        let bucket = target.bucket().map(BucketName::as_str).unwrap_or_default();
        let now = self.clock.now();
        let identified = self
            .authenticator
            .identify_form(&form.fields, bucket, now)?;
        form.size_bytes = identified.size_bytes;
        Ok(identified.by)
    }

    /// The bucket that the request is about, if its caller may be there.
    fn let_in(
        &self,
        entry: &Entry,
        incoming: &Incoming,
        caller: &Caller,
    ) -> Result<Option<Bucket>, S3Error> {
        let bucket = match incoming.target.bucket() {
            Some(name) if entry.needs_bucket => Some(self.store.bucket(name)?),
            _ => None,
        };
        permit::check(caller, bucket.as_ref(), entry, &incoming.request)?;
        if let Some(bucket) = bucket.as_ref().filter(|_| self.settings.strict_region) {
            permit::check_region(bucket, &incoming.region)?;
        }
        encryption::check_secure(incoming)?;
        if let (Some(bucket), Some(action)) = (&bucket, entry.seals) {
            permit::check_blocked(caller, bucket, action, incoming)?;
        }
        Ok(bucket)
    }

    fn context(
        &self,
        store: Store,
        caller: Caller,
        access: Access,
        bucket: Option<Bucket>,
    ) -> Context {
        Context {
            keyring: Arc::new(self.keyring.over(store.clone())),
            store,
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            workers: self.workers.clone(),
            settings: Arc::clone(&self.settings),
            caller,
            access,
            bucket,
        }
    }
}

fn tell_target(about: &mut About, target: &Target) {
    about.bucket = target.bucket().map(ToString::to_string);
    if let Target::Object(object) = target {
        about.key = Some(object.key.as_str().to_owned());
    }
}

fn tell_caller(about: &mut About, caller: &Caller) {
    if let Caller::Known(identity) = caller {
        about.access_key = Some(identity.access_key.clone());
        about.account = Some(identity.account.clone());
    }
}
