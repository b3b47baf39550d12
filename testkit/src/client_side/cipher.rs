//! The primitives of the formats, each from its package: AES-GCM, AES-CBC, AES-ECB, AES key wrap, HKDF, randomness.

use aes::Aes256;
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{Aead, Payload};
use aes_kw::KwAes256;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyInit, KeyIvInit};
use hkdf::Hkdf;
use sha2::Sha512;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Length of a data key and of a wrapping key in bytes.
const KEY_BYTES: usize = 32;
/// Length of the IV of AES-GCM in bytes.
pub(crate) const GCM_IV_BYTES: usize = 12;
/// Length of the IV of AES-CBC in bytes.
pub(crate) const CBC_IV_BYTES: usize = 16;
/// Length of a message id and of a commitment in bytes.
pub(crate) const COMMITMENT_BYTES: usize = 28;

/// An AES-256 key in the clear. It is wiped when it goes.
pub(crate) type Key = Zeroizing<[u8; KEY_BYTES]>;

/// What V3 makes of a data key.
pub(crate) struct Derived {
    /// Encrypts the body.
    pub(crate) key: Key,
    /// Stands beside the body: no other data key gives it.
    pub(crate) commitment: [u8; COMMITMENT_BYTES],
}

/// Derives V3's keys: HKDF-SHA512, the message id as salt, and the id of the algorithm before each purpose.
///
/// Source: <https://github.com/awslabs/aws-encryption-sdk-specification/blob/master/s3-encryption/key-derivation.md>, and
/// `key_derivation.py` of `amazon-s3-encryption-client-python` 4.0.0.
pub(crate) fn derive(key: &Key, message_id: &[u8; COMMITMENT_BYTES]) -> Derived {
    let hkdf = Hkdf::<Sha512>::new(Some(message_id), key.as_slice());
    let mut derived = Derived {
        key: Key::default(),
        commitment: [0; COMMITMENT_BYTES],
    };
    let expand = |info, into: &mut [u8]| {
        hkdf.expand(info, into)
            .expect("32 bytes are within HKDF's limit");
    };
    expand(b"\x00\x73DERIVEKEY", derived.key.as_mut_slice());
    expand(b"\x00\x73COMMITKEY", &mut derived.commitment);
    derived
}

/// Encrypts with AES-256-GCM; the tag of 16 bytes is at the end.
pub(crate) fn seal_gcm(
    key: &Key,
    iv: &[u8; GCM_IV_BYTES],
    aad: &[u8],
    plaintext: &[u8],
) -> Vec<u8> {
    let payload = Payload {
        msg: plaintext,
        aad,
    };
    gcm(key)
        .encrypt(iv.into(), payload)
        .expect("a body in memory is below GCM's 64 GiB")
}

/// Decrypts AES-256-GCM; `None` where the tag does not fit.
pub(crate) fn open_gcm(
    key: &Key,
    iv: &[u8; GCM_IV_BYTES],
    aad: &[u8],
    sealed: &[u8],
) -> Option<Vec<u8>> {
    let payload = Payload { msg: sealed, aad };
    gcm(key).decrypt(iv.into(), payload).ok()
}

/// Decrypts AES-256-CBC; `None` where the padding does not fit. Without a tag, most changes go unnoticed.
pub(crate) fn open_cbc(key: &Key, iv: &[u8; CBC_IV_BYTES], sealed: &[u8]) -> Option<Vec<u8>> {
    let decryptor = cbc::Decryptor::<Aes256>::new(key.as_slice().try_into().ok()?, iv.into());
    decryptor.decrypt_padded_vec::<Pkcs7>(sealed).ok()
}

/// Decrypts AES-256-ECB, in which V1 wrapped a data key as `AES`; `None` where the padding or the length does not fit.
pub(crate) fn open_ecb(key: &Key, sealed: &[u8]) -> Option<Key> {
    let decryptor = ecb::Decryptor::<Aes256>::new(key.as_slice().try_into().ok()?);
    let opened = Zeroizing::new(decryptor.decrypt_padded_vec::<Pkcs7>(sealed).ok()?);
    key_of(&opened)
}

/// Unwraps a key as RFC 3394 says; `None` where the integrity check or the length does not fit.
pub(crate) fn unwrap_key(key: &Key, wrapped: &[u8]) -> Option<Key> {
    let mut unwrapped = Zeroizing::new([0; KEY_BYTES + 8]);
    let wrapping = KwAes256::new(key.as_slice().try_into().ok()?);
    let wrapped: &[u8; KEY_BYTES + 8] = wrapped.try_into().ok()?;
    key_of(wrapping.unwrap_key(wrapped, &mut *unwrapped).ok()?)
}

/// Takes a key out of bytes that are as long as one.
pub(crate) fn key_of(bytes: &[u8]) -> Option<Key> {
    let key: [u8; KEY_BYTES] = bytes.try_into().ok()?;
    Some(Zeroizing::new(key))
}

/// Whether two commitments are the same, in the same time for any.
pub(crate) fn is_same(one: &[u8; COMMITMENT_BYTES], other: &[u8; COMMITMENT_BYTES]) -> bool {
    one.ct_eq(other).into()
}

/// Bytes of the system's randomness.
pub(crate) fn random<const LENGTH: usize>() -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    getrandom::fill(&mut bytes).expect("the system has randomness");
    bytes
}

fn gcm(key: &Key) -> Aes256Gcm {
    Aes256Gcm::new_from_slice(key.as_slice()).expect("an AES-256 key has 32 bytes")
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, Engine};

    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        let byte = |two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap();
        digits.map(byte).collect()
    }

    fn counted<const LENGTH: usize>() -> [u8; LENGTH] {
        std::array::from_fn(|index| u8::try_from(index).unwrap())
    }

    /// Test case 16 of `McGrew` and Viega, "The Galois/Counter Mode of Operation", appendix B.
    #[test]
    fn gcm_is_that_of_its_inventors() {
        let half = "feffe9928665731c6d6a8f9467308308";
        let key = key_of(&bytes(&half.repeat(2))).unwrap();
        let iv = bytes("cafebabefacedbaddecaf888").try_into().unwrap();
        let aad = bytes("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let plaintext = bytes(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
        );
        let sealed = bytes(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
             8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
             76fc6ece0f4e1768cddf8853bb2d551b",
        );

        assert_eq!(seal_gcm(&key, &iv, &aad, &plaintext), sealed);
        assert_eq!(open_gcm(&key, &iv, &aad, &sealed), Some(plaintext));
        assert_eq!(open_gcm(&key, &iv, b"", &sealed), None);
    }

    /// RFC 3394 section 4.6.
    #[test]
    fn a_key_is_unwrapped_as_the_rfc_says() {
        let wrapping = Key::new(counted());
        let wrapped = bytes(
            "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21",
        );
        let key = bytes("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f");

        assert_eq!(unwrap_key(&wrapping, &wrapped), key_of(&key));
        assert_eq!(unwrap_key(&wrapping, &wrapped[1..]), None);
        assert_eq!(unwrap_key(&Key::default(), &wrapped), None);
    }

    /// Python's `cryptography`: `HKDF(SHA512(), 32, salt, b"\0\x73DERIVEKEY").derive(key)`, and so for 28 bytes of `COMMITKEY`,
    /// with `key = bytes(range(32))` and `salt = bytes(range(28))`. `derive_keys` of AWS's own client 4.0.0 gives the same two.
    #[test]
    fn keys_are_derived_as_python_derives_them() {
        let derived = derive(&Key::new(counted()), &counted());

        assert_eq!(
            BASE64_STANDARD.encode(&derived.key),
            "tpn7kT0xX8tAxJ3ROWiWMA2KdtgSSw+PXKp2uMWp74E="
        );
        assert_eq!(
            BASE64_STANDARD.encode(derived.commitment),
            "csQUeFo642FTStnkYag3VvzMFdwPhTU2AVVEKA=="
        );
    }
}
