//! What an operation may reach: store, keys, time, randomness, settings, and who calls.

use std::net::IpAddr;
use std::sync::Arc;

use crate::auth::identity::{Caller, Identity};
use crate::clock::Clock;
use crate::config::NewBuckets;
use crate::entropy::Entropy;
use crate::journal::kms_calls::Through;
use crate::keyring::asker::Asker;
use crate::keyring::handle::Keyring;
use crate::model::bucket::Bucket;
use crate::model::context::EncryptionContext;
use crate::model::encryption::{BlockedEncryption, BucketEncryption};
use crate::policy::keys::ContextKeys;
use crate::s3::code::Code;
use crate::s3::error::S3Error;
use crate::s3::workers::Workers;
use crate::store::handle::Store;

/// Who S3 is to those that it calls.
const SERVICE: &str = "s3.amazonaws.com";

/// The world of one request.
#[derive(Debug)]
pub(crate) struct Context {
    /// Buckets and objects.
    pub(crate) store: Store,
    /// Keys.
    pub(crate) keyring: Arc<Keyring>,
    /// Time.
    pub(crate) clock: Clock,
    /// Randomness.
    pub(crate) entropy: Entropy,
    /// Who may work on large bodies.
    pub(crate) workers: Workers,
    /// What the server was told at its start.
    pub(crate) settings: Arc<Settings>,
    /// Who calls.
    pub(crate) caller: Caller,
    /// How it was sent.
    pub(crate) access: Access,
    /// The bucket as it was when the request was let in.
    pub(crate) bucket: Option<Bucket>,
}

/// How a request was sent, as far as secrets and KMS care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Access {
    /// Whether secrets must not come this way: plain HTTP under `--strict-tls`.
    pub(crate) insecure: bool,
    /// Whether version 4 of signatures proves who sent it.
    pub(crate) is_version_4: bool,
    /// Where it came from; nowhere for a request made in process.
    pub(crate) source: Option<IpAddr>,
}

/// Settings that operations obey.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// What a new bucket is born with.
    pub(crate) new_buckets: NewBuckets,
    /// Whether secrets over plain HTTP are refused.
    pub(crate) strict_tls: bool,
    /// Whether a bucket of another region is answered as AWS does.
    pub(crate) strict_region: bool,
}

impl Settings {
    /// The encryption rule that a bucket is born with, by the age that the server imitates.
    pub(crate) fn first_encryption(&self) -> BucketEncryption {
        BucketEncryption::fresh(match self.new_buckets {
            NewBuckets::Y2026 => BlockedEncryption::SseC,
            NewBuckets::Y2023 | NewBuckets::Legacy => BlockedEncryption::Absent,
        })
    }
}

impl Context {
    /// The bucket of the request.
    ///
    /// # Errors
    ///
    /// `InternalError` in an operation that has none, which the table rules out.
    pub(crate) fn bucket(&self) -> Result<&Bucket, S3Error> {
        self.bucket
            .as_ref()
            .ok_or_else(|| Code::InternalError.error())
    }

    /// The canonical id of the caller, the owner of what it writes.
    ///
    /// # Errors
    ///
    /// `AccessDenied` for an anonymous one.
    pub(crate) fn caller_id(&self) -> Result<&str, S3Error> {
        self.identity()
            .map(|identity| identity.canonical_id.as_str())
    }

    /// The account of the caller.
    ///
    /// # Errors
    ///
    /// `AccessDenied` for an anonymous one.
    pub(crate) fn caller_account(&self) -> Result<&str, S3Error> {
        self.identity().map(|identity| identity.account.as_str())
    }

    /// The caller, as KMS sees him: S3 asks for him, in a region, for one of KMS's operations.
    ///
    /// # Errors
    ///
    /// `AccessDenied` for an anonymous one.
    pub(crate) fn asker(&self, region: &str, operation: &'static str) -> Result<Asker, S3Error> {
        let identity = self.identity()?;
        Ok(Asker {
            who: identity.policy_caller(),
            caller: identity.arn(),
            account: identity.account.clone(),
            permissions: Arc::clone(&identity.permissions),
            region: region.to_owned(),
            through: Through::S3,
            operation,
            action: operation,
            context: EncryptionContext::default(),
            facts: self.forwarded(identity),
        })
    }

    /// What conditions may look at of S3's own call: it keeps the address of whom it calls for.
    ///
    /// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html>
    // AWS: unverified. That it comes by TLS, and by which agent: CloudTrail shows this one.
    fn forwarded(&self, identity: &Identity) -> ContextKeys {
        let keys = identity
            .caller_keys()
            .with_set("aws:CalledVia", [SERVICE])
            .with("aws:CalledViaFirst", SERVICE)
            .with("aws:CalledViaLast", SERVICE)
            .with("aws:SecureTransport", "true")
            .with("aws:UserAgent", "AWS Internal")
            .with("kms:EncryptionAlgorithm", "SYMMETRIC_DEFAULT");
        match self.access.source {
            Some(address) => keys.with("aws:SourceIp", address.to_string()),
            None => keys,
        }
    }

    fn identity(&self) -> Result<&Identity, S3Error> {
        match &self.caller {
            Caller::Known(identity) => Ok(identity),
            Caller::Anonymous => Err(Code::AccessDenied.error()),
        }
    }
}
