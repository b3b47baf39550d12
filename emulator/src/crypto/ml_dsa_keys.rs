//! Keys of ML-DSA (FIPS 204): PKCS#8 that holds the seed, SPKI (RFC 9881), and signatures of a message or of its
//! representative μ. The context is empty, and so is the randomness: a signature comes of key and message alone, as the
//! standard allows.

use ml_dsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, Signature, SigningKey};
use zeroize::Zeroizing;

use crate::crypto::error::CryptoError;

/// How many bytes a message's representative has.
pub(crate) const MU_BYTES: usize = 64;

/// A parameter set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MlDsaSet {
    /// ML-DSA-44.
    L44,
    /// ML-DSA-65.
    L65,
    /// ML-DSA-87.
    L87,
}

/// A key with both halves; zeroed when dropped, never shown.
pub(crate) enum MlDsaKey {
    L44(SigningKey<MlDsa44>),
    L65(SigningKey<MlDsa65>),
    L87(SigningKey<MlDsa87>),
}

/// The same words for the key of each set.
macro_rules! of_each {
    ($whole:expr, $key:ident => $words:expr) => {
        match $whole {
            MlDsaKey::L44($key) => $words,
            MlDsaKey::L65($key) => $words,
            MlDsaKey::L87($key) => $words,
        }
    };
}

impl MlDsaKey {
    /// The key of 32 random bytes.
    pub(crate) fn new(set: MlDsaSet, seed: &[u8; 32]) -> Self {
        let seed = &(*seed).into();
        match set {
            MlDsaSet::L44 => Self::L44(SigningKey::from_seed(seed)),
            MlDsaSet::L65 => Self::L65(SigningKey::from_seed(seed)),
            MlDsaSet::L87 => Self::L87(SigningKey::from_seed(seed)),
        }
    }

    /// Reads PKCS#8.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadKey`] for anything else, and for a key of another set.
    pub(crate) fn parse(set: MlDsaSet, der: &[u8]) -> Result<Self, CryptoError> {
        let read = match set {
            MlDsaSet::L44 => SigningKey::from_pkcs8_der(der).map(Self::L44),
            MlDsaSet::L65 => SigningKey::from_pkcs8_der(der).map(Self::L65),
            MlDsaSet::L87 => SigningKey::from_pkcs8_der(der).map(Self::L87),
        };
        read.map_err(|_| CryptoError::BadKey)
    }

    /// PKCS#8.
    pub(crate) fn render(&self) -> Zeroizing<Vec<u8>> {
        let der = of_each!(self, key => key.to_pkcs8_der());
        der.expect("a key of ML-DSA has a DER form").to_bytes()
    }

    /// The public half, as SPKI.
    pub(crate) fn public(&self) -> Vec<u8> {
        let der = of_each!(self, key => key.expanded_key().verifying_key().to_public_key_der());
        der.expect("a key of ML-DSA has a DER form").into_vec()
    }

    /// The signature of a message.
    ///
    /// # Errors
    ///
    /// None with an empty context.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let signature = of_each!(self, key => {
            let signature = key.expanded_key().sign_deterministic(message, &[]);
            signature.map(|signature| signature.encode().to_vec())
        });
        signature.map_err(|_| CryptoError::BadLength)
    }

    /// The signature of the message that μ stands for.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadLength`] for another length than [`MU_BYTES`].
    pub(crate) fn sign_mu(&self, mu: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mu = mu.try_into().map_err(|_| CryptoError::BadLength)?;
        Ok(of_each!(self, key => key.expanded_key().sign_mu_deterministic(mu).encode().to_vec()))
    }

    /// Whether a signature is this message's.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        of_each!(self, key => Signature::try_from(signature)
            .is_ok_and(|signature| key.expanded_key().verifying_key().verify_with_context(message, &[], &signature)))
    }

    /// Whether a signature is that of the message that μ stands for.
    pub(crate) fn verifies_mu(&self, mu: &[u8], signature: &[u8]) -> bool {
        let Ok(mu) = mu.try_into() else {
            return false;
        };
        of_each!(self, key => Signature::try_from(signature)
            .is_ok_and(|signature| key.expanded_key().verifying_key().verify_mu(mu, &signature)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const VECTORS: &str = include_str!("../../../fixtures/vectors/ml-dsa.json");

    fn vectors() -> Vec<Value> {
        let all: Value = serde_json::from_str(VECTORS).unwrap();
        all["vectors"].as_array().unwrap().clone()
    }

    fn bytes(vector: &Value, name: &str) -> Vec<u8> {
        hex::decode(vector[name].as_str().unwrap()).unwrap()
    }

    fn key(vector: &Value) -> (MlDsaSet, MlDsaKey) {
        let set = match vector["set"].as_u64() {
            Some(44) => MlDsaSet::L44,
            Some(65) => MlDsaSet::L65,
            _ => MlDsaSet::L87,
        };
        let seed = bytes(vector, "seed").try_into().unwrap();
        (set, MlDsaKey::new(set, &seed))
    }

    #[test]
    fn every_key_and_signature_has_its_published_value() {
        for vector in vectors() {
            let (set, key) = key(&vector);
            let mu = bytes(&vector, "mu");

            let signed = key.sign_mu(&mu).unwrap();

            assert!(key.public().ends_with(&bytes(&vector, "public")), "{set:?}");
            assert_eq!(signed, bytes(&vector, "signature"), "{set:?}");
            assert!(key.verifies_mu(&mu, &signed));
        }
    }

    #[test]
    fn a_signature_is_of_its_message_its_kind_and_its_set_alone() {
        for vector in vectors() {
            let (set, key) = key(&vector);
            let (message, mu) = (bytes(&vector, "message"), bytes(&vector, "mu"));

            let mut signed = key.sign(&message).unwrap();

            assert!(key.verifies(&message, &signed));
            assert!(!key.verifies(&mu, &signed));
            assert!(!key.verifies_mu(&mu, &signed));
            signed[7] ^= 1;
            assert!(!key.verifies(&message, &signed));
            assert!(!key.verifies(&message, &signed[1..]));
            assert_eq!(key.sign_mu(&mu[1..]), Err(CryptoError::BadLength));
            let der = key.render();
            for other in [MlDsaSet::L44, MlDsaSet::L65, MlDsaSet::L87] {
                assert_eq!(MlDsaKey::parse(other, &der).is_ok(), other == set);
            }
        }
    }
}
