//! Keys that are derived from one key, each for a purpose: HKDF-SHA256 (RFC 5869) without salt, the purpose as its info.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// The key for a purpose; nobody who holds it learns the one that it comes from.
pub(crate) fn subkey(key: &[u8; 32], purpose: &str) -> Zeroizing<[u8; 32]> {
    let mut derived = Zeroizing::new([0_u8; 32]);
    Hkdf::<Sha256>::new(None, key)
        .expand(purpose.as_bytes(), derived.as_mut())
        .expect("32 bytes are within HKDF's bound");
    derived
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 5869 has no case without salt and with 32 bytes of key: so it is put together from HMAC, as the RFC tells.
    #[test]
    fn a_subkey_is_the_first_block_of_hkdf() {
        use crate::crypto::digest::hmac_sha256;
        let extracted = hmac_sha256(&[0; 32], &[7; 32]);

        let derived = subkey(&[7; 32], "purpose");

        assert_eq!(*derived, hmac_sha256(&extracted, b"purpose\x01"));
    }

    #[test]
    fn purposes_have_keys_of_their_own() {
        assert_ne!(subkey(&[7; 32], "one"), subkey(&[7; 32], "other"));
        assert_ne!(subkey(&[7; 32], "one"), subkey(&[8; 32], "one"));
    }
}
