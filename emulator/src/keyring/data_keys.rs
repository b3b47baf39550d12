//! Wraps and unwraps the keys of objects under the root key.

use crate::crypto::data_key::DataKey;
use crate::crypto::error::CryptoError;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::model::context::EncryptionContext;
use crate::model::sealing::WrappedKey;

impl Keyring {
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
        data_key(&opened)
    }
}

/// A data key of the bytes that were unwrapped.
///
/// # Errors
///
/// [`KeyringError::Unwrap`] for another length than 32.
pub(super) fn data_key(bytes: &[u8]) -> Result<DataKey, KeyringError> {
    let bytes = bytes.try_into();
    bytes
        .map(DataKey::new)
        .map_err(|_| KeyringError::Unwrap(CryptoError::BadLength))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::fixtures::keyring;

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
}
