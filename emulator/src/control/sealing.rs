//! What a sealing says of keys: all but the keys themselves.

use std::collections::BTreeMap;

use crate::control::stored::{Layer, Mode, WrappedUnder};
use crate::model::context::EncryptionContext;
use crate::model::sealing::{KmsWrapping, Sealing, WrappedKey};

/// What a sealing says of keys.
pub(super) struct KeyFacts<'s> {
    /// The mode.
    pub(super) mode: Mode,
    /// The layers, the outermost first.
    pub(super) layers: Vec<Layer>,
    /// What KMS has to do with it.
    pub(super) kms: Option<&'s KmsWrapping>,
    /// MD5 of the customer's key.
    pub(super) customer_key_md5: Option<[u8; 16]>,
}

impl<'s> KeyFacts<'s> {
    /// Of an object whose own context is `object`.
    pub(super) fn of(sealing: &'s Sealing, object: &EncryptionContext) -> Self {
        let (mode, layers, kms, customer_key_md5) = match sealing {
            Sealing::SseS3 { wrapped_key } => {
                (Mode::SseS3, vec![own(wrapped_key, object)], None, None)
            }
            Sealing::SseKms(kms) => (Mode::SseKms, vec![of_kms(kms, object)], Some(kms), None),
            Sealing::DsseKms { kms, wrapped_key } => {
                let layers = vec![own(wrapped_key, object), of_kms(kms, object)];
                (Mode::DsseKms, layers, Some(kms), None)
            }
            Sealing::SseC { key_md5 } => (Mode::SseC, vec![customers()], None, Some(*key_md5)),
        };
        Self {
            mode,
            layers,
            kms,
            customer_key_md5,
        }
    }

    /// The bucket key, as KMS encrypted it.
    pub(super) fn bucket_key(&self) -> Option<Vec<u8>> {
        let kms = self.kms.filter(|kms| kms.under_bucket_key.is_some())?;
        Some(kms.ciphertext.0.clone())
    }
}

fn own(wrapped_key: &WrappedKey, object: &EncryptionContext) -> Layer {
    Layer {
        under: WrappedUnder::RootKey,
        wrapped_key: Some(wrapped_key.0.clone()),
        context: object.pairs().clone(),
    }
}

fn of_kms(kms: &KmsWrapping, object: &EncryptionContext) -> Layer {
    let (under, key, context) = match &kms.under_bucket_key {
        None => (WrappedUnder::KmsKey, &kms.ciphertext, &kms.context),
        Some(key) => (WrappedUnder::BucketKey, key, object),
    };
    Layer {
        under,
        wrapped_key: Some(key.0.clone()),
        context: context.pairs().clone(),
    }
}

fn customers() -> Layer {
    Layer {
        under: WrappedUnder::Nothing,
        wrapped_key: None,
        context: BTreeMap::new(),
    }
}
