//! KMS's ciphertexts: which key and which of its materials, and what that material sealed.
//!
//! `version (1) || kind of id (1) || id (16) || material (32) || check (8) || AEAD of design §2`. The check is the
//! beginning of the SHA-256 of what stands before it: a damaged name is then no name, and not that of a key which is not
//! here. To clients it is opaque, and its layout may change with its version.

use crate::crypto::digest::sha256;
use crate::model::kms_key::MaterialId;
use crate::model::kms_name::KeyId;

const VERSION: u8 = 1;
const ONE_REGION: u8 = 0;
const MANY_REGIONS: u8 = 1;
const NAME_BYTES: usize = 2 + 16 + 32;
const CHECK_BYTES: usize = 8;

/// A ciphertext, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ciphertext<'c> {
    /// Whether keys of many regions share the id.
    pub(super) is_of_many_regions: bool,
    /// The bytes of the key's id.
    pub(super) key: [u8; 16],
    /// Which of its materials.
    pub(super) material: MaterialId,
    /// What the material sealed.
    pub(super) sealed: &'c [u8],
}

impl<'c> Ciphertext<'c> {
    /// What a material of this key sealed.
    pub(super) fn of(key: &KeyId, material: MaterialId, sealed: &'c [u8]) -> Self {
        Self {
            is_of_many_regions: key.is_of_many_regions(),
            key: key.bytes(),
            material,
            sealed,
        }
    }

    /// Takes one apart; `None` for what was never one, or is no more.
    pub(super) fn parse(bytes: &'c [u8]) -> Option<Self> {
        let (name, rest) = bytes.split_at_checked(NAME_BYTES)?;
        let (check, sealed) = rest.split_at_checked(CHECK_BYTES)?;
        let is_of_many_regions = match name[..2] {
            [VERSION, ONE_REGION] => false,
            [VERSION, MANY_REGIONS] => true,
            _ => return None,
        };
        let (key, material) = name[2..].split_first_chunk()?;
        (check == &sha256(name)[..CHECK_BYTES]).then_some(Self {
            is_of_many_regions,
            key: *key,
            material: MaterialId(material.try_into().ok()?),
            sealed,
        })
    }

    /// Its bytes.
    pub(super) fn render(&self) -> Vec<u8> {
        let kind = if self.is_of_many_regions {
            MANY_REGIONS
        } else {
            ONE_REGION
        };
        let mut bytes = vec![VERSION, kind];
        bytes.extend_from_slice(&self.key);
        bytes.extend_from_slice(&self.material.0);
        let check = sha256(&bytes);
        bytes.extend_from_slice(&check[..CHECK_BYTES]);
        bytes.extend_from_slice(self.sealed);
        bytes
    }

    /// The id of its key.
    pub(super) fn key_id(&self) -> KeyId {
        KeyId::of_parts(self.is_of_many_regions, self.key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn reading_undoes_writing(is_of_many_regions: bool, key: [u8; 16], material: [u8; 32], sealed: Vec<u8>) {
            let ciphertext = Ciphertext {
                is_of_many_regions,
                key,
                material: MaterialId(material),
                sealed: &sealed,
            };

            let bytes = ciphertext.render();

            prop_assert_eq!(Ciphertext::parse(&bytes), Some(ciphertext));
            prop_assert_eq!(ciphertext.key_id().bytes(), key);
        }
    }
}
