//! Buckets: make, find, change, delete, list.

use crate::model::bucket::Bucket;
use crate::model::bucket_name::BucketName;
use crate::model::upload::Upload;
use crate::store::catalogue::{Transaction, View};
use crate::store::error::StoreError;
use crate::store::handle::Store;
use crate::store::keys;

/// Which buckets are wanted: those of one account, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BucketQuery {
    /// The account: twelve digits.
    pub(crate) account: String,
    /// What their names begin with.
    pub(crate) prefix: String,
    /// In which region they live; anywhere if `None`.
    pub(crate) region: Option<String>,
    /// The name behind which they come.
    pub(crate) after: Option<String>,
    /// The most that are wanted.
    pub(crate) limit: usize,
}

impl BucketQuery {
    fn takes(&self, bucket: &Bucket) -> bool {
        let here = |region: &str| region == bucket.region();
        bucket.account == self.account && self.region.as_deref().is_none_or(here)
    }
}

/// Some of an account's buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BucketPage {
    /// In the order of their names.
    pub(crate) buckets: Vec<Bucket>,
    /// Whether there are more behind the last of them.
    pub(crate) is_truncated: bool,
}

impl Store {
    /// Makes a bucket.
    ///
    /// # Errors
    ///
    /// `BucketExists`, `Io`, `Corrupted`.
    pub(crate) async fn create_bucket(&self, bucket: Bucket) -> Result<(), StoreError> {
        let work = |tx: &mut Transaction| {
            let key = keys::bucket(&bucket.name);
            match tx.get(&key)? {
                Some(existing) => Err(StoreError::BucketExists(existing)),
                None => tx.put(key, &bucket),
            }
        };
        self.catalogue().transact(None, work).await
    }

    /// A bucket.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `Io`, `Corrupted`.
    pub(crate) fn bucket(&self, name: &BucketName) -> Result<Bucket, StoreError> {
        bucket_in(&self.view()?, name)
    }

    /// Changes a bucket; `change` may run more than once, each time on the bucket as it is then.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `Io`, `Corrupted`.
    pub(crate) async fn update_bucket(
        &self,
        name: &BucketName,
        mut change: impl FnMut(&mut Bucket),
    ) -> Result<Bucket, StoreError> {
        let work = |tx: &mut Transaction| {
            let mut bucket = tx.bucket(name)?;
            change(&mut bucket);
            tx.put(keys::bucket(name), &bucket)?;
            Ok(bucket)
        };
        self.catalogue().transact(None, work).await
    }

    /// Deletes a bucket that holds nothing, no delete marker either, and the uploads that are under way in it. A write that
    /// races it finds the bucket gone, or keeps it.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `BucketNotEmpty`, `Io`, `Corrupted`.
    pub(crate) async fn delete_bucket(&self, name: &BucketName) -> Result<(), StoreError> {
        let work = |tx: &mut Transaction| {
            let bucket = tx.bucket(name)?;
            for rows in [keys::versions_of(name), keys::history_of(name)] {
                if !tx.is_empty(&rows)? {
                    return Err(StoreError::BucketNotEmpty(Box::new(bucket)));
                }
            }
            let uploads: Vec<Upload> = tx.all_rows(&keys::uploads_of(name))?;
            for upload in &uploads {
                tx.remove(keys::upload(name, &upload.key, upload.id));
            }
            tx.remove(keys::bucket(name));
            Ok(uploads)
        };
        for upload in self.catalogue().transact(None, work).await? {
            self.purge_parts(upload.id).await?;
        }
        Ok(())
    }

    /// Some of an account's buckets.
    ///
    /// # Errors
    ///
    /// `Io`, `Corrupted`.
    pub(crate) fn list_buckets(&self, query: &BucketQuery) -> Result<BucketPage, StoreError> {
        let view = self.view()?;
        let prefix = [keys::BUCKETS, query.prefix.as_bytes()].concat();
        let after = query
            .after
            .as_deref()
            .map(|name| keys::next(&[keys::BUCKETS, name.as_bytes()].concat()));
        let from = after.map_or_else(|| prefix.clone(), |after| after.max(prefix.clone()));
        let mut page = BucketPage::default();
        for row in view.scan(&from)? {
            let (key, stored) = row?;
            if !key.starts_with(&prefix) {
                break;
            }
            let bucket: Bucket = view.parse(&stored.value)?;
            if !query.takes(&bucket) {
                continue;
            }
            if page.buckets.len() == query.limit {
                page.is_truncated = true;
                break;
            }
            page.buckets.push(bucket);
        }
        Ok(page)
    }
}

impl Transaction {
    /// A bucket, which must not change until the commit.
    ///
    /// # Errors
    ///
    /// `NoSuchBucket`, `Io`, `Corrupted`.
    pub(super) fn bucket(&mut self, name: &BucketName) -> Result<Bucket, StoreError> {
        self.get(&keys::bucket(name))?
            .ok_or_else(|| StoreError::NoSuchBucket(name.clone()))
    }
}

/// A bucket, as this view has it.
///
/// # Errors
///
/// `NoSuchBucket`, `Io`, `Corrupted`.
pub(super) fn bucket_in(view: &View, name: &BucketName) -> Result<Bucket, StoreError> {
    view.get(&keys::bucket(name))?
        .ok_or_else(|| StoreError::NoSuchBucket(name.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::fixtures::{bucket, deletion, ephemeral, name, photos, put, with_photos};

    #[tokio::test]
    async fn a_taken_name_is_answered_with_its_bucket() {
        let store = with_photos().await;
        let mut second = bucket("photos");
        second.account = "111111111111".to_owned();

        let refused = store.create_bucket(second).await;

        let Err(StoreError::BucketExists(existing)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(*existing, bucket("photos"));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_concurrent_change_is_lost() {
        let store = with_photos().await;
        let changes = (0..64).map(|number| {
            let store = store.clone();
            let tag = (number.to_string(), String::new());
            tokio::spawn(async move {
                let change = |bucket: &mut Bucket| bucket.tags.push(tag.clone());
                store.update_bucket(&photos(), change).await.unwrap();
            })
        });

        for change in changes.collect::<Vec<_>>() {
            change.await.unwrap();
        }

        assert_eq!(store.bucket(&photos()).unwrap().tags.len(), 64);
    }

    #[tokio::test]
    async fn a_bucket_that_holds_something_stays() {
        let store = with_photos().await;
        put(&store, "a", b"").await.unwrap();

        let refused = store.delete_bucket(&photos()).await;
        store.delete(&photos(), &deletion("a")).await.unwrap();
        store.delete_bucket(&photos()).await.unwrap();

        assert!(
            matches!(refused, Err(StoreError::BucketNotEmpty(_))),
            "{refused:?}"
        );
        let gone = store.bucket(&photos());
        assert!(matches!(gone, Err(StoreError::NoSuchBucket(_))), "{gone:?}");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn a_write_that_races_the_deletion_never_leaves_an_object_without_a_bucket() {
        let store = ephemeral();
        for _ in 0..300 {
            store.create_bucket(bucket("photos")).await.unwrap();
            let writer = store.clone();
            let written = tokio::spawn(async move { put(&writer, "a", b"").await });
            let other = store.clone();
            let deleted = tokio::spawn(async move { other.delete_bucket(&photos()).await });

            let (written, deleted) = (written.await.unwrap(), deleted.await.unwrap());

            assert_ne!(written.is_ok(), deleted.is_ok(), "{written:?} {deleted:?}");
            if written.is_ok() {
                store.delete(&photos(), &deletion("a")).await.unwrap();
                store.delete_bucket(&photos()).await.unwrap();
            }
        }
    }

    #[tokio::test]
    async fn pages_of_buckets_hold_one_accounts_and_join_to_all_of_them() {
        let store = ephemeral();
        for name in ["logs-1", "logs-2", "photos", "logs-3", "other-1"] {
            let mut bucket = bucket(name);
            if name == "logs-2" {
                bucket.account = "111111111111".to_owned();
            }
            store.create_bucket(bucket).await.unwrap();
        }
        let mut query = BucketQuery {
            account: "000000000000".to_owned(),
            prefix: "logs-".to_owned(),
            region: None,
            after: None,
            limit: 1,
        };

        let first = store.list_buckets(&query).unwrap();
        query.after = Some("logs-1".to_owned());
        let second = store.list_buckets(&query).unwrap();

        assert_eq!(first.buckets[0].name, name("logs-1"));
        assert!(first.is_truncated);
        assert_eq!(second.buckets[0].name, name("logs-3"));
        assert!(!second.is_truncated);
    }
}
