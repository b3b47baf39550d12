//! Signatures of key pairs.

use crate::crypto::ml_dsa_keys::MU_BYTES;
use crate::crypto::signing::{Hash, Scheme};
use crate::keyring::asker::Asker;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::refusal::Refusal;
use crate::keyring::states::{check_use, wrong_algorithm};
use crate::model::kms_key::{KeyUsage, KmsKey};

/// What is signed, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signing<'m> {
    /// The algorithm, as on the wire.
    pub(crate) algorithm: &'static str,
    /// The message, or its digest.
    pub(crate) message: &'m [u8],
    /// Which of the two it is.
    pub(crate) kind: MessageKind,
}

/// `MessageType`: how far a message was taken already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MessageKind {
    /// `RAW`: not at all.
    Raw,
    /// `DIGEST`: it is hashed, and is not hashed again.
    Digest,
    /// `EXTERNAL_MU`: it is ML-DSA's μ, made of the message and the public half.
    ExternalMu,
}

impl Keyring {
    /// The signature of a message.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for a key that cannot be used now, is made for something else, or works by other algorithms;
    /// [`Refusal::DigestLength`], [`Refusal::MessageType`]; [`KeyringError::Material`] for damaged material.
    pub(crate) async fn sign(
        &self,
        used: (&Asker, &KmsKey),
        signing: Signing<'_>,
    ) -> Result<Vec<u8>, KeyringError> {
        let (scheme, message) = prepare(used, signing)?;
        let key = used.1;
        let signed = self
            .with_pair(key, move |pair, random| pair.sign(scheme, &message, random))
            .await?;
        signed.map_err(|source| KeyringError::Material {
            key_arn: key.arn(),
            source,
        })
    }

    /// Whether a signature is the message's.
    ///
    /// # Errors
    ///
    /// As [`Keyring::sign`]; [`Refusal::InvalidSignature`] where it is not.
    pub(crate) async fn verify(
        &self,
        used: (&Asker, &KmsKey),
        signing: Signing<'_>,
        signature: &[u8],
    ) -> Result<(), KeyringError> {
        let (scheme, message) = prepare(used, signing)?;
        let signature = signature.to_owned();
        let verifies = self
            .with_pair(used.1, move |pair, _| {
                pair.verifies(scheme, &message, &signature)
            })
            .await?;
        if verifies {
            Ok(())
        } else {
            Err(Refusal::InvalidSignature.into())
        }
    }
}

/// What is put to the pair: the digest of the message, or for Ed25519 the message itself.
fn prepare(
    (asker, key): (&Asker, &KmsKey),
    signing: Signing<'_>,
) -> Result<(Scheme, Vec<u8>), Refusal> {
    check_use(asker, key, KeyUsage::SignVerify)?;
    let Signing {
        algorithm,
        message,
        kind,
    } = signing;
    let is_digest = kind == MessageKind::Digest;
    let scheme = scheme(algorithm).filter(|_| key.algorithms().contains(&algorithm));
    let scheme = scheme.ok_or_else(|| wrong_algorithm(key, algorithm))?;
    let message_type = |wanted| Refusal::MessageType { algorithm, wanted };
    // AWS: unverified. That ML-DSA takes no digest.
    let is_taken = match kind {
        MessageKind::ExternalMu => scheme == Scheme::MlDsa,
        MessageKind::Digest => !matches!(scheme, Scheme::Ed25519 | Scheme::MlDsa),
        MessageKind::Raw => scheme != Scheme::Ed25519ph,
    };
    if !is_taken {
        let is_digest_wanted = scheme == Scheme::Ed25519ph;
        return Err(message_type(if is_digest_wanted {
            "DIGEST"
        } else {
            "RAW"
        }));
    }
    let message = match scheme {
        Scheme::RsaPkcs1(hash) | Scheme::RsaPss(hash) | Scheme::Ecdsa(hash) if !is_digest => {
            hash.of(message)
        }
        Scheme::RsaPkcs1(hash) | Scheme::RsaPss(hash) | Scheme::Ecdsa(hash) => {
            check_length(algorithm, hash, message)?
        }
        Scheme::MlDsa if kind == MessageKind::ExternalMu => {
            if message.len() != MU_BYTES {
                return Err(Refusal::DigestLength(algorithm));
            }
            return Ok((Scheme::MlDsaMu, message.to_owned()));
        }
        Scheme::Ed25519 | Scheme::MlDsa | Scheme::MlDsaMu => message.to_owned(),
        // KMS hashes the digest once more.
        Scheme::Ed25519ph => check_length(algorithm, Hash::Sha512, message)?,
    };
    Ok((scheme, message))
}

fn check_length(algorithm: &'static str, hash: Hash, digest: &[u8]) -> Result<Vec<u8>, Refusal> {
    if digest.len() == hash.size_bytes() {
        Ok(digest.to_owned())
    } else {
        Err(Refusal::DigestLength(algorithm))
    }
}

fn scheme(algorithm: &str) -> Option<Scheme> {
    Some(match algorithm {
        "RSASSA_PKCS1_V1_5_SHA_256" => Scheme::RsaPkcs1(Hash::Sha256),
        "RSASSA_PKCS1_V1_5_SHA_384" => Scheme::RsaPkcs1(Hash::Sha384),
        "RSASSA_PKCS1_V1_5_SHA_512" => Scheme::RsaPkcs1(Hash::Sha512),
        "RSASSA_PSS_SHA_256" => Scheme::RsaPss(Hash::Sha256),
        "RSASSA_PSS_SHA_384" => Scheme::RsaPss(Hash::Sha384),
        "RSASSA_PSS_SHA_512" => Scheme::RsaPss(Hash::Sha512),
        "ECDSA_SHA_256" => Scheme::Ecdsa(Hash::Sha256),
        "ECDSA_SHA_384" => Scheme::Ecdsa(Hash::Sha384),
        "ECDSA_SHA_512" => Scheme::Ecdsa(Hash::Sha512),
        "ED25519_SHA_512" => Scheme::Ed25519,
        "ED25519_PH_SHA_512" => Scheme::Ed25519ph,
        "ML_DSA_SHAKE_256" => Scheme::MlDsa,
        _ => return None,
    })
}
