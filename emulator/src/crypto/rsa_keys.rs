//! RSA keys (RFC 8017): PKCS#8 and SPKI, both kinds of signature, and OAEP.
//!
//! Whatever the private half does is blinded with fresh randomness. It takes milliseconds, and a new key seconds: none of
//! it belongs on a thread that others wait for.

use rsa::PrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey};
use rsa::traits::PublicKeyParts;
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use crate::crypto::error::CryptoError;
use crate::crypto::random::Random;
use crate::crypto::signing::Hash;

/// The hash function of OAEP, which is that of its mask too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Oaep {
    /// SHA-1: 42 bytes of a block are no message.
    Sha1,
    /// SHA-256: 66 bytes.
    Sha256,
}

/// A key with both halves; zeroed when dropped, never shown.
pub(crate) struct RsaKey(PrivateKey);

impl RsaKey {
    /// A fresh key with a modulus of so many bits, and the exponent 65,537.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadKey`] for a size that is none.
    pub(crate) fn generate(bits: usize, random: &mut Random<'_>) -> Result<Self, CryptoError> {
        let made = PrivateKey::new(random, bits);
        made.map(Self).map_err(|_| CryptoError::BadKey)
    }

    /// Reads PKCS#8.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadKey`] for anything else.
    pub(crate) fn parse(der: &[u8]) -> Result<Self, CryptoError> {
        let read = PrivateKey::from_pkcs8_der(der);
        read.map(Self).map_err(|_| CryptoError::BadKey)
    }

    /// The size of the modulus.
    pub(crate) fn bits(&self) -> usize {
        usize::try_from(self.0.n().bit_width()).unwrap_or(usize::MAX)
    }

    /// PKCS#8.
    pub(crate) fn render(&self) -> Zeroizing<Vec<u8>> {
        let der = self.0.to_pkcs8_der().expect("an RSA key has a DER form");
        der.to_bytes()
    }

    /// The public half, as SPKI (RFC 5280 §4.1.2.7).
    pub(crate) fn public(&self) -> Vec<u8> {
        let der = self.0.as_public_key().to_public_key_der();
        der.expect("an RSA key has a DER form").into_vec()
    }

    /// RSASSA-PKCS1-v1_5 of a digest.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadLength`] for a digest of another length.
    pub(crate) fn sign_pkcs1(
        &self,
        hash: Hash,
        digest: &[u8],
        random: &mut Random<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        let key = &self.0;
        let signed = match hash {
            Hash::Sha256 => key.pkcs1v15_sign_prehash_with_rng::<Sha256, _>(random, digest),
            Hash::Sha384 => key.pkcs1v15_sign_prehash_with_rng::<Sha384, _>(random, digest),
            Hash::Sha512 => key.pkcs1v15_sign_prehash_with_rng::<Sha512, _>(random, digest),
        };
        signed.map_err(|_| CryptoError::BadLength)
    }

    /// RSASSA-PSS of a digest, with a salt as long as that.
    ///
    /// # Errors
    ///
    /// As [`RsaKey::sign_pkcs1`].
    pub(crate) fn sign_pss(
        &self,
        hash: Hash,
        digest: &[u8],
        random: &mut Random<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        let key = &self.0;
        let signed = match hash {
            Hash::Sha256 => key.pss_sign_prehash_with_rng::<Sha256, _>(random, digest),
            Hash::Sha384 => key.pss_sign_prehash_with_rng::<Sha384, _>(random, digest),
            Hash::Sha512 => key.pss_sign_prehash_with_rng::<Sha512, _>(random, digest),
        };
        signed.map_err(|_| CryptoError::BadLength)
    }

    /// Whether a signature by RSASSA-PKCS1-v1_5 is this digest's.
    pub(crate) fn verifies_pkcs1(&self, hash: Hash, digest: &[u8], signature: &[u8]) -> bool {
        let key = self.0.as_public_key();
        let verified = match hash {
            Hash::Sha256 => key.pkcs1v15_verify_prehash::<Sha256>(digest, signature),
            Hash::Sha384 => key.pkcs1v15_verify_prehash::<Sha384>(digest, signature),
            Hash::Sha512 => key.pkcs1v15_verify_prehash::<Sha512>(digest, signature),
        };
        verified.is_ok()
    }

    /// Whether a signature by RSASSA-PSS is this digest's.
    pub(crate) fn verifies_pss(&self, hash: Hash, digest: &[u8], signature: &[u8]) -> bool {
        let key = self.0.as_public_key();
        let verified = match hash {
            Hash::Sha256 => key.pss_verify_prehash::<Sha256>(digest, signature),
            Hash::Sha384 => key.pss_verify_prehash::<Sha384>(digest, signature),
            Hash::Sha512 => key.pss_verify_prehash::<Sha512>(digest, signature),
        };
        verified.is_ok()
    }

    /// Encrypts to the public half.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadLength`] for more than fits.
    pub(crate) fn encrypt(
        &self,
        oaep: Oaep,
        plaintext: &[u8],
        random: &mut Random<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        let key = self.0.as_public_key();
        let encrypted = match oaep {
            Oaep::Sha1 => key.oaep_encrypt_with_rng::<Sha1, _>(random, plaintext),
            Oaep::Sha256 => key.oaep_encrypt_with_rng::<Sha256, _>(random, plaintext),
        };
        encrypted.map_err(|_| CryptoError::BadLength)
    }

    /// Decrypts with the private half.
    ///
    /// # Errors
    ///
    /// [`CryptoError::TagMismatch`] for what nobody encrypted to it in this way.
    pub(crate) fn decrypt(
        &self,
        oaep: Oaep,
        ciphertext: &[u8],
        random: &mut Random<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let opened = match oaep {
            Oaep::Sha1 => self.0.oaep_decrypt_with_rng::<Sha1, _>(random, ciphertext),
            Oaep::Sha256 => self
                .0
                .oaep_decrypt_with_rng::<Sha256, _>(random, ciphertext),
        };
        opened
            .map(Zeroizing::new)
            .map_err(|_| CryptoError::TagMismatch)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::Value;

    use super::*;
    use crate::entropy::Entropy;

    /// What others made with one key; the file says who.
    const VECTORS: &str = include_str!("../../../fixtures/vectors/wycheproof-rsa-2048.json");

    fn vectors() -> Value {
        serde_json::from_str(VECTORS).unwrap()
    }

    fn bytes(value: &Value) -> Vec<u8> {
        hex::decode(value.as_str().unwrap()).unwrap()
    }

    /// A key that need not be made first.
    pub(crate) fn known_key() -> Vec<u8> {
        bytes(&vectors()["pkcs8"])
    }

    #[test]
    fn what_others_encrypted_opens_and_a_changed_byte_does_not() {
        let key = RsaKey::parse(&known_key()).unwrap();
        let entropy = Entropy::seeded(1);
        let fill = |buffer: &mut [u8]| entropy.fill(buffer);
        for vector in vectors()["oaep_sha_256"].as_array().unwrap() {
            let mut ciphertext = bytes(&vector["ciphertext"]);

            let opened = key.decrypt(Oaep::Sha256, &ciphertext, &mut Random(&fill));
            let otherwise = key.decrypt(Oaep::Sha1, &ciphertext, &mut Random(&fill));
            ciphertext[100] ^= 1;
            let changed = key.decrypt(Oaep::Sha256, &ciphertext, &mut Random(&fill));

            assert_eq!(*opened.unwrap(), bytes(&vector["message"]));
            assert_eq!(otherwise.unwrap_err(), CryptoError::TagMismatch);
            assert_eq!(changed.unwrap_err(), CryptoError::TagMismatch);
        }
    }

    #[test]
    fn a_signature_has_its_published_value() {
        let key = RsaKey::parse(&known_key()).unwrap();
        let entropy = Entropy::seeded(1);
        let fill = |buffer: &mut [u8]| entropy.fill(buffer);
        for vector in vectors()["pkcs1_sha_256"].as_array().unwrap() {
            let digest = Hash::Sha256.of(&bytes(&vector["message"]));

            let signed = key.sign_pkcs1(Hash::Sha256, &digest, &mut Random(&fill));

            assert_eq!(signed.unwrap(), bytes(&vector["signature"]));
        }
    }

    #[test]
    fn a_key_is_written_as_it_was_read() {
        let read = RsaKey::parse(&known_key()).unwrap();

        let again = RsaKey::parse(&read.render()).unwrap();

        assert_eq!(again.render(), read.render());
        assert_eq!(again.public(), read.public());
        assert!(RsaKey::parse(&known_key()[1..]).is_err());
    }
}
