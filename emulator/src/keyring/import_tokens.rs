//! How material comes to a key: a wrapping key that is made for it, and a token that brings its private half back.
//!
//! Nothing is kept: the token holds the private half, the algorithm and its own end, under the root key and bound to the
//! KMS key. `version (1) || AEAD of design §2`, and within `algorithm (1) || end in milliseconds (8) || PKCS#8`. To clients
//! it is opaque.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-get-public-key-and-token.html>

use std::collections::BTreeMap;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::crypto::error::CryptoError;
use crate::crypto::key_pair::KeyPair;
use crate::crypto::key_wrap::unwrap_under_rsa;
use crate::crypto::random::Random;
use crate::crypto::rsa_keys::{Oaep, RsaKey};
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::import_refusal::ImportRefusal;
use crate::keyring::key_pairs::kind;
use crate::keyring::refusal::Refusal;
use crate::keyring::states::Need;
use crate::model::context::EncryptionContext;
use crate::model::kms_key::{KeySpec, KmsKey};
use crate::model::timestamp::Timestamp;
use crate::model::wrapping::{WrappingAlgorithm, WrappingKeySpec};

const VERSION: u8 = 1;
/// How long a token is good.
const LIFE: Duration = Duration::from_hours(24);

/// What somebody needs to bring the material of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportParameters {
    /// Brings the private half of the wrapping key back.
    pub(crate) token: Vec<u8>,
    /// The public half, as SPKI.
    pub(crate) public: Vec<u8>,
    /// Until when the two are good.
    pub(crate) valid_to: Timestamp,
}

impl Keyring {
    /// Makes a wrapping key and its token.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for a key of another origin or state; [`ImportRefusal::Wrapping`]; [`KeyringError::Unwrap`] for a wrapping key
    /// that cannot be made.
    pub(crate) async fn parameters_for_import(
        &self,
        key: &KmsKey,
        algorithm: WrappingAlgorithm,
        wrapping: WrappingKeySpec,
    ) -> Result<ImportParameters, KeyringError> {
        Need::Import.check(key)?;
        if !algorithm.suits(key.spec, wrapping) {
            return Err(ImportRefusal::Wrapping {
                algorithm: algorithm.name().to_owned(),
                wrapping: wrapping.name().to_owned(),
                spec: key.spec.name(),
            }
            .into());
        }
        let make = move |random: &mut Random<'_>| {
            let made = RsaKey::generate(wrapping.bits(), random)?;
            Ok((made.render(), made.public()))
        };
        let (private, public) = self.apart(make).await?.map_err(KeyringError::Unwrap)?;
        let valid_to = self.clock.now().plus(LIFE);
        let token = Token {
            algorithm,
            valid_to,
            private,
        };
        Ok(ImportParameters {
            token: self.seal_token(key, &token),
            public,
            valid_to,
        })
    }

    /// The bytes that somebody wrapped for a key, in the one form in which they are kept.
    ///
    /// # Errors
    ///
    /// [`ImportRefusal::InvalidToken`], [`ImportRefusal::ExpiredToken`]; [`Refusal::InvalidCiphertext`] for what was not
    /// wrapped so; [`ImportRefusal::IncorrectMaterial`] for what is no material for such a key.
    pub(super) async fn unwrap_material(
        &self,
        key: &KmsKey,
        token: &[u8],
        wrapped: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
        let token = self.open_token(key, token)?;
        if token.valid_to <= self.clock.now() {
            return Err(ImportRefusal::ExpiredToken.into());
        }
        let wrapped = wrapped.to_owned();
        let unwrap = move |random: &mut Random<'_>| token.unwrap(&wrapped, random);
        let bytes = self.apart(unwrap).await?;
        let bytes = bytes.map_err(|_| Refusal::InvalidCiphertext)?;
        let normal = self.normal_material(key.spec, bytes).await?;
        normal.map_err(|why| ImportRefusal::IncorrectMaterial(why).into())
    }

    /// Material in the one form in which it is kept, so that the same key always has the same bytes; or why it is none
    /// for a key of this spec.
    ///
    /// # Errors
    ///
    /// [`KeyringError::TornDown`].
    pub(super) async fn normal_material(
        &self,
        spec: KeySpec,
        bytes: Zeroizing<Vec<u8>>,
    ) -> Result<Result<Zeroizing<Vec<u8>>, &'static str>, KeyringError> {
        let Some(kind) = kind(spec) else {
            let fits = spec.material_bytes() == Some(bytes.len());
            let why = "The length of the key material is not valid for the key spec.";
            return Ok(fits.then_some(bytes).ok_or(why));
        };
        let read = move |_: &mut Random<'_>| Ok(KeyPair::parse(kind, &bytes)?.render());
        let why = "The key material is not a PKCS#8 private key that is valid for the key spec.";
        Ok(self.apart(read).await?.map_err(|_| why))
    }

    fn seal_token(&self, key: &KmsKey, token: &Token) -> Vec<u8> {
        let sealed = self.root.seal(
            self.entropy.bytes(),
            &token.render(),
            &bound_to(key).canonical(),
        );
        [&[VERSION], sealed.as_slice()].concat()
    }

    fn open_token(&self, key: &KmsKey, token: &[u8]) -> Result<Token, ImportRefusal> {
        let open = || {
            let sealed = token.strip_prefix(&[VERSION])?;
            let opened = self.root.open(sealed, &bound_to(key).canonical()).ok()?;
            Token::parse(&opened)
        };
        open().ok_or(ImportRefusal::InvalidToken)
    }
}

/// What a token says to whoever can open it.
struct Token {
    algorithm: WrappingAlgorithm,
    valid_to: Timestamp,
    /// The private half: PKCS#8.
    private: Zeroizing<Vec<u8>>,
}

impl Token {
    fn render(&self) -> Zeroizing<Vec<u8>> {
        let algorithm = [number_of(self.algorithm)];
        let valid_to = self.valid_to.unix_millis().to_be_bytes();
        Zeroizing::new([&algorithm, valid_to.as_slice(), &self.private].concat())
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let (algorithm, rest) = bytes.split_first()?;
        let (valid_to, private) = rest.split_first_chunk()?;
        let mut all = WrappingAlgorithm::ALL.into_iter();
        Some(Self {
            algorithm: all.find(|one| number_of(*one) == *algorithm)?,
            valid_to: Timestamp::from_unix_millis(u64::from_be_bytes(*valid_to)),
            private: Zeroizing::new(private.to_owned()),
        })
    }

    fn unwrap(
        &self,
        wrapped: &[u8],
        random: &mut Random<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        let key = RsaKey::parse(&self.private)?;
        match self.algorithm {
            WrappingAlgorithm::OaepSha1 => key.decrypt(Oaep::Sha1, wrapped, random),
            WrappingAlgorithm::OaepSha256 => key.decrypt(Oaep::Sha256, wrapped, random),
            WrappingAlgorithm::AesKeyWrapSha1 => {
                unwrap_under_rsa(&key, Oaep::Sha1, wrapped, random)
            }
            WrappingAlgorithm::AesKeyWrapSha256 => {
                unwrap_under_rsa(&key, Oaep::Sha256, wrapped, random)
            }
        }
    }
}

/// By which a token names an algorithm.
fn number_of(algorithm: WrappingAlgorithm) -> u8 {
    match algorithm {
        WrappingAlgorithm::OaepSha1 => 1,
        WrappingAlgorithm::OaepSha256 => 2,
        WrappingAlgorithm::AesKeyWrapSha1 => 3,
        WrappingAlgorithm::AesKeyWrapSha256 => 4,
    }
}

/// What the token of a key is bound to.
fn bound_to(key: &KmsKey) -> EncryptionContext {
    let pair = ("strongroom:import-token".to_owned(), key.arn());
    EncryptionContext::new(BTreeMap::from([pair]))
}
