//! HMAC (RFC 2104) with the four hash functions that KMS's HMAC keys work by.

use hmac::{EagerHash, Hmac, KeyInit, Mac};
use sha2::{Sha224, Sha256, Sha384, Sha512};

/// The hash function of a message authentication code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MacDigest {
    /// SHA-224: 28 bytes.
    Sha224,
    /// SHA-256: 32 bytes.
    Sha256,
    /// SHA-384: 48 bytes.
    Sha384,
    /// SHA-512: 64 bytes.
    Sha512,
}

impl MacDigest {
    /// The code of a message under a key of any length.
    pub(crate) fn code(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha224 => code::<Sha224>(key, message),
            Self::Sha256 => code::<Sha256>(key, message),
            Self::Sha384 => code::<Sha384>(key, message),
            Self::Sha512 => code::<Sha512>(key, message),
        }
    }
}

fn code<D: EagerHash>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<D>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn every_code_has_its_published_value() {
        let expected = [
            (
                MacDigest::Sha224,
                "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44",
            ),
            (
                MacDigest::Sha256,
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                MacDigest::Sha384,
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            ),
            (
                MacDigest::Sha512,
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ),
        ];
        for (digest, hex) in expected {
            let code = digest.code(b"Jefe", b"what do ya want for nothing?");
            assert_eq!(hex::encode(code), hex, "{digest:?}");
        }
    }
}
