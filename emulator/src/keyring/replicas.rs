//! Keys of many regions: a primary and its replicas, which share id, material and rotation, and nothing else.
//!
//! A replica is a key of its own, with policy, aliases, tags and state of its own. It is done with the answer, where AWS
//! takes a while and calls it `Creating` meanwhile; and so is a change of the primary.
//!
//! Source: <https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html>

use crate::keyring::asker::Asker;
use crate::keyring::error::KeyringError;
use crate::keyring::handle::Keyring;
use crate::keyring::lookup::is_due;
use crate::keyring::refusal::Refusal;
use crate::keyring::states::Need;
use crate::model::kms_key::{KeyOrigin, KeyState, KmsKey};
use crate::model::kms_name::{KeyId, key_arn};
use crate::model::multi_region::MultiRegion;
use crate::model::timestamp::Timestamp;
use crate::store::kms_replicas::Relation;

/// What a replica has of its own.
#[derive(Clone, Debug)]
pub(crate) struct NewReplica {
    /// Where it is to be.
    pub(crate) region: String,
    /// What its owner says of it.
    pub(crate) description: String,
    /// Its tags.
    pub(crate) tags: Vec<(String, String)>,
    /// Its policy; `None` for the usual one.
    pub(crate) policy: Option<String>,
}

/// Where the keys are that share an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relatives {
    /// The region of the primary.
    pub(crate) primary: String,
    /// The regions of the replicas, sorted.
    pub(crate) replicas: Vec<String>,
}

impl Keyring {
    /// Makes a replica of a primary in another region.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotPrimary`], [`Refusal::ReplicaExists`], or for the key's state; [`KeyringError::Store`].
    pub(crate) async fn replicate(
        &self,
        key: &KmsKey,
        new: &NewReplica,
    ) -> Result<KmsKey, KeyringError> {
        let now = self.clock.now();
        // One whose time has come leaves its place.
        self.settled(&new.region, &key.id).await?;
        let make = |relation: &Relation| {
            Need::Replication.check(&relation.key)?;
            let is_same = new.region == relation.key.region;
            if is_same || relation.other.is_some() {
                let arn = key_arn(&new.region, &key.account, &key.id);
                return Err(Refusal::ReplicaExists(arn));
            }
            Ok(replica_of(&relation.key, new, now))
        };
        let place = (key.region.as_str(), &key.id);
        let replicated = self.store.replicate_kms_key(place, &new.region, make);
        let missing = || Refusal::NoSuchKey(key.arn());
        Ok(replicated.await?.ok_or_else(missing)??)
    }

    /// Makes the replica in a region the primary, and the primary a replica: for an asker who may do it with both.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotPrimary`], [`Refusal::NoSuchKey`] for a region without a replica, [`Refusal::ReplicaExists`] for the
    /// primary's own, or for the state of either; [`KeyringError::Store`].
    pub(crate) async fn move_primary(
        &self,
        (asker, key): (&Asker, &KmsKey),
        region: &str,
    ) -> Result<(), KeyringError> {
        Need::Replication.check(key)?;
        let missing = || Refusal::NoSuchKey(key_arn(region, &key.account, &key.id));
        if let Some(replica) = self.settled(region, &key.id).await? {
            let there = Asker {
                region: region.to_owned(),
                ..asker.clone()
            };
            self.authorize(&there, &replica)?;
        }
        let check = |relation: &Relation| {
            Need::Replication.check(&relation.key)?;
            // AWS: unverified. What the region is told that has the primary already.
            if relation.key.region == region {
                return Err(Refusal::ReplicaExists(key.arn()));
            }
            let is_replica = relation.key.multi_region.replicas.contains(region);
            let replica = relation.other.as_ref().filter(|_| is_replica);
            Need::Cryptography.check(replica.ok_or_else(missing)?)
        };
        let place = (key.region.as_str(), &key.id);
        let moved = self.store.move_kms_primary(place, region, check).await?;
        Ok(moved.ok_or_else(missing)??)
    }

    /// The regions of the keys that share a key's id, without those whose time has come.
    ///
    /// # Errors
    ///
    /// [`KeyringError::Store`].
    pub(crate) async fn relatives(&self, key: &KmsKey) -> Result<Relatives, KeyringError> {
        let primary = key.multi_region.primary.as_ref().unwrap_or(&key.region);
        let mut replicas = Vec::new();
        if let Some(first) = self.store.kms_key(primary, &key.id)? {
            let now = self.clock.now();
            for region in first.multi_region.replicas {
                if self.ended((&region, &key.id), now).await?.is_some() {
                    replicas.push(region);
                }
            }
        }
        Ok(Relatives {
            primary: primary.clone(),
            replicas,
        })
    }

    /// A key whose time has not come. A primary that waits for its replicas may wait for itself by now.
    pub(super) async fn lasting(
        &self,
        place: (&str, &KeyId),
        now: Timestamp,
    ) -> Result<Option<KmsKey>, KeyringError> {
        let Some(key) = self.ended(place, now).await? else {
            return Ok(None);
        };
        if !matches!(key.state, KeyState::PendingReplicaDeletion { .. }) {
            return Ok(Some(key));
        }
        for region in &key.multi_region.replicas {
            self.ended((region, &key.id), now).await?;
        }
        self.ended(place, now).await
    }

    /// A key, removed if its time has come.
    async fn ended(
        &self,
        place: (&str, &KeyId),
        now: Timestamp,
    ) -> Result<Option<KmsKey>, KeyringError> {
        let found = self.store.kms_key(place.0, place.1)?;
        if !found.as_ref().is_some_and(|key| key.is_gone(now)) {
            return Ok(found);
        }
        let is_gone = |key: &KmsKey| key.is_gone(now);
        self.store.delete_kms_key(place, is_gone).await?;
        Ok(None)
    }

    /// A replica, turned if its primary has come due.
    pub(super) async fn settled_replica(
        &self,
        replica: KmsKey,
        now: Timestamp,
    ) -> Result<KmsKey, KeyringError> {
        let comes_due = |key: &KmsKey| key.rotation.is_some_and(|rotation| rotation.next <= now);
        let Some(region) = replica
            .multi_region
            .primary
            .as_ref()
            .filter(|_| comes_due(&replica))
        else {
            return Ok(replica);
        };
        let place = (region.as_str(), &replica.id);
        let primary = self.store.kms_key(place.0, place.1)?;
        if !primary.is_some_and(|primary| is_due(&primary, now)) {
            return Ok(replica);
        }
        let rotate = |key: &mut KmsKey| {
            self.rotate_due(key, now);
            Ok::<_, std::convert::Infallible>(())
        };
        self.store.update_kms_key(place, rotate).await?;
        let turned = self.store.kms_key(&replica.region, &replica.id)?;
        Ok(turned.unwrap_or(replica))
    }
}

fn replica_of(primary: &KmsKey, new: &NewReplica, now: Timestamp) -> KmsKey {
    // Whoever brings material brings it to each of them.
    let (state, materials) = match primary.origin {
        KeyOrigin::AwsKms => (KeyState::Enabled, primary.materials.clone()),
        KeyOrigin::External => (KeyState::PendingImport, Vec::new()),
    };
    KmsKey {
        region: new.region.clone(),
        created: now,
        description: new.description.clone(),
        state,
        materials,
        tags: new.tags.clone(),
        policy: new.policy.clone(),
        multi_region: MultiRegion::replica_of(&primary.region),
        ..primary.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::keyring::fixtures::{asker, keyring};
    use crate::keyring::lifecycle::NewKey;
    use crate::model::context::EncryptionContext;
    use crate::model::kms_key::AutomaticRotation;

    const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-southeast-1"];

    /// What may happen to related keys.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        /// Encrypt in a region.
        Encrypt(usize),
        /// Turn the primary now.
        Rotate,
        /// Let so many days pass, with rotation every 90.
        Wait(u64),
        /// Replicate to a region, or make it the primary.
        Move(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..REGIONS.len()).prop_map(Step::Encrypt),
            Just(Step::Rotate),
            (1_u64..200).prop_map(Step::Wait),
            (0..REGIONS.len()).prop_map(Step::Move),
        ]
    }

    fn asker_in(region: &str) -> Asker {
        Asker {
            region: region.to_owned(),
            ..asker("Decrypt")
        }
    }

    fn new_in(region: &str) -> NewReplica {
        NewReplica {
            region: region.to_owned(),
            description: String::new(),
            tags: Vec::new(),
            policy: None,
        }
    }

    async fn primary(keyring: &Keyring) -> KmsKey {
        let new = NewKey {
            is_of_many_regions: true,
            ..NewKey::default()
        };
        let key = keyring.create_key(&asker("CreateKey"), new).await.unwrap();
        let next = key.created.plus_days(90);
        let turn = |key: &mut KmsKey| {
            let period_days = 90;
            key.rotation = Some(AutomaticRotation { period_days, next });
            Ok(())
        };
        keyring
            .change_key(&key, Need::Rotation, turn)
            .await
            .unwrap()
    }

    /// The key as a region has it, which may be none.
    async fn seen(keyring: &Keyring, key: &KmsKey, region: &str) -> Option<KmsKey> {
        keyring.settled(region, &key.id).await.unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn whatever_happens_to_the_primary_every_ciphertext_opens_in_every_region(steps in prop::collection::vec(step(), 1..24)) {
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let keyring = keyring(1);
                let first = primary(&keyring).await;
                let mut at = REGIONS[0];
                let context = EncryptionContext::default();
                let mut ciphertexts = Vec::new();
                for step in steps {
                    let current = seen(&keyring, &first, at).await.unwrap();
                    match step {
                        Step::Encrypt(index) => if let Some(key) = seen(&keyring, &first, REGIONS[index]).await {
                            ciphertexts.push(keyring.encrypt((&asker("Encrypt"), &key), b"secret", &context).unwrap());
                        },
                        Step::Rotate => drop(keyring.rotate_on_demand(&current).await),
                        Step::Wait(days) => keyring.clock.advance(Duration::from_hours(24 * days)),
                        Step::Move(index) if keyring.replicate(&current, &new_in(REGIONS[index])).await.is_err() => {
                            let used = (&asker_in(at), &current);
                            if keyring.move_primary(used, REGIONS[index]).await.is_ok() {
                                at = REGIONS[index];
                            }
                        }
                        Step::Move(_) => {}
                    }
                }

                let materials = seen(&keyring, &first, at).await.unwrap().materials;
                for region in REGIONS {
                    let Some(key) = seen(&keyring, &first, region).await else { continue };
                    prop_assert_eq!(&key.materials, &materials);
                    for ciphertext in &ciphertexts {
                        let found = keyring.key_of_ciphertext(&asker_in(region), ciphertext).await.unwrap();
                        let opened = keyring.decrypt((&asker("Decrypt"), &found), ciphertext, &context);
                        prop_assert_eq!(opened.unwrap().plaintext.to_vec(), b"secret");
                    }
                }
                Ok(())
            })?;
        }
    }

    #[tokio::test]
    async fn the_window_of_a_primary_begins_with_the_end_of_its_last_replica_in_whatever_order_they_are_looked_at()
     {
        for order in [
            ["eu-west-1", "ap-southeast-1"],
            ["ap-southeast-1", "eu-west-1"],
        ] {
            let keyring = keyring(1);
            let key = primary(&keyring).await;
            let mut replicas = Vec::new();
            for (region, days) in [("eu-west-1", 7), ("ap-southeast-1", 9)] {
                let replica = keyring.replicate(&key, &new_in(region)).await.unwrap();
                replicas.push(keyring.schedule_deletion(&replica, days).await.unwrap());
            }
            let waiting = keyring.schedule_deletion(&key, 10).await.unwrap();
            assert!(matches!(
                waiting.state,
                KeyState::PendingReplicaDeletion { .. }
            ));

            keyring.clock.advance(Duration::from_hours(24 * 12));
            for region in order {
                assert_eq!(seen(&keyring, &key, region).await, None);
            }

            let deletion = key.created.plus_days(19);
            let ending = seen(&keyring, &key, "us-east-1").await.unwrap();
            assert_eq!(ending.state, KeyState::PendingDeletion { deletion });
            keyring.clock.advance(Duration::from_hours(24 * 7));
            assert_eq!(seen(&keyring, &key, "us-east-1").await, None);
        }
    }

    #[tokio::test]
    async fn replicas_of_brought_material_wait_for_their_own() {
        let keyring = keyring(1);
        let mut key = primary(&keyring).await;
        key.origin = KeyOrigin::External;

        let replica = replica_of(&key, &new_in("eu-west-1"), key.created);

        assert_eq!(replica.state, KeyState::PendingImport);
        assert_eq!(replica.materials, []);
    }
}
