//! Opening a stored body.

use crate::crypto::data_key::DataKey;
use crate::crypto::layout::HEADER_BYTES;
use crate::crypto::segments::{Opener, SEGMENT_BYTES};
use crate::keyring::handle::Keyring;
use crate::model::context::EncryptionContext;
use crate::model::object::BlobId;
use crate::model::sealing::Sealing;
use crate::sse::body_keys::BodyKeys;
use crate::sse::customer_key::CustomerKey;
use crate::sse::error::SseError;
use crate::sse::seal::SealedObject;

/// Whether the customer brought the right key, or rightly none: all that can be told without asking KMS.
///
/// # Errors
///
/// [`SseError::KeyMissing`], [`SseError::KeyNotApplicable`], [`SseError::WrongKey`].
pub(crate) fn check_customer(
    sealing: &Sealing,
    customer: Option<&CustomerKey>,
) -> Result<(), SseError> {
    match (sealing, customer) {
        (Sealing::SseC { .. }, None) => Err(SseError::KeyMissing),
        (Sealing::SseC { key_md5 }, Some(customer)) => customers_key(customer, key_md5).map(|_| ()),
        (_, Some(_)) => Err(SseError::KeyNotApplicable),
        (_, None) => Ok(()),
    }
}

/// The keys of a body.
///
/// # Errors
///
/// As [`check_customer`]; [`SseError::Keyring`] for a data key that does not unwrap, or that KMS refuses to.
pub(crate) async fn body_keys(
    sealing: &Sealing,
    customer: Option<&CustomerKey>,
    keyring: &Keyring,
    object: &SealedObject<'_>,
) -> Result<BodyKeys, SseError> {
    check_customer(sealing, customer)?;
    let bound_to = EncryptionContext::of_s3(object.arn);
    let (inner, outer) = match (sealing, customer) {
        (Sealing::SseS3 { wrapped_key }, _) => (keyring.unwrap_key(wrapped_key, &bound_to)?, None),
        (Sealing::SseKms(kms), _) => {
            let key = keyring.unwrap_for_s3(object.asker, kms, &bound_to).await?;
            (key, None)
        }
        (Sealing::DsseKms { kms, wrapped_key }, _) => {
            let inner = keyring.unwrap_for_s3(object.asker, kms, &bound_to).await?;
            (inner, Some(keyring.unwrap_key(wrapped_key, &bound_to)?))
        }
        (Sealing::SseC { key_md5 }, Some(customer)) => (customers_key(customer, key_md5)?, None),
        (Sealing::SseC { .. }, None) => return Err(SseError::KeyMissing),
    };
    Ok(BodyKeys { inner, outer })
}

fn customers_key(customer: &CustomerKey, key_md5: &[u8; 16]) -> Result<DataKey, SseError> {
    let key = customer.data_key().filter(|_| customer.matches(key_md5));
    key.ok_or(SseError::WrongKey)
}

/// Opens a layer of a body, of which the header was read and the sealed length is known.
///
/// # Errors
///
/// [`SseError::Crypto`] for a damaged one.
pub(crate) fn opener(
    key: &DataKey,
    blob: BlobId,
    header: &[u8; HEADER_BYTES],
    sealed_bytes: u64,
) -> Result<Opener, SseError> {
    let id = blob.to_string();
    Ok(Opener::new(
        key,
        id.as_bytes(),
        header,
        sealed_bytes,
        SEGMENT_BYTES,
    )?)
}
