//! Keys of the elliptic curves with ECDSA (FIPS 186-5): PKCS#8 and SPKI, and signatures in DER (RFC 3279 §2.2.3).
//!
//! Two of them agree on a secret by ECDH (NIST SP 800-56A, §5.7.1.2: the cofactors are 1).
//!
//! The number that each signature needs comes of key and digest (RFC 6979), and of no generator that may repeat.

use ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use p256::elliptic_curve::Generate;
use p256::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use zeroize::Zeroizing;

use crate::crypto::error::CryptoError;
use crate::crypto::random::Random;

/// A curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    /// P-256 (NIST SP 800-186).
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
    /// secp256k1 (SEC 2).
    Secp256k1,
}

/// A key with both halves; zeroed when dropped, never shown.
pub(crate) enum EccKey {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Secp256k1(k256::ecdsa::SigningKey),
}

/// The same words for the key of each curve.
macro_rules! of_each {
    ($whole:expr, $key:ident => $words:expr) => {
        match $whole {
            EccKey::P256($key) => $words,
            EccKey::P384($key) => $words,
            EccKey::P521($key) => $words,
            EccKey::Secp256k1($key) => $words,
        }
    };
}

impl EccKey {
    /// A fresh key.
    pub(crate) fn generate(curve: Curve, random: &mut Random<'_>) -> Self {
        match curve {
            Curve::P256 => Self::P256(Generate::generate_from_rng(random)),
            Curve::P384 => Self::P384(Generate::generate_from_rng(random)),
            Curve::P521 => Self::P521(Generate::generate_from_rng(random)),
            Curve::Secp256k1 => Self::Secp256k1(Generate::generate_from_rng(random)),
        }
    }

    /// Reads PKCS#8.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadKey`] for anything else, and for a key of another curve.
    pub(crate) fn parse(curve: Curve, der: &[u8]) -> Result<Self, CryptoError> {
        let read = match curve {
            Curve::P256 => DecodePrivateKey::from_pkcs8_der(der).map(Self::P256),
            Curve::P384 => DecodePrivateKey::from_pkcs8_der(der).map(Self::P384),
            Curve::P521 => DecodePrivateKey::from_pkcs8_der(der).map(Self::P521),
            Curve::Secp256k1 => DecodePrivateKey::from_pkcs8_der(der).map(Self::Secp256k1),
        };
        read.map_err(|_| CryptoError::BadKey)
    }

    /// PKCS#8, the public half in it.
    pub(crate) fn render(&self) -> Zeroizing<Vec<u8>> {
        let der = of_each!(self, key => key.to_pkcs8_der());
        der.expect("a key of a curve has a DER form").to_bytes()
    }

    /// The public half, as SPKI (RFC 5280 §4.1.2.7).
    pub(crate) fn public(&self) -> Vec<u8> {
        let der = of_each!(self, key => key.verifying_key().to_public_key_der());
        der.expect("a key of a curve has a DER form").into_vec()
    }

    /// The signature of a digest, in DER.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadLength`] for a digest of less than half the curve's size.
    pub(crate) fn sign(&self, digest: &[u8]) -> Result<Vec<u8>, CryptoError> {
        of_each!(self, key => {
            let signature: Result<ecdsa::Signature<_>, _> = key.sign_prehash(digest);
            signature.map(|signature| signature.to_der().as_bytes().to_vec())
        })
        .map_err(|_| CryptoError::BadLength)
    }

    /// The secret that it shares with a peer, whose public half is given as SPKI: as many bytes as the curve has.
    ///
    /// # Errors
    ///
    /// [`CryptoError::BadKey`] for what is no point of the same curve, and for secp256k1, which only signs.
    pub(crate) fn agree(&self, peer: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        macro_rules! agreed {
            ($curve:ident, $key:expr) => {
                $curve::PublicKey::from_public_key_der(peer).map(|peer| {
                    let secret =
                        $curve::ecdh::diffie_hellman($key.as_nonzero_scalar(), peer.as_affine());
                    secret.raw_secret_bytes().to_vec()
                })
            };
        }
        let secret = match self {
            Self::P256(key) => agreed!(p256, key),
            Self::P384(key) => agreed!(p384, key),
            Self::P521(key) => agreed!(p521, key),
            Self::Secp256k1(_) => return Err(CryptoError::BadKey),
        };
        secret.map(Zeroizing::new).map_err(|_| CryptoError::BadKey)
    }

    /// Whether a signature in DER is this digest's. Of the two that differ in the sign of `s`, either is.
    pub(crate) fn verifies(&self, digest: &[u8], signature: &[u8]) -> bool {
        of_each!(self, key => ecdsa::Signature::from_der(signature)
            .and_then(|signature| key.verifying_key().verify_prehash(digest, &signature.normalize_s()))
            .is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::signing::Hash;

    /// RFC 6979, appendices A.2.5 to A.2.7, of `sample`; for secp256k1 the value that its implementations share, of
    /// `Satoshi Nakamoto` under the key 1 (btcec's `TestRFC6979`). The DER around them is OpenSSL's.
    const KNOWN: [(Curve, Hash, &str, &str, &str); 4] = [
        (
            Curve::P256,
            Hash::Sha256,
            "sample",
            "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721a1440342000460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb67903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299",
            "3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
        ),
        (
            Curve::P384,
            Hash::Sha384,
            "sample",
            "3081b6020100301006072a8648ce3d020106052b8104002204819e30819b02010104306b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5a16403620004ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc138015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720",
            "306602310094edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe4602310099ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
        ),
        (
            Curve::P521,
            Hash::Sha512,
            "sample",
            "3081ee020100301006072a8648ce3d020106052b810400230481d63081d3020101044200fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538a18189038186000401894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd371123d46e45db6b5d5370a7f20fb633155d38ffa16d2bd761dcac474b9a2f5023a400493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d6630f746a28a0db25741b5b34a828008b22acc23f924faafbd4d33f81ea66956dfeaa2bfdfcf5",
            "308187024200c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa0241617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a",
        ),
        (
            Curve::Secp256k1,
            Hash::Sha256,
            "Satoshi Nakamoto",
            "308184020100301006072a8648ce3d020106052b8104000a046d306b02010104200000000000000000000000000000000000000000000000000000000000000001a1440342000479be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8",
            "3045022100934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d802202442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5",
        ),
    ];

    #[test]
    fn every_signature_has_its_published_value() {
        for (curve, hash, message, key, signature) in KNOWN {
            let key = EccKey::parse(curve, &hex::decode(key).unwrap()).unwrap();

            let signed = key.sign(&hash.of(message.as_bytes())).unwrap();

            assert_eq!(hex::encode(signed), signature, "{curve:?}");
        }
    }

    #[test]
    fn a_key_is_written_as_it_was_read_and_on_its_own_curve_alone() {
        for (curve, _, _, known, _) in KNOWN {
            let der = hex::decode(known).unwrap();

            let read = EccKey::parse(curve, &der).unwrap();

            assert_eq!(hex::encode(read.render()), known);
            for (other, ..) in KNOWN.iter().filter(|(other, ..)| *other != curve) {
                assert!(EccKey::parse(*other, &der).is_err(), "{curve:?} {other:?}");
            }
        }
    }

    const AGREEMENTS: &str = include_str!("../../../fixtures/vectors/nist-ecc-cdh.json");

    #[test]
    fn every_secret_has_its_published_value() {
        let all: serde_json::Value = serde_json::from_str(AGREEMENTS).unwrap();
        let vectors = all["vectors"].as_array().unwrap();
        let curves = [Curve::P256, Curve::P384, Curve::P521];
        let bytes = |vector: &serde_json::Value, name: &str| {
            hex::decode(vector[name].as_str().unwrap()).unwrap()
        };
        for (vector, curve) in vectors.iter().zip(curves) {
            let key = EccKey::parse(curve, &bytes(vector, "pkcs8")).unwrap();
            let mut peer = bytes(vector, "peer");

            let secret = key.agree(&peer).unwrap();

            assert_eq!(key.public(), bytes(vector, "public"));
            assert_eq!(*secret, bytes(vector, "secret"), "{curve:?}");
            // A point off the curve would tell the key bit by bit.
            *peer.last_mut().unwrap() ^= 1;
            assert_eq!(key.agree(&peer), Err(CryptoError::BadKey));
            for other in vectors.iter().filter(|other| *other != vector) {
                assert_eq!(key.agree(&bytes(other, "peer")), Err(CryptoError::BadKey));
            }
        }
    }

    #[test]
    fn a_signature_of_the_other_sign_verifies_too() {
        let (curve, hash, message, key, _) = KNOWN[3];
        let key = EccKey::parse(curve, &hex::decode(key).unwrap()).unwrap();
        let digest = hash.of(message.as_bytes());

        // The same `r`, and the curve's order less `s`: what OpenSSL gives where its own `s` is the larger.
        let high = "3046022100934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8022100dbbd3162d46e9f9bef7feb87c16dc13b4f6568a87f4e83f728e2443ba586675c";

        assert!(key.verifies(&digest, &hex::decode(high).unwrap()));
    }
}
