//! Beginning to encrypt a body.

use crate::crypto::segments::{SEGMENT_BYTES, SealSeed, Sealer};
use crate::entropy::Entropy;
use crate::keyring::context::EncryptionContext;
use crate::keyring::error::KeyringError;
use crate::keyring::keyring::Keyring;
use crate::model::object::BlobId;
use crate::model::sealing::Sealing;
use crate::sse::choice::Chosen;
use crate::sse::error::SseError;

/// Begins a body under the chosen encryption: what will be stored of it, and what seals it. The blob's id is bound to the
/// body, the object's ARN to its data key.
///
/// # Errors
///
/// [`SseError::KeyLength`]; [`SseError::Keyring`] where a KMS key is chosen, which cannot be had yet.
pub(crate) fn begin(
    chosen: &Chosen,
    keyring: &Keyring,
    blob: BlobId,
    arn: &str,
    entropy: &Entropy,
) -> Result<(Sealing, Sealer), SseError> {
    let (key, sealing) = match chosen {
        Chosen::SseS3 => {
            let (key, wrapped_key) = keyring.fresh_data_key(&EncryptionContext::of_s3(arn));
            (key, Sealing::SseS3 { wrapped_key })
        }
        Chosen::Customer(customer) => {
            let key = customer.data_key().ok_or(SseError::KeyLength)?;
            (
                key,
                Sealing::SseC {
                    key_md5: customer.md5(),
                },
            )
        }
        Chosen::Kms(request) => {
            let name = request.key_id.as_deref().unwrap_or("alias/aws/s3");
            return Err(KeyringError::NotFound(format!("Key '{name}' does not exist")).into());
        }
    };
    let seed = SealSeed {
        salt: entropy.bytes(),
        nonce_prefix: entropy.bytes(),
    };
    Ok((
        sealing,
        Sealer::new(&key, blob.to_string().as_bytes(), &seed, SEGMENT_BYTES),
    ))
}
