//! The keyring as the rest of the program holds it. What it does stands in the other files of this folder.

use std::sync::Arc;

use crate::clock::Clock;
use crate::crypto::aead::Aead;
use crate::entropy::Entropy;
use crate::faults::rules::Faults;
use crate::journal::kms_calls::KmsCalls;
use crate::keyring::bucket_keys::BucketKeys;
use crate::keyring::error::KeyringError;
use crate::keyring::last_uses::LastUses;
use crate::keyring::places::Places;
use crate::keyring::policies::KeyPolicies;
use crate::keyring::root_key::RootKey;
use crate::store::handle::Store;

/// What the check value of a store says when it is opened.
const CHECK: &[u8] = b"strongroom/root-key/1";
/// The catalogue's row by which the root key is recognised.
const CHECK_ROW: &str = "root-key-check";

/// All keys of the server: handles share them.
#[derive(Debug)]
pub(crate) struct Keyring {
    pub(super) root: Arc<Aead>,
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) entropy: Entropy,
    pub(super) calls: KmsCalls,
    pub(super) faults: Faults,
    pub(super) bucket_keys: Arc<BucketKeys>,
    pub(super) policies: Arc<KeyPolicies>,
    pub(super) places: Places,
    pub(super) last_uses: Arc<LastUses>,
    /// Whether it asks nobody's policy: for the server's own.
    pub(super) is_unguarded: bool,
}

/// What a keyring works with.
#[derive(Clone, Debug)]
pub(crate) struct KeyringParts {
    /// Keeps KMS keys, their material wrapped.
    pub(crate) store: Store,
    /// Ends deletion windows, rotation periods and bucket keys.
    pub(crate) clock: Clock,
    /// Makes keys.
    pub(crate) entropy: Entropy,
    /// Remembers what was asked of KMS.
    pub(crate) calls: KmsCalls,
    /// What is to go wrong when S3 asks for its callers.
    pub(crate) faults: Faults,
}

impl Keyring {
    /// Over a root key.
    pub(crate) fn new(root: &RootKey, parts: KeyringParts) -> Self {
        let last_uses = LastUses::since(parts.clock.now());
        Self {
            root: Arc::new(Aead::derive(root.bytes())),
            store: parts.store,
            clock: parts.clock,
            entropy: parts.entropy,
            calls: parts.calls,
            faults: parts.faults,
            bucket_keys: Arc::default(),
            policies: Arc::default(),
            places: Places::default(),
            last_uses: Arc::new(last_uses),
            is_unguarded: false,
        }
    }

    /// A handle that changes the keys of this moment: not any more once everything was replaced.
    #[must_use]
    pub(crate) fn as_of_now(&self) -> Self {
        self.over(self.store.as_of_now())
    }

    /// A handle that keeps keys by this handle of its store.
    #[must_use]
    pub(crate) fn over(&self, store: Store) -> Self {
        Self {
            root: Arc::clone(&self.root),
            store,
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            calls: self.calls.clone(),
            faults: self.faults.clone(),
            bucket_keys: Arc::clone(&self.bucket_keys),
            policies: Arc::clone(&self.policies),
            places: self.places.clone(),
            last_uses: Arc::clone(&self.last_uses),
            is_unguarded: self.is_unguarded,
        }
    }

    /// A handle for the server itself, which no policy keeps out: what it is told to hold is there, whoever may use it.
    #[must_use]
    pub(crate) fn unguarded(&self) -> Self {
        Self {
            is_unguarded: true,
            ..self.over(self.store.clone())
        }
    }

    /// Forgets what it has in memory of keys that may be gone from the store.
    pub(crate) fn forget(&self) {
        self.bucket_keys.clear();
        self.last_uses.forget(self.clock.now());
    }

    /// Whether this is the root key that the store's data was made under; `None` for a store without data.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(crate) fn fits_store(&self) -> Result<Option<bool>, KeyringError> {
        let check = self.store.meta(CHECK_ROW)?;
        Ok(check.map(|check| self.made(&check)))
    }

    /// Lets the store recognise this root key.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(crate) async fn mark_store(&self) -> Result<(), KeyringError> {
        let value = self.check_value().into();
        Ok(self.store.set_meta(CHECK_ROW, value).await?)
    }

    /// A value by which a store recognises the root key that its data was made under.
    fn check_value(&self) -> Vec<u8> {
        self.root.seal(self.entropy.bytes(), CHECK, CHECK)
    }

    /// Whether a check value was made under this root key.
    fn made(&self, check_value: &[u8]) -> bool {
        self.root
            .open(check_value, CHECK)
            .is_ok_and(|opened| *opened == CHECK)
    }
}

#[cfg(test)]
mod tests {
    use crate::keyring::error::KeyringError;
    use crate::keyring::fixtures::{asker, key, keyring, through_s3};
    use crate::keyring::lifecycle::NewKey;
    use crate::keyring::s3_keys::ObjectNeed;
    use crate::model::context::EncryptionContext;

    #[test]
    fn a_check_value_tells_one_root_key_from_another() {
        let made = keyring(1).check_value();

        assert!(keyring(1).made(&made));
        assert!(!keyring(2).made(&made));
    }
    #[tokio::test]
    async fn what_was_begun_before_everything_was_replaced_changes_nothing_after() {
        let keyring = keyring(1);
        let begun = keyring.as_of_now();
        let asker = asker("CreateKey");
        key(&begun).await;

        keyring.store.clear().await.unwrap();

        let made = begun.create_key(&asker, NewKey::default()).await;
        assert!(matches!(made, Err(KeyringError::Replaced)), "{made:?}");
        let after = keyring.as_of_now();
        assert!(after.create_key(&asker, NewKey::default()).await.is_ok());
    }

    #[tokio::test]
    async fn a_bucket_key_of_before_serves_nobody_after() {
        let keyring = keyring(1);
        let made = key(&keyring).await;
        let context = EncryptionContext::of_s3("arn:aws:s3:::photos");
        let need = ObjectNeed {
            key: Some(made.id.as_str()),
            context: &context,
            under_bucket_key: Some(&context),
        };
        let kept = keyring.store.contents().await.unwrap();
        let begun = keyring.as_of_now();

        keyring.store.put_back(&kept).await.unwrap();
        keyring.forget();
        // It had found its key before; now it leaves a bucket key behind.
        begun.wrap_for_s3(&through_s3(), need).await.unwrap();

        let after = keyring.as_of_now();
        after.wrap_for_s3(&through_s3(), need).await.unwrap();
        assert!(!keyring.calls.all().last().unwrap().bucket_key_hit);
    }
}
