//! Beginning to encrypt a body.

use crate::crypto::data_key::DataKey;
use crate::crypto::segments::{SEGMENT_BYTES, SealSeed, Sealer};
use crate::entropy::Entropy;
use crate::keyring::asker::Asker;
use crate::keyring::handle::Keyring;
use crate::keyring::s3_keys::ObjectNeed;
use crate::model::context::EncryptionContext;
use crate::model::encryption::SseAlgorithm;
use crate::model::object::BlobId;
use crate::model::sealing::{KmsWrapping, Sealing, WrappedKey};
use crate::sse::choice::{Chosen, KmsRequest};
use crate::sse::error::SseError;
use crate::sse::layers::SealLayers;

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

/// Makes keys and seeds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sealers<'s> {
    /// All keys.
    pub(crate) keyring: &'s Keyring,
    /// Randomness.
    pub(crate) entropy: &'s Entropy,
}

impl Sealers<'_> {
    /// Begins a body under the chosen encryption: what will be stored of it, and what seals it. The blob's id is bound to
    /// the body, the object's ARN to its data key.
    ///
    /// # Errors
    ///
    /// [`SseError::KeyLength`]; [`SseError::Keyring`] for a KMS key that cannot be used.
    pub(crate) async fn begin(
        self,
        chosen: &Chosen,
        blob: BlobId,
        object: &SealedObject<'_>,
    ) -> Result<(Sealing, SealLayers), SseError> {
        let one = |key: &DataKey| SealLayers::one(self.sealer(key, blob));
        match chosen {
            Chosen::SseS3 => {
                let (key, wrapped_key) = self.own_key(object);
                Ok((Sealing::SseS3 { wrapped_key }, one(&key)))
            }
            Chosen::Customer(customer) => {
                let key = customer.data_key().ok_or(SseError::KeyLength)?;
                let key_md5 = customer.md5();
                Ok((Sealing::SseC { key_md5 }, one(&key)))
            }
            Chosen::Kms(request) if request.algorithm == SseAlgorithm::KmsDsse => {
                let (inner, kms) = self.kms_key(request, object).await?;
                let (outer, wrapped_key) = self.own_key(object);
                let layers = SealLayers::two(self.sealer(&inner, blob), self.sealer(&outer, blob));
                Ok((Sealing::DsseKms { kms, wrapped_key }, layers))
            }
            Chosen::Kms(request) => {
                let (key, kms) = self.kms_key(request, object).await?;
                Ok((Sealing::SseKms(kms), one(&key)))
            }
        }
    }

    fn own_key(self, object: &SealedObject<'_>) -> (DataKey, WrappedKey) {
        self.keyring
            .fresh_data_key(&EncryptionContext::of_s3(object.arn))
    }

    /// A data key from KMS. Two layers know no bucket key.
    async fn kms_key(
        self,
        request: &KmsRequest,
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
        Ok(self.keyring.wrap_for_s3(object.asker, need).await?)
    }

    fn sealer(self, key: &DataKey, blob: BlobId) -> Sealer {
        let seed = SealSeed {
            salt: self.entropy.bytes(),
            nonce_prefix: self.entropy.bytes(),
        };
        Sealer::new(key, blob.to_string().as_bytes(), &seed, SEGMENT_BYTES)
    }
}
