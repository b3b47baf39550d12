//! Grants on KMS keys: filed by key and grantee, so that whoever asks for a key finds his own at once. They go with their
//! key.

use crate::model::kms_grant::{GrantId, KmsGrant};
use crate::model::kms_key::KmsKey;
use crate::model::kms_name::KeyId;
use crate::store::catalogue::{Transaction, View};
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys;
use crate::store::kms::{KmsPage, page};

/// How things stand when a key is to get a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Granting {
    /// The key.
    pub(crate) key: Option<KmsKey>,
    /// The grants on it that have the name already.
    pub(crate) namesakes: Vec<KmsGrant>,
    /// How many grants there are on it.
    pub(crate) count: usize,
}

/// Where in a list a grant stands; opaque to all but the store.
pub(crate) fn place_of(grant: &KmsGrant) -> String {
    keys::kms_grant_place(grant)
}

impl Store {
    /// Keeps a grant: `decide` is told how things stand, and gives it, or one that is there, or refuses. Whoever else
    /// grants, or changes the key meanwhile, comes before or after, never beside.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) async fn create_kms_grant<E>(
        &self,
        (region, key): (&str, &KeyId),
        name: Option<&str>,
        decide: impl Fn(&Granting) -> Result<KmsGrant, E>,
    ) -> Result<Result<KmsGrant, E>, StoreError> {
        let key_row = keys::kms_key(region, key);
        let work = |tx: &mut Transaction| {
            let found: Option<KmsKey> = tx.get(&key_row)?;
            let view = self.view()?;
            let namesakes = match name {
                Some(_) => grants_on(&view, (region, key), |grant| {
                    grant.terms.name.as_deref() == name
                })?,
                None => Vec::new(),
            };
            let granting = Granting {
                key: found,
                namesakes,
                count: rows_on(&view, (region, key))?.len(),
            };
            let grant = match decide(&granting) {
                Ok(grant) => grant,
                Err(refused) => return Ok(Err(refused)),
            };
            tx.put(keys::kms_grant(&grant), &grant)?;
            // Written as it is, so that two who grant at a time cannot both have counted before.
            tx.put(key_row.clone(), &granting.key)?;
            Ok(Ok(grant))
        };
        self.catalogue().transact(None, work).await
    }

    /// The grant of an id on a key.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn kms_grant(
        &self,
        place: (&str, &KeyId),
        id: GrantId,
    ) -> Result<Option<KmsGrant>, StoreError> {
        let view = self.view()?;
        let row = row_of(&view, place, id)?;
        row.map_or(Ok(None), |row| view.get(&row))
    }

    /// Somebody's grants on a key, by the name under which they are filed.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn kms_grants_of(
        &self,
        (region, key): (&str, &KeyId),
        filed: &str,
    ) -> Result<Vec<KmsGrant>, StoreError> {
        let prefix = keys::kms_grants_of(region, key, filed);
        let found = page(&self.view()?, (&prefix, &prefix), usize::MAX, |_| true);
        found.map(|page| page.rows)
    }

    /// Some of the grants on a key, or of all in a region; `after` is the place behind which they come.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn list_kms_grants(
        &self,
        (region, key): (&str, Option<&KeyId>),
        after: Option<&str>,
        limit: usize,
        is_wanted: impl Fn(&KmsGrant) -> bool,
    ) -> Result<KmsPage<KmsGrant>, StoreError> {
        let all = keys::kms_grants_in(region);
        let prefix = key.map_or_else(|| all.clone(), |key| keys::kms_grants_on(region, key));
        let from = after.map_or_else(
            || prefix.clone(),
            |place| keys::next(&[&all, place.as_bytes()].concat()),
        );
        page(&self.view()?, (&prefix, &from), limit, is_wanted)
    }

    /// Removes the grant of an id on a key, and answers it.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) async fn delete_kms_grant(
        &self,
        place: (&str, &KeyId),
        id: GrantId,
    ) -> Result<Option<KmsGrant>, StoreError> {
        let work = |tx: &mut Transaction| {
            let Some(row) = row_of(&self.view()?, place, id)? else {
                return Ok(None);
            };
            let before: Option<KmsGrant> = tx.get(&row)?;
            tx.remove(row);
            Ok(before)
        };
        self.catalogue().transact(None, work).await
    }
}

/// The rows of all grants on a key.
fn rows_on(view: &View, (region, key): (&str, &KeyId)) -> Result<Vec<Vec<u8>>, StoreError> {
    let prefix = keys::kms_grants_on(region, key);
    let mut rows = Vec::new();
    for row in view.scan(&prefix)? {
        let (row, _) = row?;
        if !row.starts_with(&prefix) {
            break;
        }
        rows.push(row);
    }
    Ok(rows)
}

fn row_of(view: &View, place: (&str, &KeyId), id: GrantId) -> Result<Option<Vec<u8>>, StoreError> {
    let mut rows = rows_on(view, place)?.into_iter();
    Ok(rows.find(|row| keys::is_kms_grant(row, id)))
}

fn grants_on(
    view: &View,
    (region, key): (&str, &KeyId),
    is_wanted: impl Fn(&KmsGrant) -> bool,
) -> Result<Vec<KmsGrant>, StoreError> {
    let prefix = keys::kms_grants_on(region, key);
    let found = page(view, (&prefix, &prefix), usize::MAX, is_wanted);
    found.map(|page| page.rows)
}
