//! Wraps and unwraps the keys of objects.

use crate::crypto::aead::Aead;
use crate::crypto::data_key::DataKey;
use crate::crypto::error::CryptoError;
use crate::entropy::Entropy;
use crate::keyring::context::EncryptionContext;
use crate::keyring::error::KeyringError;
use crate::keyring::root_key::RootKey;
use crate::model::sealing::WrappedKey;

/// What the check value of a store says when it is opened.
const CHECK: &[u8] = b"strongroom/root-key/1";

/// All keys of the server.
#[derive(Debug)]
pub(crate) struct Keyring {
    root: Aead,
    entropy: Entropy,
}

impl Keyring {
    /// Over a root key.
    pub(crate) fn new(root: &RootKey, entropy: Entropy) -> Self {
        Self {
            root: Aead::derive(root.bytes()),
            entropy,
        }
    }

    /// A data key of its own for an object, in the clear and wrapped under the root key.
    pub(crate) fn fresh_data_key(&self, context: &EncryptionContext) -> (DataKey, WrappedKey) {
        let key = DataKey::new(self.entropy.bytes());
        let wrapped = self
            .root
            .seal(self.entropy.bytes(), key.bytes(), &context.canonical());
        (key, WrappedKey(wrapped))
    }

    /// The data key of an object.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Unwrap`] for another context, another root key, or a damaged one.
    pub(crate) fn unwrap_key(
        &self,
        wrapped: &WrappedKey,
        context: &EncryptionContext,
    ) -> Result<DataKey, KeyringError> {
        let opened = self
            .root
            .open(&wrapped.0, &context.canonical())
            .map_err(KeyringError::Unwrap)?;
        let bytes = opened
            .as_slice()
            .try_into()
            .map_err(|_| KeyringError::Unwrap(CryptoError::BadLength))?;
        Ok(DataKey::new(bytes))
    }

    /// A value by which a store recognises the root key that its data was made under.
    pub(crate) fn check_value(&self) -> Vec<u8> {
        self.root.seal(self.entropy.bytes(), CHECK, CHECK)
    }

    /// Whether a check value was made under this root key.
    pub(crate) fn made(&self, check_value: &[u8]) -> bool {
        self.root
            .open(check_value, CHECK)
            .is_ok_and(|opened| *opened == CHECK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(seed: u64) -> Keyring {
        let entropy = Entropy::seeded(seed);
        Keyring::new(&RootKey::generate(&entropy), entropy)
    }

    #[test]
    fn unwrapping_undoes_wrapping_for_the_same_object_alone() {
        let keyring = keyring(1);
        let context = EncryptionContext::of_s3("arn:aws:s3:::photos/cat");

        let (key, wrapped) = keyring.fresh_data_key(&context);

        assert_eq!(
            keyring.unwrap_key(&wrapped, &context).unwrap().bytes(),
            key.bytes()
        );
        let other = EncryptionContext::of_s3("arn:aws:s3:::photos/dog");
        assert!(keyring.unwrap_key(&wrapped, &other).is_err());
    }

    #[test]
    fn every_object_has_its_own_key() {
        let keyring = keyring(1);
        let context = EncryptionContext::of_s3("arn:aws:s3:::photos/cat");

        let (one, other) = (
            keyring.fresh_data_key(&context).0,
            keyring.fresh_data_key(&context).0,
        );

        assert_ne!(one.bytes(), other.bytes());
    }

    #[test]
    fn a_check_value_tells_one_root_key_from_another() {
        let made = keyring(1).check_value();

        assert!(keyring(1).made(&made));
        assert!(!keyring(2).made(&made));
    }
}
