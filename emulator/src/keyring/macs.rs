//! Message authentication codes of HMAC keys.

use crate::crypto::digest::equal;
use crate::crypto::mac::MacDigest;
use crate::keyring::asker::Asker;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::refusal::Refusal;
use crate::keyring::states::{check_use, wrong_algorithm};
use crate::model::kms_key::{KeySpec, KeyUsage, KmsKey};

impl Keyring {
    /// The code of a message.
    ///
    /// # Errors
    ///
    /// [`Refusal`] for a key that cannot be used now, is made for something else, or works by another algorithm;
    /// [`KeyringError::Unwrap`] for damaged material.
    pub(crate) fn generate_mac(
        &self,
        (asker, key): (&Asker, &KmsKey),
        algorithm: &'static str,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyringError> {
        check_use(asker, key, KeyUsage::GenerateVerifyMac)?;
        let digest = digest(key.spec).filter(|_| key.algorithms().contains(&algorithm));
        let digest = digest.ok_or_else(|| wrong_algorithm(key, algorithm))?;
        let material = key
            .current()
            .ok_or_else(|| Refusal::PendingImport(key.arn()))?;
        Ok(digest.code(&self.material(key, material)?, message))
    }

    /// Whether a code is the message's.
    ///
    /// # Errors
    ///
    /// As [`Keyring::generate_mac`]; [`Refusal::InvalidMac`] where it is not.
    pub(crate) fn verify_mac(
        &self,
        used: (&Asker, &KmsKey),
        algorithm: &'static str,
        (message, code): (&[u8], &[u8]),
    ) -> Result<(), KeyringError> {
        let ours = self.generate_mac(used, algorithm, message)?;
        if equal(&ours, code) {
            Ok(())
        } else {
            Err(Refusal::InvalidMac.into())
        }
    }
}

fn digest(spec: KeySpec) -> Option<MacDigest> {
    match spec {
        KeySpec::Hmac224 => Some(MacDigest::Sha224),
        KeySpec::Hmac256 => Some(MacDigest::Sha256),
        KeySpec::Hmac384 => Some(MacDigest::Sha384),
        KeySpec::Hmac512 => Some(MacDigest::Sha512),
        _ => None,
    }
}
