//! Key pairs: those that are KMS keys, and those that KMS makes for others.
//!
//! A pair's material is its PKCS#8, wrapped like any other. What a pair does takes milliseconds, and making one of RSA
//! seconds, so all of it is done apart from the threads that serve everybody, and no more of it at once than there are
//! cores. Pairs are made in places of their own, so that whoever signs never waits for somebody's new RSA key.

use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use crate::crypto::ecc_keys::Curve;
use crate::crypto::error::CryptoError;
use crate::crypto::key_pair::{KeyPair, PairKind};
use crate::crypto::ml_dsa_keys::MlDsaSet;
use crate::crypto::ml_kem_keys::MlKemSet;
use crate::crypto::random::Random;
use crate::keyring::asker::Asker;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::lifecycle::NewKey;
use crate::keyring::refusal::Refusal;
use crate::keyring::states::Need;
use crate::model::context::EncryptionContext;
use crate::model::kms_key::{KeyOrigin, KeySpec, KmsKey};

/// A pair for somebody who keeps it himself.
pub(crate) struct DataKeyPair {
    /// The private half: PKCS#8, wiped when it is dropped.
    pub(crate) private: Zeroizing<Vec<u8>>,
    /// The private half as KMS encrypted it.
    pub(crate) ciphertext: Vec<u8>,
    /// The public half: SPKI.
    pub(crate) public: Vec<u8>,
}

impl Keyring {
    /// The public half of a key, as SPKI.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for a key that cannot be used now; [`Refusal::NoPublicKey`]; [`KeyringError::Material`] for damaged
    /// material.
    pub(crate) async fn public_key(&self, key: &KmsKey) -> Result<Vec<u8>, KeyringError> {
        Need::Cryptography.check(key)?;
        if kind(key.spec).is_none() {
            return Err(Refusal::NoPublicKey.into());
        }
        self.with_pair(key, |pair, _| pair.public()).await
    }

    /// Makes a pair, and encrypts its private half under a key.
    ///
    /// # Errors
    ///
    /// As [`Keyring::encrypt`]; [`Refusal::NoPublicKey`] for a spec that is no pair.
    pub(crate) async fn data_key_pair(
        &self,
        used: (&Asker, &KmsKey),
        spec: KeySpec,
        context: &EncryptionContext,
    ) -> Result<DataKeyPair, KeyringError> {
        // Whoever may not use the key is told at once, and not after a pair was made.
        self.encrypt(used, &[], context)?;
        let kind = kind(spec).ok_or(Refusal::NoPublicKey)?;
        let (private, public) = self
            .apart_in(&self.places.making, move |random| {
                let pair = KeyPair::generate(kind, random)?;
                Ok((pair.render(), pair.public()))
            })
            .await?
            .map_err(KeyringError::Unwrap)?;
        Ok(DataKeyPair {
            ciphertext: self.encrypt(used, &private, context)?,
            private,
            public,
        })
    }

    /// The PKCS#8 of a key that is to be made, where it is a pair and made here.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Unwrap`] for one that cannot be made.
    pub(super) async fn first_pair(
        &self,
        new: &NewKey,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        let is_made_here = new.origin == KeyOrigin::AwsKms && new.planted.material.is_none();
        let Some(kind) = kind(new.spec).filter(|_| is_made_here) else {
            return Ok(None);
        };
        let made = self
            .apart_in(&self.places.making, move |random| {
                KeyPair::generate(kind, random).map(|pair| pair.render())
            })
            .await?;
        made.map(Some).map_err(KeyringError::Unwrap)
    }

    /// Does something with the pair that a key is.
    ///
    /// # Errors
    ///
    /// [`Refusal::PendingImport`]; [`KeyringError::Material`] for damaged material.
    pub(super) async fn with_pair<T: Send + 'static>(
        &self,
        key: &KmsKey,
        work: impl FnOnce(&KeyPair, &mut Random<'_>) -> T + Send + 'static,
    ) -> Result<T, KeyringError> {
        let material = key
            .current()
            .ok_or_else(|| Refusal::PendingImport(key.arn()))?;
        let kind = kind(key.spec).ok_or(Refusal::NoPublicKey)?;
        let bytes = self.material(key, material)?;
        let done = self
            .apart(move |random| {
                let pair = KeyPair::parse(kind, &bytes)?;
                Ok(work(&pair, random))
            })
            .await?;
        done.map_err(|source| KeyringError::Material {
            key_arn: key.arn(),
            source,
        })
    }

    /// Works where nobody waits for the thread, in one of the places for what is soon done.
    pub(super) async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Random<'_>) -> Result<T, CryptoError> + Send + 'static,
    ) -> Result<Result<T, CryptoError>, KeyringError> {
        self.apart_in(&self.places.using, work).await
    }

    /// Waits for a place, and works there; the place is free again when the work ends, whoever still waits for it. A panic
    /// goes on in whoever waits for the work.
    async fn apart_in<T: Send + 'static>(
        &self,
        places: &Arc<Semaphore>,
        work: impl FnOnce(&mut Random<'_>) -> Result<T, CryptoError> + Send + 'static,
    ) -> Result<Result<T, CryptoError>, KeyringError> {
        let entropy = self.entropy.clone();
        let place = Arc::clone(places).acquire_owned().await;
        let place = place.expect("nobody closes the places");
        let working = tokio::task::spawn_blocking(move || {
            let fill = |buffer: &mut [u8]| entropy.fill(buffer);
            let done = work(&mut Random(&fill));
            drop(place);
            done
        });
        let ended = working.await;
        ended.map_err(|error| match error.try_into_panic() {
            Ok(panic) => resume_unwind(panic),
            Err(cancelled) => KeyringError::TornDown(cancelled),
        })
    }
}

/// Whether these bytes are the PKCS#8 of a pair of this spec.
pub(crate) fn is_pair(spec: KeySpec, der: &[u8]) -> bool {
    kind(spec).is_some_and(|kind| KeyPair::parse(kind, der).is_ok())
}

/// Which pair a spec is; `None` for one that is drawn.
pub(super) fn kind(spec: KeySpec) -> Option<PairKind> {
    match spec {
        KeySpec::SymmetricDefault
        | KeySpec::Hmac224
        | KeySpec::Hmac256
        | KeySpec::Hmac384
        | KeySpec::Hmac512 => None,
        KeySpec::Rsa2048 => Some(PairKind::Rsa { bits: 2_048 }),
        KeySpec::Rsa3072 => Some(PairKind::Rsa { bits: 3_072 }),
        KeySpec::Rsa4096 => Some(PairKind::Rsa { bits: 4_096 }),
        KeySpec::EccNistP256 => Some(PairKind::Ecc(Curve::P256)),
        KeySpec::EccNistP384 => Some(PairKind::Ecc(Curve::P384)),
        KeySpec::EccNistP521 => Some(PairKind::Ecc(Curve::P521)),
        KeySpec::EccSecgP256k1 => Some(PairKind::Ecc(Curve::Secp256k1)),
        KeySpec::EccNistEdwards25519 => Some(PairKind::Ed25519),
        KeySpec::MlDsa44 => Some(PairKind::MlDsa(MlDsaSet::L44)),
        KeySpec::MlDsa65 => Some(PairKind::MlDsa(MlDsaSet::L65)),
        KeySpec::MlDsa87 => Some(PairKind::MlDsa(MlDsaSet::L87)),
        KeySpec::MlKem512 => Some(PairKind::MlKem(MlKemSet::L512)),
        KeySpec::MlKem768 => Some(PairKind::MlKem(MlKemSet::L768)),
        KeySpec::MlKem1024 => Some(PairKind::MlKem(MlKemSet::L1024)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::fixtures::keyring;

    #[tokio::test]
    async fn who_uses_a_pair_does_not_wait_for_those_who_make_one() {
        let keyring = keyring(1);
        let places = keyring.places.making.available_permits();
        let made = Arc::clone(&keyring.places.making);
        let _all = made
            .acquire_many(u32::try_from(places).unwrap())
            .await
            .unwrap();

        let making = keyring.apart_in(&keyring.places.making, |_| Ok(()));
        let making = tokio::time::timeout(std::time::Duration::ZERO, making).await;
        let using = keyring.apart(|_| Ok(5)).await;

        assert!(making.is_err(), "there is no place");
        assert_eq!(using.unwrap(), Ok(5));
    }

    #[tokio::test]
    async fn a_panic_gives_its_place_back() {
        let keyring = Arc::new(keyring(1));
        let before = keyring.places.using.available_permits();

        let panicking = Arc::clone(&keyring);
        let ended = tokio::spawn(async move {
            let _ = panicking.apart::<()>(|_| panic!("a fault of ours")).await;
        });

        assert!(ended.await.unwrap_err().is_panic());
        assert_eq!(keyring.places.using.available_permits(), before);
    }
}
