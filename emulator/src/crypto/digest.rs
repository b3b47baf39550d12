//! Digests and HMACs, one-shot and incremental.

use std::fmt;

use crc_fast::CrcAlgorithm;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Digest as _;
use subtle::ConstantTimeEq;

/// A digest that S3 knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digest {
    /// 16 bytes.
    Md5,
    /// 20 bytes.
    Sha1,
    /// 32 bytes.
    Sha256,
    /// CRC-32, ISO 3309; 4 bytes.
    Crc32,
    /// CRC-32C, Castagnoli; 4 bytes.
    Crc32c,
    /// CRC-64/NVME; 8 bytes.
    Crc64Nvme,
}

/// A digest under way.
#[derive(Clone)]
pub(crate) struct Hasher(State);

#[derive(Clone)]
enum State {
    Md5(md5::Md5),
    Sha1(sha1::Sha1),
    Sha256(sha2::Sha256),
    Crc {
        digest: crc_fast::Digest,
        width_bytes: usize,
    },
}

impl Hasher {
    /// A fresh one.
    pub(crate) fn new(digest: Digest) -> Self {
        let crc = |algorithm, width_bytes| State::Crc {
            digest: crc_fast::Digest::new(algorithm),
            width_bytes,
        };
        Self(match digest {
            Digest::Md5 => State::Md5(md5::Md5::new()),
            Digest::Sha1 => State::Sha1(sha1::Sha1::new()),
            Digest::Sha256 => State::Sha256(sha2::Sha256::new()),
            Digest::Crc32 => crc(CrcAlgorithm::Crc32IsoHdlc, 4),
            Digest::Crc32c => crc(CrcAlgorithm::Crc32Iscsi, 4),
            Digest::Crc64Nvme => crc(CrcAlgorithm::Crc64Nvme, 8),
        })
    }

    /// Takes more bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::Md5(hash) => hash.update(bytes),
            State::Sha1(hash) => hash.update(bytes),
            State::Sha256(hash) => hash.update(bytes),
            State::Crc { digest, .. } => digest.update(bytes),
        }
    }

    /// The digest; a CRC in network order.
    pub(crate) fn finish(self) -> Vec<u8> {
        match self.0 {
            State::Md5(hash) => hash.finalize().to_vec(),
            State::Sha1(hash) => hash.finalize().to_vec(),
            State::Sha256(hash) => hash.finalize().to_vec(),
            State::Crc {
                digest,
                width_bytes,
            } => digest.finalize().to_be_bytes()[8 - width_bytes..].to_vec(),
        }
    }
}

impl Digest {
    /// The CRC of two pieces joined, by the CRCs of both and the second one's length; `None` for what is no CRC.
    pub(crate) fn joined(self, one: &[u8], other: &[u8], other_bytes: u64) -> Option<Vec<u8>> {
        let (algorithm, width_bytes) = self.crc()?;
        let number = |digest: &[u8]| {
            let mut bytes = [0; 8];
            bytes[8 - width_bytes..].copy_from_slice(digest.get(..width_bytes)?);
            Some(u64::from_be_bytes(bytes))
        };
        let joined =
            crc_fast::checksum_combine(algorithm, number(one)?, number(other)?, other_bytes);
        Some(joined.to_be_bytes()[8 - width_bytes..].to_vec())
    }

    fn crc(self) -> Option<(CrcAlgorithm, usize)> {
        match self {
            Self::Crc32 => Some((CrcAlgorithm::Crc32IsoHdlc, 4)),
            Self::Crc32c => Some((CrcAlgorithm::Crc32Iscsi, 4)),
            Self::Crc64Nvme => Some((CrcAlgorithm::Crc64Nvme, 8)),
            Self::Md5 | Self::Sha1 | Self::Sha256 => None,
        }
    }
}

/// MD5 of bytes in hand.
pub(crate) fn md5(bytes: &[u8]) -> [u8; 16] {
    md5::Md5::digest(bytes).into()
}

/// SHA-256 of bytes in hand.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

/// HMAC-SHA256 (RFC 2104) under a key of any length.
pub(crate) fn hmac_sha256(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut mac =
        Hmac::<sha2::Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

/// HMAC-SHA1, for signatures of version 2.
pub(crate) fn hmac_sha1(key: &[u8], bytes: &[u8]) -> [u8; 20] {
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

/// Whether two byte strings are equal, in a time that tells nothing of where they differ.
pub(crate) fn equal(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the CRC catalogue, and the digests of "123456789".
    #[test]
    fn every_digest_has_its_published_value() {
        let expected = [
            (Digest::Crc32, "cbf43926"),
            (Digest::Crc32c, "e3069283"),
            (Digest::Crc64Nvme, "ae8b14860a799888"),
            (Digest::Md5, "25f9e794323b453885f5181f1b624d0b"),
            (Digest::Sha1, "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
            (
                Digest::Sha256,
                "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
            ),
        ];
        for (digest, hex) in expected {
            let mut hasher = Hasher::new(digest);
            hasher.update(b"1234");
            hasher.update(b"56789");
            assert_eq!(hex::encode(hasher.finish()), hex, "{digest:?}");
        }
    }

    #[test]
    fn the_crc_of_two_pieces_is_that_of_the_whole() {
        let digest_of = |digest, bytes: &[u8]| {
            let mut hasher = Hasher::new(digest);
            hasher.update(bytes);
            hasher.finish()
        };
        for digest in [Digest::Crc32, Digest::Crc32c, Digest::Crc64Nvme] {
            let (one, other) = (digest_of(digest, b"1234"), digest_of(digest, b"56789"));

            let joined = digest.joined(&one, &other, 5).unwrap();

            assert_eq!(joined, digest_of(digest, b"123456789"));
        }
        assert_eq!(Digest::Sha256.joined(&[0; 32], &[0; 32], 1), None);
    }

    /// RFC 4231, test case 2; RFC 2202, test case 2.
    #[test]
    fn hmacs_have_their_published_values() {
        let text = b"what do ya want for nothing?";

        assert_eq!(
            hex::encode(hmac_sha256(b"Jefe", text)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            hex::encode(hmac_sha1(b"Jefe", text)),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
    }
}
