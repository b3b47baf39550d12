//! How key material is wrapped on its way to a key: algorithms and wrapping keys, and which suit what.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html>

use crate::model::kms_key::KeySpec;

/// `WrappingAlgorithm`, those that are taken today.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrappingAlgorithm {
    /// `RSAES_OAEP_SHA_1`: the material under the wrapping key itself.
    OaepSha1,
    /// `RSAES_OAEP_SHA_256`.
    OaepSha256,
    /// `RSA_AES_KEY_WRAP_SHA_1`: the material under an AES key, and that under the wrapping key.
    AesKeyWrapSha1,
    /// `RSA_AES_KEY_WRAP_SHA_256`.
    AesKeyWrapSha256,
}

/// `WrappingKeySpec`, those that are made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrappingKeySpec {
    /// `RSA_2048`.
    Rsa2048,
    /// `RSA_3072`.
    Rsa3072,
    /// `RSA_4096`.
    Rsa4096,
}

impl WrappingAlgorithm {
    /// All of them.
    pub(crate) const ALL: [Self; 4] = [
        Self::OaepSha1,
        Self::OaepSha256,
        Self::AesKeyWrapSha1,
        Self::AesKeyWrapSha256,
    ];

    /// As on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::OaepSha1 => "RSAES_OAEP_SHA_1",
            Self::OaepSha256 => "RSAES_OAEP_SHA_256",
            Self::AesKeyWrapSha1 => "RSA_AES_KEY_WRAP_SHA_1",
            Self::AesKeyWrapSha256 => "RSA_AES_KEY_WRAP_SHA_256",
        }
    }

    /// Reads the wire's form; `None` for one that is not taken.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// Whether it can bring the material of such a key under such a wrapping key.
    pub(crate) fn suits(self, spec: KeySpec, wrapping: WrappingKeySpec) -> bool {
        match self {
            Self::AesKeyWrapSha1 | Self::AesKeyWrapSha256 => spec.is_pair(),
            Self::OaepSha1 | Self::OaepSha256 => match spec {
                KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => false,
                // It is longer than what fits.
                KeySpec::EccNistP521 => wrapping != WrappingKeySpec::Rsa2048,
                _ => true,
            },
        }
    }
}

impl WrappingKeySpec {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Rsa2048, Self::Rsa3072, Self::Rsa4096];

    /// As on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rsa2048 => "RSA_2048",
            Self::Rsa3072 => "RSA_3072",
            Self::Rsa4096 => "RSA_4096",
        }
    }

    /// Reads the wire's form; `None` for one that is not made.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    /// The size of its modulus.
    pub(crate) fn bits(self) -> usize {
        match self {
            Self::Rsa2048 => 2_048,
            Self::Rsa3072 => 3_072,
            Self::Rsa4096 => 4_096,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_of_rsa_comes_under_an_aes_key_alone_and_what_is_drawn_never_does() {
        for wrapping in WrappingKeySpec::ALL {
            for spec in KeySpec::BUILT {
                let taken = WrappingAlgorithm::ALL.map(|one| one.suits(spec, wrapping));
                let expected = match spec {
                    KeySpec::Rsa2048 | KeySpec::Rsa3072 | KeySpec::Rsa4096 => {
                        [false, false, true, true]
                    }
                    KeySpec::EccNistP521 if wrapping == WrappingKeySpec::Rsa2048 => {
                        [false, false, true, true]
                    }
                    _ => [true, true, spec.is_pair(), spec.is_pair()],
                };
                assert_eq!(taken, expected, "{spec:?} under {wrapping:?}");
            }
        }
    }
}
