//! Keys of many regions: each is a row of its own, and what they share changes in all of them at once.

use crate::model::kms_key::{KeyOrigin, KeyState, KmsKey};
use crate::model::kms_name::KeyId;
use crate::model::multi_region::MultiRegion;
use crate::store::catalogue::Transaction;
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys;

/// A primary, and one of the keys that may be its replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    /// The key that was asked for.
    pub(crate) key: KmsKey,
    /// The key of the same id in the other region.
    pub(crate) other: Option<KmsKey>,
}

impl Store {
    /// Keeps a replica of a key in another region, and its name in its primary: `make` gives it, or refuses, and may run
    /// more than once. `None` where there is no such key.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) async fn replicate_kms_key<E>(
        &self,
        (region, id): (&str, &KeyId),
        other: &str,
        make: impl Fn(&Relation) -> Result<KmsKey, E>,
    ) -> Result<Option<Result<KmsKey, E>>, StoreError> {
        let work = |tx: &mut Transaction| {
            let Some(mut relation) = tx.relation((region, id), other)? else {
                return Ok(None);
            };
            let replica = match make(&relation) {
                Ok(replica) => replica,
                Err(refused) => return Ok(Some(Err(refused))),
            };
            let replicas = &mut relation.key.multi_region.replicas;
            replicas.insert(replica.region.clone());
            tx.put(keys::kms_key(&replica.region, id), &replica)?;
            tx.put(keys::kms_key(region, id), &relation.key)?;
            Ok(Some(Ok(replica)))
        };
        self.catalogue().transact(None, work).await
    }

    /// Makes a replica the primary, and its primary a replica, unless `check` refuses. `None` where there is no such key.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) async fn move_kms_primary<E>(
        &self,
        (region, id): (&str, &KeyId),
        other: &str,
        check: impl Fn(&Relation) -> Result<(), E>,
    ) -> Result<Option<Result<(), E>>, StoreError> {
        let work = |tx: &mut Transaction| {
            let Some(relation) = tx.relation((region, id), other)? else {
                return Ok(None);
            };
            if let Err(refused) = check(&relation) {
                return Ok(Some(Err(refused)));
            }
            let Relation {
                key: mut before,
                other: Some(mut after),
            } = relation
            else {
                return Ok(None);
            };
            let mut replicas = std::mem::take(&mut before.multi_region.replicas);
            replicas.remove(other);
            for region in &replicas {
                tx.change_replica((region, id), |replica| {
                    replica.multi_region = MultiRegion::replica_of(other);
                })?;
            }
            replicas.insert(region.to_owned());
            after.multi_region = MultiRegion {
                primary: None,
                replicas,
            };
            before.multi_region = MultiRegion::replica_of(other);
            tx.put(keys::kms_key(other, id), &after)?;
            tx.put(keys::kms_key(region, id), &before)?;
            Ok(Some(Ok(())))
        };
        self.catalogue().transact(None, work).await
    }
}

impl Transaction {
    /// Gives the replicas of a key what they share with it: its materials, unless their owner brings them to each, and how
    /// it is rotated.
    pub(super) fn share_with_replicas(&mut self, key: &KmsKey) -> Result<(), StoreError> {
        if key.origin != KeyOrigin::AwsKms {
            return Ok(());
        }
        for region in &key.multi_region.replicas {
            self.change_replica((region, &key.id), |replica| {
                replica.materials.clone_from(&key.materials);
                replica.rotation = key.rotation;
            })?;
        }
        Ok(())
    }

    /// Takes a replica that is removed out of its primary. Where it was the last, the primary's own window begins, if it
    /// waited for that.
    pub(super) fn leave_primary(&mut self, replica: &KmsKey) -> Result<(), StoreError> {
        let Some(region) = &replica.multi_region.primary else {
            return Ok(());
        };
        let row = keys::kms_key(region, &replica.id);
        let Some(mut primary) = self.get::<KmsKey>(&row)? else {
            return Ok(());
        };
        primary.multi_region.replicas.remove(&replica.region);
        if let KeyState::PendingReplicaDeletion {
            window_days,
            last_gone,
        } = &mut primary.state
        {
            if let KeyState::PendingDeletion { deletion } = replica.state {
                *last_gone = deletion.max(*last_gone);
            }
            let deletion = last_gone.plus_days(*window_days);
            if primary.multi_region.replicas.is_empty() {
                primary.state = KeyState::PendingDeletion { deletion };
            }
        }
        self.put(row, &primary)
    }

    fn relation(
        &mut self,
        (region, id): (&str, &KeyId),
        other: &str,
    ) -> Result<Option<Relation>, StoreError> {
        let Some(key) = self.get::<KmsKey>(&keys::kms_key(region, id))? else {
            return Ok(None);
        };
        let other = self.get(&keys::kms_key(other, id))?;
        Ok(Some(Relation { key, other }))
    }

    /// Changes a row that a primary names, and writes it only where that changes anything.
    fn change_replica(
        &mut self,
        (region, id): (&str, &KeyId),
        change: impl Fn(&mut KmsKey),
    ) -> Result<(), StoreError> {
        let row = keys::kms_key(region, id);
        let Some(before) = self.get::<KmsKey>(&row)? else {
            return Ok(());
        };
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return Ok(());
        }
        self.put(row, &after)
    }
}
