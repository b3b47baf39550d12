//! A key pair of any kind: made, read and written as PKCS#8, and put to use.

use std::fmt;

use zeroize::Zeroizing;

use crate::crypto::ecc_keys::{Curve, EccKey};
use crate::crypto::ed25519_keys::Ed25519Key;
use crate::crypto::error::CryptoError;
use crate::crypto::ml_dsa_keys::{MlDsaKey, MlDsaSet};
use crate::crypto::ml_kem_keys::{Encapsulated, MlKemKey, MlKemSet};
use crate::crypto::random::Random;
use crate::crypto::rsa_keys::{Oaep, RsaKey};
use crate::crypto::signing::Scheme;

/// What a pair is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PairKind {
    /// RSA.
    Rsa {
        /// The size of the modulus.
        bits: usize,
    },
    /// A curve with ECDSA.
    Ecc(Curve),
    /// Ed25519.
    Ed25519,
    /// ML-DSA.
    MlDsa(MlDsaSet),
    /// ML-KEM.
    MlKem(MlKemSet),
}

/// A pair; zeroed when dropped, never shown.
pub(crate) enum KeyPair {
    /// Of [`PairKind::Rsa`].
    Rsa(Box<RsaKey>),
    /// Of [`PairKind::Ecc`].
    Ecc(Box<EccKey>),
    /// Of [`PairKind::Ed25519`].
    Ed25519(Box<Ed25519Key>),
    /// Of [`PairKind::MlDsa`].
    MlDsa(Box<MlDsaKey>),
    /// Of [`PairKind::MlKem`].
    MlKem(Box<MlKemKey>),
}

impl KeyPair {
    /// A fresh pair. RSA takes a while.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadKey`] for a size that is none.
    pub(crate) fn generate(kind: PairKind, random: &mut Random<'_>) -> Result<Self, CryptoError> {
        match kind {
            PairKind::Rsa { bits } => RsaKey::generate(bits, random).map(Self::rsa),
            PairKind::Ecc(curve) => Ok(Self::ecc(EccKey::generate(curve, random))),
            PairKind::Ed25519 => {
                let mut bytes = Zeroizing::new([0; 32]);
                (random.0)(bytes.as_mut_slice());
                Ok(Self::ed25519(Ed25519Key::new(&bytes)))
            }
            PairKind::MlDsa(set) => {
                let mut seed = Zeroizing::new([0; 32]);
                (random.0)(seed.as_mut_slice());
                Ok(Self::ml_dsa(MlDsaKey::new(set, &seed)))
            }
            PairKind::MlKem(set) => {
                let mut seed = Zeroizing::new([0; 64]);
                (random.0)(seed.as_mut_slice());
                Ok(Self::ml_kem(MlKemKey::new(set, &seed)))
            }
        }
    }

    /// Reads PKCS#8.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadKey`] for anything else, and for a pair of another kind.
    pub(crate) fn parse(kind: PairKind, der: &[u8]) -> Result<Self, CryptoError> {
        match kind {
            PairKind::Rsa { bits } => {
                let key = RsaKey::parse(der)?;
                (key.bits() == bits)
                    .then(|| Self::rsa(key))
                    .ok_or(CryptoError::BadKey)
            }
            PairKind::Ecc(curve) => EccKey::parse(curve, der).map(Self::ecc),
            PairKind::Ed25519 => Ed25519Key::parse(der).map(Self::ed25519),
            PairKind::MlDsa(set) => MlDsaKey::parse(set, der).map(Self::ml_dsa),
            PairKind::MlKem(set) => MlKemKey::parse(set, der).map(Self::ml_kem),
        }
    }

    /// PKCS#8.
    pub(crate) fn render(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Rsa(key) => key.render(),
            Self::Ecc(key) => key.render(),
            Self::Ed25519(key) => key.render(),
            Self::MlDsa(key) => key.render(),
            Self::MlKem(key) => key.render(),
        }
    }

    /// The public half, as SPKI.
    pub(crate) fn public(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => key.public(),
            Self::Ecc(key) => key.public(),
            Self::Ed25519(key) => key.public(),
            Self::MlDsa(key) => key.public(),
            Self::MlKem(key) => key.public(),
        }
    }

    /// The signature of a message, or of its digest where the scheme wants that.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadKey`] for a scheme of another kind; [`CryptoError::BadLength`] for a digest of another length.
    pub(crate) fn sign(
        &self,
        scheme: Scheme,
        message: &[u8],
        random: &mut Random<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        match (self, scheme) {
            (Self::Rsa(key), Scheme::RsaPkcs1(hash)) => key.sign_pkcs1(hash, message, random),
            (Self::Rsa(key), Scheme::RsaPss(hash)) => key.sign_pss(hash, message, random),
            (Self::Ecc(key), Scheme::Ecdsa(_)) => key.sign(message),
            (Self::Ed25519(key), Scheme::Ed25519) => Ok(key.sign(message)),
            (Self::Ed25519(key), Scheme::Ed25519ph) => Ok(key.sign_digest_of(message)),
            (Self::MlDsa(key), Scheme::MlDsa) => key.sign(message),
            (Self::MlDsa(key), Scheme::MlDsaMu) => key.sign_mu(message),
            _ => Err(CryptoError::BadKey),
        }
    }

    /// Whether a signature is this message's, or that of this digest where the scheme wants one.
    pub(crate) fn verifies(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        match (self, scheme) {
            (Self::Rsa(key), Scheme::RsaPkcs1(hash)) => {
                key.verifies_pkcs1(hash, message, signature)
            }
            (Self::Rsa(key), Scheme::RsaPss(hash)) => key.verifies_pss(hash, message, signature),
            (Self::Ecc(key), Scheme::Ecdsa(_)) => key.verifies(message, signature),
            (Self::Ed25519(key), Scheme::Ed25519) => key.verifies(message, signature),
            (Self::Ed25519(key), Scheme::Ed25519ph) => key.verifies_digest_of(message, signature),
            (Self::MlDsa(key), Scheme::MlDsa) => key.verifies(message, signature),
            (Self::MlDsa(key), Scheme::MlDsaMu) => key.verifies_mu(message, signature),
            _ => false,
        }
    }

    /// Encrypts to the public half.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadLength`] for more than fits; [`CryptoError::BadKey`] for a pair that only signs.
    pub(crate) fn encrypt(
        &self,
        oaep: Oaep,
        plaintext: &[u8],
        random: &mut Random<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        let Self::Rsa(key) = self else {
            return Err(CryptoError::BadKey);
        };
        key.encrypt(oaep, plaintext, random)
    }

    /// Decrypts with the private half.
    ///
    /// # Errors
    ///
    /// [`CryptoError::TagMismatch`] for what was not encrypted to it; [`CryptoError::BadKey`] for a pair that only signs.
    pub(crate) fn decrypt(
        &self,
        oaep: Oaep,
        ciphertext: &[u8],
        random: &mut Random<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let Self::Rsa(key) = self else {
            return Err(CryptoError::BadKey);
        };
        key.decrypt(oaep, ciphertext, random)
    }

    /// The secret that it shares with a peer, whose public half is given as SPKI.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadKey`] for a peer of another curve, and for a pair that agrees with nobody.
    pub(crate) fn agree(&self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let Self::Ecc(key) = self else {
            return Err(CryptoError::BadKey);
        };
        key.agree(peer)
    }

    /// A fresh secret for whoever has the private half.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadKey`] for a pair of another kind.
    pub(crate) fn encapsulate(&self, random: &mut Random<'_>) -> Result<Encapsulated, CryptoError> {
        let Self::MlKem(key) = self else {
            return Err(CryptoError::BadKey);
        };
        Ok(key.encapsulate(random))
    }

    /// The secret of a ciphertext.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadLength`] for a ciphertext of another set; [`CryptoError::BadKey`] for a pair of another kind.
    pub(crate) fn decapsulate(&self, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let Self::MlKem(key) = self else {
            return Err(CryptoError::BadKey);
        };
        key.decapsulate(ciphertext)
    }

    fn rsa(key: RsaKey) -> Self {
        Self::Rsa(Box::new(key))
    }

    fn ecc(key: EccKey) -> Self {
        Self::Ecc(Box::new(key))
    }

    fn ed25519(key: Ed25519Key) -> Self {
        Self::Ed25519(Box::new(key))
    }

    fn ml_dsa(key: MlDsaKey) -> Self {
        Self::MlDsa(Box::new(key))
    }

    fn ml_kem(key: MlKemKey) -> Self {
        Self::MlKem(Box::new(key))
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPair(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::crypto::rsa_keys::tests::known_key;
    use crate::crypto::signing::Hash;
    use crate::entropy::Entropy;

    /// A pair of every kind that has to be made, and its scheme.
    const MADE: [(PairKind, Scheme); 9] = [
        (PairKind::Ecc(Curve::P256), Scheme::Ecdsa(Hash::Sha256)),
        (PairKind::Ecc(Curve::P384), Scheme::Ecdsa(Hash::Sha384)),
        (PairKind::Ecc(Curve::P521), Scheme::Ecdsa(Hash::Sha512)),
        (PairKind::Ecc(Curve::Secp256k1), Scheme::Ecdsa(Hash::Sha256)),
        (PairKind::Ed25519, Scheme::Ed25519),
        (PairKind::Ed25519, Scheme::Ed25519ph),
        (PairKind::MlDsa(MlDsaSet::L44), Scheme::MlDsa),
        (PairKind::MlDsa(MlDsaSet::L65), Scheme::MlDsa),
        (PairKind::MlDsa(MlDsaSet::L87), Scheme::MlDsa),
    ];
    /// What an RSA key does.
    const RSA: [Scheme; 6] = [
        Scheme::RsaPkcs1(Hash::Sha256),
        Scheme::RsaPkcs1(Hash::Sha384),
        Scheme::RsaPkcs1(Hash::Sha512),
        Scheme::RsaPss(Hash::Sha256),
        Scheme::RsaPss(Hash::Sha384),
        Scheme::RsaPss(Hash::Sha512),
    ];

    fn hashed(scheme: Scheme, message: &[u8]) -> Vec<u8> {
        match scheme {
            Scheme::RsaPkcs1(hash) | Scheme::RsaPss(hash) | Scheme::Ecdsa(hash) => hash.of(message),
            Scheme::Ed25519 | Scheme::Ed25519ph | Scheme::MlDsa | Scheme::MlDsaMu => {
                message.to_owned()
            }
        }
    }

    fn pairs(seed: u64) -> Vec<(KeyPair, Scheme)> {
        let entropy = Entropy::seeded(seed);
        let fill = |buffer: &mut [u8]| entropy.fill(buffer);
        let made = MADE.map(|(kind, scheme)| {
            let pair = KeyPair::generate(kind, &mut Random(&fill)).unwrap();
            (KeyPair::parse(kind, &pair.render()).unwrap(), scheme)
        });
        let rsa = RSA.map(|scheme| {
            let kind = PairKind::Rsa { bits: 2_048 };
            (KeyPair::parse(kind, &known_key()).unwrap(), scheme)
        });
        made.into_iter().chain(rsa).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8))]

        #[test]
        fn a_signature_verifies_and_a_flipped_bit_anywhere_ends_that(seed: u64, message in prop::collection::vec(any::<u8>(), 1..100), position: prop::sample::Index, bit in 0_u32..8) {
            let entropy = Entropy::seeded(seed);
            let fill = |buffer: &mut [u8]| entropy.fill(buffer);
            for (pair, scheme) in pairs(seed) {
                let whole = hashed(scheme, &message);
                let mut signature = pair.sign(scheme, &whole, &mut Random(&fill)).unwrap();
                let mut other = message.clone();
                other[position.index(message.len())] ^= 1_u8 << bit;

                prop_assert!(pair.verifies(scheme, &whole, &signature), "{:?}", scheme);
                prop_assert!(!pair.verifies(scheme, &hashed(scheme, &other), &signature), "{:?}", scheme);
                let position = position.index(signature.len());
                signature[position] ^= 1_u8 << bit;
                prop_assert!(!pair.verifies(scheme, &whole, &signature), "{:?}", scheme);
            }
        }
    }

    #[test]
    fn a_pair_takes_no_scheme_of_another_kind() {
        let entropy = Entropy::seeded(1);
        let fill = |buffer: &mut [u8]| entropy.fill(buffer);
        let pair = KeyPair::generate(PairKind::Ed25519, &mut Random(&fill)).unwrap();

        let signed = pair.sign(RSA[0], &[0; 32], &mut Random(&fill));
        let encrypted = pair.encrypt(Oaep::Sha256, b"x", &mut Random(&fill));

        assert_eq!(signed.unwrap_err(), CryptoError::BadKey);
        assert_eq!(encrypted.unwrap_err(), CryptoError::BadKey);
        assert!(!pair.verifies(RSA[0], &[0; 32], &[0; 256]));
    }

    #[test]
    fn a_pair_never_shows() {
        let pair = KeyPair::ed25519(Ed25519Key::new(&[7; 32]));

        assert_eq!(format!("{pair:?}"), "KeyPair(…)");
    }
}
