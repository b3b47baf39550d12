//! Secrets that a key shares with somebody: agreed with a peer's public half, or encapsulated for the key's own private one.

use zeroize::Zeroizing;

use crate::crypto::error::CryptoError;
use crate::crypto::key_pair::KeyPair;
use crate::crypto::ml_kem_keys::Encapsulated;
use crate::keyring::asker::Asker;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::refusal::Refusal;
use crate::keyring::states::{check_algorithm, check_use};
use crate::model::kms_key::{KeyUsage, KmsKey};

impl Keyring {
    /// The secret that a key shares with a peer, whose public half is given as SPKI.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for a key that cannot be used now or is made for something else; [`Refusal::BadPublicKey`] for a peer
    /// that is none of the key's curve; [`KeyringError::Material`] for damaged material.
    pub(crate) async fn derive_shared_secret(
        &self,
        (asker, key): (&Asker, &KmsKey),
        algorithm: &'static str,
        peer: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        check_use(asker, key, KeyUsage::KeyAgreement)?;
        check_algorithm(key, algorithm)?;
        let peer = peer.to_owned();
        let agreed = self
            .with_pair(key, move |pair, _| pair.agree(&peer))
            .await?;
        Ok(agreed.map_err(|_| Refusal::BadPublicKey(key.spec.name()))?)
    }

    /// A fresh secret for whoever may decapsulate with the key.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for a key that cannot be used now or is made for something else; [`KeyringError::Material`] for damaged
    /// material.
    pub(crate) async fn encapsulate(
        &self,
        (asker, key): (&Asker, &KmsKey),
        algorithm: &'static str,
    ) -> Result<Encapsulated, KeyringError> {
        check_use(asker, key, KeyUsage::EncapsulateDecapsulate)?;
        check_algorithm(key, algorithm)?;
        let made = self.with_pair(key, KeyPair::encapsulate).await?;
        made.map_err(|source| damaged(key, source))
    }

    /// The secret of a ciphertext. One that was changed gives another secret, as ML-KEM has it.
    ///
    /// # Errors
    ///
    /// As [`Keyring::encapsulate`]; [`Refusal::InvalidCiphertext`] for one of another length.
    pub(crate) async fn decapsulate(
        &self,
        (asker, key): (&Asker, &KmsKey),
        algorithm: &'static str,
        ciphertext: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        check_use(asker, key, KeyUsage::EncapsulateDecapsulate)?;
        check_algorithm(key, algorithm)?;
        let ciphertext = ciphertext.to_owned();
        let opened = self
            .with_pair(key, move |pair, _| pair.decapsulate(&ciphertext))
            .await?;
        opened.map_err(|source| match source {
            CryptoError::BadLength => Refusal::InvalidCiphertext.into(),
            other => damaged(key, other),
        })
    }
}

fn damaged(key: &KmsKey, source: CryptoError) -> KeyringError {
    KeyringError::Material {
        key_arn: key.arn(),
        source,
    }
}
