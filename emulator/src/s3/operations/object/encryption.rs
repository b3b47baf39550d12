//! The encryption of an object that is stored already: `UpdateObjectEncryption`.
//!
//! The object keeps its data key, which is wrapped anew under a KMS key. Not a byte of its body moves, and entity tag,
//! checksums and time stay: so an object under SSE-KMS can have the MD5 of its plaintext for a tag.
//!
//! Source: refusals and their order measured on AWS in September 2026.

use http::Method;

use crate::model::bucket::Bucket;
use crate::model::encryption::SseAlgorithm;
use crate::model::object::{ObjectVersion, VersionId};
use crate::model::sealing::Sealing;
use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::error::S3Error;
use crate::s3::operation::{Entry, Incoming, Operation, Payload, Route, Scope};
use crate::s3::sealing;
use crate::s3::target::ObjectAddress;
use crate::sse::choice::{CustomerContext, KmsRequest};
use crate::store::error::StoreError;
use crate::wire::response::Response;
use crate::wire::xml::{self, Element};

pub(crate) const OPERATIONS: &[Entry] = &[Entry::of::<UpdateObjectEncryption>()];

const TO_SSE_S3: &str = "Target encryption type 'SSE-S3' is not supported.";
const NO_ARN: &str =
    "Requests modifying object encryption configuration to SSE-KMS require a target kms key arn.";
const BAD_ARN: &str = "Requests modifying object encryption configuration to SSE-KMS require a valid target kms key arn:";
const NOT_A_KEY: &str = "Invalid KMS Key ARN format. You must provide the full KMS Key ARN to make an UpdateObjectEncryption request";
// AWS: unverified. The words of these two; that it refuses is documented.
const FOREIGN_KEY: &str =
    "The AWS KMS key in the request must be owned by the same account as the bucket.";
const UNSUPPORTED_SOURCE: &str = "The UpdateObjectEncryption operation doesn't support source objects with the encryption type DSSE-KMS or SSE-C. Only source objects encrypted with SSE-S3 or SSE-KMS are supported.";

/// `PUT /{bucket}/{key}?encryption`: wraps the data key of an object under a KMS key.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UpdateObjectEncryption.html>
#[derive(Debug)]
struct UpdateObjectEncryption {
    object: ObjectAddress,
    version_id: Option<VersionId>,
    target: Target,
}

/// How the object is to be encrypted, as it was sent: AWS looks the object up before it looks at this.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    SseS3,
    SseKms {
        key_arn: String,
        bucket_key_enabled: Option<String>,
    },
}

impl Operation for UpdateObjectEncryption {
    const NAME: &'static str = "UpdateObjectEncryption";
    const ROUTE: Route = Route::put(Scope::Object).query("encryption");
    const PAYLOAD: Payload = Payload::LateDocument;
    const NEEDS_VERSION_4: Option<&'static str> =
        Some("Requests modifying object encryption configuration require AWS Signature Version 4.");

    fn parse(incoming: &mut Incoming) -> Result<Self, S3Error> {
        let version_id = incoming.version_id()?;
        let document = &incoming.request.document;
        if document.is_empty() {
            return Err(Code::MissingRequestBodyError.error());
        }
        Ok(Self {
            object: incoming.object()?,
            version_id,
            target: parse_target(document).ok_or_else(|| Code::MalformedXML.error())?,
        })
    }

    /// Where somebody changes the object between the look at it and the commit, it is looked at again.
    async fn run(self, cx: &Context) -> Result<Response, S3Error> {
        loop {
            let version = self.find(cx)?;
            let target = self.target.check(cx.bucket()?)?;
            let sealing = &version.content.sealing;
            check_source(sealing)?;
            let sealing = sealing::wrap_again(cx, &self.object, sealing, &target).await?;
            let bucket = &self.object.bucket;
            if cx.store.swap_sealing(bucket, &version, &sealing).await? {
                return Ok(Response::ok());
            }
        }
    }
}

impl UpdateObjectEncryption {
    /// AWS names bucket and key where there is no object.
    fn find(&self, cx: &Context) -> Result<ObjectVersion, S3Error> {
        let ObjectAddress { bucket, key } = &self.object;
        let found = cx.store.version(bucket, key, self.version_id);
        found.map_err(|error| match error {
            StoreError::NoSuchKey(_) | StoreError::Deleted(_) => {
                Code::NoSuchKey.with("Key", format!("{bucket}/{key}"))
            }
            error => S3Error::of_read(error, &Method::PUT),
        })
    }
}

impl Target {
    /// What is asked of KMS, if it can be asked.
    fn check(&self, bucket: &Bucket) -> Result<KmsRequest, S3Error> {
        let Self::SseKms {
            key_arn,
            bucket_key_enabled,
        } = self
        else {
            return Err(Code::InvalidRequest.says(TO_SSE_S3));
        };
        let account = account_of(key_arn)?;
        let bucket_key = parse_bucket_key(bucket_key_enabled.as_deref())?;
        if account != bucket.account {
            return Err(Code::AccessDenied.says(FOREIGN_KEY));
        }
        Ok(KmsRequest {
            algorithm: SseAlgorithm::Kms,
            key_id: Some(key_arn.clone()),
            bucket_key: Some(bucket_key),
            context: CustomerContext::default(),
        })
    }
}

// AWS: unverified. That the target is checked before the source.
fn check_source(sealing: &Sealing) -> Result<(), S3Error> {
    match sealing {
        Sealing::SseS3 { .. } | Sealing::SseKms(_) => Ok(()),
        Sealing::DsseKms { .. } | Sealing::SseC { .. } => {
            Err(Code::InvalidRequest.says(UNSUPPORTED_SOURCE))
        }
    }
}

/// The account of a KMS key's ARN.
fn account_of(arn: &str) -> Result<&str, S3Error> {
    if arn.is_empty() {
        return Err(Code::InvalidRequest.says(NO_ARN));
    }
    let malformed = |why| Code::InvalidRequest.says(format!("{BAD_ARN} {why}"));
    let arn = split_arn(arn).map_err(malformed)?;
    let id = arn.resource.strip_prefix("key/").unwrap_or_default();
    let is_account =
        arn.account.len() == 12 && arn.account.bytes().all(|byte| byte.is_ascii_digit());
    if arn.service == "kms" && is_account && !id.is_empty() {
        Ok(arn.account)
    } else {
        Err(Code::InvalidRequest.says(NOT_A_KEY))
    }
}

/// An ARN, taken apart as far as it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SplitArn<'a> {
    service: &'a str,
    account: &'a str,
    resource: &'a str,
}

/// Takes an ARN apart, or says what is wrong with it in AWS's words.
fn split_arn(arn: &str) -> Result<SplitArn<'_>, &'static str> {
    let rest = arn.strip_prefix("arn:");
    let rest = rest.ok_or("Malformed ARN - doesn't start with 'arn:'")?;
    let (_, rest) = cut(rest, "Malformed ARN - no AWS partition specified")?;
    let (service, rest) = cut(rest, "Malformed ARN - no service specified")?;
    let (_, rest) = cut(rest, "Malformed ARN - no AWS region partition specified")?;
    let (account, resource) = cut(rest, "Malformed ARN - no AWS account specified")?;
    if resource.is_empty() {
        return Err("Malformed ARN - no resource specified");
    }
    if resource.split(['/', ':']).nth(1) == Some("") {
        return Err("resource cannot be empty");
    }
    Ok(SplitArn {
        service,
        account,
        resource,
    })
}

/// What stands before the next colon, and behind it.
fn cut<'a>(rest: &'a str, missing: &'static str) -> Result<(&'a str, &'a str), &'static str> {
    rest.split_once(':').ok_or(missing)
}

fn parse_bucket_key(value: Option<&str>) -> Result<bool, S3Error> {
    match value {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(value) => Err(Code::InvalidRequest.says(format!(
            "BucketKeyEnabled must be 'true' or 'false'. Invalid value: {value}"
        ))),
    }
}

fn parse_target(document: &[u8]) -> Option<Target> {
    let root = xml::parse(document).ok()?;
    let [target] = &root.children[..] else {
        return None;
    };
    match (root.name.as_str(), target.name.as_str()) {
        ("ObjectEncryption", "SSE-S3") => Some(Target::SseS3),
        ("ObjectEncryption", "SSE-KMS") => parse_kms(target),
        _ => None,
    }
}

// AWS: unverified. That a target without the element for the key is answered as one where that is empty.
fn parse_kms(target: &Element) -> Option<Target> {
    let known = ["KMSKeyArn", "BucketKeyEnabled"];
    let mut children = target.children.iter();
    if !children.all(|child| known.contains(&child.name.as_str())) {
        return None;
    }
    let text = |name| target.text_of(name).map(str::to_owned);
    Some(Target::SseKms {
        key_arn: text("KMSKeyArn").unwrap_or_default(),
        bucket_key_enabled: text("BucketKeyEnabled"),
    })
}
