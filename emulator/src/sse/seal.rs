//! Making the keys of a new body.

use crate::crypto::data_key::DataKey;
use crate::keyring::asker::Asker;
use crate::keyring::handle::Keyring;
use crate::keyring::s3_keys::ObjectNeed;
use crate::model::context::EncryptionContext;
use crate::model::encryption::SseAlgorithm;
use crate::model::sealing::{KmsWrapping, Sealing, WrappedKey};
use crate::sse::body_keys::BodyKeys;
use crate::sse::choice::{Chosen, KmsRequest};
use crate::sse::error::SseError;

/// What a body belongs to, and for whom it is sealed or opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SealedObject<'o> {
    /// The object's ARN, to which its data key is bound.
    pub(crate) arn: &'o str,
    /// The bucket's ARN, to which a bucket key is bound.
    pub(crate) bucket_arn: &'o str,
    /// Who writes or reads it. A KMS key is looked up in his account and, to write, in the bucket's region.
    pub(crate) asker: &'o Asker,
}

/// Makes the keys of an object under the chosen encryption: what will be stored of them, and they themselves.
///
/// # Errors
///
/// [`SseError::KeyLength`]; [`SseError::Keyring`] for a KMS key that cannot be used.
pub(crate) async fn new_keys(
    chosen: &Chosen,
    keyring: &Keyring,
    object: &SealedObject<'_>,
) -> Result<(Sealing, BodyKeys), SseError> {
    match chosen {
        Chosen::SseS3 => {
            let (key, wrapped_key) = own_key(keyring, object);
            Ok((Sealing::SseS3 { wrapped_key }, BodyKeys::one(key)))
        }
        Chosen::Customer(customer) => {
            let key = customer.data_key().ok_or(SseError::KeyLength)?;
            let key_md5 = customer.md5();
            Ok((Sealing::SseC { key_md5 }, BodyKeys::one(key)))
        }
        Chosen::Kms(request) if request.algorithm == SseAlgorithm::KmsDsse => {
            let (inner, kms) = kms_key(request, keyring, object).await?;
            let (outer, wrapped_key) = own_key(keyring, object);
            let keys = BodyKeys {
                inner,
                outer: Some(outer),
            };
            Ok((Sealing::DsseKms { kms, wrapped_key }, keys))
        }
        Chosen::Kms(request) => {
            let (key, kms) = kms_key(request, keyring, object).await?;
            Ok((Sealing::SseKms(kms), BodyKeys::one(key)))
        }
    }
}

fn own_key(keyring: &Keyring, object: &SealedObject<'_>) -> (DataKey, WrappedKey) {
    keyring.fresh_data_key(&EncryptionContext::of_s3(object.arn))
}

/// A data key from KMS. Two layers know no bucket key.
async fn kms_key(
    request: &KmsRequest,
    keyring: &Keyring,
    object: &SealedObject<'_>,
) -> Result<(DataKey, KmsWrapping), SseError> {
    let wants_bucket_key = request.bucket_key == Some(true);
    let under_bucket_key = (wants_bucket_key && request.algorithm == SseAlgorithm::Kms)
        .then(|| EncryptionContext::of_s3(object.arn));
    let bound_to = if under_bucket_key.is_some() {
        object.bucket_arn
    } else {
        object.arn
    };
    let context = EncryptionContext::of_s3_with(bound_to, &request.context.pairs);
    let need = ObjectNeed {
        key: request.key_id.as_deref(),
        context: &context,
        under_bucket_key: under_bucket_key.as_ref(),
    };
    Ok(keyring.wrap_for_s3(object.asker, need).await?)
}
