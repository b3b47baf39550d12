//! Making the keys of a new body, and wrapping those of an old one anew.

use crate::crypto::data_key::DataKey;
use crate::keyring::asker::Asker;
use crate::keyring::handle::Keyring;
use crate::keyring::managed::S3_ALIAS;
use crate::keyring::s3_keys::{COMING, ObjectNeed};
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

/// A data key from KMS.
async fn kms_key(
    request: &KmsRequest,
    keyring: &Keyring,
    object: &SealedObject<'_>,
) -> Result<(DataKey, KmsWrapping), SseError> {
    let bound = Bound::of(request, object);
    let need = bound.need(request);
    Ok(keyring.wrap_for_s3(object.asker, need).await?)
}

/// Wraps the data key of a stored object anew, under a KMS key: what is stored of it from then on. Nothing that it has
/// sealed changes.
///
/// # Errors
///
/// [`SseError::Keyring`] for a KMS key that cannot be used.
pub(crate) async fn wrap_again(
    data_key: &DataKey,
    request: &KmsRequest,
    keyring: &Keyring,
    object: &SealedObject<'_>,
) -> Result<Sealing, SseError> {
    let bound = Bound::of(request, object);
    let need = bound.need(request);
    let key = need.key.unwrap_or(S3_ALIAS);
    let asked = keyring.check_rights(object.asker, (key, need.context), COMING);
    asked.await?;
    let wrapped = keyring.wrap_again_for_s3(object.asker, need, data_key);
    Ok(Sealing::SseKms(wrapped.await?))
}

/// What the keys of an object are bound to.
struct Bound {
    /// What KMS binds its ciphertext to.
    context: EncryptionContext,
    /// What a data key under a bucket key is bound to.
    under_bucket_key: Option<EncryptionContext>,
}

impl Bound {
    /// Two layers know no bucket key.
    fn of(request: &KmsRequest, object: &SealedObject<'_>) -> Self {
        let wants_bucket_key = request.bucket_key == Some(true);
        let under_bucket_key = (wants_bucket_key && request.algorithm == SseAlgorithm::Kms)
            .then(|| EncryptionContext::of_s3(object.arn));
        let bound_to = if under_bucket_key.is_some() {
            object.bucket_arn
        } else {
            object.arn
        };
        Self {
            context: EncryptionContext::of_s3_with(bound_to, &request.context.pairs),
            under_bucket_key,
        }
    }

    fn need<'b>(&'b self, request: &'b KmsRequest) -> ObjectNeed<'b> {
        ObjectNeed {
            key: request.key_id.as_deref(),
            context: &self.context,
            under_bucket_key: self.under_bucket_key.as_ref(),
        }
    }
}
