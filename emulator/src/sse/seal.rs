//! Beginning to encrypt a body.

use crate::crypto::segments::{SEGMENT_BYTES, SealSeed, Sealer};
use crate::entropy::Entropy;
use crate::keyring::context::EncryptionContext;
use crate::keyring::data_keys::Keyring;
use crate::model::object::BlobId;
use crate::model::sealing::Sealing;
use crate::sse::choice::Chosen;
use crate::sse::error::SseError;
use crate::sse::layers::SealLayers;

/// What a body belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealedObject<'o> {
    /// The object's ARN, to which its data key is bound.
    pub(crate) arn: &'o str,
    /// The bucket's region, in which a KMS key is looked up.
    pub(crate) region: &'o str,
    /// The account whose aliases count.
    pub(crate) account: &'o str,
}

/// Begins a body under the chosen encryption: what will be stored of it, and what seals it. The blob's id is bound to the
/// body, the object's ARN to its data key.
///
/// # Errors
///
/// [`SseError::KeyLength`]; [`SseError::Keyring`] for a KMS key that is not there.
pub(crate) fn begin(
    chosen: &Chosen,
    keyring: &Keyring,
    blob: BlobId,
    object: &SealedObject<'_>,
    entropy: &Entropy,
) -> Result<(Sealing, SealLayers), SseError> {
    let (key, sealing) = match chosen {
        Chosen::SseS3 => {
            let (key, wrapped_key) = keyring.fresh_data_key(&EncryptionContext::of_s3(object.arn));
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
            match keyring.find_kms_key(request.key_id.as_deref(), object.region, object.account)? {}
        }
    };
    let seed = SealSeed {
        salt: entropy.bytes(),
        nonce_prefix: entropy.bytes(),
    };
    let sealer = Sealer::new(&key, blob.to_string().as_bytes(), &seed, SEGMENT_BYTES);
    Ok((sealing, SealLayers::one(sealer)))
}
