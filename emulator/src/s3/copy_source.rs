//! The source of a copy: of a whole object, or of one part.

use crate::model::bucket::{Bucket, Versioning};
use crate::model::object::{ObjectVersion, VersionId};
use crate::s3::code::Code;
use crate::s3::context::Context;
use crate::s3::delivery::Plaintext;
use crate::s3::error::S3Error;
use crate::s3::headers::conditions::ReadConditions;
use crate::s3::headers::{encryption, metadata, versions};
use crate::s3::operation::Incoming;
use crate::s3::permit;
use crate::s3::sealing;
use crate::s3::target::ObjectAddress;
use crate::sse::customer_key::CustomerKey;
use crate::store::error::StoreError;
use crate::store::open_body::OpenBody;
use crate::wire::response::Response;

/// What is copied.
#[derive(Debug)]
pub(crate) struct CopySource {
    /// Which object.
    pub(crate) object: ObjectAddress,
    /// Which of its versions: `None` for the current one.
    pub(crate) version_id: Option<VersionId>,
    customer_key: Option<CustomerKey>,
    conditions: ReadConditions,
    expected_owner: Option<String>,
}

/// A version that is copied.
#[derive(Debug)]
pub(crate) struct Source {
    /// The version.
    pub(crate) version: ObjectVersion,
    /// The bucket that it lies in.
    bucket: Bucket,
}

impl Source {
    /// Tells which version was copied; of `null` nothing is said while its bucket's versioning is suspended.
    ///
    /// Source: answers recorded from AWS in February 2026.
    // AWS: unverified. That `null` is told while it is enabled.
    pub(crate) fn write(&self, response: Response) -> Response {
        let id = self.version.version_id;
        let is_told = id != VersionId::Null || self.bucket.versioning == Versioning::Enabled;
        let id = is_told.then(|| id.to_string());
        response.maybe_header("x-amz-copy-source-version-id", id)
    }
}

impl CopySource {
    /// Reads `x-amz-copy-source` and what goes with it.
    ///
    /// # Errors
    ///
    /// `InvalidArgument`, and every refusal of the source's key.
    pub(crate) fn parse(incoming: &Incoming) -> Result<Self, S3Error> {
        let request = &incoming.request;
        let (object, version) =
            ObjectAddress::of_copy_source(request.header("x-amz-copy-source").unwrap_or_default())?;
        let version_id = version.map(|id| versions::parse("x-amz-copy-source", &id));
        Ok(Self {
            object,
            version_id: version_id.transpose()?,
            customer_key: encryption::parse_source(incoming)?,
            conditions: ReadConditions::of_source(request),
            expected_owner: request.header(permit::SOURCE_OWNER).map(str::to_owned),
        })
    }

    /// Opens the source, if the caller may read it, has its key, and its conditions hold.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `NoSuchKey`, `AccessDenied`, `InvalidRequest`, `PreconditionFailed`, `InvalidObjectState`.
    pub(crate) fn open(&self, cx: &Context) -> Result<(Source, OpenBody), S3Error> {
        let bucket = cx.store.bucket(&self.object.bucket)?;
        permit::check_owned(cx, &bucket)?;
        permit::check_expected_owner(self.expected_owner.as_deref(), &bucket)?;
        let ObjectAddress { bucket: name, key } = &self.object;
        let opened = cx.store.open_version(name, key, self.version_id);
        let (version, body) = opened.map_err(of_store)?;
        sealing::check_customer(&version, self.customer_key.as_ref()).map_err(of_source)?;
        self.conditions.check_source(
            &version.content.etag,
            version.last_modified,
            cx.clock.now(),
        )?;
        metadata::check_readable(&version.content).map_err(of_archived)?;
        Ok((Source { version, bucket }, body))
    }

    /// The plaintext of an opened source, or of a range of it.
    ///
    /// # Errors
    ///
    /// KMS's refusals; `InternalError` for a damaged blob.
    pub(crate) async fn read(
        &self,
        cx: &Context,
        (source, body): (&Source, OpenBody),
        range: Option<(u64, u64)>,
    ) -> Result<Plaintext, S3Error> {
        let stored = (&source.version, body);
        sealing::open_range(cx, &self.object, stored, self.customer_key.as_ref(), range).await
    }
}

/// A delete marker has nothing to copy.
fn of_store(error: StoreError) -> S3Error {
    match error {
        StoreError::IsMarker(_) => Code::InvalidRequest.says(
            "The source of a copy request may not specifically refer to a delete marker by version id.",
        ),
        other => other.into(),
    }
}

/// An archived source is refused in words of its own.
///
/// Source: <https://github.com/s3tools/s3cmd/pull/193>, where AWS's message is quoted.
fn of_archived(error: S3Error) -> S3Error {
    let message = "Operation is not valid for the source object's storage class";
    S3Error {
        message: message.into(),
        ..error
    }
}

/// Words a refusal of the customer's key of the source as AWS does: a wrong one is a bad request here, not a denial.
fn of_source(error: S3Error) -> S3Error {
    if error.code == Code::AccessDenied {
        return Code::InvalidRequest
            .says("The provided encryption parameters did not match the ones used originally.");
    }
    error
}
