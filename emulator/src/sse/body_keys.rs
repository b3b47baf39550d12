//! The keys of a body's layers, and what seals a blob under them.

use crate::crypto::data_key::DataKey;
use crate::crypto::segments::{SEGMENT_BYTES, SealSeed, Sealer};
use crate::entropy::Entropy;
use crate::model::object::BlobId;
use crate::sse::layers::SealLayers;

/// The keys of a body's layers.
#[derive(Clone, Debug)]
pub(crate) struct BodyKeys {
    /// The one that its plaintext is sealed under.
    pub(crate) inner: DataKey,
    /// The one that the result is sealed under once more.
    pub(crate) outer: Option<DataKey>,
}

impl BodyKeys {
    /// The key of a body of one layer.
    pub(crate) fn one(key: DataKey) -> Self {
        Self {
            inner: key,
            outer: None,
        }
    }

    /// Begins a blob. Its id is bound to it: no other passes for it under the same keys.
    pub(crate) fn seal(&self, blob: BlobId, entropy: &Entropy) -> SealLayers {
        let sealer = |key: &DataKey| {
            let seed = SealSeed {
                salt: entropy.bytes(),
                nonce_prefix: entropy.bytes(),
            };
            Sealer::new(key, blob.to_string().as_bytes(), &seed, SEGMENT_BYTES)
        };
        match &self.outer {
            None => SealLayers::one(sealer(&self.inner)),
            Some(outer) => SealLayers::two(sealer(&self.inner), sealer(outer)),
        }
    }
}
