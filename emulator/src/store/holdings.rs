//! All buckets and KMS keys, whoever owns them and wherever they live: for whoever holds the whole folder.

use serde::de::DeserializeOwned;

use crate::model::bucket::Bucket;
use crate::model::kms_grant::KmsGrant;
use crate::model::kms_key::{KmsAlias, KmsKey};
use crate::store::catalogue::View;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys;

/// What a store holds beside objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holdings {
    /// By their names.
    pub(crate) buckets: Vec<Bucket>,
    /// By region and id.
    pub(crate) kms_keys: Vec<KmsKey>,
    /// By region, account and name.
    pub(crate) kms_aliases: Vec<KmsAlias>,
    /// By region, key and grantee.
    pub(crate) kms_grants: Vec<KmsGrant>,
}

impl Store {
    /// All of it, at one moment.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn holdings(&self) -> Result<Holdings, StoreError> {
        let view = self.view()?;
        Ok(Holdings {
            buckets: rows(&view, keys::BUCKETS)?,
            kms_keys: rows(&view, keys::KMS_KEYS)?,
            kms_aliases: rows(&view, keys::KMS_ALIASES)?,
            kms_grants: rows(&view, keys::KMS_GRANTS)?,
        })
    }
}

fn rows<T: DeserializeOwned>(view: &View, prefix: &[u8]) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    for row in view.scan(prefix)? {
        let (key, stored) = row?;
        if !key.starts_with(prefix) {
            break;
        }
        found.push(view.parse(&stored.value)?);
    }
    Ok(found)
}
