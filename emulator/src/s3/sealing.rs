//! The two ends of an object's encryption, as operations need them: begin to write one, and open a stored one.

use crate::crypto::segments::Sealer;
use crate::model::etag::ETag;
use crate::model::object::ObjectVersion;
use crate::model::sealing::Sealing;
use crate::s3::context::Context;
use crate::s3::delivery::Plaintext;
use crate::s3::error::S3Error;
use crate::s3::intake::Received;
use crate::s3::target::ObjectAddress;
use crate::sse::choice::{self, Chosen, Requested};
use crate::sse::customer_key::CustomerKey;
use crate::sse::open;
use crate::sse::seal::{self, SealedObject};
use crate::store::reader::BlobReader;
use crate::store::staging::BlobWriter;

/// An object about to be written: how it is encrypted, and what its bytes go through.
#[derive(Debug)]
pub(crate) struct Write {
    /// As it will be stored.
    pub(crate) sealing: Sealing,
    /// Encrypts the body.
    pub(crate) sealer: Sealer,
    /// Takes what the sealer gives.
    pub(crate) writer: BlobWriter,
    /// What its tag will be.
    pub(crate) etag: ETagRule,
}

/// What the tag of an object says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ETagRule {
    /// The MD5 of the plaintext: SSE-S3.
    Md5,
    /// Nothing: random digits, as AWS answers in every other mode.
    Random,
}

impl Write {
    /// Decides how an object is encrypted (headers, else the bucket's default, else SSE-S3) and begins it.
    ///
    /// # Errors
    ///
    /// `KMS.NotFoundException` for a key that is not there; `InternalError` when no blob can be made.
    pub(crate) fn begin(
        cx: &Context,
        object: &ObjectAddress,
        requested: Requested,
    ) -> Result<Self, S3Error> {
        let bucket = cx.bucket()?;
        let chosen = choice::choose(requested, &bucket.encryption);
        let etag = if matches!(chosen, Chosen::SseS3) {
            ETagRule::Md5
        } else {
            ETagRule::Random
        };
        let writer = cx.store.blob_writer();
        let arn = object.arn();
        let object = SealedObject {
            arn: &arn,
            region: bucket.region(),
            account: &bucket.account,
        };
        let (sealing, sealer) =
            seal::begin(&chosen, &cx.keyring, writer.id(), &object, &cx.entropy)?;
        Ok(Self {
            sealing,
            sealer,
            writer,
            etag,
        })
    }
}

impl ETagRule {
    /// Whether the MD5 has to be computed for it.
    pub(crate) fn wants_md5(self) -> bool {
        self == Self::Md5
    }

    /// The tag of a received body.
    pub(crate) fn of(self, received: &Received, cx: &Context) -> ETag {
        let digits = received.md5.filter(|_| self == Self::Md5);
        ETag::of_bytes(digits.unwrap_or_else(|| cx.entropy.bytes()))
    }
}

/// Opens a range of a stored object; `None` for all of it.
///
/// # Errors
///
/// `InvalidRequest` where a key is missing or not applicable, `AccessDenied` for the wrong key, `InternalError` for a
/// damaged blob.
pub(crate) fn open_range(
    cx: &Context,
    object: &ObjectAddress,
    (version, reader): (&ObjectVersion, BlobReader),
    customer_key: Option<&CustomerKey>,
    range: Option<(u64, u64)>,
) -> Result<Plaintext, S3Error> {
    let key = open::data_key(
        &version.content.sealing,
        customer_key,
        &cx.keyring,
        &object.arn(),
    )?;
    let mut header = [0; crate::crypto::segments::HEADER_BYTES];
    reader.read_at(0, &mut header)?;
    let opener = open::opener(&key, &version.blob, &header)?;
    if opener.plaintext_bytes() != version.content.size_bytes {
        return Err(S3Error::internal(format!(
            "blob `{}` has another length than its row says",
            version.blob.id
        )));
    }
    Ok(Plaintext::new(opener, reader, version, range))
}

/// Checks the key of a read without opening the body: all that HEAD does.
///
/// # Errors
///
/// As [`open_range`].
pub(crate) fn check_key(
    cx: &Context,
    object: &ObjectAddress,
    version: &ObjectVersion,
    customer_key: Option<&CustomerKey>,
) -> Result<(), S3Error> {
    open::data_key(
        &version.content.sealing,
        customer_key,
        &cx.keyring,
        &object.arn(),
    )?;
    Ok(())
}
