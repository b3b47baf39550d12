//! Lists of keys and aliases, without those whose time has come.

use crate::keyring::asker::Asker;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::managed::S3_ALIAS;
use crate::model::kms_key::{KmsAlias, KmsKey};
use crate::model::kms_name::{KeyId, alias_arn};
use crate::model::timestamp::Timestamp;

/// A page of a list, in the order of the names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed<T> {
    /// What is on it. It may hold less than was asked for, though more come behind it.
    pub(crate) rows: Vec<T>,
    /// The name behind which the next page begins; `None` on the last one.
    pub(crate) next: Option<String>,
}

/// An alias in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedAlias {
    /// The name, `alias/` included.
    pub(crate) name: String,
    /// Its ARN.
    pub(crate) arn: String,
    /// Its key, and when it was made and got that key; `None` for AWS's own before its first use.
    pub(crate) target: Option<(KeyId, Timestamp, Timestamp)>,
}

impl Keyring {
    /// The asker's keys in his region; `after` is the id behind which they come.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(crate) async fn list_keys(
        &self,
        asker: &Asker,
        after: Option<&KeyId>,
        limit: usize,
    ) -> Result<Listed<KmsKey>, KeyringError> {
        let place = (asker.region.as_str(), asker.account.as_str());
        let page = self.store.list_kms_keys(place, after, limit)?;
        let last = page.rows.last().map(|key| key.id.to_string());
        let mut rows = Vec::new();
        for key in page.rows {
            rows.extend(self.settled(&asker.region, &key.id).await?);
        }
        Ok(Listed {
            rows,
            next: last.filter(|_| page.is_truncated),
        })
    }

    /// The asker's aliases in his region, or those of one key; `after` is the name behind which they come.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(crate) async fn list_aliases(
        &self,
        asker: &Asker,
        key: Option<&KeyId>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Listed<ListedAlias>, KeyringError> {
        let place = (asker.region.as_str(), asker.account.as_str());
        let page = self.store.list_kms_aliases(place, key, after, limit)?;
        let last = page.rows.last().map(|alias| alias.name.clone());
        let mut next = last.filter(|_| page.is_truncated);
        let mut rows = Vec::new();
        for alias in page.rows {
            if self.settled(&asker.region, &alias.target).await?.is_some() {
                rows.push(ListedAlias::of(alias));
            }
        }
        let is_unmade = self.store.kms_alias(place.0, place.1, S3_ALIAS)?.is_none();
        let is_within = after.is_none_or(|after| after < S3_ALIAS)
            && next.as_deref().is_none_or(|next| S3_ALIAS < next);
        if is_unmade && key.is_none() && is_within {
            let place_of = rows.partition_point(|alias| alias.name.as_str() < S3_ALIAS);
            rows.insert(place_of, ListedAlias::unmade(asker));
            if rows.len() > limit {
                rows.truncate(limit);
                next = rows.last().map(|alias| alias.name.clone());
            }
        }
        Ok(Listed { rows, next })
    }
}

impl ListedAlias {
    fn of(alias: KmsAlias) -> Self {
        Self {
            arn: alias.arn(),
            name: alias.name,
            target: Some((alias.target, alias.created, alias.updated)),
        }
    }

    /// AWS's own, before its first use.
    fn unmade(asker: &Asker) -> Self {
        Self {
            name: S3_ALIAS.to_owned(),
            arn: alias_arn(&asker.region, &asker.account, S3_ALIAS),
            target: None,
        }
    }
}
