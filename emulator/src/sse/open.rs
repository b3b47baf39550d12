//! Opening a stored body.

use crate::crypto::data_key::DataKey;
use crate::crypto::segments::{HEADER_BYTES, Opener, SEGMENT_BYTES};
use crate::keyring::context::EncryptionContext;
use crate::keyring::data_keys::Keyring;
use crate::model::object::BlobId;
use crate::model::sealing::Sealing;
use crate::sse::customer_key::CustomerKey;
use crate::sse::error::SseError;

/// The key of a body.
///
/// # Errors
///
/// [`SseError::KeyMissing`], [`SseError::KeyNotApplicable`], [`SseError::WrongKey`]; [`SseError::Keyring`] for a data key
/// that does not unwrap.
pub(crate) fn data_key(
    sealing: &Sealing,
    customer: Option<&CustomerKey>,
    keyring: &Keyring,
    arn: &str,
) -> Result<DataKey, SseError> {
    match (sealing, customer) {
        (Sealing::SseS3 { .. }, Some(_)) => Err(SseError::KeyNotApplicable),
        (Sealing::SseS3 { wrapped_key }, None) => {
            Ok(keyring.unwrap_key(wrapped_key, &EncryptionContext::of_s3(arn))?)
        }
        (Sealing::SseC { .. }, None) => Err(SseError::KeyMissing),
        (Sealing::SseC { key_md5 }, Some(customer)) => {
            let key = customer.data_key().filter(|_| customer.matches(key_md5));
            key.ok_or(SseError::WrongKey)
        }
    }
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
