//! Tink's AES-CTR-HMAC AEAD: wraps keys, and later KMS ciphertexts.
//!
//! `iv (16) || AES-256-CTR(iv, plaintext) || HMAC-SHA256(aad || iv || ciphertext || 8·|aad| as 8 bytes)`.
//!
//! Source: <https://developers.google.com/tink/aead>; `fixtures/vectors/tink-aes-ctr-hmac-aead.json`.

use std::fmt;

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::crypto::digest::equal;
use crate::crypto::error::CryptoError;

/// The initial counter block, in bytes.
pub(crate) const IV_BYTES: usize = 16;
const TAG_BYTES: usize = 32;
/// What the two keys are derived for: another use of the same key gets another label.
const LABEL: &[u8] = b"strongroom/aead/1";

/// Two keys that seal small things.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Aead {
    aes: [u8; 32],
    hmac: [u8; 32],
}

impl Aead {
    /// From two keys, as the vectors have them.
    #[cfg(test)]
    pub(crate) fn from_keys(aes: [u8; 32], hmac: [u8; 32]) -> Self {
        Self { aes, hmac }
    }

    /// From one: HKDF-SHA256 without salt gives 64 bytes, AES first.
    pub(crate) fn derive(key: &[u8; 32]) -> Self {
        let mut okm = Zeroizing::new([0_u8; 64]);
        Hkdf::<Sha256>::new(None, key)
            .expand(LABEL, okm.as_mut())
            .expect("64 bytes are within HKDF's bound");
        let mut derived = Self {
            aes: [0; 32],
            hmac: [0; 32],
        };
        derived.aes.copy_from_slice(&okm[..32]);
        derived.hmac.copy_from_slice(&okm[32..]);
        derived
    }

    /// Seals. An `iv` must never serve twice.
    pub(crate) fn seal(
        &self,
        iv: [u8; IV_BYTES],
        plaintext: &[u8],
        associated_data: &[u8],
    ) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(IV_BYTES + plaintext.len() + TAG_BYTES);
        sealed.extend_from_slice(&iv);
        sealed.extend_from_slice(plaintext);
        self.keystream(&iv).apply_keystream(&mut sealed[IV_BYTES..]);
        let tag = self.tag(&sealed, associated_data);
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// Opens, after the tag was checked.
    ///
    /// # Errors
    ///
    /// [`CryptoError`] for anything that `seal` did not give for this associated data.
    pub(crate) fn open(
        &self,
        sealed: &[u8],
        associated_data: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let split = sealed
            .len()
            .checked_sub(TAG_BYTES)
            .filter(|&split| split >= IV_BYTES)
            .ok_or(CryptoError::BadLength)?;
        let (body, tag) = sealed.split_at(split);
        if !equal(&self.tag(body, associated_data), tag) {
            return Err(CryptoError::TagMismatch);
        }
        let (iv, ciphertext) = body
            .split_first_chunk::<IV_BYTES>()
            .ok_or(CryptoError::BadLength)?;
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        self.keystream(iv).apply_keystream(&mut plaintext);
        Ok(plaintext)
    }

    fn keystream(&self, iv: &[u8; IV_BYTES]) -> Ctr128BE<Aes256> {
        Ctr128BE::<Aes256>::new(&self.aes.into(), &(*iv).into())
    }

    fn tag(&self, body: &[u8], associated_data: &[u8]) -> [u8; TAG_BYTES] {
        let bits =
            8 * u64::try_from(associated_data.len()).expect("a slice's length fits in 64 bits");
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.hmac).expect("HMAC takes a key of any length");
        mac.update(associated_data);
        mac.update(body);
        mac.update(&bits.to_be_bytes());
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Aead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aead(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const VECTORS: &str = include_str!("../../../fixtures/vectors/tink-aes-ctr-hmac-aead.json");

    fn bytes(value: &Value) -> Vec<u8> {
        hex::decode(value.as_str().unwrap()).unwrap()
    }

    fn key(value: &Value) -> [u8; 32] {
        bytes(value).try_into().unwrap()
    }

    #[test]
    fn tinks_vectors_are_sealed_and_opened() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let aead = Aead::from_keys(key(&vectors["aes_key"]), key(&vectors["hmac_key"]));
        let valid = vectors["valid"].as_array().unwrap();
        assert!(valid.len() >= 5);
        for vector in valid {
            let (plaintext, context) = (
                bytes(&vector["plaintext"]),
                bytes(&vector["associated_data"]),
            );
            let iv: [u8; IV_BYTES] = bytes(&vector["iv"]).try_into().unwrap();
            let sealed = bytes(&vector["ciphertext"]);

            assert_eq!(aead.seal(iv, &plaintext, &context), sealed);
            assert_eq!(*aead.open(&sealed, &context).unwrap(), plaintext);
        }
    }

    #[test]
    fn what_tink_refuses_is_refused() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let aead = Aead::from_keys(key(&vectors["aes_key"]), key(&vectors["hmac_key"]));
        let invalid = vectors["invalid"].as_array().unwrap();
        assert!(!invalid.is_empty());
        for vector in invalid {
            let opened = aead.open(
                &bytes(&vector["ciphertext"]),
                &bytes(&vector["associated_data"]),
            );
            assert!(opened.is_err(), "{vector}");
        }
    }

    proptest! {
        #[test]
        fn opening_undoes_sealing(key: [u8; 32], iv: [u8; IV_BYTES], plaintext: Vec<u8>, context: Vec<u8>) {
            let aead = Aead::derive(&key);
            let sealed = aead.seal(iv, &plaintext, &context);
            prop_assert_eq!(aead.open(&sealed, &context).unwrap().to_vec(), plaintext);
        }

        #[test]
        fn a_flipped_bit_is_refused(plaintext: Vec<u8>, position: prop::sample::Index, bit in 0_u32..8) {
            let aead = Aead::derive(&[1; 32]);
            let mut sealed = aead.seal([2; IV_BYTES], &plaintext, b"context");
            let position = position.index(sealed.len());
            sealed[position] ^= 1_u8 << bit;
            prop_assert_eq!(aead.open(&sealed, b"context").map(|_| ()), Err(CryptoError::TagMismatch));
        }

        #[test]
        fn another_context_is_refused(context: Vec<u8>, other: Vec<u8>) {
            prop_assume!(context != other);
            let aead = Aead::derive(&[1; 32]);
            let sealed = aead.seal([2; IV_BYTES], b"key", &context);
            prop_assert!(aead.open(&sealed, &other).is_err());
        }
    }
}
