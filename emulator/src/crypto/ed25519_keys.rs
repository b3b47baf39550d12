//! Ed25519 keys (RFC 8032): PKCS#8 and SPKI (RFC 8410), and signatures of 64 bytes with and without a digest before.

use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, KeypairBytes};
use ed25519_dalek::{Digest, Sha512, Signature, Signer, SigningKey};
use zeroize::Zeroizing;

use crate::crypto::error::CryptoError;

/// A key with both halves; zeroed when dropped, never shown.
pub(crate) struct Ed25519Key(SigningKey);

impl Ed25519Key {
    /// The key of 32 random bytes.
    pub(crate) fn new(bytes: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(bytes))
    }

    /// Reads PKCS#8.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadKey`] for anything else.
    pub(crate) fn parse(der: &[u8]) -> Result<Self, CryptoError> {
        let read = SigningKey::from_pkcs8_der(der);
        read.map(Self).map_err(|_| CryptoError::BadKey)
    }

    /// PKCS#8 in its first version, without the public half: all readers take that.
    pub(crate) fn render(&self) -> Zeroizing<Vec<u8>> {
        let bytes = KeypairBytes {
            secret_key: self.0.to_bytes(),
            public_key: None,
        };
        let der = bytes.to_pkcs8_der();
        der.expect("an Ed25519 key has a DER form").to_bytes()
    }

    /// The public half, as SPKI.
    pub(crate) fn public(&self) -> Vec<u8> {
        let der = self.0.verifying_key().to_public_key_der();
        der.expect("an Ed25519 key has a DER form").into_vec()
    }

    /// The signature of a message.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.0.sign(message).to_vec()
    }

    /// The signature of a message's digest, by Ed25519ph with an empty context.
    pub(crate) fn sign_digest_of(&self, message: &[u8]) -> Vec<u8> {
        let signature = self
            .0
            .sign_prehashed(Sha512::new_with_prefix(message), None);
        signature
            .expect("an empty context is short enough")
            .to_vec()
    }

    /// Whether a signature is this message's.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = self.0.verifying_key();
        Signature::from_slice(signature)
            .and_then(|signature| key.verify_strict(message, &signature))
            .is_ok()
    }

    /// Whether a signature by Ed25519ph is that of this message's digest.
    pub(crate) fn verifies_digest_of(&self, message: &[u8], signature: &[u8]) -> bool {
        let (key, digest) = (self.0.verifying_key(), Sha512::new_with_prefix(message));
        Signature::from_slice(signature)
            .and_then(|signature| key.verify_prehashed_strict(digest, None, &signature))
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(hex: &str) -> Ed25519Key {
        Ed25519Key::new(&hex::decode(hex).unwrap().try_into().unwrap())
    }

    /// RFC 8032 §7.1, test 2.
    #[test]
    fn a_signature_has_its_published_value() {
        let key = key("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");

        let signature = key.sign(&[0x72]);

        let published = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert_eq!(hex::encode(&signature), published);
        assert!(key.verifies(&[0x72], &signature));
        assert!(!key.verifies_digest_of(&[0x72], &signature));
    }

    /// RFC 8032 §7.3.
    #[test]
    fn a_signature_of_a_digest_has_its_published_value() {
        let key = key("833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42");

        let signature = key.sign_digest_of(b"abc");

        let published = "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406";
        assert_eq!(hex::encode(&signature), published);
        assert!(key.verifies_digest_of(b"abc", &signature));
        assert!(!key.verifies(b"abc", &signature));
    }

    /// The same key as OpenSSL writes it.
    #[test]
    fn a_key_has_the_form_that_others_read() {
        let hex = "302e020100300506032b6570042204204ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";

        let key = Ed25519Key::parse(&hex::decode(hex).unwrap()).unwrap();

        assert_eq!(hex::encode(key.render()), hex);
        let public = "302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        assert_eq!(hex::encode(key.public()), public);
    }
}
