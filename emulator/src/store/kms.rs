//! KMS keys and their aliases: make, find, change, delete, list. What a state allows is decided by the caller, inside
//! the transaction.

use crate::model::kms_grant::KmsGrant;
use crate::model::kms_key::{KmsAlias, KmsKey};
use crate::model::kms_name::KeyId;
use crate::store::catalogue::{Transaction, View};
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys;

/// Some rows of a list, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KmsPage<T> {
    /// The rows.
    pub(crate) rows: Vec<T>,
    /// Whether there are more behind the last of them.
    pub(crate) is_truncated: bool,
}

/// How things stand when an alias is to get a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Naming {
    /// The key.
    pub(crate) key: Option<KmsKey>,
    /// The alias that has the name.
    pub(crate) before: Option<KmsAlias>,
    /// How many other names the key has.
    pub(crate) others: usize,
}

impl Store {
    /// Keeps a new key, and an alias for it where one is given: both, or none where a name is taken.
    ///
    /// # Errors
    ///
    /// `KeyExists`, `AliasExists`, `Io`, `Corrupted`.
    pub(crate) async fn create_kms_key(
        &self,
        key: &KmsKey,
        alias: Option<&KmsAlias>,
    ) -> Result<(), StoreError> {
        let row = keys::kms_key(&key.region, &key.id);
        let work = |tx: &mut Transaction| {
            if tx.get::<KmsKey>(&row)?.is_some() {
                return Err(StoreError::KeyExists(key.id.clone()));
            }
            if let Some(alias) = alias {
                tx.add_alias(alias)?;
            }
            tx.put(row.clone(), key)
        };
        self.catalogue().transact(None, work).await
    }

    /// A key.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn kms_key(&self, region: &str, id: &KeyId) -> Result<Option<KmsKey>, StoreError> {
        self.view()?.get(&keys::kms_key(region, id))
    }

    /// Changes a key, and in its replicas what they share with it; `change` may run more than once, each time on the key as it is then. Where it refuses, nothing is
    /// changed and the refusal is the answer; `None` where there is no such key.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) async fn update_kms_key<E>(
        &self,
        (region, id): (&str, &KeyId),
        mut change: impl FnMut(&mut KmsKey) -> Result<(), E>,
    ) -> Result<Option<Result<KmsKey, E>>, StoreError> {
        let row = keys::kms_key(region, id);
        let work = |tx: &mut Transaction| {
            let Some(mut key) = tx.get::<KmsKey>(&row)? else {
                return Ok(None);
            };
            if let Err(refused) = change(&mut key) {
                return Ok(Some(Err(refused)));
            }
            tx.put(row.clone(), &key)?;
            tx.share_with_replicas(&key)?;
            Ok(Some(Ok(key)))
        };
        self.catalogue().transact(None, work).await
    }

    /// Removes a key, every alias of it and grant on it, and its name from its primary, if `is_meant` says so of the key as
    /// it is then.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) async fn delete_kms_key(
        &self,
        (region, id): (&str, &KeyId),
        is_meant: impl Fn(&KmsKey) -> bool,
    ) -> Result<(), StoreError> {
        let row = keys::kms_key(region, id);
        let work = |tx: &mut Transaction| {
            let Some(key) = tx.get::<KmsKey>(&row)?.filter(&is_meant) else {
                return Ok(());
            };
            for alias in aliases_in(&self.view()?, &key)? {
                let row = keys::kms_alias(&alias.region, &alias.account, &alias.name);
                let current: Option<KmsAlias> = tx.get(&row)?;
                if current.is_some_and(|current| current.target == key.id) {
                    tx.remove(row);
                }
            }
            for grant in tx.rows::<KmsGrant>(&keys::kms_grants_on(region, id))? {
                tx.remove(keys::kms_grant(&grant));
            }
            tx.remove(row.clone());
            tx.leave_primary(&key)
        };
        self.catalogue().transact(None, work).await
    }

    /// Some of an account's keys in a region; `after` is the id behind which they come.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn list_kms_keys(
        &self,
        (region, account): (&str, &str),
        after: Option<&KeyId>,
        limit: usize,
    ) -> Result<KmsPage<KmsKey>, StoreError> {
        let prefix = keys::kms_keys_of(region);
        let from = after.map_or_else(
            || prefix.clone(),
            |id| keys::next(&keys::kms_key(region, id)),
        );
        page(&self.view()?, (&prefix, &from), limit, |key: &KmsKey| {
            key.account == account
        })
    }

    /// Lets an alias stand for a key: `decide` is told how things stand, and gives the alias as it is to be, or refuses.
    /// Whoever else names or changes the key meanwhile comes before or after, never beside.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) async fn name_kms_key<E>(
        &self,
        (region, account, name): (&str, &str, &str),
        target: &KeyId,
        decide: impl Fn(&Naming) -> Result<KmsAlias, E>,
    ) -> Result<Result<(), E>, StoreError> {
        let (row, key_row) = (
            keys::kms_alias(region, account, name),
            keys::kms_key(region, target),
        );
        let work = |tx: &mut Transaction| {
            let before: Option<KmsAlias> = tx.get(&row)?;
            let key: Option<KmsKey> = tx.get(&key_row)?;
            let others = match &key {
                Some(key) => aliases_in(&self.view()?, key)?,
                None => Vec::new(),
            };
            let naming = Naming {
                key,
                before,
                others: others.iter().filter(|alias| alias.name != name).count(),
            };
            let alias = match decide(&naming) {
                Ok(alias) => alias,
                Err(refused) => return Ok(Err(refused)),
            };
            tx.put(row.clone(), &alias)?;
            // Written as it is, so that two who name one key at a time cannot both have counted its names before.
            tx.put(key_row.clone(), &naming.key)?;
            Ok(Ok(()))
        };
        self.catalogue().transact(None, work).await
    }

    /// An alias.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn kms_alias(
        &self,
        region: &str,
        account: &str,
        name: &str,
    ) -> Result<Option<KmsAlias>, StoreError> {
        self.view()?.get(&keys::kms_alias(region, account, name))
    }

    /// Gives an alias what `change` makes of it, or removes it where that is nothing; answers it as it was.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) async fn replace_kms_alias(
        &self,
        (region, account, name): (&str, &str, &str),
        change: impl Fn(&KmsAlias) -> Option<KmsAlias>,
    ) -> Result<Option<KmsAlias>, StoreError> {
        let row = keys::kms_alias(region, account, name);
        let work = |tx: &mut Transaction| {
            let before: Option<KmsAlias> = tx.get(&row)?;
            match before.as_ref().map(&change) {
                None => {}
                Some(None) => tx.remove(row.clone()),
                Some(Some(after)) => tx.put(row.clone(), &after)?,
            }
            Ok(before)
        };
        self.catalogue().transact(None, work).await
    }

    /// Some of an account's aliases in a region: all, or those of one key; `after` is the name behind which they come.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn list_kms_aliases(
        &self,
        (region, account): (&str, &str),
        target: Option<&KeyId>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<KmsPage<KmsAlias>, StoreError> {
        let prefix = keys::kms_aliases_of(region, account);
        let from = after.map_or_else(
            || prefix.clone(),
            |name| keys::next(&keys::kms_alias(region, account, name)),
        );
        page(
            &self.view()?,
            (&prefix, &from),
            limit,
            |alias: &KmsAlias| target.is_none_or(|id| *id == alias.target),
        )
    }
}

impl Transaction {
    fn add_alias(&mut self, alias: &KmsAlias) -> Result<(), StoreError> {
        let row = keys::kms_alias(&alias.region, &alias.account, &alias.name);
        match self.get::<KmsAlias>(&row)? {
            Some(existing) => Err(StoreError::AliasExists(Box::new(existing))),
            None => self.put(row, alias),
        }
    }
}

fn aliases_in(view: &View, key: &KmsKey) -> Result<Vec<KmsAlias>, StoreError> {
    let prefix = keys::kms_aliases_of(&key.region, &key.account);
    let found = page(view, (&prefix, &prefix), usize::MAX, |alias: &KmsAlias| {
        alias.target == key.id
    });
    found.map(|page| page.rows)
}

/// The rows from `from` on that begin with `prefix` and are wanted.
pub(super) fn page<T: serde::de::DeserializeOwned>(
    view: &View,
    (prefix, from): (&[u8], &[u8]),
    limit: usize,
    is_wanted: impl Fn(&T) -> bool,
) -> Result<KmsPage<T>, StoreError> {
    let mut page = KmsPage {
        rows: Vec::new(),
        is_truncated: false,
    };
    for row in view.scan(from)? {
        let (key, stored) = row?;
        if !key.starts_with(prefix) {
            break;
        }
        let row: T = view.parse(&stored.value)?;
        if !is_wanted(&row) {
            continue;
        }
        if page.rows.len() == limit {
            page.is_truncated = true;
            break;
        }
        page.rows.push(row);
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::model::kms_grant::{GrantConstraints, GrantId, GrantPrincipal, GrantTerms};
    use crate::model::kms_key::{KeyManager, KeyOrigin, KeySpec, KeyState};
    use crate::model::multi_region::MultiRegion;
    use crate::model::timestamp::Timestamp;
    use crate::store::fixtures::ephemeral;
    use crate::store::kms_grants::Granting;

    const ACCOUNT: &str = "000000000000";
    const REGION: &str = "us-east-1";

    fn key(number: u8) -> KmsKey {
        KmsKey {
            id: KeyId::of_parts(false, [number; 16]),
            region: REGION.to_owned(),
            account: ACCOUNT.to_owned(),
            created: Timestamp::default(),
            description: String::new(),
            manager: KeyManager::Customer,
            spec: KeySpec::SymmetricDefault,
            chosen_usage: None,
            origin: KeyOrigin::AwsKms,
            state: KeyState::Enabled,
            materials: Vec::new(),
            pending_rotation: None,
            rotation: None,
            tags: Vec::new(),
            policy: None,
            multi_region: MultiRegion::default(),
        }
    }

    fn alias(name: &str, key: &KmsKey) -> KmsAlias {
        KmsAlias {
            name: name.to_owned(),
            region: key.region.clone(),
            account: key.account.clone(),
            target: key.id.clone(),
            created: Timestamp::default(),
            updated: Timestamp::default(),
        }
    }

    fn names(page: &KmsPage<KmsAlias>) -> Vec<&str> {
        page.rows.iter().map(|alias| alias.name.as_str()).collect()
    }

    #[tokio::test]
    async fn a_key_whose_alias_is_taken_is_not_kept() {
        let store = ephemeral();
        let (first, second) = (key(1), key(2));
        let named = alias("alias/app", &first);
        store.create_kms_key(&first, Some(&named)).await.unwrap();

        let refused = store
            .create_kms_key(&second, Some(&alias("alias/app", &second)))
            .await;

        assert!(matches!(refused, Err(StoreError::AliasExists(found)) if *found == named));
        assert_eq!(store.kms_key(REGION, &second.id).unwrap(), None);
    }

    #[tokio::test]
    async fn a_deleted_key_takes_its_own_aliases_along() {
        let store = ephemeral();
        let (one, other) = (key(1), key(2));
        store.create_kms_key(&one, None).await.unwrap();
        store.create_kms_key(&other, None).await.unwrap();
        for (name, key) in [("alias/a", &one), ("alias/b", &other), ("alias/c", &one)] {
            let give = |_: &Naming| Ok::<_, Infallible>(alias(name, key));
            let named = store.name_kms_key((REGION, ACCOUNT, name), &key.id, give);
            named.await.unwrap().unwrap();
        }

        let place = (REGION, &one.id);
        store.delete_kms_key(place, |_| false).await.unwrap();
        assert!(store.kms_key(REGION, &one.id).unwrap().is_some());
        store.delete_kms_key(place, |_| true).await.unwrap();

        assert_eq!(store.kms_key(REGION, &one.id).unwrap(), None);
        let left = store.list_kms_aliases((REGION, ACCOUNT), None, None, 9);
        assert_eq!(names(&left.unwrap()), ["alias/b"]);
    }

    #[tokio::test]
    async fn a_deleted_key_takes_its_own_grants_along() {
        let store = ephemeral();
        let mut names = Vec::new();
        for number in [1, 2] {
            let key = key(number);
            store.create_kms_key(&key, None).await.unwrap();
            for count in [3, 4] {
                let grant = grant(&key, [number * count; 32]);
                let give = |_: &Granting| Ok::<_, Infallible>(grant.clone());
                let made = store.create_kms_grant((REGION, &key.id), None, give).await;
                names.push(made.unwrap().unwrap().id);
            }
        }

        let gone = key(1);
        let place = (REGION, &gone.id);
        store.delete_kms_key(place, |_| true).await.unwrap();

        let left = store.list_kms_grants((REGION, None), None, 9, |_| true);
        let left: Vec<_> = left.unwrap().rows.iter().map(|grant| grant.id).collect();
        assert_eq!(left, names[2..]);
        let other = key(2);
        let found = store.kms_grant((REGION, &other.id), names[3]).unwrap();
        assert_eq!(found.map(|grant| grant.id), Some(names[3]));
        assert_eq!(store.kms_grant(place, names[3]).unwrap(), None);
    }

    fn grant(key: &KmsKey, id: [u8; 32]) -> KmsGrant {
        KmsGrant {
            id: GrantId(id),
            region: key.region.clone(),
            key: key.id.clone(),
            terms: GrantTerms {
                name: None,
                grantee: GrantPrincipal::Arn("arn:aws:iam::000000000000:user/ann".to_owned()),
                retiring: None,
                operations: Vec::new(),
                constraints: GrantConstraints::default(),
            },
            issuer: key.account.clone(),
            created: Timestamp::default(),
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn of_80_who_name_a_key_at_once_each_knows_how_many_came_before() {
        let store = ephemeral();
        let one = key(1);
        store.create_kms_key(&one, None).await.unwrap();
        let name = |number: usize| {
            let (store, one) = (store.clone(), one.clone());
            tokio::spawn(async move {
                let name = format!("alias/{number}");
                let give = |naming: &Naming| {
                    let has_room = naming.others < 50;
                    has_room.then(|| alias(&name, &one)).ok_or(())
                };
                let named = store.name_kms_key((REGION, ACCOUNT, &name), &one.id, give);
                named.await.unwrap().is_ok()
            })
        };

        let mut count = 0;
        for named in (0..80).map(name).collect::<Vec<_>>() {
            count += usize::from(named.await.unwrap());
        }

        assert_eq!(count, 50);
    }

    #[tokio::test]
    async fn a_refused_change_changes_nothing() {
        let store = ephemeral();
        let before = key(1);
        store.create_kms_key(&before, None).await.unwrap();
        let refuse = |key: &mut KmsKey| {
            key.state = KeyState::Disabled;
            Err("no")
        };

        let refused = store.update_kms_key((REGION, &before.id), refuse).await;
        let missing = |_: &mut KmsKey| Ok::<_, Infallible>(());
        let absent = store.update_kms_key((REGION, &key(2).id), missing).await;

        assert_eq!(refused.unwrap(), Some(Err("no")));
        assert_eq!(absent.unwrap(), None);
        assert_eq!(store.kms_key(REGION, &before.id).unwrap(), Some(before));
    }

    #[tokio::test]
    async fn pages_hold_one_accounts_keys_and_join_to_all_of_them() {
        let store = ephemeral();
        for number in 1..=5 {
            let mut key = key(number);
            if number == 3 {
                key.account = "111111111111".to_owned();
            }
            store.create_kms_key(&key, None).await.unwrap();
        }
        let page = |after: Option<&KeyId>| {
            let page = store.list_kms_keys((REGION, ACCOUNT), after, 2).unwrap();
            (page.rows, page.is_truncated)
        };

        let (first, is_first_cut) = page(None);
        let (second, is_second_cut) = page(Some(&first[1].id));

        assert_eq!([first, second].concat(), [key(1), key(2), key(4), key(5)]);
        assert_eq!((is_first_cut, is_second_cut), (true, false));
        let elsewhere = store.list_kms_keys(("eu-west-1", ACCOUNT), None, 9);
        assert_eq!(elsewhere.unwrap().rows, []);
    }
}
