//! AES key wrap with padding (RFC 5649), and what PKCS #11 makes of it together with RSA: `CKM_RSA_AES_KEY_WRAP`.

use aes_kw::{KeyInit, KwpAes256};
use zeroize::Zeroizing;

use crate::crypto::error::CryptoError;
use crate::crypto::random::Random;
use crate::crypto::rsa_keys::{Oaep, RsaKey};

/// The shortest wrapped key: one block.
const LEAST_BYTES: usize = 16;

/// Unwraps what an AES key of 32 bytes wrapped.
///
/// # Errors
///
/// [`CryptoError::BadLength`] for a key of another length, and for what wrapping never gives;
/// [`CryptoError::TagMismatch`] for what this key did not wrap.
pub(crate) fn unwrap_padded(key: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let cipher = KwpAes256::new_from_slice(key).map_err(|_| CryptoError::BadLength)?;
    if wrapped.len() < LEAST_BYTES {
        return Err(CryptoError::BadLength);
    }
    let mut buffer = Zeroizing::new(vec![0; wrapped.len()]);
    let opened = cipher.unwrap_key(wrapped, &mut buffer);
    let opened = opened.map_err(|_| CryptoError::TagMismatch)?;
    Ok(Zeroizing::new(opened.to_vec()))
}

/// Unwraps what an AES key wrapped that stands before it, encrypted to an RSA key.
///
/// Source: PKCS #11 v3.0, §2.1.21.
///
/// # Errors
///
/// [`CryptoError::TagMismatch`], [`CryptoError::BadLength`] for what nobody wrapped so for this key.
pub(crate) fn unwrap_under_rsa(
    key: &RsaKey,
    oaep: Oaep,
    wrapped: &[u8],
    random: &mut Random<'_>,
) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let block = key.bits().div_ceil(8);
    let (encrypted, wrapped) = wrapped
        .split_at_checked(block)
        .ok_or(CryptoError::BadLength)?;
    let aes = key.decrypt(oaep, encrypted, random)?;
    unwrap_padded(&aes, wrapped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::rsa_keys::tests::known_key;
    use crate::entropy::Entropy;
    use serde_json::Value;

    const VECTORS: &str = include_str!("../../../fixtures/vectors/wycheproof-kwp-256.json");

    #[test]
    fn what_others_wrapped_unwraps_and_what_they_refuse_does_not() {
        let vectors: Value = serde_json::from_str(VECTORS).unwrap();
        let vectors = vectors["vectors"].as_array().unwrap();
        let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
        for vector in vectors {
            let opened = unwrap_padded(&bytes(&vector["key"]), &bytes(&vector["wrapped"]));

            match vector["message"].as_str() {
                Some(message) => assert_eq!(hex::encode(&*opened.unwrap()), message),
                None => assert!(opened.is_err(), "{vector}"),
            }
        }
    }

    #[test]
    fn what_an_encrypted_key_wrapped_unwraps_whole_alone() {
        let key = RsaKey::parse(&known_key()).unwrap();
        let entropy = Entropy::seeded(1);
        let fill = |buffer: &mut [u8]| entropy.fill(buffer);
        let mut whole = key
            .encrypt(Oaep::Sha256, &[7; 32], &mut Random(&fill))
            .unwrap();
        let mut wrapped = [0; 48];
        let cipher = KwpAes256::new_from_slice(&[7; 32]).unwrap();
        whole.extend_from_slice(cipher.wrap_key(&[9; 35], &mut wrapped).unwrap());
        let unwrap = |oaep, wrapped: &[u8]| {
            let opened = unwrap_under_rsa(&key, oaep, wrapped, &mut Random(&fill));
            opened.map(|opened| opened.to_vec())
        };

        assert_eq!(unwrap(Oaep::Sha256, &whole), Ok(vec![9; 35]));
        assert!(unwrap(Oaep::Sha1, &whole).is_err());
        for length in [0, 255, 256, 264, 296] {
            assert!(
                unwrap(Oaep::Sha256, &whole[..length]).is_err(),
                "{length} bytes"
            );
        }
    }
}
