//! What S3 asks of KMS for its callers: a data key for each object that is written, and the same one back when it is read.
//!
//! With a bucket key, KMS wraps that one, bound to the bucket, and S3 wraps the object's data key under it, bound to the
//! object. Each question is in the journal, and so is each that a bucket key spared; the key's state and policy are
//! checked either way.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::crypto::aead::Aead;
use crate::crypto::data_key::DataKey;
use crate::faults::rules::Asked;
use crate::journal::kms_calls::KmsCall;
use crate::keyring::asker::Asker;
use crate::keyring::bucket_keys::{BucketKey, Holder, Wanted};
use crate::keyring::data_keys::data_key;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::managed::S3_ALIAS;
use crate::keyring::states::check_use;
use crate::model::context::EncryptionContext;
use crate::model::kms_key::{KeyUsage, KmsKey};
use crate::model::sealing::{KmsWrapping, WrappedKey};

/// What a write asks of KMS.
pub(crate) const GENERATE: &str = "GenerateDataKey";
/// What a read asks of KMS.
pub(crate) const DECRYPT: &str = "Decrypt";
/// What it is asked for a data key that an object has already.
pub(crate) const ENCRYPT: &str = "Encrypt";

/// What the key has to allow that an object leaves for another, beside what opens it.
pub(crate) const LEAVING: &[&str] = &["ReEncryptFrom"];
/// What the key has to allow that an object comes under.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UpdateObjectEncryption.html>
pub(crate) const COMING: &[&str] = &["GenerateDataKey", "Encrypt", "ReEncryptTo"];

/// What an object needs of KMS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ObjectNeed<'o> {
    /// The key as it was named; `None` for the one that AWS manages.
    pub(crate) key: Option<&'o str>,
    /// What the data key, or the bucket key, is bound to.
    pub(crate) context: &'o EncryptionContext,
    /// What a data key under a bucket key is bound to: the object. `None` for no bucket key.
    pub(crate) under_bucket_key: Option<&'o EncryptionContext>,
}

/// What is written down of a question.
#[derive(Debug, Default)]
struct Noted {
    key_arn: Option<String>,
    is_hit: bool,
}

impl Keyring {
    /// A fresh data key for an object, and how it is wrapped: for an asker who wants [`GENERATE`].
    ///
    /// # Errors
    ///
    /// [`KeyringError::Refused`] for a key that is not there, cannot be used now, or is not the asker's; [`KeyringError::Store`].
    pub(crate) async fn wrap_for_s3(
        &self,
        asker: &Asker,
        need: ObjectNeed<'_>,
    ) -> Result<(DataKey, KmsWrapping), KeyringError> {
        let data_key = DataKey::new(self.entropy.bytes());
        let wrapping = self.wrap_again_for_s3(asker, need, &data_key).await?;
        Ok((data_key, wrapping))
    }

    /// The data key that an object has already, wrapped anew: for an asker who wants [`ENCRYPT`], or [`GENERATE`] where
    /// there is to be a bucket key.
    ///
    /// # Errors
    ///
    /// As [`Keyring::wrap_for_s3`].
    pub(crate) async fn wrap_again_for_s3(
        &self,
        asker: &Asker,
        need: ObjectNeed<'_>,
        data_key: &DataKey,
    ) -> Result<KmsWrapping, KeyringError> {
        let mut noted = Noted::default();
        let wrapped = self.wrap(asker, need, data_key, &mut noted).await;
        self.note(asker, need.context, noted, wrapped.as_ref().err());
        wrapped
    }

    /// The data key of an object that is read, for an asker who wants [`DECRYPT`] in the key's region. `object` is what a data key under a bucket key is bound to.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Refused`] as KMS's `Decrypt`; [`KeyringError::Unwrap`] for a damaged key; [`KeyringError::Store`].
    pub(crate) async fn unwrap_for_s3(
        &self,
        asker: &Asker,
        wrapping: &KmsWrapping,
        object: &EncryptionContext,
    ) -> Result<DataKey, KeyringError> {
        let mut noted = Noted {
            key_arn: Some(wrapping.key_arn.clone()),
            is_hit: false,
        };
        let opened = self.recover(asker, wrapping, object, &mut noted).await;
        self.note(asker, &wrapping.context, noted, opened.as_ref().err());
        opened
    }

    /// Refuses an asker to whom a key does not allow all of these actions under a context.
    ///
    /// # Errors
    ///
    /// As [`Keyring::find_key`].
    pub(crate) async fn check_rights(
        &self,
        asker: &Asker,
        (key, context): (&str, &EncryptionContext),
        actions: &[&'static str],
    ) -> Result<(), KeyringError> {
        for action in actions {
            let asker = Asker {
                action,
                ..asker.under(context)
            };
            if let Err(refused) = self.find_key(&asker, key).await {
                self.note(&asker, context, Noted::default(), Some(&refused));
                return Err(refused);
            }
        }
        Ok(())
    }

    async fn wrap(
        &self,
        asker: &Asker,
        need: ObjectNeed<'_>,
        data_key: &DataKey,
        noted: &mut Noted,
    ) -> Result<KmsWrapping, KeyringError> {
        let asker = &asker.under(need.context);
        let key = self.find_key(asker, need.key.unwrap_or(S3_ALIAS)).await?;
        noted.key_arn = Some(key.arn());
        check_use(asker, &key, KeyUsage::EncryptDecrypt)?;
        let (ciphertext, under_bucket_key) = match need.under_bucket_key {
            None => {
                self.find_fault(asker)?;
                let wrapped = self.encrypt((asker, &key), data_key.bytes(), need.context)?;
                (wrapped, None)
            }
            Some(object) => {
                let bucket_key = self.bucket_key(asker, &key, need.context, noted)?;
                let wrapped = Aead::derive(bucket_key.key.bytes()).seal(
                    self.entropy.bytes(),
                    data_key.bytes(),
                    &object.canonical(),
                );
                (bucket_key.ciphertext, Some(WrappedKey(wrapped)))
            }
        };
        Ok(KmsWrapping {
            key_arn: key.arn(),
            ciphertext: WrappedKey(ciphertext),
            context: need.context.clone(),
            under_bucket_key,
        })
    }

    /// The bucket key that the asker has, or a new one.
    fn bucket_key(
        &self,
        asker: &Asker,
        key: &KmsKey,
        context: &EncryptionContext,
        noted: &mut Noted,
    ) -> Result<BucketKey, KeyringError> {
        let make = || {
            self.find_fault(asker)?;
            let fresh = DataKey::new(self.entropy.bytes());
            let ciphertext = self.encrypt((asker, key), fresh.bytes(), context)?;
            Ok::<_, KeyringError>(BucketKey {
                key: fresh,
                ciphertext,
            })
        };
        let holder = self.holder(asker, key, context);
        let now = self.clock.now();
        let (bucket_key, is_hit) =
            self.bucket_keys
                .find_or_make(holder, Wanted::Seal, now, make)?;
        noted.is_hit = is_hit;
        Ok(bucket_key)
    }

    async fn recover(
        &self,
        asker: &Asker,
        wrapping: &KmsWrapping,
        object: &EncryptionContext,
        noted: &mut Noted,
    ) -> Result<DataKey, KeyringError> {
        let asker = &asker.under(&wrapping.context);
        let ciphertext = &wrapping.ciphertext.0;
        let key = self.key_of_ciphertext(asker, ciphertext).await?;
        check_use(asker, &key, KeyUsage::EncryptDecrypt)?;
        let Some(wrapped) = &wrapping.under_bucket_key else {
            self.find_fault(asker)?;
            let opened = self.decrypt((asker, &key), ciphertext, &wrapping.context)?;
            return data_key(&opened.plaintext);
        };
        let make = || {
            self.find_fault(asker)?;
            let opened = self.decrypt((asker, &key), ciphertext, &wrapping.context)?;
            Ok::<_, KeyringError>(BucketKey {
                key: data_key(&opened.plaintext)?,
                ciphertext: ciphertext.clone(),
            })
        };
        let holder = self.holder(asker, &key, &wrapping.context);
        let wanted = Wanted::Open(ciphertext);
        let now = self.clock.now();
        let (bucket_key, is_hit) = self.bucket_keys.find_or_make(holder, wanted, now, make)?;
        noted.is_hit = is_hit;
        let opened: Zeroizing<Vec<u8>> = Aead::derive(bucket_key.key.bytes())
            .open(&wrapped.0, &object.canonical())
            .map_err(KeyringError::Unwrap)?;
        data_key(&opened)
    }

    /// What a test wants to go wrong with a call that is really made: one that a bucket key spares is none.
    fn find_fault(&self, asker: &Asker) -> Result<(), KeyringError> {
        let call = Asked {
            operation: asker.operation,
            ..Asked::default()
        };
        match self.faults.plan(&call) {
            Some(answer) => Err(KeyringError::Fault(answer)),
            None => Ok(()),
        }
    }

    fn note(
        &self,
        asker: &Asker,
        context: &EncryptionContext,
        noted: Noted,
        error: Option<&KeyringError>,
    ) {
        // What a bucket key spares KMS is no use of the KMS key.
        if error.is_none() && !noted.is_hit {
            self.note_use(asker.operation, &noted.key_arn, None);
        }
        let denied = error.and_then(KeyringError::denied_key).map(str::to_owned);
        self.calls.record(KmsCall {
            time: self.clock.now().to_system(),
            operation: asker.operation.to_owned(),
            caller: asker.caller.clone(),
            key_arn: noted.key_arn.or(denied),
            context: context.pairs().clone(),
            source_key_arn: None,
            source_context: BTreeMap::new(),
            through: asker.through,
            bucket_key_hit: noted.is_hit,
            error: error.map(|error| error.exception().to_owned()),
        });
    }

    fn holder(&self, asker: &Asker, key: &KmsKey, context: &EncryptionContext) -> Holder {
        Holder {
            caller: asker.caller.clone(),
            key_arn: key.arn(),
            context: context.canonical(),
            epoch: self.store.epoch(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use proptest::prelude::*;

    use super::*;
    use crate::keyring::fixtures::{key, keyring, through_s3};
    use crate::keyring::refusal::Refusal;

    const OBJECT: &str = "arn:aws:s3:::photos/cat";

    /// A data key for an object, under a bucket key or not.
    async fn wrap(keyring: &Keyring, key: &KmsKey, is_shared: bool) -> (DataKey, KmsWrapping) {
        let object = EncryptionContext::of_s3(OBJECT);
        let bucket = EncryptionContext::of_s3("arn:aws:s3:::photos");
        let need = ObjectNeed {
            key: Some(key.id.as_str()),
            context: if is_shared { &bucket } else { &object },
            under_bucket_key: is_shared.then_some(&object),
        };
        keyring.wrap_for_s3(&through_s3(), need).await.unwrap()
    }

    async fn unwrap(keyring: &Keyring, wrapping: &KmsWrapping) -> Result<DataKey, KeyringError> {
        let object = EncryptionContext::of_s3(OBJECT);
        keyring
            .unwrap_for_s3(&through_s3(), wrapping, &object)
            .await
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn after_any_rotations_every_old_object_opens(shared in prop::collection::vec(any::<bool>(), 1..10)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let keyring = keyring(1);
                let key = key(&keyring).await;
                let mut objects = Vec::new();
                for is_shared in shared {
                    objects.push(wrap(&keyring, &key, is_shared).await);
                    keyring.rotate_on_demand(&key).await.unwrap();
                    keyring.clock.advance(std::time::Duration::from_mins(10));
                }

                for (data_key, wrapping) in objects {
                    let opened = unwrap(&keyring, &wrapping).await.unwrap();
                    prop_assert_eq!(opened.bytes(), data_key.bytes());
                }
                Ok(())
            })?;
        }
    }

    #[tokio::test]
    async fn a_data_key_that_is_wrapped_again_is_the_same_under_the_other_key_alone() {
        let keyring = keyring(1);
        let (old, new) = (key(&keyring).await, key(&keyring).await);
        let object = EncryptionContext::of_s3(OBJECT);
        for is_shared in [false, true] {
            let (data_key, before) = wrap(&keyring, &old, is_shared).await;
            let need = ObjectNeed {
                key: Some(new.id.as_str()),
                context: &object,
                under_bucket_key: None,
            };

            let asker = through_s3();
            let again = keyring.wrap_again_for_s3(&asker, need, &data_key).await;
            let again = again.unwrap();

            let opened = unwrap(&keyring, &again).await.unwrap();
            assert_eq!(opened.bytes(), data_key.bytes());
            assert_eq!(again.key_arn, new.arn());
            assert_ne!(again.ciphertext, before.ciphertext);
        }
    }

    #[tokio::test]
    async fn an_object_whose_context_is_lost_does_not_open() {
        let keyring = keyring(1);
        let key = key(&keyring).await;
        for is_shared in [false, true] {
            let (_, mut wrapping) = wrap(&keyring, &key, is_shared).await;
            keyring.clock.advance(std::time::Duration::from_mins(10));

            wrapping.context = EncryptionContext::of_s3("arn:aws:s3:::photos/dog");

            assert!(matches!(
                unwrap(&keyring, &wrapping).await,
                Err(KeyringError::Refused(Refusal::InvalidCiphertext))
            ));
            let calls = keyring.calls.all();
            let told = calls.last().unwrap().error.as_deref();
            assert_eq!(told, Some("InvalidCiphertextException"));
        }
    }

    #[test]
    fn who_asks_at_the_same_time_shares_one_bucket_key() {
        const ROUNDS: usize = 2_000;
        const ASKERS: usize = 4;
        let (keyring, barrier) = (keyring(1), Barrier::new(ASKERS));
        let ask = || {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            let runtime = runtime.unwrap();
            for round in 0..ROUNDS {
                let context = EncryptionContext::of_s3(&format!("arn:aws:s3:::bucket-{round}"));
                let need = ObjectNeed {
                    key: None,
                    context: &context,
                    under_bucket_key: Some(&context),
                };
                barrier.wait();
                let asked = runtime.block_on(keyring.wrap_for_s3(&through_s3(), need));
                asked.unwrap();
            }
        };

        std::thread::scope(|scope| (0..ASKERS).for_each(|_| drop(scope.spawn(ask))));

        let calls = keyring.calls.all();
        let asked = calls.iter().filter(|call| !call.bucket_key_hit).count();
        assert_eq!((asked, calls.len()), (ROUNDS, ROUNDS * ASKERS));
    }
}
