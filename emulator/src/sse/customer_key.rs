//! SSE-C: a key that the customer brings with every request and that is never stored.

use std::fmt;

use zeroize::Zeroizing;

use crate::crypto::data_key::DataKey;
use crate::crypto::digest::{equal, md5};

/// A customer's key, of whatever length it was sent.
#[derive(Clone)]
pub(crate) struct CustomerKey {
    bytes: Zeroizing<Vec<u8>>,
    md5: [u8; 16],
}

impl CustomerKey {
    /// Takes the decoded bytes.
    pub(crate) fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self {
            md5: md5(&bytes),
            bytes,
        }
    }

    /// MD5 of the key: all that is kept of it.
    pub(crate) fn md5(&self) -> [u8; 16] {
        self.md5
    }

    /// Whether an object of this key MD5 was written under it.
    pub(crate) fn matches(&self, key_md5: &[u8; 16]) -> bool {
        equal(&self.md5, key_md5)
    }

    /// The key as AES-256 takes it; `None` for another length.
    pub(crate) fn data_key(&self) -> Option<DataKey> {
        self.bytes.as_slice().try_into().ok().map(DataKey::new)
    }
}

impl fmt::Debug for CustomerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CustomerKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key that ceph's tests and other recordings use, with its published MD5.
    #[test]
    fn a_key_is_known_by_its_md5() {
        let key = CustomerKey::new(Zeroizing::new(b"1234567890abcdef1234567890abcdef".to_vec()));
        let published = hex::decode("24cc2089ec57ab0b8fa883e360598865").unwrap();

        assert_eq!(key.md5().as_slice(), published);
        assert!(key.matches(&key.md5()));
        assert!(!key.matches(&[0; 16]));
    }

    #[test]
    fn a_key_never_shows() {
        let key = CustomerKey::new(Zeroizing::new(b"secret".to_vec()));

        assert_eq!(format!("{key:?}"), "CustomerKey(…)");
        assert!(key.data_key().is_none());
    }
}
