//! Keys of ML-KEM (FIPS 203): PKCS#8 that holds the seed, SPKI (RFC 9935), and secrets that only the private half finds again.

use ml_kem::kem::{Decapsulate, Encapsulate};
use ml_kem::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use ml_kem::{DecapsulationKey, MlKem512, MlKem768, MlKem1024};
use zeroize::Zeroizing;

use crate::crypto::error::CryptoError;
use crate::crypto::random::Random;

/// A parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MlKemSet {
    /// ML-KEM-512.
    L512,
    /// ML-KEM-768.
    L768,
    /// ML-KEM-1024.
    L1024,
}

/// A key with both halves; zeroed when dropped, never shown.
pub(crate) enum MlKemKey {
    L512(DecapsulationKey<MlKem512>),
    L768(DecapsulationKey<MlKem768>),
    L1024(DecapsulationKey<MlKem1024>),
}

/// A secret, and the form of it that its key finds it by.
#[derive(Debug)]
pub(crate) struct Encapsulated {
    /// The secret: 32 bytes.
    pub(crate) secret: Zeroizing<Vec<u8>>,
    /// What may be sent.
    pub(crate) ciphertext: Vec<u8>,
}

/// The same words for the key of each set.
macro_rules! of_each {
    ($whole:expr, $key:ident => $words:expr) => {
        match $whole {
            MlKemKey::L512($key) => $words,
            MlKemKey::L768($key) => $words,
            MlKemKey::L1024($key) => $words,
        }
    };
}

impl MlKemKey {
    /// The key of 64 random bytes.
    pub(crate) fn new(set: MlKemSet, seed: &[u8; 64]) -> Self {
        let seed = (*seed).into();
        match set {
            MlKemSet::L512 => Self::L512(DecapsulationKey::from_seed(seed)),
            MlKemSet::L768 => Self::L768(DecapsulationKey::from_seed(seed)),
            MlKemSet::L1024 => Self::L1024(DecapsulationKey::from_seed(seed)),
        }
    }

    /// Reads PKCS#8.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadKey`] for anything else, and for a key of another set.
    pub(crate) fn parse(set: MlKemSet, der: &[u8]) -> Result<Self, CryptoError> {
        let read = match set {
            MlKemSet::L512 => DecapsulationKey::from_pkcs8_der(der).map(Self::L512),
            MlKemSet::L768 => DecapsulationKey::from_pkcs8_der(der).map(Self::L768),
            MlKemSet::L1024 => DecapsulationKey::from_pkcs8_der(der).map(Self::L1024),
        };
        read.map_err(|_| CryptoError::BadKey)
    }

    /// PKCS#8.
    pub(crate) fn render(&self) -> Zeroizing<Vec<u8>> {
        let der = of_each!(self, key => key.to_pkcs8_der());
        der.expect("a key of ML-KEM that was made of a seed has a DER form")
            .to_bytes()
    }

    /// The public half, as SPKI.
    pub(crate) fn public(&self) -> Vec<u8> {
        let der = of_each!(self, key => key.encapsulation_key().to_public_key_der());
        der.expect("a key of ML-KEM has a DER form").into_vec()
    }

    /// A fresh secret for whoever has the private half.
    pub(crate) fn encapsulate(&self, random: &mut Random<'_>) -> Encapsulated {
        of_each!(self, key => {
            let (ciphertext, secret) = key.encapsulation_key().encapsulate_with_rng(random);
            Encapsulated {
                secret: Zeroizing::new(secret.to_vec()),
                ciphertext: ciphertext.to_vec(),
            }
        })
    }

    /// The secret of a ciphertext. One that was changed gives another secret: nobody is told of it (FIPS 203, §6.3).
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadLength`] for a ciphertext of another set.
    pub(crate) fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let secret = of_each!(self, key => {
            let secret = key.decapsulate_slice(ciphertext);
            secret.map(|secret| Zeroizing::new(secret.to_vec()))
        });
        secret.map_err(|_| CryptoError::BadLength)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const VECTORS: &str = include_str!("../../../fixtures/vectors/ml-kem.json");

    fn vectors() -> Vec<Value> {
        let all: Value = serde_json::from_str(VECTORS).unwrap();
        all["vectors"].as_array().unwrap().clone()
    }

    fn bytes(vector: &Value, name: &str) -> Vec<u8> {
        hex::decode(vector[name].as_str().unwrap()).unwrap()
    }

    fn key(vector: &Value) -> (MlKemSet, MlKemKey) {
        let set = match vector["set"].as_u64() {
            Some(512) => MlKemSet::L512,
            Some(768) => MlKemSet::L768,
            _ => MlKemSet::L1024,
        };
        let seed = bytes(vector, "seed").try_into().unwrap();
        (set, MlKemKey::new(set, &seed))
    }

    #[test]
    fn every_key_and_secret_has_its_published_value() {
        for vector in vectors() {
            let (set, key) = key(&vector);
            let random = |buffer: &mut [u8]| buffer.copy_from_slice(&bytes(&vector, "random"));

            let made = key.encapsulate(&mut Random(&random));

            assert!(key.public().ends_with(&bytes(&vector, "public")), "{set:?}");
            assert_eq!(made.ciphertext, bytes(&vector, "ciphertext"), "{set:?}");
            assert_eq!(*made.secret, bytes(&vector, "secret"), "{set:?}");
            for (ciphertext, secret) in [("ciphertext", "secret"), ("rejected", "rejected_secret")]
            {
                let opened = key.decapsulate(&bytes(&vector, ciphertext)).unwrap();
                assert_eq!(*opened, bytes(&vector, secret), "{set:?} {secret}");
            }
        }
    }

    #[test]
    fn a_key_and_a_ciphertext_are_of_their_set_alone() {
        for vector in vectors() {
            let (set, key) = key(&vector);
            let ciphertext = bytes(&vector, "ciphertext");

            let cut = key.decapsulate(&ciphertext[1..]);

            assert_eq!(cut, Err(CryptoError::BadLength));
            let der = key.render();
            for other in [MlKemSet::L512, MlKemSet::L768, MlKemSet::L1024] {
                assert_eq!(MlKemKey::parse(other, &der).is_ok(), other == set);
            }
        }
    }
}
