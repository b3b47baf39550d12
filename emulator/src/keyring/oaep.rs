//! Encryption by the algorithm that a caller names: to RSA keys with OAEP, and under symmetric ones.
//!
//! What was encrypted to a pair is RSA's bare ciphertext. It names no key, and anybody can make it with the public half.

use zeroize::Zeroizing;

use crate::crypto::rsa_keys::Oaep;
use crate::keyring::asker::Asker;
use crate::keyring::encryption::Decrypted;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::refusal::Refusal;
use crate::keyring::states::{check_algorithm, check_use};
use crate::model::context::EncryptionContext;
use crate::model::kms_key::{KeySpec, KeyUsage, KmsKey};

impl Keyring {
    /// Encrypts by an algorithm.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for a key that cannot be used now, is made for something else, or works by other algorithms;
    /// [`Refusal::PlaintextTooLong`], [`Refusal::ContextOfPair`]; [`KeyringError::Material`] for damaged material.
    pub(crate) async fn encrypt_by(
        &self,
        (asker, key): (&Asker, &KmsKey),
        algorithm: &'static str,
        plaintext: &[u8],
        context: &EncryptionContext,
    ) -> Result<Vec<u8>, KeyringError> {
        let Some(oaep) = find_oaep((asker, key), algorithm, context)? else {
            return self.encrypt((asker, key), plaintext, context);
        };
        let most = most_bytes(key.spec, oaep);
        if plaintext.len() > most {
            return Err(Refusal::PlaintextTooLong {
                algorithm,
                spec: key.spec.name(),
                most,
            }
            .into());
        }
        let plaintext = Zeroizing::new(plaintext.to_owned());
        let encrypted = self
            .with_pair(key, move |pair, random| {
                pair.encrypt(oaep, &plaintext, random)
            })
            .await?;
        encrypted.map_err(|source| KeyringError::Material {
            key_arn: key.arn(),
            source,
        })
    }

    /// Decrypts by an algorithm.
    ///
    /// # Errors
    ///
    /// As [`Keyring::encrypt_by`]; [`Refusal::InvalidCiphertext`] for what was not encrypted so.
    pub(crate) async fn decrypt_by(
        &self,
        (asker, key): (&Asker, &KmsKey),
        algorithm: &'static str,
        ciphertext: &[u8],
        context: &EncryptionContext,
    ) -> Result<Decrypted, KeyringError> {
        let Some(oaep) = find_oaep((asker, key), algorithm, context)? else {
            return self.decrypt((asker, key), ciphertext, context);
        };
        let ciphertext = ciphertext.to_owned();
        let opened = self
            .with_pair(key, move |pair, random| {
                pair.decrypt(oaep, &ciphertext, random)
            })
            .await?;
        Ok(Decrypted {
            plaintext: opened.map_err(|_| Refusal::InvalidCiphertext)?,
            material: None,
        })
    }
}

/// How a pair encrypts by this algorithm; `None` for a symmetric key.
fn find_oaep(
    (asker, key): (&Asker, &KmsKey),
    algorithm: &'static str,
    context: &EncryptionContext,
) -> Result<Option<Oaep>, Refusal> {
    check_use(asker, key, KeyUsage::EncryptDecrypt)?;
    check_algorithm(key, algorithm)?;
    let oaep = match algorithm {
        "RSAES_OAEP_SHA_1" => Oaep::Sha1,
        "RSAES_OAEP_SHA_256" => Oaep::Sha256,
        _ => return Ok(None),
    };
    if context.pairs().is_empty() {
        Ok(Some(oaep))
    } else {
        Err(Refusal::ContextOfPair)
    }
}

/// The most bytes of a plaintext: a block less two digests and two bytes (RFC 8017 §7.1.1).
fn most_bytes(spec: KeySpec, oaep: Oaep) -> usize {
    let block = match spec {
        KeySpec::Rsa3072 => 384,
        KeySpec::Rsa4096 => 512,
        _ => 256,
    };
    match oaep {
        Oaep::Sha1 => block - 42,
        Oaep::Sha256 => block - 66,
    }
}
