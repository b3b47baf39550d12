//! Which encryption an upload gets: its headers, else the bucket's default, else SSE-S3.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-bucket-encryption.html>, and recorded answers.

use crate::model::encryption::{BucketEncryption, SseAlgorithm};
use crate::sse::customer_key::CustomerKey;

/// What the headers of a write ask for.
#[derive(Clone, Debug)]
pub(crate) enum Requested {
    /// Nothing; a bucket-key header alone still overrides the default's, and a context alone still binds.
    // AWS: unverified. What a context without an algorithm does.
    Nothing {
        /// `x-amz-server-side-encryption-bucket-key-enabled`.
        bucket_key: Option<bool>,
        /// The customer's pairs for a default that is SSE-KMS.
        context: CustomerContext,
    },
    /// `AES256`.
    SseS3,
    /// `aws:kms` or `aws:kms:dsse`.
    Kms(KmsRequest),
    /// A customer's key.
    Customer(CustomerKey),
}

/// What a write asks of KMS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KmsRequest {
    /// One layer or two.
    pub(crate) algorithm: SseAlgorithm,
    /// The key as it was named.
    pub(crate) key_id: Option<String>,
    /// Whether to use a bucket key.
    pub(crate) bucket_key: Option<bool>,
    /// The customer's pairs of the encryption context.
    pub(crate) context: CustomerContext,
}

/// What the customer adds to the encryption context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CustomerContext {
    /// His pairs.
    pub(crate) pairs: Vec<(String, String)>,
    /// The header that held them; `None` where he sent none.
    pub(crate) as_sent: Option<String>,
}

/// What it gets.
#[derive(Clone, Debug)]
pub(crate) enum Chosen {
    /// A data key under the root key.
    SseS3,
    /// A data key from KMS.
    Kms(KmsRequest),
    /// The customer's key.
    Customer(CustomerKey),
}

/// Decides.
pub(crate) fn choose(requested: Requested, default: &BucketEncryption) -> Chosen {
    match requested {
        Requested::SseS3 => Chosen::SseS3,
        Requested::Customer(key) => Chosen::Customer(key),
        Requested::Kms(request) => Chosen::Kms(inherit(request, default)),
        Requested::Nothing { .. } if default.algorithm == SseAlgorithm::Aes256 => Chosen::SseS3,
        Requested::Nothing {
            bucket_key,
            context,
        } => Chosen::Kms(KmsRequest {
            algorithm: default.algorithm,
            key_id: default.kms_key_id.clone(),
            bucket_key: bucket_key.or(Some(default.bucket_key_enabled)),
            context,
        }),
    }
}

/// A request that names no key takes the default's, if the default is of the same mode; else it is AWS's own.
// AWS: unverified. That a default of two layers lends its key to two layers alone.
fn inherit(mut request: KmsRequest, default: &BucketEncryption) -> KmsRequest {
    if request.key_id.is_none() && default.algorithm == request.algorithm {
        request.key_id.clone_from(&default.kms_key_id);
    }
    request.bucket_key = request.bucket_key.or(Some(default.bucket_key_enabled));
    request
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::model::encryption::BlockedEncryption;

    fn default(algorithm: SseAlgorithm, key: Option<&str>) -> BucketEncryption {
        BucketEncryption {
            algorithm,
            kms_key_id: key.map(str::to_owned),
            bucket_key_enabled: true,
            ..BucketEncryption::fresh(BlockedEncryption::Absent)
        }
    }

    fn kms(key: Option<&str>, bucket_key: Option<bool>) -> Requested {
        Requested::Kms(KmsRequest {
            algorithm: SseAlgorithm::Kms,
            key_id: key.map(str::to_owned),
            bucket_key,
            context: CustomerContext::default(),
        })
    }

    fn chosen(
        requested: Requested,
        default: &BucketEncryption,
    ) -> Option<(Option<String>, Option<bool>)> {
        match choose(requested, default) {
            Chosen::Kms(request) => Some((request.key_id, request.bucket_key)),
            Chosen::SseS3 | Chosen::Customer(_) => None,
        }
    }

    #[test]
    fn nothing_asked_is_the_default() {
        let nothing = || Requested::Nothing {
            bucket_key: None,
            context: CustomerContext::default(),
        };

        assert!(matches!(
            choose(nothing(), &default(SseAlgorithm::Aes256, None)),
            Chosen::SseS3
        ));
        let key = chosen(nothing(), &default(SseAlgorithm::Kms, Some("K"))).unwrap();
        assert_eq!(key, (Some("K".to_owned()), Some(true)));
    }

    #[test]
    fn headers_outdo_the_default() {
        let default = default(SseAlgorithm::Kms, Some("K"));
        let customer = CustomerKey::new(Zeroizing::new(vec![1; 32]));

        assert!(matches!(choose(Requested::SseS3, &default), Chosen::SseS3));
        assert!(matches!(
            choose(Requested::Customer(customer), &default),
            Chosen::Customer(_)
        ));
        assert_eq!(
            chosen(kms(Some("L"), Some(false)), &default),
            Some((Some("L".to_owned()), Some(false)))
        );
    }

    #[test]
    fn kms_without_a_key_takes_the_defaults_if_that_is_kms_too() {
        let key = |default: &BucketEncryption| chosen(kms(None, None), default).unwrap().0;

        assert_eq!(
            key(&default(SseAlgorithm::Kms, Some("K"))).as_deref(),
            Some("K")
        );
        assert_eq!(key(&default(SseAlgorithm::Aes256, None)), None);
        assert_eq!(key(&default(SseAlgorithm::KmsDsse, Some("K"))), None);
    }
}
